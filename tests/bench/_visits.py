"""A clinic that is visited again and again, in a process of its own: `python -m tests.bench._visits VISITS FOLDER`.

Every component of a crawl but the downloader has its part: the run, the WARC, freshness, the readers, the fold, the
report. Of 60 posts none changes after the first visit (304), counters of all of them come in one answer, others each
time. Prints of each visit the CPU seconds, and the bytes of archive.db and of the WARC files after it, as JSON.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from archive.db import DATABASE
from pipelines.recover import recover
from scraper.platforms.wix.services.counters_api import feed_metadata_url
from tests.bench._figure import cpu
from tests.visiting import SITE, Visiting

POSTS, WORDS = 60, "The first session begins with a talk about what you hope for, and about what worries you. "


def visit(folder: Path, number: int) -> None:
    """The visit of that number, from the opening of the archive to its close."""
    with Visiting(folder, first=recover) as visiting:
        for one in range(POSTS):
            visiting.visit.discovered += 1
            known = number > 0
            visiting.answer(
                f"{SITE}/_api/blog-frontend-adapter-public/v2/post-page/p{one}", b"" if known else _page(one),
                status=304 if known else 200, headers={"ETag": f'"{one}"'}, meta={"conditional": True},
            )  # fmt: skip
            visiting.visit.attempted += 1
            visiting.visit.fetched += 1
        counted = {_uuid(one): {"views": 10 * number + one, "likes": one, "comments": 0} for one in range(POSTS)}
        answer = {"postFeedMetadataPage": {"postMetrics": counted}}
        visiting.answer(feed_metadata_url(SITE, 1), json.dumps(answer).encode())
        visiting.end()
        visiting.run.close(0, {})


def _uuid(one: int) -> str:
    return f"00000000-0000-4000-8000-{one:012x}"


def _page(one: int) -> bytes:
    paragraphs = [{"type": "PARAGRAPH", "nodes": [{"type": "TEXT", "textData": {"text": f"{line}. {WORDS * 2}"}}]}
                  for line in range(10)]  # fmt: skip
    post: dict[str, Any] = {
        "id": _uuid(one), "internalId": f"{one:024x}", "slug": f"p{one}", "title": f"Post {one}",
        "firstPublishedDate": f"2025-{one % 12 + 1:02}-02T03:04:05Z", "url": {"base": SITE, "path": f"/post/p{one}"},
        "richContent": {"nodes": paragraphs}, "tags": [],
    }  # fmt: skip
    return json.dumps({"postPage": {"post": post}}).encode()


def main() -> None:
    """Visit, and tell what each visit took."""
    visits, folder = int(sys.argv[1]), Path(sys.argv[2])
    found: list[tuple[float, int, int]] = []
    for number in range(visits):
        taken = cpu(partial(visit, folder, number))
        warc = sum(path.stat().st_size for path in (folder / "warc").rglob("*.gz"))
        found.append((taken, (folder / DATABASE).stat().st_size, warc))
    sys.stdout.write(json.dumps({"visits": found}) + "\n")


if __name__ == "__main__":
    main()
