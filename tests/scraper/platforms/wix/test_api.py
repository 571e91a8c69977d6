"""Answers of Wix's blog services, and the plan that requests counters, in every course it can take."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraper.items import Author, Exchange, Item, Post, Problem, Reading, Sighting
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost, Plan
from scraper.platforms.wix import Wix
from scraper.platforms.wix.services import api
from scraper.platforms.wix.services.counters_api import feed_url, post_metadata_url, slug_of

REAL = Path(__file__).parents[5] / "shared" / "real-pages" / "api"
ROOT = "https://clinic.example"
ADAPTER = "/_api/blog-frontend-adapter-public/v2"
Respond = Callable[[Ask], tuple[int, Any]]


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def internal(number: int) -> str:
    return f"{number:024x}"


def exchange(path: str, value: Any, status: int = 200, root: str = ROOT) -> Exchange:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Exchange(url=root + path, body=body, status=status, content_type="application/json")


def read(path: str, value: Any, status: int = 200, root: str = ROOT) -> list[Item]:
    return list(api.read(exchange(path, value, status, root)))


def converse(plan: Plan, respond: Respond) -> list[tuple[Ask, int]]:
    """Answer every question of a plan by `respond`; the requests, with the status answered (0: nothing came)."""
    asks: list[tuple[Ask, int]] = []
    try:
        ask = next(plan)
        while len(asks) < 2000:
            status, value = respond(ask)
            asks.append((ask, status))
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            got = Exchange(url=ask.url, body=body, status=status, method=ask.method, request_body=ask.body)
            if status == 0:
                ask = plan.send(Answer(ask=ask, exchange=None, reason="timed out"))
            else:
                ask = plan.send(Answer(ask=ask, exchange=got, items=tuple(api.read(got))))
    except StopIteration:
        return asks
    raise AssertionError("the conversation does not end")


def blog(count: int, *, everything: bool = True, **state: Any) -> Blog:
    urls = [f"{ROOT}/post/p{number}" for number in range(count)]
    return Blog(root=ROOT, private=True, bulk=everything, posts={url: KnownPost(url=url, **state) for url in urls})


class Site:
    """A scripted site: `count` posts, feeds of `most` a page, tokens by generation."""

    def __init__(self, count: int, most: int = 100) -> None:
        self.count, self.most = count, most
        self.generation = 0
        self.valid: Callable[[str], bool] = lambda token: token == f"public-{self.generation}"
        self.uncounted: set[int] = set()
        self.closed: tuple[str, ...] = ()  # parts of addresses that answer 404

    def __call__(self, ask: Ask) -> tuple[int, Any]:
        if any(part in ask.url for part in self.closed):
            return 404, {"message": "Not Found"}
        if "access-tokens" in ask.url or "dynamicmodel" in ask.url:
            assert ask.secret
            return 200, {"apps": {
                "14bcded7-0066-7c35-14d7-466cb3f09103": {"instance": f"public-{self.generation}"},
                "22bef345-3c5b-4c18-b782-74d4085112ff": {"instance": f"inner-{self.generation}"},
            }}  # fmt: skip
        if not self.valid(ask.headers.get("Authorization", "")):
            return 401, {"message": "UNAUTHENTICATED"}
        name = ask.url.partition(f"{ADAPTER}/")[2].partition("?")[0]
        page = int(ask.url.partition("page=")[2].partition("&")[0] or 1)
        numbers = range(self.count)[(page - 1) * self.most : page * self.most]
        if name == "post-feed-page":
            paging = {"count": len(numbers), "offset": (page - 1) * self.most, "total": self.count}
            posts = [listed(number) for number in numbers]
            return 200, {"postFeedPage": {"posts": {"posts": posts, "pagingMetaData": paging}}}
        if name == "post-feed-page-metadata":
            counted = {uuid(n): {"views": n, "likes": 1, "comments": n % 3} for n in numbers if n not in self.uncounted}
            return 200, {"postFeedMetadataPage": {"postMetrics": counted}}
        kind, _, slug = name.partition("/")
        if kind == "post-page-metadata":
            numbers = {"viewCount": 7, "likeCount": 0, "totalComments": 2}
            return 200, {"postPageMetadata": {"id": unquote(slug), "postMetadata": numbers}}
        return 200, {"postPage": {"post": {**listed(int(slug[1:])), "richContent": {"nodes": []}}}}


def listed(number: int) -> dict[str, Any]:
    return {
        "id": uuid(number), "internalId": internal(number), "title": f"Post {number}", "slug": f"p{number}",
        "url": {"base": ROOT, "path": f"/post/p{number}"}, "firstPublishedDate": "2025-03-01T10:00:00.123Z",
        "owner": {"name": "Dr. Moss", "siteMemberId": uuid(99)},
    }  # fmt: skip


def names(asks: list[tuple[Ask, int]]) -> list[str]:
    return [ask.url.removeprefix(ROOT).removeprefix(ADAPTER).partition("?")[0] for ask, _ in asks]


# --- addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        f"{ROOT}{ADAPTER}/post-page/a",
        f"{ROOT}/blog-frontend-adapter-public/v2/post-page-metadata/a",
        "https://user.wixsite.com/site/_api/blog-frontend-adapter-public/v2/post-feed-page?page=1",
        f"{ROOT}/_api/communities-blog-node-api/_api/posts/a?fieldsets=content",
        f"{ROOT}/_api/communities-blog-node-api/v3/posts/query",
        f"{ROOT}/_api/v1/access-tokens",
        f"{ROOT}/_api/v2/dynamicmodel",
        f"{ROOT}/_api/comments/v1/comments/list-by-resource?appId=x",
        f"{ROOT}/_api/members/v1/members/query",
        "https://www.wixapis.com/comments/v1/comments/list-by-resource",
    ],
)
def test_claims_the_services(url: str) -> None:
    assert api.is_api_url(url)


@pytest.mark.parametrize(
    "url",
    [f"{ROOT}/post/a", f"{ROOT}/blog", f"{ROOT}/comments/v1/comments", f"{ROOT}/wp-json/wp/v2/posts", "http://[x"],
)
def test_claims_nothing_else(url: str) -> None:
    assert not api.is_api_url(url)


def test_addresses_of_requests() -> None:
    assert slug_of("https://user.wixsite.com/site/post/2019/06/06/open") == "2019/06/06/open"
    assert slug_of(f"{ROOT}/blog") is None
    assert post_metadata_url(ROOT, "qué-es").endswith("/post-page-metadata/qu%C3%A9-es")
    assert feed_url("https://user.wixsite.com/site", 2).startswith("https://user.wixsite.com/site/_api/blog-front")


# --- reading --------------------------------------------------------------------------------------------------------


def test_a_post_with_all_its_fields() -> None:
    link = {"type": "LINK", "linkData": {"link": {"url": "/book"}}}
    words = {"type": "TEXT", "textData": {"text": "Körper und Geist", "decorations": [link]}}
    page = {
        "post": {
            **listed(5), "excerpt": " short  and sweet ", "lastPublishedDate": "2025-03-02T08:00:00.000Z",
            "language": "en", "minutesToRead": 2, "tagIds": ["t2", "t1"], "categoryIds": ["c1"],
            "media": {"wixMedia": {"image": {"id": "c%7Emv2.jpg"}}},
            "metrics": {"views": 12, "likes": 0, "comments": 3},
            "richContent": {"nodes": [{"type": "PARAGRAPH", "nodes": [words]}]},
        },
        "categories": [{"id": "c1", "label": "Care"}, {"id": "c2", "label": "Other"}],
        "tags": [{"id": "t1", "label": "sleep"}, {"id": "t2", "label": "pain"}],
        "relatedPosts": [{"title": "Next", "slug": "next", "id": uuid(6)}],
    }  # fmt: skip
    (post,) = read(f"{ADAPTER}/post-page/p5", {"postPage": page})
    assert isinstance(post, Post)
    assert post.platform_post_id == post.comments_key == internal(5)
    assert post.addresses == (f"{ROOT}/post/p5", f"wix:{uuid(5)}", f"wix:{internal(5)}")
    assert (post.title, post.author, post.excerpt) == ("Post 5", "Dr. Moss", "short and sweet")
    assert post.author_person == f"member:{uuid(99)}"
    assert (post.published_at, post.modified_at) == ("2025-03-01T10:00:00Z", "2025-03-02T08:00:00Z")
    assert (post.body_text, post.word_count, post.minutes_to_read) == ("Körper und Geist", 3, 2)
    assert (post.categories, post.tags) == (("Care",), ("pain", "sleep"))
    assert post.links[0].url == f"{ROOT}/book"
    assert post.cover_image_url == "https://static.wixstatic.com/media/c~mv2.jpg"
    assert (post.views, post.likes, post.likes_raw, post.comments_count) == (12, 0, "0", 3)
    assert post.related_posts[0].url == f"{ROOT}/post/next"
    assert post.sources["likes"] == post.sources["body_text"] == "api"
    assert "language" in post.sources
    assert "links" in post.sources
    assert "counters_pending" not in post.sources


def test_metadata_of_a_post_and_never_its_neighbours() -> None:
    value = {
        "postPageMetadata": {"id": "qué-es", "postMetadata": {"viewCount": 1261, "likeCount": 0}},
        "relatedPostsMetadata": [{"id": uuid(1), "postMetadata": {"viewCount": 4}}, {"id": "odd", "postMetadata": {}}],
    }
    (own,) = read(f"{ADAPTER}/post-page-metadata/qu%C3%A9-es", value, root="https://user.wixsite.com/site")
    assert isinstance(own, Reading)
    assert own.post == ("https://user.wixsite.com/site/post/qu%C3%A9-es",)
    assert (own.views, own.views_raw, own.likes, own.comments_count, own.comments_count_raw) == (
        1261,
        "1261",
        0,
        None,
        None,
    )


def test_a_feed_gives_sightings_and_old_numbers_but_no_posts() -> None:
    old = {**listed(2), "postCountInfo": {"views": 8, "comments": 0}}
    items = read(f"{ADAPTER}/post-feed-page?page=1", {"postFeedPage": {"posts": {"posts": [listed(1), old]}}})
    assert [type(item) for item in items] == [Sighting, Author, Sighting, Reading, Author]
    first, reading = items[0], items[3]
    assert isinstance(first, Sighting)
    assert isinstance(reading, Reading)
    assert (first.url, first.source, first.title) == (f"{ROOT}/post/p1", "listing", "Post 1")
    assert first.addresses == (f"wix:{uuid(1)}", f"wix:{internal(1)}")
    assert (reading.views, reading.likes, reading.comments_count) == (8, None, 0)


def test_feed_metadata_and_its_empty_form() -> None:
    value = {"postFeedMetadataPage": {"postMetrics": {uuid(3): {"views": 0}, "not an id": {"views": 5}}}}
    (reading,) = read(f"{ADAPTER}/post-feed-page-metadata?page=1", value)
    assert isinstance(reading, Reading)
    assert (reading.post, reading.views, reading.likes) == ((f"wix:{uuid(3)}",), 0, None)
    assert read(f"{ADAPTER}/post-feed-page-metadata", {"postFeedMetadataPage": {"postMetrics": {}}}) == []


def test_the_older_service() -> None:
    legacy = "/_api/communities-blog-node-api/_api/posts"
    content = {"blocks": [{"type": "unstyled", "text": "Long ago"}], "entityMap": {}}
    bare = {"id": internal(9), "slug": "nine", "title": "Nine", "viewCount": 40, "content": content}
    (post,) = read(f"{legacy}/nine?fieldsets=content", bare)
    assert isinstance(post, Post)
    assert (post.body_text, post.views, post.platform_post_id, post.url) == (
        "Long ago",
        40,
        internal(9),
        f"{ROOT}/post/nine",
    )
    sighting, reading = read(f"{legacy}?offset=0&size=50", [bare])
    assert isinstance(sighting, Sighting)
    assert isinstance(reading, Reading)
    listed_v3 = read("/_api/communities-blog-node-api/v3/posts/query", {"posts": [listed(1)], "metaData": {"total": 1}})
    assert isinstance(listed_v3[0], Sighting)
    assert read("/_api/communities-blog-node-api/v3/categories", {"categories": []}) == []


@pytest.mark.parametrize(
    ("printed", "views", "raw"),
    [
        ("9007199254740993", 9007199254740993, "9007199254740993"),
        ('"12"', 12, "12"),
        ("12.0", 12, "12.0"),
        ("12.5", None, "12.5"),
        ("-3", None, "-3"),
        ("1e400", None, "1E+400"),
        ("99999999999999999999999", None, "99999999999999999999999"),
        ("true", None, None),
        ("null", None, None),
        ("{}", None, None),
    ],
)
def test_numbers(printed: str, views: int | None, raw: str | None) -> None:
    body = f'{{"postPageMetadata":{{"postMetadata":{{"viewCount":{printed},"likeCount":1}}}}}}'.encode()
    (reading,) = read(f"{ADAPTER}/post-page-metadata/a", body)
    assert isinstance(reading, Reading)
    assert (reading.views, reading.views_raw) == (views, raw)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_refusals_are_one_problem(status: int) -> None:
    (problem,) = read(f"{ADAPTER}/post-page/a", {"message": "no"}, status)
    assert isinstance(problem, Problem)
    assert problem.kind == "api-refused"
    assert str(status) in problem.message


@pytest.mark.parametrize(
    "body", [b"", b"<!doctype html><html></html>", b'{"postPage": {', b"\xff\xfe\x00", b"[" * 100_000, b"9" * 5000]
)
def test_what_is_no_json_is_one_problem(body: bytes) -> None:
    (problem,) = read(f"{ADAPTER}/post-page/a", body)
    assert isinstance(problem, Problem)
    assert problem.kind == "malformed-json"


@pytest.mark.parametrize("name", ["post-page/a", "post-page-metadata/a", "post-feed-page", "post-feed-page-metadata"])
def test_another_shape_is_told(name: str) -> None:
    (problem,) = read(f"{ADAPTER}/{name}", {"something": "else"})
    assert isinstance(problem, Problem)
    assert problem.kind == "missing-field"


def test_tokens_give_nothing() -> None:
    assert read("/_api/v1/access-tokens", {"apps": {"x": {"instance": "secret"}}}) == []


FIELDS = st.sampled_from([
    "post", "posts", "postPage", "url", "base", "path", "id", "slug", "metrics", "views", "owner", "name", "media",
    "categories", "tags", "label", "relatedPosts", "tagIds", "postFeedPage", "richContent", "nodes",
])  # fmt: skip
NAMES = st.sampled_from([uuid(1), internal(1), "http://[x", "//", "a"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=6),
    max_leaves=25,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["post-page/a", "post-page-metadata/a", "post-feed-page", "post-feed-page-metadata"]), VALUES)
def test_reading_never_raises(name: str, value: Any) -> None:
    read(f"{ADAPTER}/{name}", value)
    read(f"{ADAPTER}/{name}", {"postPage": {"post": value}, "postFeedPage": {"posts": {"posts": [value]}}})
    read("/_api/communities-blog-node-api/_api/posts/a", value)


@pytest.mark.skipif(not REAL.is_dir(), reason="the captured answers are not at hand")
def test_captured_answers() -> None:
    """Numbers that an answer gives twice agree; every listed post has its URL and UUID."""
    for path in sorted(REAL.glob("post-page__*.json")):
        dump = json.loads(path.read_bytes())
        slug = dump["postPageResponse"]["data"]["postPage"]["post"]["slug"]
        (post,) = read(f"/blog-frontend-adapter-public/v2/post-page/{slug}", dump["postPageResponse"]["data"])
        own, *_ = read(f"{ADAPTER}/post-page-metadata/{slug}", dump["postPageMetadataResponse"]["data"])
        assert isinstance(post, Post)
        assert isinstance(own, Reading)
        assert (post.views, post.likes, post.comments_count) == (own.views, own.likes, own.comments_count)
        assert post.views is not None
        assert post.url is not None
        assert post.url.endswith(f"/post/{slug}")
        assert post.title
        assert post.published_at
        assert len(post.addresses) == 3
    feeds = 0
    for path in sorted(REAL.glob("warmup__*.json")):
        for part in json.loads(path.read_bytes()).values():
            data = part.get("data", part)
            name = "post-feed-page" if "postFeedPage" in data else "post-feed-page-metadata"
            items = read(f"{ADAPTER}/{name}", data)
            assert not [item for item in items if isinstance(item, Problem)], path.name
            sightings = [item for item in items if isinstance(item, Sighting)]
            assert all(item.addresses and item.title and item.published_at for item in sightings)
            feeds += bool(sightings)
    assert feeds >= 5


# --- the conversation -----------------------------------------------------------------------------------------------


def test_all_posts_by_the_feed() -> None:
    site, at_hand = Site(250), blog(250)
    asks = converse(api.counters(at_hand), site)
    assert names(asks) == ["/_api/v1/access-tokens", *["/post-feed-page"] * 3, *["/post-feed-page-metadata"] * 3]
    known = at_hand.posts[f"{ROOT}/post/p200"]
    assert (known.comments_key, known.comments_count) == (internal(200), 200 % 3)
    assert f"wix:{uuid(200)}" in known.addresses


def test_a_server_that_gives_smaller_pages() -> None:
    asks = converse(api.counters(blog(45)), Site(45, most=20))
    assert names(asks).count("/post-feed-page") == names(asks).count("/post-feed-page-metadata") == 3


def test_posts_that_the_feed_did_not_count_are_asked_one_by_one() -> None:
    site, at_hand = Site(5), blog(5)
    site.uncounted = {3}
    asks = converse(api.counters(at_hand), site)
    assert names(asks)[3:] == ["/post-page-metadata/p3"]
    assert asks[-1][0].url.endswith("?skipViewCountIncrement=true")
    assert at_hand.posts[f"{ROOT}/post/p3"].comments_count == 2


def test_under_a_limit_only_the_posts_at_hand_are_asked_for() -> None:
    asks = converse(api.counters(blog(2, everything=False, comments_key="x")), Site(9))
    assert names(asks) == ["/_api/v1/access-tokens", "/post-page-metadata/p0", "/post-page-metadata/p1"]


def test_pending_media_and_missing_keys_need_the_whole_post() -> None:
    at_hand = blog(2, everything=False, counters_pending=False, comments_count=1)
    at_hand.posts[f"{ROOT}/post/p1"].comments_key = "known"
    at_hand.posts[f"{ROOT}/post/p1"].media_pending = True
    asks = converse(api.counters(at_hand), Site(2))
    assert names(asks)[1:] == ["/post-page/p0", "/post-page/p1"]
    assert at_hand.posts[f"{ROOT}/post/p0"].comments_key == internal(0)


def test_nothing_is_asked_where_pages_say_it_all() -> None:
    at_hand = blog(3, counters_pending=False, comments_count=0)
    assert converse(api.counters(at_hand), Site(3)) == []


def test_posts_in_another_language_or_site_are_left_alone() -> None:
    urls = [f"{ROOT}/es/post/p0", f"{ROOT}/post/p0?lang=es", "https://other.example/post/p0", f"{ROOT}/single-post/p0"]
    at_hand = Blog(root=ROOT, private=True, bulk=False, posts={url: KnownPost(url=url) for url in urls})
    assert converse(api.counters(at_hand), Site(1)) == []


def test_a_token_that_expires_in_the_middle_is_renewed_once() -> None:
    site = Site(6)

    def respond(ask: Ask) -> tuple[int, Any]:
        if "access-tokens" in ask.url:
            site.generation += 1
        expired = ask.url.endswith("p3?skipViewCountIncrement=true") and site.generation == 1
        return (401, {}) if expired else site(ask)

    asks = converse(api.counters(blog(6, everything=False, comments_key="x")), respond)
    assert [status for _, status in asks].count(401) == 1
    assert names(asks).count("/_api/v1/access-tokens") == 2
    assert asks[-1][0].headers["Authorization"] == "public-2"


@pytest.mark.parametrize("token", ["inner-0", ""])
def test_the_other_app_or_no_token_is_found_once(token: str) -> None:
    site = Site(6)
    site.valid = lambda sent: sent == token
    asks = converse(api.counters(blog(6, everything=False, comments_key="x")), site)
    assert [status for _, status in asks].count(401) == (1 if token else 2)
    assert asks[-1][0].headers.get("Authorization", "") == token


def test_the_older_token_address() -> None:
    site = Site(1)
    site.closed = ("access-tokens",)
    asks = converse(api.counters(blog(1, everything=False, comments_key="x")), site)
    assert names(asks)[:2] == ["/_api/v1/access-tokens", "/_api/v2/dynamicmodel"]
    assert asks[-1][1] == 200


def test_blanked_tokens_lead_to_the_same_questions() -> None:
    """A replay answers with every text of the token answer emptied."""
    site = Site(2)
    live = names(converse(api.counters(blog(2)), site))
    site.valid = lambda sent: sent == ""
    emptied = {"apps": {"14bcded7-0066-7c35-14d7-466cb3f09103": {"instance": ""}}}
    replayed = converse(api.counters(blog(2)), lambda ask: (200, emptied) if ask.secret else site(ask))
    assert names(replayed) == live


@pytest.mark.parametrize("status", [404, 403, 401, 429, 503, 0])
@pytest.mark.parametrize("everything", [True, False])
def test_no_service_at_all_costs_a_handful(status: int, everything: bool) -> None:
    at_hand = blog(300, everything=everything, media_pending=True)
    asks = converse(api.counters(at_hand), lambda ask: (status, {"message": "no"}))
    assert len(asks) <= 12
    assert names(asks).count("/post-page/p2") == 0


def test_a_closed_service_behind_a_good_token_costs_a_handful() -> None:
    site = Site(300)
    site.valid = lambda sent: False
    assert len(converse(api.counters(blog(300)), site)) <= 12


def test_counters_are_posted_for_where_get_is_not_served() -> None:
    site = Site(4)

    def respond(ask: Ask) -> tuple[int, Any]:
        return (405, {}) if ask.method == "GET" and "post-page-metadata" in ask.url else site(ask)

    asks = converse(api.counters(blog(4, everything=False, comments_key="x")), respond)
    assert [ask.method for ask, _ in asks[1:]] == ["GET", "POST", "POST", "POST", "POST"]
    assert json.loads(asks[-1][0].body) == {"postId": "p3", "skipViewCountIncrement": True}


@pytest.mark.parametrize("body", [b"<html>", b'{"postFeedPage":', b"[]", b"null"])
def test_odd_answers_end_the_conversation(body: bytes) -> None:
    assert len(converse(api.counters(blog(50)), lambda ask: (200, body))) <= 12


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_saved_answer_about_a_post_is_known_without_its_address(wrapped: bool) -> None:
    """As `clinic-archive parse` meets it; the page's own call kept it inside `postPageResponse.data`."""
    page = {"postPage": {"post": {**listed(1), "title": "Sleep", "url": {"base": ROOT, "path": "/post/sleep"}}}}
    value = {"postPageResponse": {"data": page}} if wrapped else page
    exchange = Exchange(url="", body=json.dumps(value, indent=1).encode())
    assert Wix().claims(exchange)
    (post,) = [item for item in Wix().read(exchange) if isinstance(item, Post)]
    assert (post.title, post.url) == ("Sleep", f"{ROOT}/post/sleep")
