"""The pages of the archive as a place to read: home, a clinic, a post, its wordings, search, questions, feeds."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote, urlencode

from datasette import hookimpl  # type: ignore[import-untyped]
from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils.asgi import NotFound, Request, Response  # type: ignore[import-untyped]
from jinja2 import Environment

from archive.db import sentences
from archive.questions import questions
from archive.reports.record import robots
from archive.reports.status import DEFAULT_AGE, STATES, age, facts, read_status
from archive.search.index import COUNTED, KINDS, RANKED, Query
from archive.site.pages import cite, clinic, feed, home, post, revisions, search_results, thread
from archive.site.pages._rows import row, rows
from archive.site.pages.permalinks import find_posts, find_revision, post_path
from archive.site.serving import DATABASE, allowed, ask, folder, keep, kept_answers, page, page_number

# As clinics.toml allows it; what it reserves are Datasette's own addresses, and ours.
_CLINIC = rf"/(?P<clinic>(?!-/|{DATABASE}/|site/)[a-z0-9-]+)"
_STAMP = r"(?P<stamp>\d{14}-[0-9a-f]{8})"


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Any]]:
    """The addresses of the pages; a clinic's and a post's are for ever (`archive.site.pages.permalinks`)."""
    return [
        (r"/$", show_home),
        (r"/-/search$", show_search),
        (r"/-/explore$", show_questions),
        (r"/-/status$", show_status),
        (r"/-/post/(?P<post_id>\d{1,18})$", show_by_number),
        (r"/-/(?P<what>posts|edits)\.atom$", show_feed),
        (rf"{_CLINIC}/(?P<slug>[^/]+)/{_STAMP}\.(?P<style>bib|ris|json)$", show_citation),
        (rf"{_CLINIC}/(?P<slug>[^/]+)/{_STAMP}$", show_post),
        (rf"{_CLINIC}/(?P<slug>[^/]+)/compare$", show_difference),
        (rf"{_CLINIC}/(?P<slug>[^/]+)$", show_post),
        (rf"/(?P<clinic>(?!-$|{DATABASE}$)[a-z0-9-]+)$", show_clinic),
    ]


@hookimpl  # type: ignore[untyped-decorator]
def prepare_jinja2_environment(env: Environment) -> None:
    """How dates, numbers and places are written in all templates."""
    env.filters["day"] = lambda text: str(text or "")[:10]
    env.filters["moment"] = lambda text: f"{str(text)[:10]} {str(text)[11:16]}".strip() if text else ""
    env.filters["number"] = lambda value: "" if value is None else f"{value:,}"
    env.globals["between"] = between
    # Of an address: one more argument; another form of the file.
    env.filters["with"] = lambda url, more: f"{url}{'&' if '?' in url else '?'}{more}"
    env.filters["as_form"] = lambda url, form: re.sub(r"\.csv(?=\?|$)", f".{form}", url, count=1)
    env.globals["post_path"] = lambda one: post_path(one["clinic_id"], one["slug"], one["platform_post_id"])


def between(first: str | None, last: str) -> str:
    """The interval of a change, as short as is clear: "between 2026-03-01 09:30 and 2026-03-02 09:31"."""
    if not first:
        return f"before {last[:16].replace('T', ' ')}"
    to = 19 if first[:16] == last[:16] else 16
    one, other = (text[:to].replace("T", " ") for text in (first, last))
    return f"between {one} and {other[11:] if one[:10] == other[:10] else other}"


@hookimpl  # type: ignore[untyped-decorator]
def startup(datasette: Datasette) -> None:
    """What the first page takes long to count is counted before anybody asks."""
    if DATABASE in datasette.databases and datasette.executor is not None:
        warm = kept_answers(datasette).warm
        threading.Thread(target=warm, args=("home", home.summary), daemon=True).start()


async def show_home(datasette: Datasette, request: Request) -> Response:
    """The first page."""
    await allowed(datasette, request)
    told, found_at = await keep(datasette, "home", home.summary)
    return await page(datasette, request, "home.html", {**told, "found_at": found_at.isoformat()})


async def show_status(datasette: Datasette, request: Request) -> Response:
    """How the archive stands now."""
    await allowed(datasette, request)
    told = await ask(datasette, lambda connection: read_status(connection, folder(datasette), datetime.now(UTC)))
    search_results = Counter(one.standing(DEFAULT_AGE) for one in told.clinics)
    counts = [(name, search_results[name]) for name in STATES if search_results[name]]
    return await page(
        datasette, request, "status.html",
        {"told": told, "facts": facts(told), "max_age": DEFAULT_AGE, "age_of": age, "counts": counts,
         "stale": search_results["stale"], "expected": search_results["stale"] + search_results["fresh"]},
    )  # fmt: skip


async def show_clinic(datasette: Datasette, request: Request) -> Response:
    """A clinic."""
    await allowed(datasette, request)
    clinic_id = request.url_vars["clinic"]
    sort = request.args.get("sort") or "published"
    number = page_number(request)
    sort = sort if sort in clinic.SORTS else "published"
    one = await ask(datasette, lambda connection: clinic.of(connection, clinic_id))
    if one is None:
        raise NotFound(f"No clinic {clinic_id!r} in this archive; the first page lists them all")
    posts = await ask(datasette, lambda connection: clinic.posts(connection, clinic_id, sort, number))
    told, _ = await keep(datasette, ("clinic", clinic_id), lambda connection: clinic.summary(connection, clinic_id))
    rules = await asyncio.to_thread(robots, folder(datasette), told["robots"]) if told["robots"] else None
    pages = -(-one["posts"] // clinic.AT_ONCE)
    return await page(
        datasette, request, "clinic.html",
        {**told, "clinic": one, "posts": posts, "sort": sort, "sorts": list(clinic.SORTS), "rules": rules,
         "number": number, "pages": pages},
    )  # fmt: skip


async def show_by_number(datasette: Datasette, request: Request) -> Response:
    """Where rows of this archive lead: to the post of a number, which is valid in this file only."""
    await allowed(datasette, request)
    number = int(request.url_vars["post_id"])
    sql = "SELECT clinic_id, slug, platform_post_id FROM posts WHERE post_id = ?"
    one = await ask(datasette, lambda connection: row(connection, sql, (number,)))
    if one is None:
        raise NotFound(f"No post has the number {number} in this archive file")
    return Response.redirect(datasette.urls.path(post_path(one["clinic_id"], one["slug"], one["platform_post_id"])))


async def _find(datasette: Datasette, request: Request) -> list[int]:
    """The posts of the address; raises `NotFound` with what may help."""
    await allowed(datasette, request)
    clinic_id, slug = request.url_vars["clinic"], request.url_vars["slug"]
    posts = await ask(datasette, lambda connection: find_posts(connection, clinic_id, slug))
    if not posts:
        known = await ask(datasette, lambda connection: clinic.of(connection, clinic_id))
        where = f"/{clinic_id} lists its posts" if known else "nor a clinic of that name; the first page lists them"
        raise NotFound(f"No post {unquote(slug)!r} at {clinic_id} ever had this address: {where}")
    return posts


async def show_post(datasette: Datasette, request: Request) -> Response:
    """A post, or one of its wordings."""
    posts = await _find(datasette, request)
    post_id, revision_id = posts[0], None
    name = request.url_vars.get("stamp")
    if name:
        post_id, revision_id = await _wording(datasette, posts, name)
    number = page_number(request)

    def read(connection: Any) -> dict[str, Any]:
        told = post.read(connection, post_id, revision_id)
        wanted = request.args.get("comment") or ""
        known = wanted.isascii() and wanted.isdigit() and len(wanted) < 19
        at = thread.page_of(connection, post_id, int(wanted)) if known else number
        told["comments"], told["comments_kept"] = thread.conversation(connection, post_id, at)
        told["number"], told["pages"] = at, -(-told["comments_kept"] // thread.AT_ONCE)
        others = ",".join("?" * (len(posts) - 1))
        told["namesakes"] = rows(
            connection, f"SELECT title, url, published_at FROM posts WHERE post_id IN ({others})", posts[1:]
        ) if len(posts) > 1 and not revision_id else []  # fmt: skip
        return told

    told = await ask(datasette, read)
    told["archive"] = datasette.metadata("title")
    told["work"] = work = _work(request, told)
    told["citations"] = {"APA": cite.apa(work), "BibTeX": cite.bibtex(work), "RIS": cite.ris(work)} if work else {}
    return await page(datasette, request, "post.html", told)


async def _wording(datasette: Datasette, posts: list[int], name: str) -> tuple[int, int]:
    one = await ask(datasette, lambda connection: find_revision(connection, posts, name))
    if one is None:
        raise NotFound(f"The post is here, but no wording {name}; its page, without that number, lists those that are")
    return one["post_id"], one["revision_id"]


def _work(request: Request, told: dict[str, Any]) -> cite.Work | None:
    """What is cited of a post's page; None where no text of it is kept."""
    one, words = told["post"], told["wording"]
    if words is None:
        return None
    return cite.Work(
        title=told["text"]["title"] or one["title"] or one["url"] or one["slug"] or "(no title)",
        author=told["text"]["author"], published=one["published_on"] or one["published_at"], clinic=one["clinic"],
        url=one["url"] or "", permalink=_absolute(request, f"{one['path']}/{words['stamp']}"),
        captured=words["captured_at"], archive=told["archive"], language=one["language"],
    )  # fmt: skip


