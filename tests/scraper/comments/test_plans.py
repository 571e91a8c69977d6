"""What a visit requests from comment services, and from whom it requests nothing."""

from __future__ import annotations

import json
from collections.abc import Callable

from scraper.comments import services
from scraper.crawl.threads import read_threads
from scraper.extract import extract
from scraper.items import Exchange
from scraper.platforms._platform import Answer, Ask, Blog, KnownPost, Plan, Platform
from scraper.platforms.ghost import Ghost

SITE = "https://lakeside.example"
ISSO = "https://talk.example/"
Respond = Callable[[Ask], object]


def carry_out(plan: Plan, respond: Respond, reader: Platform | None = None) -> list[Ask]:
    """The requests of a plan; `respond` gives the JSON of each answer, None for a failure."""
    requests: list[Ask] = []
    try:
        ask = next(plan)
        while len(requests) < 100:
            requests.append(ask)
            value = respond(ask)
            body = value.encode() if isinstance(value, str) else json.dumps(value).encode()
            exchange = Exchange(
                url=ask.url, body=body, method=ask.method, request_body=ask.body, status=404 if value is None else 200
            )
            ask = plan.send(Answer(ask=ask, exchange=exchange, items=extract(exchange, reader)))
    except StopIteration:
        return requests
    raise AssertionError("the plan does not end")


def known(name: str, **changes: object) -> KnownPost:
    return KnownPost(**({"url": f"{SITE}/{name}", "due": False} | changes))  # type: ignore[arg-type]


def blog(*posts: KnownPost, service: str = "isso", private: bool = False) -> Blog:
    threads = {post.url: f"isso:{ISSO}?uri=/{post.url.rpartition('/')[2]}/" for post in posts}
    return Blog(root=SITE, private=private, posts={post.url: post for post in posts}, threads={service: threads})


class TestIsso:
    def test_one_request_for_the_numbers_of_all_and_one_for_each_thread_that_is_due(self) -> None:
        """Pages are unchanged or not due: a number that differs from the last one makes a thread due."""
        posts = (
            known("same", comments_count=2, thread_count=2, thread_at="2026-01-01T00:00:00Z"),
            known("more", comments_count=2, thread_count=2, thread_at="2026-01-01T00:00:00Z"),
            known("none"),
            known("first"),
            known("page", due=True),
        )
        numbers = [2, 3, 0, 1, 4]
        requests = carry_out(
            read_threads(Ghost(), blog(*posts)),
            lambda ask: numbers if ask.method == "POST" else {"replies": [], "total_replies": 0},
        )
        assert [ask.url for ask in requests] == [
            f"{ISSO}count?plain=0",
            f"{ISSO}?uri=%2Fmore%2F&plain=0",
            f"{ISSO}?uri=%2Ffirst%2F&plain=0",
            f"{ISSO}?uri=%2Fpage%2F&plain=0",
        ]
        assert json.loads(requests[0].body) == ["/same/", "/more/", "/none/", "/first/", "/page/"]
        assert [post.thread_read for post in posts] == [False, True, False, True, True]

    def test_a_post_that_is_due_and_has_no_comment_costs_no_request(self) -> None:
        new = known("new", due=True)
        requests = carry_out(read_threads(Ghost(), blog(new)), lambda ask: [0])
        assert ([ask.method for ask in requests], new.thread_read) == (["POST"], True)

    def test_numbers_that_do_not_come_change_nothing(self) -> None:
        for answer in (None, "<html>", [1, 2, 3], {"x": 1}):
            new = known("new", due=True)
            requests = carry_out(read_threads(Ghost(), blog(new)), lambda ask, answer=answer: answer)
            assert (len(requests), new.comments_count) == (2, None)

    def test_a_private_site_requests_no_public_server(self) -> None:
        assert carry_out(read_threads(Ghost(), blog(known("new", due=True), private=True)), lambda ask: []) == []


def test_no_service_requests_anything_of_a_private_site() -> None:
    """Public services, and servers of the blog's own at a public host."""
    threads = {
        "disqus": "disqus:lakeside?i=1&u=https%3A%2F%2Fa.example%2F",
        "giscus": "giscus:repo=a%2Fb&term=x&number=0&category=&strict=false",
        "hubspot-comments": "hubspot-comments:https://api.hubapi.com/comments/v3/comments/thread/public?portalId=1"
        "&contentId=2&collectionId=3",
        "remark42": "remark42:https://remark.example?site=a&url=https%3A%2F%2Fa.example%2F",
        "facebook": "facebook:https://a.example/",
    }
    for private, requested in ((True, 0), (False, 5)):
        state = blog(known("x", due=True), private=private)
        state.threads = {name: {f"{SITE}/x": thread} for name, thread in threads.items()}
        requests = carry_out(read_threads(Ghost(), state), lambda ask: None)
        assert len({ask.url for ask in requests}) == requested
    assert all(not service.is_api_url("http://[x") for service in services())


