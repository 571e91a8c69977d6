"""A Wix post page -> the post, its recent-post cards, facts about the site, and the fields that are missing.

*Recognised by*  `data-hook="post-page"` with one `<article data-hook="post">` that holds `rcv-block-first`.
*Sources*        the article's markup (`article.py`); the head and the warm-up data where the markup does not say.
*History*        G1 (to early 2025): `div[data-hook=post-description] > article`, counters as text, "2 views0 comments".
                 G2 (from mid 2025): `section[data-hook=post-description]`, counters drawn by a script.
                 Both keep the hooks that are read here, so that one reader serves both. [reference: section 1.2]
*Caveats*        Cards of other posts repeat every hook with numbers of their own: all is read inside the article only.
                 Hashed classes change with each build of the widget and are never read.
"""

from __future__ import annotations

from collections.abc import Iterator

from scraper.addresses import canonical_url
from scraper.items import Author, Exchange, Item, Post, Problem, Sighting, Site
from scraper.not_a_post import Unreadable
from scraper.platforms._json import mapping, string
from scraper.platforms._page import read_head, utf8
from scraper.platforms._values import clean
from scraper.platforms.wix import address
from scraper.platforms.wix.article import ArticleReader, no_post
from scraper.platforms.wix.head import own_url, stated_url, timezone
from scraper.platforms.wix.slices import hooked, slices_of
from scraper.platforms.wix.warmup import Warmup, read_warmup

_PROMISED_FIELDS = ("title", "published_at", "body_text")


def read_page(exchange: Exchange, *, whole: bool = False, after: int = 0) -> Iterator[Item]:
    """Read a post page: a `Post`, a `Site`, a `Sighting` for each card, a `Problem` for each missing promised field.

    `whole` parses the whole page instead of cutting it first: the same items, more slowly. `after` is the byte before
    which no article begins (`post_page`). Raises `NotAPost` where there is no whole post: `Paywall` for a preview,
    `Unreadable` for a page that is cut off inside its article.
    """
    body = utf8(exchange)
    page = slices_of(exchange, body, whole=whole, after=after)
    if page.article is None:
        raise no_post(body)
    if not page.end and b"</html" not in body.lower():  # categories and tags follow the text
        raise Unreadable("the page is cut off behind the post's text; fetch it again")
    head = read_head(page.head, page.json_ld, exchange.url)
    url = canonical_url(own_url(head, exchange.url))
    warmup = read_warmup(body, page.encoding, exchange.url, address.slug(url), after=page.end)
    post = ArticleReader(exchange, page, head=head, warmup=warmup, url=url).post()
    post.stated_url = stated_url(head, url)
    yield post
    yield from _author(post, warmup)
    yield Site(platform="wix", timezone=timezone(body, after=page.end), language=head.language)
    for card in post.related_posts:
        if card.url is not None and address.is_post(card.url):
            yield Sighting(url=card.url, source="related", title=card.title)
    yield from head.problems
    yield from warmup.problems
    yield from _missing_fields(post, url, exchange)


def _author(post: Post, warmup: Warmup) -> Iterator[Author]:
    name = clean(string(mapping(warmup.post.get("owner")).get("name")))
    if name is not None and post.author_person is not None:
        yield Author(name=name, person=post.author_person)


def _missing_fields(post: Post, url: str, exchange: Exchange) -> Iterator[Problem]:
    for name in _PROMISED_FIELDS:
        media_alone = name == "body_text" and (post.images or post.media_pending)
        if getattr(post, name) is None and not media_alone:
            message = f"{url}: a Wix post page has {name}, this one does not; look at the capture"
            yield Problem(kind="missing-field", message=message, url=exchange.url, field=name)


def post_page(body: bytes) -> int:
    """Return the position of the hook around the article of a post page; -1 on any other page."""
    start = hooked(body, "post-page")
    return start if start >= 0 and hooked(body, "post", after=start) >= 0 else -1
