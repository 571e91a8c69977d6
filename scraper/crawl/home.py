"""What the home page says: whether the site answers for itself, what it runs on, who reads it."""

from __future__ import annotations

import re

from scraper.addresses import same_site
from scraper.crawl.state import VisitContext, VisitState
from scraper.items import Exchange, Problem
from scraper.not_a_post import UnsupportedPlatform
from scraper.platforms import recognise
from scraper.platforms._platform import Answer, Blog, Platform
from scraper.platforms._recognise import Marks, generators_of, maker_of, maker_sentence
from scraper.quality import OF_SITE

# A generator tag, "Jekyll v4.3.1", "Hugo 0.92.2", "Astro": the name before a version
_GENERATOR = re.compile(r"([A-Za-z][A-Za-z+-]{1,30}(?: [A-Za-z][A-Za-z+-]{1,30}){0,2})(?=\s+v?\d|\s*[;(,]|\s*$)")


def judge_home(home: Answer, context: VisitContext, visit: VisitState) -> Platform | None:
    """Return the platform that reads the site, and set it and its maker; None ends the visit, whose result is set."""
    clinic = context.clinic
    problems = [item for item in home.items if isinstance(item, Problem)]
    if home.exchange is None or not home.ok:
        visit.blog_status = "unreachable"
        status = home.exchange.status if home.exchange else "nothing"
        visit.failure = home.reason or (problems[0].message if problems else f"{clinic.url}: answered {status}")
        return None
    doubtful = next((problem for problem in problems if problem.kind in OF_SITE), None)
    if doubtful is not None:
        # A wall or a parking page answers for the whole site: what its other addresses say is no evidence either.
        visit.blog_status, visit.failure = "unreachable", doubtful.message.removeprefix(f"{home.exchange.url}: ")
        return None
    # Where the home page always redirected there, posts of that site are known.
    sites = [clinic.url, *(post.url for post in context.known)]
    if context.known and not any(same_site(home.exchange.url, site) for site in sites):
        visit.moved, visit.blog_status = home.exchange.url, "unknown"
        return None
    platform = visit.recognised = visit.recognised or recognise(home.exchange)
    if platform is None:
        # Another problem than that of an unread platform is no evidence of the platform.
        is_conclusive = not problems or problems[0].kind == UnsupportedPlatform.kind
        visit.blog_status = "unsupported" if is_conclusive else "unreachable"
        visit.maker = _maker(home.exchange) if is_conclusive else None
        visit.failure = problems[0].message.removeprefix(f"{home.exchange.url}: ") if problems else "not a blog"
        return None
    visit.platform = platform.name
    # A reader of any site has no marks of its own.
    visit.maker = platform.name if platform.marks != Marks() else _maker(home.exchange)
    return platform


def _maker(home: Exchange) -> str | None:
    """Return what the site runs on, in lower case: "wordpress", or what its generator tag names, "jekyll"."""
    maker = maker_of(home)
    if maker is None:
        generators = (_GENERATOR.match(text) for text in generators_of(home.body))
        maker = next((found[1] for found in generators if found is not None), None)
    return maker.lower() if maker else None


def set_not_read(visit: VisitState, blog: Blog, *, known: bool) -> None:
    """Set the result of a visit to a site of no known platform, in whose pages no post was recognised.

    `known`: the archive has posts of the clinic. A blog that evidently exists is unsupported, not absent.
    """
    assert blog.home is not None
    visit.platform, visit.maker = None, _maker(blog.home)
    visit.blog_status = "unsupported" if blog.evident or known else "none_found"
    found = "its blog was found, but no post could be read" if blog.evident else "no blog post was found on it"
    visit.failure = f"{maker_sentence(blog.home)}, and {found}"
