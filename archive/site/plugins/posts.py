"""The pages of posts: a post or one of its revisions, what differs between two revisions, and citations."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from datasette import hookimpl  # type: ignore[import-untyped]
from datasette.app import Datasette  # type: ignore[import-untyped]
from datasette.utils.asgi import NotFound, Request, Response  # type: ignore[import-untyped]
from datasette.views.base import DatasetteError  # type: ignore[import-untyped]

from archive.export import Source
from archive.public import withholds_comments
from archive.site.pages import cite, clinic, post, revisions, thread
from archive.site.pages._rows import Row, row, rows
from archive.site.pages.permalinks import find_posts, find_revision, is_withdrawn, post_path
from archive.site.pages.wordings import comparison
from archive.site.sending import send_file
from archive.site.serving import DATABASE, absolute_url, check_access, page_number, read_database, render
from archive.site.visitors.door import base_url

# A clinic's short name as clinics.toml allows it. The reserved words are addresses of Datasette and of this site.
_CLINIC = rf"/(?P<clinic>(?!-/|{DATABASE}/|site/)[a-z0-9-]+)"
# 20260301093000-0123abcd
_STAMP = r"(?P<stamp>\d{14}-[0-9a-f]{8})"


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Any]]:
    """Return the routes of these pages. A post's address is permanent (`archive.site.pages.permalinks`)."""
    return [
        (r"/-/post/(?P<post_id>\d{1,18})$", show_by_id),
        (rf"{_CLINIC}/(?P<slug>[^/]+)/{_STAMP}\.(?P<style>bib|ris|json)$", show_citation),
        (rf"{_CLINIC}/(?P<slug>[^/]+)/{_STAMP}$", show_post),
        (rf"{_CLINIC}/(?P<slug>[^/]+)/compare$", show_difference),
        (rf"{_CLINIC}/(?P<slug>[^/]+)/compare\.(?P<form>csv|xlsx|json|txt)$", send_difference),
        (rf"{_CLINIC}/(?P<slug>[^/]+)$", show_post),
    ]


async def show_by_id(datasette: Datasette, request: Request) -> Response:
    """Redirect from a `post_id`, which is valid in this archive file only, to the permanent address of the post."""
    await check_access(datasette, request)
    post_id = int(request.url_vars["post_id"])
    sql = "SELECT clinic_id, slug, platform_post_id FROM posts WHERE post_id = ?"
    found = await read_database(datasette, lambda connection: row(connection, sql, (post_id,)))
    if found is None:
        raise NotFound(f"No post has the number {post_id} in this archive file")
    path = post_path(found["clinic_id"], found["slug"], found["platform_post_id"])
    return Response.redirect(datasette.urls.path(path))


async def _find_posts(datasette: Datasette, request: Request) -> list[int]:
    """Return the ids of the posts of the address. Raises `NotFound` with a hint where to look."""
    await check_access(datasette, request)
    clinic_id, slug = request.url_vars["clinic"], request.url_vars["slug"]
    posts = await read_database(datasette, lambda connection: find_posts(connection, clinic_id, slug))
    if not posts:
        if await read_database(datasette, lambda connection: is_withdrawn(connection, clinic_id, slug)):
            raise DatasetteError("This post was withdrawn from the archive on request.", status=410, title="Withdrawn")
        known = await read_database(datasette, lambda connection: clinic.overview(connection, clinic_id))
        if known is None:
            raise NotFound(f"No clinic {clinic_id!r} in this archive; the home page lists all clinics")
        raise NotFound(f"No post of {clinic_id} ever had the address {unquote(slug)!r}; /{clinic_id} lists its posts")
    return posts


