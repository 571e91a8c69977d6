"""A blog whose only whole list is packed into its listing, as Wix packs it: every post is stored, in any script."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from scraper.platforms.wix.warmup import BLOG_APP
from tests.e2e.hostile import MISSING, Blog, Reply, page, post, serving
from tests.e2e.product import column, crawl, run, value_of
from tests.scraper.platforms.wix.test_warmup import component, escape

SLUGS = [
    "noční-kresba", "dětský-spánek", "křehké-kosti", "수면과-건강", "비타민-이야기", "النوم-والصحة",
    "أسئلة-العائلة", "für-müde-füße", "plain-words",
]  # fmt: skip
IDS = [f"64ddbf6a1737d98af03320{number:02x}" for number in range(len(SLUGS))]
GARBLED = "\ufffd"


def lists(blog: Blog, slugs: list[str], pack: object, *, fed: int = 0) -> None:
    """No sitemap; the listing holds the packed list alone, and the feed the first few posts."""
    assert callable(pack)
    blog.reset()
    for place in ("/sitemap.xml", *(f"/post/note-{number}" for number in range(1, 4))):
        del blog.answers[place]
    posts = [{"slug": slug, "title": f"Note {n}", "internalId": IDS[n]} for n, slug in enumerate(slugs)]
    feed = {"feedResponse": {"postFeedPage": {"posts": {"posts": posts}}}}
    entry = base64.b64encode(pack(json.dumps(feed, ensure_ascii=False)).encode()).decode()
    island = json.dumps({"appsWarmupData": {BLOG_APP: {"feed-page-TPASection_a": entry}}})
    script = f'<script type="application/json" id="wix-warmup-data">{island}</script>'
    blog.answers["/blog"] = Reply(page(f'<div data-hook="feed-page-root"></div>{script}').encode())
    items = "".join(
        f'<item><title>Note {n}</title><link>{blog.url}/post/{quote(SLUGS[n])}</link><guid isPermaLink="false">{IDS[n]}'
        "</guid></item>"
        for n in range(fed)
    )
    rss = f'<rss version="2.0"><channel><title>Notes</title>{items}</channel></rss>'
    blog.answers["/blog-feed.xml"] = Reply(rss.encode(), kind="application/xml")
    for n, slug in enumerate(SLUGS):
        visible = post(blog.url, n + 1).replace(f"/post/note-{n + 1}", f"/post/{quote(slug)}")
        blog.answers[f"/post/{quote(slug)}"] = Reply(visible.encode())


def stored(archive: Path) -> list[str]:
    urls: list[str] = column(archive, "SELECT url FROM posts ORDER BY url")
    return [url.partition("/post/")[2] for url in urls]


@pytest.mark.parametrize("pack", [escape, component])
def test_every_post_of_a_packed_list_is_stored(pack: object, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    with serving(Blog()) as blog:
        lists(blog, SLUGS, pack)
        done = crawl(archive, blog.url)
        assert (done.code, done.err, done.clinic["gone"] if done.out else 0) == (0, "", 0)
        assert MISSING not in [blog.answers.get(path) for path in blog.paths if path.startswith("/post/")]
        assert stored(archive) == sorted(map(quote, SLUGS))
        assert column(archive, "SELECT count(DISTINCT body_text) FROM posts") == [len(SLUGS)]
        assert column(archive, "SELECT platform_post_id FROM posts ORDER BY 1") == IDS
        assert value_of(archive, "SELECT complete FROM clinic_runs") == 1
        for command in ("verify", "rebuild"):
            assert run("clinic-archive", command, "--archive", "archive", cwd=tmp_path).code == 0


def garble(slug: str) -> str:
    return "".join(char if char.isascii() else GARBLED for char in slug)


def test_addresses_that_a_list_garbles_are_found_by_another(tmp_path: Path) -> None:
    """The clinic's own list is wrong for eight of nine posts; the feed names seven of them under the same ids."""
    archive = tmp_path / "archive"
    with serving(Blog()) as blog:
        lists(blog, list(map(garble, SLUGS)), escape, fed=7)
        done = crawl(archive, blog.url)
        assert (done.code, done.err) == (0, "")
        assert stored(archive) == sorted(map(quote, [*SLUGS[:7], SLUGS[-1]]))
        assert column(archive, "SELECT kind FROM problems WHERE url LIKE '%EF%BF%BD%'").count("gone") >= 1
        done = crawl(archive, blog.url)
        assert (done.code, done.err) == (0, "")
        assert column(archive, "SELECT removed_at FROM posts") == [None] * 8


def test_a_visit_in_which_most_listed_posts_do_not_exist_is_a_failure(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    with serving(Blog()) as blog:
        lists(blog, list(map(garble, SLUGS)), escape, fed=2)
        done = crawl(archive, blog.url)
        assert done.code == 3
        assert "failed: 6 of 9 posts answer that they do not exist, though the blog's lists name them" in done.err
        assert crawl(archive, blog.url).code == 3
        assert stored(archive) == sorted(map(quote, [*SLUGS[:2], SLUGS[-1]]))
        assert column(archive, "SELECT complete FROM clinic_runs") == [0, 0]
