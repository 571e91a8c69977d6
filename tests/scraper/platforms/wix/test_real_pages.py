"""Saved real pages against an independent second reading of them (`real_facts.json`), field by field.

The pages themselves are not in the repository: they lie beside the checkout in `../shared/real-pages`, and the tests
say so and are skipped where they do not.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from scraper.items import Exchange, Item, Post, Reading, Sighting, Site
from scraper.platforms.wix import Wix
from scraper.platforms.wix.page import post_page, read_page

HERE = Path(__file__).parent
SHARED = HERE.parents[4] / "shared"
FACTS: dict[str, dict[str, Any]] = json.loads((HERE / "real_facts.json").read_text("utf-8"))
POSTS = sorted(name for name, facts in FACTS.items() if str(facts.get("kind", "")).startswith("post"))
FIELDS = [
    "url", "slug", "title", "author", "published_at", "modified_at", "published_raw", "minutes_to_read", "language",
    "views", "likes", "comments_count", "views_raw", "comments_count_raw", "body", "body_blocks", "links", "images",
    "galleries", "categories", "tags", "cover", "related", "ids", "pending",
]  # fmt: skip
# Invisible characters that a reader may keep or drop.
UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\ufeff"))
# The second reading took "Post not marked as liked" for zero likes. The sentence is about the reader's own mark, and
# says "liked" on every Arabic page: only a number counts as one.
NO_NUMBER = "the page prints no number of likes"


def path_of(name: str) -> Path:
    folder = SHARED / ("seed" if name.endswith(".txt") else "real-pages/posts")
    path = folder / name
    if not path.exists():
        pytest.skip(f"{folder.name} is not beside the checkout")
    return path


def exchange_of(name: str) -> Exchange:
    kind = "text/plain" if name.endswith(".txt") else "text/html"
    return Exchange(url=f"https://mirror.example/{name}", body=path_of(name).read_bytes(), content_type=kind)


@cache
def items_of(name: str) -> tuple[Item, ...]:
    return tuple(Wix().read(exchange_of(name)))


def post_of(name: str) -> Post:
    return next(item for item in items_of(name) if isinstance(item, Post))


def seconds(stamp: str | None) -> str | None:
    """ "2025-02-16T09:00:10.063Z" -> "2025-02-16T09:00:10Z"."""
    return stamp if stamp is None or "." not in stamp else stamp.split(".")[0] + "Z"


def squeezed(text: str | None) -> str | None:
    joined = "".join(unicodedata.normalize("NFC", text or "").split()).translate(UNSEEN)
    return hashlib.sha256(joined.encode()).hexdigest()


def expected_and_found(field: str, facts: dict[str, Any], post: Post) -> tuple[Any, Any]:
    """What the second reading says of a field, and what the parser does, in the same form."""
    match field:
        case "url" | "slug" if facts["url"] is None:
            return None, None  # trimmed extracts name no address of their own
        case "slug":
            return (facts["slug"] or "").rpartition("/")[2] or post.slug, post.slug
        case "published_at" | "modified_at":
            printed = facts["published_raw" if field == "published_at" else "updated_raw"]
            found = getattr(post, field)
            if facts[field] is None and printed:  # the parser reads the printed date: a day, never a guess
                return True, found is None or len(found) == 10
            return seconds(facts[field]), found
        case "language":
            return facts["language_post"] or facts["language"], post.language
        case "likes":
            zero = facts["likes"] == 0 and not any(char.isdigit() for char in facts["likes_raw"] or "")
            if zero and post.sources.get("likes") != "warmup":
                return None, post.likes
            return facts["likes"], post.likes
        case "comments_count_raw":
            return facts["comments_raw"], post.comments_count_raw
        case "body":
            return facts["body_sha256_nows"], squeezed(post.body_text)
        case "body_blocks":
            return facts["body_blocks"], len((post.body_text or "").splitlines())
        case "links":
            return facts["links"], len(post.links)
        case "images":
            return facts["image_files"], [file_of(image.url) for image in post.images if image.kind == "image"]
        case "galleries":
            found = [file_of(image.url) for image in post.images if image.kind == "gallery"]
            shells = facts["galleries"] + facts["videos"] > 0
            return (facts["gallery_image_files"], shells), (found, post.media_pending)
        case "categories" | "tags":
            return facts[field], list(getattr(post, field))
        case "cover":
            if (facts["og_title"] or "").startswith("Post |"):
                return None, post.cover_image_url  # the metas of such a page are of the site, not of the post
            return facts["cover_image"], post.cover_image_url and file_of(post.cover_image_url)
        case "related":
            expected = [(card["position"], card["title"]) for card in facts["related"]]
            return expected, [(card.position, card.title) for card in post.related_posts]
        case "ids":
            given = (facts["platform_post_id_internal"], facts["post_uuid"])
            expected = [f"wix:{name}" for name in given if name]
            return sorted(expected), sorted(url for url in post.addresses if url.startswith("wix:"))
        case "pending":
            return facts["stats_state"] in ("placeholder", "skeleton"), post.counters_pending
    return facts[field], getattr(post, field)


def file_of(url: str) -> str:
    """The last part of the address of a file."""
    return url.rpartition("/")[2]


@pytest.mark.parametrize("name", POSTS)
def test_each_field_agrees_with_the_second_reading(name: str) -> None:
    post, facts = post_of(name), FACTS[name]
    pairs = {field: expected_and_found(field, facts, post) for field in FIELDS}
    assert {field: pair for field, pair in pairs.items() if pair[0] != pair[1]} == {}


def test_the_text_copy_agrees() -> None:
    name = next(name for name, facts in FACTS.items() if facts.get("kind") == "text-copy")
    post, facts = post_of(name), FACTS[name]
    assert (post.title, post.views, post.views_raw) == (facts["title"], facts["views"], facts["views_raw"])
    assert (post.comments_count, post.comments_count_raw) == (facts["comments_count"], facts["comments_raw"])
    assert (post.likes, post.author, post.published_at, post.url) == (
        None,
        None,
        None,
        f"https://mirror.example/{name}",
    )
    assert squeezed(post.body_text) == facts["body_sha256_nows"]
    assert len((post.body_text or "").splitlines()) == facts["body_blocks"]
    assert post.word_count == facts["body_words"]
    assert [(card.position, card.title) for card in post.related_posts] == [
        (card["position"], card["title"]) for card in facts["related"]
    ]
    assert len((post.related_posts[0].excerpt or "").split()) == facts["related"][0]["excerpt_words"]


def test_a_feed_page_gives_sightings_and_no_post() -> None:
    name = next(name for name, facts in FACTS.items() if facts.get("kind") == "feed-page")
    items, articles = items_of(name), FACTS[name]["articles"]
    assert not any(isinstance(item, Post) for item in items)
    seen = {item.title: item for item in items if isinstance(item, Sighting)}
    assert set(seen) == {article["title"] for article in articles}
    assert {seen[article["title"]].addresses for article in articles} == {
        (f"wix:{article['post_uuid']}",) for article in articles
    }


@pytest.mark.parametrize("name", POSTS)
def test_the_cut_page_reads_as_the_whole(name: str) -> None:
    exchange = exchange_of(name)
    cut, whole = list(read_page(exchange)), list(read_page(exchange, whole=True))
    for item in (*cut, *whole):
        if isinstance(item, Post):  # where the tree keeps less, a line break between two words may be told better
            item.body_html = " ".join((item.body_html or "").replace("<br>", " ").split())
    assert cut == whole


@pytest.mark.parametrize("name", POSTS)
def test_the_time_zone_is_that_of_the_viewer_model(name: str) -> None:
    body = exchange_of(name).body
    start = body.find(b'id="wix-viewer-model"')
    if start < 0:
        pytest.skip("the page has no viewer model")
    model = json.loads(body[body.index(b">", start) + 1 : body.index(b"</script", start)])
    zone = model["siteFeaturesConfigs"].get("siteWixCodeSdk", {}).get("timezone")
    assert next(item for item in items_of(name) if isinstance(item, Site)).timezone == zone


@pytest.mark.parametrize("path", sorted((SHARED / "real-pages" / "pages").glob("*.html")), ids=lambda path: path.name)
def test_listings_name_posts_of_their_own_site(path: Path) -> None:
    exchange = Exchange(url="https://mirror.example/blog", body=path.read_bytes(), content_type="text/html")
    assert Wix().claims(exchange)
    assert post_page(exchange.body) < 0
    items = list(Wix().read(exchange))
    assert not any(isinstance(item, Post) for item in items)
    seen = [item for item in items if isinstance(item, Sighting)]
    assert len({urlsplit(item.url).netloc for item in seen}) <= 1
    assert all(any(url.startswith("wix:") for url in item.addresses) for item in seen)
    assert all(item.title for item in seen)
    assert bool(seen) == ("forum" not in path.name)
    names = {url for item in seen for url in item.addresses}
    assert all(set(item.post) <= names for item in items if isinstance(item, Reading))