class TestGhost:
    ID = "65a0000000000000000000a1"
    HOME = (
        f'<html><head><meta name="generator" content="Ghost 5"><script data-ghost="{SITE}/" data-key="{"0" * 26}"'
        f' data-api="{SITE}/ghost/api/content/"></script></head></html>'
    )
    FORBIDDEN = "User-agent: *\nDisallow: /ghost/\nDisallow: /members/api/comments/counts/\n"

    def blog(self, *posts: KnownPost) -> Blog:
        home = Exchange(url=f"{SITE}/", body=self.HOME.encode(), content_type="text/html")
        return Blog(root=SITE, home=home, posts={post.url: post for post in posts})

    def test_what_robots_txt_forbids_is_not_requested(self) -> None:
        post = known("x", addresses=(f"ghost:{self.ID}",))
        for plan in (Ghost().discover, Ghost().counters):
            requests = carry_out(plan(self.blog(post)), lambda ask: self.FORBIDDEN, Ghost())
            assert not [ask.url for ask in requests if "/ghost/api/" in ask.url or "/counts/" in ask.url]
            assert requests[0].url == f"{SITE}/robots.txt"

    def test_what_it_allows_is_requested_first(self) -> None:
        post = known("x", addresses=(f"ghost:{self.ID}",))
        listed = {"posts": [], "meta": {"pagination": {"next": None}}}
        requests = carry_out(
            Ghost().discover(self.blog()), lambda ask: "" if ask.url.endswith("robots.txt") else listed, Ghost()
        )
        assert [ask.url.partition("?")[0] for ask in requests] == [
            f"{SITE}/robots.txt",
            f"{SITE}/ghost/api/content/posts/",
        ]
        state = self.blog(post)
        carry_out(Ghost().counters(state), lambda ask: "" if ask.url.endswith("robots.txt") else {self.ID: 7}, Ghost())
        assert post.comments_count == 7

    def test_a_thread_is_read_to_its_last_page_with_the_replies_that_are_left_out(self) -> None:
        post = known("x", due=True, addresses=(f"ghost:{self.ID}",))
        first = {"id": "65c000000000000000000001", "status": "published", "replies": [], "count": {"replies": 4}}
        pages = {
            f"post/{self.ID}/?limit=100&page=1": {"comments": [first], "meta": {"pagination": {"next": 2}}},
            f"post/{self.ID}/?limit=100&page=2": {"comments": [], "meta": {"pagination": {"next": None}}},
            f"65c000000000000000000001/replies/?limit=100&page=1&post_id={self.ID}": {
                "comments": [],
                "meta": {"pagination": {"next": None}},
            },
        }
        api = f"{SITE}/members/api/comments/"
        requests = carry_out(Ghost().threads(self.blog(post)), lambda ask: pages[ask.url.removeprefix(api)], Ghost())
        assert ([ask.url.removeprefix(api) for ask in requests], post.thread_read) == (list(pages), True)

    def test_a_site_that_shows_no_comments_is_asked_twice(self) -> None:
        posts = [
            known(str(number), due=True, addresses=(f"ghost:65a00000000000000000000{number}",)) for number in range(6)
        ]
        requests = carry_out(Ghost().threads(self.blog(*posts)), lambda ask: None, Ghost())
        assert (len(requests), any(post.thread_read for post in posts)) == (2, False)

    def test_a_long_thread_ends_with_the_budget_and_waits_for_the_next_visit(self) -> None:
        post = known("x", due=True, addresses=(f"ghost:{self.ID}",))
        site, requests = blog(post, service=""), list[Ask]()

        def respond(ask: Ask) -> object:
            requests.append(ask)
            row = {"id": f"65b{len(requests):021}", "status": "published", "html": "<p>Hm</p>", "count": {"replies": 0}}
            return {"comments": [row], "meta": {"pagination": {"next": len(requests) + 1, "total": 999}}}

        site.budget_spent = lambda: len(requests) >= 3
        carry_out(Ghost().threads(site), respond, Ghost())
        assert (len(requests), post.thread_read, site.deferred) == (50, False, {post.url})

    def test_which_addresses_are_posts(self) -> None:
        ghost = Ghost()
        for path in ("/", "/tag/sleep/", "/author/ines/", "/page/2/", "/rss/", "/p/uuid/", "/ghost/", "/sitemap.xml"):
            assert ghost.is_post_url(SITE + path) is False
        assert ghost.is_post_url(f"{SITE}/walks/") is None
        assert ghost.is_post_url(f"{SITE}/walks/", f"{SITE}/sitemap-posts.xml") is True
        assert ghost.is_post_url(f"{SITE}/walks/", f"{SITE}/rss/") is True
        assert ghost.is_post_url(f"{SITE}/about/", f"{SITE}/sitemap-pages.xml") is False
        assert ghost.is_post_url("http://[") is False
