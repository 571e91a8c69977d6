"""Comments of a Wix blog: what an answer says, and the order and number of questions a thread takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from scraper.crawl.rendering import has_comment_gap
from scraper.items import Comment, Exchange, Item, Names, Problem, ThreadPage
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost
from scraper.platforms.wix.services import api, comments

ROOT = "https://clinic.example"
LIST = "/_api/comments/v1/comments/list-by-resource"
Respond = Callable[[Ask], tuple[int, Any]]


def key(number: int) -> str:
    return f"{number:024x}"


def rich(words: str) -> dict[str, Any]:
    lines = [{"type": "TEXT", "textData": {"text": line}} for line in words.split("\n")]
    return {"richContent": {"nodes": [{"type": "PARAGRAPH", "nodes": [line]} for line in lines]}}


def comment(name: str, words: str = "Thank you", **more: Any) -> dict[str, Any]:
    return {
        "id": name, "resourceId": key(1), "status": "PUBLISHED", "author": {"memberId": f"m-{name}"},
        "content": rich(words), "commentDate": "2025-05-01T09:30:15.250Z",
        "createdDate": "2026-01-01T00:00:00Z", **more,
    }  # fmt: skip


def read_all(value: Any, query: str = "", path: str = LIST) -> list[Item]:
    return list(api.read(Exchange(url=f"{ROOT}{path}{query}", body=json.dumps(value).encode())))


def read(value: Any, query: str = "", path: str = LIST) -> list[Item]:
    """What the answer says, less its place in the thread."""
    return [item for item in read_all(value, query, path) if not isinstance(item, ThreadPage)]


def test_an_answer_tells_its_place_in_the_thread() -> None:
    paged = {"comments": [], "pagingMetadata": {"hasNext": True, "cursors": {"next": "c2"}}}
    paged["commentReplies"] = {"a": {"replies": [], "pagingMetadata": {"cursors": {"next": "r2"}}}, "b": {}}
    (first,) = read_all(paged, f"?resourceId={key(7)}")
    assert first == ThreadPage(post=(f"wix:{key(7)}",), cursor=None, following=("c2", "r2"))
    (last,) = read_all({"comments": []}, f"?resourceId={key(7)}&cursorPaging.cursor=c2")
    assert last == ThreadPage(post=(f"wix:{key(7)}",), cursor="c2")


def test_a_comment_with_all_its_fields() -> None:
    beside = {"reactionSummary": {"total": 4}, "contentEdited": True, "parentComment": {"id": "top"}}
    raw = comment("a", "Grüße 🌿\nfrom us", **beside)
    (found,) = read({"comments": [raw]})
    assert found == Comment(
        post=(f"wix:{key(1)}",),
        platform_comment_id="a",
        parent_id="top",
        person="member:m-a",
        author_kind="member",
        posted_at="2025-05-01T09:30:15Z",
        posted_at_precision="second",
        body_text="Grüße 🌿\nfrom us",
        body_html="<p>Grüße 🌿</p><p>from us</p>",
        likes=4,
        status="published",
        edited=True,
    )


@pytest.mark.parametrize(
    ("author", "person", "kind"),
    [
        ({"memberId": "1"}, "member:1", "member"),
        ({"userId": "2"}, "member:2", "member"),
        ({"visitorId": "3"}, "visitor:3", "guest"),
        ({}, None, "unknown"),
        ("odd", None, "unknown"),
    ],
)
def test_who_wrote_it(author: Any, person: str | None, kind: str) -> None:
    (found,) = read({"comments": [comment("a", author=author)]})
    assert isinstance(found, Comment)
    assert (found.person, found.author_kind, found.author) == (person, kind, None)


def test_a_deleted_comment_keeps_its_place_alone() -> None:
    (found,) = read({"comments": [comment("a", "gone", status="DELETED", author=None)]})
    assert isinstance(found, Comment)
    assert (found.status, found.body_text, found.body_html, found.person) == ("deleted", None, None, None)


def test_what_is_not_said_is_none() -> None:
    (found,) = read({"comments": [{"id": "a"}]}, f"?resourceId={key(7)}")
    assert isinstance(found, Comment)
    assert found.post == (f"wix:{key(7)}",)
    assert (found.likes, found.posted_at, found.posted_at_precision, found.status, found.edited) == (None,) * 5


def test_votes_where_there_are_no_reactions() -> None:
    (found,) = read({"comments": [comment("a", voteSummary={"upvoteCount": 0, "netVoteCount": -2})]})
    assert isinstance(found, Comment)
    assert found.likes == 0


def test_replies_stand_beside_their_top_comments() -> None:
    replies = {"a": {"replies": [comment("b", parentComment={"id": "a"})], "pagingMetadata": {}}}
    found = read({"comments": [comment("a")], "commentReplies": replies})
    assert [(item.platform_comment_id, item.parent_id) for item in found if isinstance(item, Comment)] == [
        ("a", None),
        ("b", "a"),
    ]


def test_the_same_cursor_again_is_told() -> None:
    value = {"comments": [], "pagingMetadata": {"hasNext": True, "cursors": {"next": "c1"}}}
    (problem,) = read(value, "?cursorPaging.cursor=c1")
    assert isinstance(problem, Problem)
    assert problem.kind == "repeated-cursor"


def test_another_shape_is_told() -> None:
    (problem,) = read({"items": []})
    assert isinstance(problem, Problem)
    assert problem.kind == "missing-field"
    assert read({"comments": [], "pagingMetadata": {}}) == []


def test_members_give_names() -> None:
    members = [{"id": "1", "profile": {"nickname": " Ana  Ruiz "}}, {"id": "2", "profile": {}}, "odd"]
    (names,) = read({"members": members}, path="/_api/members/v1/members/query")
    assert isinstance(names, Names)
    assert dict(names.names) == {"member:1": "Ana Ruiz"}


# --- the conversation -----------------------------------------------------------------------------------------------


class Service:
    """A scripted comments service: threads by key, a top comment with its replies each, `most` a page."""

    def __init__(self, threads: dict[str, dict[str, list[str]]], most: int = 100) -> None:
        self.threads, self.most = threads, most
        self.asks: list[Ask] = []
        self.host, self.token = ROOT, "good"

    def __call__(self, ask: Ask) -> tuple[int, Any]:
        if ask.secret:
            return 200, {"apps": {"14bcded7-0066-7c35-14d7-466cb3f09103": {"instance": self.token}}}
        if not ask.url.startswith(self.host):
            return 404, {}
        if ask.headers.get("Authorization") != self.token:
            return 401, {}
        if ask.method == "POST":
            wanted = json.loads(ask.body)["query"]["filter"]["id"]["$in"]
            return 200, {"members": [{"id": name, "profile": {"nickname": f"Name {name}"}} for name in wanted]}
        query = {name: values[0] for name, values in parse_qs(urlsplit(ask.url).query).items()}
        thread = self.threads[query["resourceId"]]
        level, _, start = query.get("cursorPaging.cursor", "|0").partition("|")
        names = thread[level] if level else list(thread)
        value = self.page(query["resourceId"], level, names, int(start), self.most)
        if not level:
            first = int(query["cursorPaging.repliesLimit"])
            value["commentReplies"] = {}
            for raw in value["comments"]:
                part = self.page(query["resourceId"], raw["id"], thread[raw["id"]], 0, first)
                value["commentReplies"][raw["id"]] = {"replies": part.pop("comments"), **part}
        return 200, value

    @staticmethod
    def page(post: str, level: str, names: list[str], start: int, most: int) -> dict[str, Any]:
        end = start + most
        cursors = {"next": f"{level}|{end}"} if end < len(names) else {}
        parent: dict[str, Any] = {"parentComment": {"id": level}} if level else {}
        listed = [comment(name, resourceId=post, **parent) for name in names[start:end]]
        return {"comments": listed, "pagingMetadata": {"hasNext": bool(cursors), "cursors": cursors}}


def blog(*numbers: int, private: bool = True, count: int | None = None) -> Blog:
    posts = {
        f"{ROOT}/post/p{number}": KnownPost(
            url=f"{ROOT}/post/p{number}", comments_key=key(number), comments_count=count
        )
        for number in numbers
    }
    return Blog(root=ROOT, private=private, posts=posts)


def run(at_hand: Blog, respond: Respond) -> tuple[list[Ask], list[Item]]:
    """The questions of a whole conversation and the items of all answers, token questions left out."""
    asks: list[Ask] = []
    items: list[Item] = []
    plan = comments.threads(at_hand)
    try:
        ask = next(plan)
        while len(asks) < 2000:
            status, value = respond(ask)
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            exchange = Exchange(url=ask.url, body=body, status=status, method=ask.method, request_body=ask.body)
            found = tuple(api.read(exchange))
            items += found
            if not ask.secret:
                asks.append(ask)
            ask = plan.send(Answer(ask=ask, exchange=exchange, items=found))
    except StopIteration:
        return asks, items
    raise AssertionError("the conversation does not end")


def ids(items: list[Item]) -> list[str]:
    return sorted(item.platform_comment_id for item in items if isinstance(item, Comment))


def test_pages_of_comments_and_of_replies_then_names_then_the_next_post() -> None:
    thread = {f"t{n}": [f"t{n}r{m}" for m in range(50 if n == 3 else 1)] for n in range(25)}
    service = Service({key(1): thread, key(2): {"x": []}}, most=10)
    asks, items = run(blog(1, 2), service)
    assert ids(items) == sorted(["x", *thread, *(reply for replies in thread.values() for reply in replies)])
    assert [ask.method for ask in asks] == ["GET"] * 6 + ["POST", "GET", "POST"]
    named = [name for item in items if isinstance(item, Names) for name in item.names]
    assert set(named) == {f"member:m-{name}" for name in ids(items)}
    first = parse_qs(urlsplit(asks[0].url).query)
    assert first["appId"] == ["14bcded7-0066-7c35-14d7-466cb3f09103"]
    assert first["cursorPaging.limit"] == ["100"]
    assert int(first["cursorPaging.repliesLimit"][0]) >= 10


def test_names_are_asked_for_by_the_hundred() -> None:
    service = Service({key(1): {f"t{n}": [] for n in range(230)}})
    asks, _ = run(blog(1), service)
    sizes = [len(json.loads(ask.body)["query"]["filter"]["id"]["$in"]) for ask in asks if ask.method == "POST"]
    assert sizes == [100, 100, 30]


def test_posts_without_comments_or_key_are_passed_over() -> None:
    at_hand = blog(1, count=0)
    at_hand.posts["other"] = KnownPost(url="other", comments_count=3)
    assert run(at_hand, Service({})) == ([], [])


def test_where_the_days_budget_ends_whole_threads_wait() -> None:
    service = Service({key(number): {f"t{number}": []} for number in (1, 2, 3)})
    at_hand, counted = blog(1, 2, 3), iter([False, True, True])
    at_hand.budget_spent = lambda: next(counted)
    asks, items = run(at_hand, service)
    assert (ids(items), [ask.method for ask in asks]) == (["t1"], ["GET", "POST"])
    assert at_hand.deferred == {f"{ROOT}/post/p2", f"{ROOT}/post/p3"}
    assert not any(has_comment_gap(known, at_hand) for known in at_hand.posts.values())


def test_a_thread_whose_last_comment_was_deleted_is_read_once_more() -> None:
    service = Service({key(1): {}})
    at_hand = blog(1, count=0)
    (known,) = at_hand.posts.values()
    known.due, known.thread_count = False, 2
    asks, _ = run(at_hand, service)
    assert (len(asks), known.thread_read) == (1, True)
    known.thread_read, known.thread_count = False, 0
    assert run(at_hand, service) == ([], [])


def test_cursors_that_go_round_in_a_circle_end() -> None:
    def respond(ask: Ask) -> tuple[int, Any]:
        if ask.secret or ask.method == "POST":
            return service(ask)
        following = "b" if "cursor=a" in ask.url else "a"
        return 200, {"comments": [comment("t")], "pagingMetadata": {"hasNext": True, "cursors": {"next": following}}}

    service = Service({})
    asks, _ = run(blog(1), respond)
    assert len(asks) == 4


def test_a_token_that_expires_inside_a_thread() -> None:
    service = Service({key(1): {f"t{n}": [] for n in range(30)}}, most=10)

    def respond(ask: Ask) -> tuple[int, Any]:
        if "cursor=%7C10" in ask.url and service.token == "good":
            service.token = "better"
        return service(ask)

    _, items = run(blog(1), respond)
    assert len(ids(items)) == 30
    assert [item.kind for item in items if isinstance(item, Problem)] == ["api-refused"]


def test_the_public_service_is_asked_for_public_sites_only() -> None:
    service = Service({key(1): {"a": []}, key(2): {"b": []}})
    service.host = "https://www.wixapis.com"
    asks, items = run(blog(1, 2, private=False), service)
    assert ids(items) == ["a", "b"]
    assert [urlsplit(ask.url).hostname for ask in asks] == ["clinic.example"] + ["www.wixapis.com"] * 4
    asks, items = run(blog(1, 2), service)
    assert {urlsplit(ask.url).hostname for ask in asks} == {"clinic.example"}
    assert not ids(items)


@pytest.mark.parametrize("status", [404, 403, 401, 429, 500])
@pytest.mark.parametrize("private", [True, False])
def test_no_service_is_given_up_after_two_posts(status: int, private: bool) -> None:
    asks, _ = run(blog(*range(1, 200), private=private), lambda ask: (status, {}))
    assert len(asks) <= (3 if private else 6)
    assert not any(key(3) in ask.url for ask in asks)


@pytest.mark.parametrize("body", [b"<html></html>", b'{"comments": [', b"[]"])
def test_odd_answers_are_given_up_after_two_posts(body: bytes) -> None:
    asks, items = run(blog(*range(1, 50)), lambda ask: (200, body))
    assert len(asks) == 2
    assert {item.kind for item in items if isinstance(item, Problem)} <= {"malformed-json", "missing-field"}


def test_a_smaller_page_where_the_large_one_is_refused() -> None:
    service = Service({key(1): {"a": []}, key(2): {"b": []}})

    def respond(ask: Ask) -> tuple[int, Any]:
        return (400, {}) if "limit=100" in ask.url else service(ask)

    asks, items = run(blog(1, 2), respond)
    assert ids(items) == ["a", "b"]
    assert sum("limit=100" in ask.url for ask in asks) == 1


def test_names_that_are_refused_are_not_asked_for_again_and_again() -> None:
    service = Service({key(number): {"a": []} for number in range(1, 30)})

    def respond(ask: Ask) -> tuple[int, Any]:
        return (403, {}) if ask.method == "POST" else service(ask)

    asks, _ = run(blog(*range(1, 30)), respond)
    assert sum(ask.method == "GET" for ask in asks) == 29
    assert sum(ask.method == "POST" for ask in asks) <= 4