def _absolute(request: Request, path: str) -> str:
    return f"{request.scheme}://{request.host}{path}"


async def show_citation(datasette: Datasette, request: Request) -> Response:
    """A wording's citation as a file."""
    posts = await _find(datasette, request)
    post_id, revision_id = await _wording(datasette, posts, request.url_vars["stamp"])
    told = await ask(datasette, lambda connection: post.head(connection, post_id, revision_id))
    work = _work(request, told | {"archive": datasette.metadata("title")})
    assert work is not None
    style = request.url_vars["style"]
    writer, media_type = cite.STYLES[style]
    headers = {"Content-Disposition": f'attachment; filename="{work.key}.{style}"'}
    return Response(writer(work), status=200, headers=headers, content_type=media_type)


async def show_difference(datasette: Datasette, request: Request) -> Response:
    """What differs between two wordings: `?from=STAMP&to=STAMP`; without, the last edit."""
    posts = await _find(datasette, request)
    wanted = [request.args.get(name) for name in ("from", "to")]

    def read(connection: Any) -> dict[str, Any]:
        ids = [find_revision(connection, posts, name) if name else None for name in wanted]
        post_id = next((one["post_id"] for one in ids if one), posts[0])
        told = post.head(connection, post_id)
        kept = told["wordings"]
        edits = [one for one in kept if one["before"]] or kept
        told["to"] = ids[1]["revision_id"] if ids[1] else edits[-1]["revision_id"] if edits else None
        last = next((one["before"] for one in kept if one["revision_id"] == told["to"] and one["before"]), None)
        told["from"] = ids[0]["revision_id"] if ids[0] else last["revision_id"] if last else None
        told["missing"] = [name for name, one in zip(wanted, ids, strict=True) if name and one is None]
        told["whole"] = bool(request.args.get("whole"))
        told["difference"] = (
            revisions.difference(connection, told["from"], told["to"], whole=told["whole"])
            if told["from"] and told["to"] else None
        )  # fmt: skip
        return told

    told = await ask(datasette, read)
    if told["missing"]:
        raise NotFound(f"The post is here, but no wording {told['missing'][0]}; its page lists those that are")
    return await page(datasette, request, "compare.html", told)