async def show_post(datasette: Datasette, request: Request) -> Response:
    """Answer with a post, or with one of its revisions if the address has a stamp."""
    posts = await _find_posts(datasette, request)
    post_id, revision_id = posts[0], None
    stamp = request.url_vars.get("stamp")
    if stamp:
        post_id, revision_id = await _find_revision(datasette, posts, stamp)
    number = page_number(request)
    comment = request.args.get("comment") or ""
    comment_id = int(comment) if comment.isascii() and comment.isdigit() and len(comment) < 19 else None

    def read(connection: sqlite3.Connection) -> dict[str, Any]:
        context = post.read(connection, post_id, revision_id)
        page = number if comment_id is None else thread.page_with_comment(connection, post_id, comment_id)
        comments, comments_kept = thread.conversation(connection, post_id, page)
        context |= {"comments": comments, "comments_kept": comments_kept, "number": page}
        context["only_counted"] = bool(comments_kept) and withholds_comments(connection)
        context["pages"] = -(-comments_kept // thread.COMMENTS_PER_PAGE)
        context["namesakes"] = _namesakes(connection, posts[1:]) if not revision_id else []
        return context

    context = await read_database(datasette, read)
    context["archive"] = datasette.metadata("title")
    context["is_public"] = base_url() is not None
    context["work"] = work = _work(request, context)
    context["citations"] = {"APA": cite.apa(work), "BibTeX": cite.bibtex(work), "RIS": cite.ris(work)} if work else {}
    return await render(datasette, request, "post.html", context)


def _namesakes(connection: sqlite3.Connection, post_ids: Sequence[int]) -> list[Row]:
    marks = ",".join("?" * len(post_ids))
    return rows(connection, f"SELECT title, url, published_at FROM posts WHERE post_id IN ({marks})", post_ids)


async def _find_revision(datasette: Datasette, posts: list[int], stamp: str) -> tuple[int, int]:
    """Return post id and revision id of a stamp. Raises `NotFound`."""
    revision = await read_database(datasette, lambda connection: find_revision(connection, posts, stamp))
    if revision is None:
        raise NotFound(f"This post has no revision {stamp}; its page, at the address without that stamp, lists them")
    return revision["post_id"], revision["revision_id"]


def _work(request: Request, context: dict[str, Any]) -> cite.Work | None:
    """Return what a citation of a post's page names; None if the archive has no text of the post."""
    cited, revision = context["post"], context["revision"]
    if revision is None:
        return None
    return cite.Work(
        title=context["text"]["title"] or cited["title"] or cited["url"] or cited["slug"] or "(no title)",
        author=context["text"]["author"],
        published=cited["published_on"] or cited["published_at"],
        clinic=cited["clinic"],
        url=cited["url"] or "",
        permalink=absolute_url(request, f"{cited['path']}/{revision['stamp']}"),
        captured=revision["captured_at"],
        archive=context["archive"],
        language=cited["language"],
    )


async def show_citation(datasette: Datasette, request: Request) -> Response:
    """Answer with the citation of a revision as a file."""
    posts = await _find_posts(datasette, request)
    post_id, revision_id = await _find_revision(datasette, posts, request.url_vars["stamp"])
    context = await read_database(datasette, lambda connection: post.head(connection, post_id, revision_id))
    work = _work(request, context | {"archive": datasette.metadata("title")})
    assert work is not None
    style = request.url_vars["style"]
    writer, media_type = cite.STYLES[style]
    headers = {"Content-Disposition": f'attachment; filename="{work.key}.{style}"'}
    return Response(writer(work), status=200, headers=headers, content_type=media_type)


async def _compared(datasette: Datasette, request: Request, *, whole: bool) -> dict[str, Any]:
    """Return the context of a comparison: `?from=STAMP&to=STAMP`; without these, the last edit. Raises `NotFound`."""
    posts = await _find_posts(datasette, request)
    stamps = [request.args.get(name) for name in ("from", "to")]
    context = await read_database(datasette, lambda connection: _difference(connection, posts, stamps, whole=whole))
    if context["missing"]:
        raise NotFound(f"This post has no revision {context['missing'][0]}; its page lists them")
    if context["difference"]:
        old, new = (context["difference"][name]["stamp"] for name in ("old", "new"))
        context["address"] = absolute_url(
            request, datasette.urls.path(f"{context['post']['path']}/compare?from={old}&to={new}")
        )
    return context


async def show_difference(datasette: Datasette, request: Request) -> Response:
    """Answer with what differs between two revisions, and how to cite both."""
    context = await _compared(datasette, request, whole=bool(request.args.get("whole")))
    context |= {"is_public": base_url() is not None, "works": []}
    if context["difference"]:
        texts = [context["difference"][name] for name in ("old", "new")]
        timed = len({text["captured_at"][:10] for text in texts}) == 1
        for text in texts:
            cited = {**context, "archive": datasette.metadata("title"), "text": text, "revision": text}
            work = _work(request, cited)
            assert work is not None
            work = replace(work, timed=timed)
            styles = {"APA": cite.apa(work), "BibTeX": cite.bibtex(work), "RIS": cite.ris(work)}
            context["works"].append((text, styles))
    return await render(datasette, request, "compare.html", context)


async def send_difference(datasette: Datasette, request: Request) -> Any:
    """Answer with a comparison as a file: of its pieces, or as text with marks around what was removed and added."""
    context = await _compared(datasette, request, whole=True)
    found = context["difference"]
    if not found:
        raise NotFound("There is nothing to compare: the archive has no two revisions of this post from one source")
    if request.url_vars["form"] != "txt":
        ids = {"old_id": context["from"], "new_id": context["to"]}
        return send_file(datasette, request, Source("difference", "", ids))
    heading = [
        context["address"],
        *(
            f"{sign} {found[name]['captured_at']} {found[name]['source']}"
            for sign, name in (("-", "old"), ("+", "new"))
        ),
    ]
    text = comparison.as_text(heading, found["title"], found["lines"])
    return Response.text(text.encode("utf-8", "replace").decode(), headers={})


def _difference(
    connection: sqlite3.Connection, posts: list[int], stamps: list[str | None], *, whole: bool
) -> dict[str, Any]:
    """Return the context of the page of a comparison. Without stamps it compares the last edit with the text before."""
    from_given = find_revision(connection, posts, stamps[0]) if stamps[0] else None
    # Of several posts with one address both revisions must be of the same.
    posts = [from_given["post_id"]] if from_given else posts
    to_given = find_revision(connection, posts, stamps[1]) if stamps[1] else None
    given = from_given or to_given
    context = post.head(connection, given["post_id"] if given else posts[0])
    found = context["revisions"]
    if to_given:
        to_id = to_given["revision_id"]
    else:
        edits = [revision for revision in found if revision["before"]] or found
        to_id = edits[-1]["revision_id"] if edits else None
    if from_given:
        from_id = from_given["revision_id"]
    else:
        target = next((revision for revision in found if revision["revision_id"] == to_id), None)
        from_id = target["before"]["revision_id"] if target and target["before"] else None
    compared = revisions.compare_revisions(connection, from_id, to_id, whole=whole) if from_id and to_id else None
    return context | {
        "from": from_id,
        "to": to_id,
        "missing": [
            stamp for stamp, revision in zip(stamps, (from_given, to_given), strict=True) if stamp and not revision
        ],
        "whole": whole,
        "difference": compared,
        "about": comparison.comparison(connection, found, from_id, to_id) if from_id and to_id else None,
        "words": {kind: comparison.words(compared["lines"], compared["title"], kind) for kind in ("out", "in")}
        if compared
        else None,
    }
