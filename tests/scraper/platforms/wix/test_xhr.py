"""What a page's script was answered at any address: told by its shape, and no more claimed than it says."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.items import Comment, Exchange, Item, Names, Post, Reading, Sighting, ThreadPage
from scraper.platforms.wix import Wix
from tests.making import extract
from tests.scraper.platforms.wix.test_comments import comment, key, rich

ROOT = "https://clinic.example"
PAGE = f"{ROOT}/post/sleep"
UUID = "0b5e4ad3-9c0f-4a1b-8f6e-2f8a3c1d4e5f"
COUNTS = {"viewCount": 29, "likeCount": 0, "totalComments": 4}
SEAM = "eyJyIjoiNjRkZGJmNmExNzM3ZDk4YWYwMzMyMDZmIn0.Zk3xQ"


def answered(value: Any, path: str = "/_srv/x", page: str = PAGE, **changes: Any) -> Exchange:
    given = {"url": ROOT + path, "body": json.dumps(value).encode(), "via": "xhr", "page": page}
    return Exchange(**(given | {"content_type": "application/json"} | changes))


def items_of(value: Any, path: str = "/_srv/x", **changes: Any) -> list[Item]:
    return list(extract(answered(value, path, **changes)))


def pages(value: Any, query: dict[str, str] | None = None, **changes: Any) -> list[ThreadPage]:
    path = "/_srv/voices" + (f"?{urlencode(query)}" if query else "")
    return [item for item in items_of(value, path, **changes) if isinstance(item, ThreadPage)]


def listed(*comments: dict[str, Any], following: str = "", **more: Any) -> dict[str, Any]:
    cursors = {"next": following} if following else {}
    return {"comments": list(comments), "pagingMetadata": {"hasNext": bool(following), "cursors": cursors}, **more}


class TestCounters:
    @pytest.mark.parametrize("via", ["xhr", "fetch"])
    @pytest.mark.parametrize(
        "path", ["/_srv/beat/sleep", "/_api/blog-frontend-adapter-public/v2/post-page-metadata/sleep"]
    )
    def test_come_from_any_address_and_say_that_they_were_rendered(self, via: str, path: str) -> None:
        value = {"postPageMetadata": {"id": "sleep", "postMetadata": COUNTS}}
        (found,) = items_of(value, path, via=via)
        assert isinstance(found, Reading)
        assert (found.post, found.views, found.likes, found.comments_count) == ((PAGE,), 29, 0, 4)
        assert found.source == "rendered"

    @pytest.mark.parametrize(
        ("name", "page", "post"),
        [
            ("sleep", PAGE, PAGE), ("", PAGE, PAGE), ("rest", PAGE, f"{ROOT}/post/rest"), (UUID, PAGE, f"wix:{UUID}"),
            ("sleep", f"{ROOT}/es/post/sleep", f"{ROOT}/es/post/sleep"),
            ("sleep", f"{PAGE}?lang=es", f"{PAGE}?lang=es"),
            ("sleep", f"{ROOT}/single-post/2018/sleep", f"{ROOT}/single-post/2018/sleep"),
            ("caf\u00e9", f"{ROOT}/post/caf%C3%A9", f"{ROOT}/post/caf%C3%A9"),
            ("2019/06/x", f"{ROOT}/post/2019/06/x", f"{ROOT}/post/2019/06/x"),
        ],
    )  # fmt: skip
    def test_are_of_the_post_that_is_named_else_of_the_pages(self, name: str, page: str, post: str) -> None:
        about = {"postMetadata": COUNTS} | ({"id": name} if name else {})
        assert [item.post for item in items_of({"postPageMetadata": about}, page=page)] == [(post,)]  # type: ignore[union-attr]

    def test_without_a_post_they_are_nobodys(self) -> None:
        assert items_of({"postPageMetadata": {"postMetadata": COUNTS}}, page=f"{ROOT}/blog") == []

    def test_of_a_whole_feed(self) -> None:
        metrics = {UUID: {"views": 3, "likes": 1, "comments": 0}}
        (found,) = items_of({"postFeedMetadataPage": {"postMetrics": metrics}})
        assert isinstance(found, Reading) and (found.post, found.source) == ((f"wix:{UUID}",), "rendered")


class TestPosts:
    def test_one_that_tells_only_its_ids_is_the_pages(self) -> None:
        (found,) = items_of({"postPage": {"post": {"id": UUID, "internalId": key(1)}}}, "/_srv/card/sleep")
        assert isinstance(found, Post)
        assert found.addresses == (PAGE, f"wix:{UUID}", f"wix:{key(1)}") and found.comments_key == key(1)

    def test_one_that_tells_its_address_is_where_it_says(self) -> None:
        post = {"id": UUID, "slug": "rest", "title": "On rest", "metrics": {"views": 3}}
        (found,) = items_of({"postPage": {"post": post}})
        assert isinstance(found, Post) and found.addresses == (f"{ROOT}/post/rest", f"wix:{UUID}")
        assert set(found.sources.values()) == {"rendered"} and found.views == 3
        post = {"id": UUID, "url": {"base": "https://other.example", "path": "/post/rest"}}
        (found,) = items_of({"postPage": {"post": post}})
        assert isinstance(found, Post) and found.addresses[0] == "https://other.example/post/rest"

    def test_a_feed_names_posts_of_the_site(self) -> None:
        posts = [{"id": UUID, "slug": "rest", "title": "On rest"}]
        free = "https://user.wixsite.com/site"
        found = items_of({"postFeedPage": {"posts": {"posts": posts}}}, page=f"{free}/post/sleep", url=f"{free}/_srv/x")
        (sighting,) = (item for item in found if isinstance(item, Sighting))
        assert sighting.url == "https://user.wixsite.com/site/post/rest"


class TestComments:
    def test_come_from_any_address(self) -> None:
        found = items_of(listed(comment("a"), comment("b", parentComment={"id": "a"})), "/_srv/voices")
        assert [type(item) for item in found] == [Comment, Comment, ThreadPage]
        assert {item.source for item in found if isinstance(item, Comment)} == {"rendered"}
        assert {item.post for item in found} == {(f"wix:{key(1)}",)}  # type: ignore[union-attr]

    def test_of_an_answer_and_a_request_that_name_no_post_are_the_pages(self) -> None:
        bare = comment("a") | {"resourceId": None}
        assert {item.post for item in items_of(listed(bare))} == {(PAGE,)}  # type: ignore[union-attr]
        assert items_of(listed(bare), page=f"{ROOT}/about") == []

    @pytest.mark.parametrize(
        "query",
        [
            {"path": f"/v?{urlencode({'resourceId': key(7)})}"},
            {"path": f"/v?{urlencode({'f.contextId': key(7).upper()})}"},
            {"method": "POST", "request_body": json.dumps({"query": [{"referenceId": key(7)}]}).encode()},
        ],
    )
    def test_of_an_empty_answer_are_the_requests(self, query: dict[str, Any]) -> None:
        assert items_of(listed(), **query) == [ThreadPage(post=(f"wix:{key(7)}",), cursor=None)]

    def test_members_behind_them_are_names(self) -> None:
        value = {"members": [{"id": "m1", "profile": {"nickname": "Marisol Vega"}}]}
        assert items_of(value, "/_srv/faces", method="POST") == [Names(names={"member:m1": "Marisol Vega"})]

    @pytest.mark.parametrize(
        "value",
        [
            {"comments": [{"id": "1", "content": "a review"}]}, {"comments": [{"text": "x"}]}, {"comments": []},
            {"comments": 4}, {"comments": [1]}, {"comment": {"id": "1"}}, {"members": []},
            {"members": [{"id": "x"}]},
            {"postPage": {}}, {"postPage": 3}, {"postPageMetadata": {"id": "x"}}, 
            {"postFeedPage": {"posts": []}}, {}, [], 7,
        ],
    )  # fmt: skip
    def test_other_shapes_give_nothing(self, value: Any) -> None:
        assert items_of(value) == [] and not Wix().claims(answered(value))

    @given(st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
           | st.dictionaries(st.sampled_from(["comments", "comment", "members", "id", "status", "postPage", "post",
                                              "pagingMetadata", "cursors", "next", "postPageMetadata", "postMetadata"]),
                             inner, max_size=4)))  # fmt: skip
    def test_nothing_raises(self, value: Any) -> None:
        for item in items_of(value):
            assert getattr(item, "kind", None) != "parser-error"


class TestTheirPlaceInTheThread:
    @pytest.mark.parametrize(
        "words",
        [{"cursorPaging.cursor": "c2"}, {"cursor": "c2"}, {"paging.nextCursor": "c2"}, {"after": SEAM}, {"t": SEAM}],
    )
    def test_a_cursor_is_known_by_its_name_or_its_looks(self, words: dict[str, str]) -> None:
        always = {"appId": UUID, "resourceId": key(1), "commentSort.order": "NEWEST_FIRST_OF_THEM_ALL", "limit": "20"}
        (value,) = words.values()
        (found,) = pages(listed(comment("a")), always | words)
        assert found == ThreadPage(post=(f"wix:{key(1)}",), cursor=value)
        body = json.dumps({"query": {**always, "paging": words}}).encode()
        (found,) = pages(listed(comment("a")), method="POST", request_body=body)
        assert found.cursor == value
        (found,) = pages(listed(comment("a")), always)
        assert found.cursor is None

    @pytest.mark.parametrize("words", [{"offset": "20"}, {"page": "2"}, {"paging.skip": "8"}])
    def test_an_offset_is_no_beginning(self, words: dict[str, str]) -> None:
        assert pages(listed(comment("a")), words)[0].cursor is not None
        first = {name: "1" if name == "page" else "0" for name in words}
        assert pages(listed(comment("a")), first)[0].cursor is None

    def test_replies_alone_are_no_beginning(self) -> None:
        answers = listed(comment("b", parentComment={"id": "a"}))
        assert pages(answers, {"parent": UUID})[0].cursor == "(replies)"

    def test_what_is_left_without_a_cursor_is_left_all_the_same(self) -> None:
        open_ended = {"comments": [comment("a")], "pagingMetadata": {"hasNext": True, "total": 40}}
        assert pages(open_ended)[0].following == ("(more)",)
        assert pages(listed(comment("a", replyCount=2)))[0].following == ("(replies of a)",)
        seam = {"a": {"replies": [], "pagingMetadata": {"hasNext": True, "cursors": {"next": SEAM}}}}
        assert pages(listed(comment("a", replyCount=2), following="c2", commentReplies=seam))[0].following == (
            "c2",
            SEAM,
        )
        whole = {"a": {"replies": [comment("b"), comment("c")]}}
        assert pages(listed(comment("a", replyCount=2), commentReplies=whole))[0].following == ()

    def test_one_thread_says_nothing_of_the_others(self) -> None:
        thread = {"comment": comment("a"), "replies": [comment("b")]}
        found = items_of(thread, f"/_srv/thread?resourceId={key(1)}")
        assert [type(item) for item in found] == [Comment, Comment]


class TestOthers:
    """What an advertisement in the page is answered by its own host is nothing that the clinic said."""

    @pytest.mark.parametrize(
        "url",
        [
            "https://ads.example/x", "https://clinic.example.ads.example/x", "https://notclinic.example/x",
            "https://ads.example/_api/comments/v1/comments/list-by-resource", "https://other.wixsite.com/site/x",
            "https://ads.example/_api/blog-frontend-adapter-public/v2/post-page-metadata/sleep", "https://[x",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize(
        "value", [{"postPageMetadata": {"postMetadata": COUNTS}}, listed(comment("a"))], ids=["counters", "comments"]
    )
    def test_say_nothing_of_the_blog(self, url: str, value: Any) -> None:
        assert items_of(value, url=url) == []
        assert Wix().unknown_comment_endpoint(answered(value, url=url)) is None

    @pytest.mark.parametrize(
        ("url", "page"),
        [
            ("https://api.clinic.example/x", PAGE), ("https://www.clinic.example/x", PAGE),
            ("https://comments.wixapis.com/x", PAGE), ("https://api.clinic.co.uk/x", "https://blog.clinic.co.uk/post/a"),
        ],
    )  # fmt: skip
    def test_the_sites_own_hosts_and_the_platforms_do(self, url: str, page: str) -> None:
        assert items_of({"postPageMetadata": {"postMetadata": COUNTS}}, url=url, page=page)


class TestLearnedAddresses:
    def test_has_the_names_and_none_of_the_values(self) -> None:
        path = f"/_srv/voices/{key(1)}/list?contextId={key(1)}&cursorPaging.cursor={SEAM}&empty=&contextId=x"
        found = Wix().unknown_comment_endpoint(answered(listed(comment("a")), path))
        assert found == "/_srv/voices/{id}/list?contextId&cursorPaging.cursor&empty"

    def test_names_the_host_where_it_is_another(self) -> None:
        away = answered(listed(comment("a")), url="https://comments.clinic.example/v2?a=b")
        assert Wix().unknown_comment_endpoint(away) == "https://comments.clinic.example/v2?a"

    def test_says_nothing_of_known_addresses_other_answers_and_our_own(self) -> None:
        known = answered(listed(comment("a")), f"/_api/comments/v1/comments/list-by-resource?resourceId={key(1)}")
        assert Wix().unknown_comment_endpoint(known) is None
        assert (
            Wix().unknown_comment_endpoint(answered({"postPageMetadata": {"id": "x", "postMetadata": COUNTS}})) is None
        )
        assert Wix().unknown_comment_endpoint(answered(listed(comment("a")), via=None, page=None)) is None
        assert Wix().unknown_comment_endpoint(answered(listed(comment("a")), status=500)) is None


@pytest.mark.parametrize(
    ("path", "value", "secret"),
    [
        ("/_api/v1/access-tokens", {}, True), ("/site/_api/v2/dynamicmodel", {}, True),
        ("/x", {"apps": {UUID: {"instance": "sig.payload"}}}, True),
        ("/x", {"apps": {UUID: {"accessToken": ""}}}, True),
        ("/x", {"apps": {UUID: {"intId": 4}}}, False),
        ("/x", {"apps": ["instance"]}, False),
        ("/x", rich("instance apps"), False),
    ],
)  # fmt: skip
def test_answers_with_tokens_are_told_by_address_and_by_shape(path: str, value: Any, secret: bool) -> None:
    assert Wix().holds_tokens(ROOT + path, json.dumps(value).encode()) is secret
    assert Wix().holds_tokens(ROOT + path, b'{"apps": {"instance":') is path.startswith(("/_api", "/site"))
    assert items_of(value, path) == []