async def show_search(datasette: Datasette, request: Request) -> Response:
    """Search over posts, comments and past wordings."""
    await allowed(datasette, request)
    given = {name: (request.args.get(name) or "").strip() for name in ("q", "clinic", "platform", "from", "to", "kind")}
    order = "best" if request.args.get("order") == "best" else "newest"
    odd = [name for name in ("from", "to") if given[name] and not _is_day(given[name])]
    query = Query(
        given["q"], given["clinic"], given["platform"], "" if "from" in odd else given["from"],
        "" if "to" in odd else given["to"], given["kind"] if given["kind"] in KINDS else "",
        bool(request.args.get("commented")), order == "best",
    )  # fmt: skip
    number = min(page_number(request), COUNTED // search_results.AT_ONCE)  # further than it counts, nobody reads

    def read(connection: Any) -> dict[str, Any]:
        told: dict[str, Any] = (
            search_results.results(connection, query, number) if given["q"] else {"hits": [], "more": False}
        )
        told["clinics"] = rows(connection, "SELECT clinic_id, name, platform FROM clinics ORDER BY name, clinic_id")
        return told

    told = await ask(datasette, read)
    told["platforms"] = sorted({one["platform"] for one in told["clinics"] if one["platform"]})
    again = {name: value for name, value in given.items() if value} | {"order": order}
    again |= {"commented": "on"} if query.commented else {}
    return await page(
        datasette, request, "search.html",
        {**told, "given": given, "order": order, "commented": query.commented, "ranked": RANKED, "odd": odd,
         "page_number": number,
         "next": urlencode({**again, "page": number + 1}), "previous": urlencode({**again, "page": number - 1})},
    )  # fmt: skip


def _is_day(text: str) -> bool:
    """As a visitor writes it: 2026-03-01."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


async def show_questions(datasette: Datasette, request: Request) -> Response:
    """What can be asked: ready questions, and the views."""
    await allowed(datasette, request)
    return await page(datasette, request, "explore.html", {"questions": questions().values(), "views": sentences()})


async def show_feed(datasette: Datasette, request: Request) -> Response:
    """An Atom feed; `?clinic=SLUG` for one clinic."""
    await allowed(datasette, request)
    clinic_id, what = request.args.get("clinic") or None, request.url_vars["what"]
    if clinic_id is not None and await ask(datasette, lambda connection: clinic.of(connection, clinic_id)) is None:
        raise NotFound(f"No clinic {clinic_id!r} in this archive")
    read = feed.new_posts if what == "posts" else feed.edits
    entries = await ask(datasette, lambda connection: read(connection, clinic_id))
    title = ("New posts" if what == "posts" else "Edits") + (f" of {clinic_id}" if clinic_id else "")
    own = _absolute(request, request.full_path)
    body = feed.atom(
        f"{title}: {datasette.metadata('title')}", _absolute(request, datasette.urls.path("").rstrip("/")), own, entries
    )
    return Response(body=body, status=200, headers={}, content_type="application/atom+xml; charset=utf-8")
