"""Types of posts that count as the blog beside `post`: those with an archive, and so a feed, and with labels.

Agencies keep a clinic's articles in a type of their own ("news", "articles"). Themes and plugins add types for people,
services and shops too, whose entries are no posts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from scraper.platforms._json import mapping, sequence, string
from scraper.platforms.wordpress.rest.posts import NO_POSTS, taxonomy_kind

# "team", "our_services", "tribe_events", "wp_template": types of themes and plugins that are no articles
_NO_BLOG = re.compile(
    r"(?:.*[_-])?(?:products?|pages?|templates?|library|landing|events?|courses?|lessons?|quiz|topics?|forums?|repl(?:y|ies)"
    r"|downloads?|jobs?|listings?|propert(?:y|ies)|teams?|staff|members?|doctors?|physicians?|providers?|practitioners?"
    r"|therapists?|services?|treatments?|procedures?|conditions?|locations?|clinics?|testimonials?|reviews?|faqs?"
    r"|portfolios?|projects?|galler(?:y|ies)|popups?|slides?|sliders?|layouts?|blocks?|forms?|docs?|profiles?|groups?"
    r"|tickets?|trips?|rooms?|bookings?|persons?|people|clients?|partners?|sponsors?|menus?|settings?|stor(?:y|ies))"
)
_ROUTE = re.compile(r"[A-Za-z0-9_/-]{1,100}")


def blog_routes(types: object) -> Iterator[str]:
    """Yield the routes of the further types of posts that an answer of `wp/v2/types` describes."""
    for entry in map(mapping, mapping(types).values()):
        slug, base = string(entry.get("slug")), string(entry.get("rest_base"))
        if slug == "post" or slug in NO_POSTS or slug.startswith("wp_") or _NO_BLOG.fullmatch(slug.lower()):
            continue
        has_archive = bool(entry.get("has_archive")) and entry.get("hierarchical") is False
        labelled = any(taxonomy_kind(string(taxonomy)) for taxonomy in sequence(entry.get("taxonomies")))
        route = f"{string(entry.get('rest_namespace')) or 'wp/v2'}/{base or slug}"
        if has_archive and labelled and _ROUTE.fullmatch(route):
            yield route
