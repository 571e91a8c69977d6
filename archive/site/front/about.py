"""What a served archive says of itself: who made it, what it holds, what was observed, and how it is cited."""

from __future__ import annotations

import os
import sqlite3
from datetime import date
from typing import Any

from archive.reports.coverage import read_coverage
from archive.reports.methods import paragraph
from archive.site.pages._rows import row, rows

# Set by `clinic-archive serve` from `[crawler]` of clinics.toml.
CONTACT, PROJECT_URL = "CLINIC_ARCHIVE_CONTACT", "CLINIC_ARCHIVE_PROJECT_URL"


def contact() -> dict[str, str | None]:
    """Return whom to write to, and the page about the project, as the configuration names them; None if it does not."""
    return {"contact": os.environ.get(CONTACT) or None, "project_url": os.environ.get(PROJECT_URL) or None}


def summary(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return the totals of the archive and the paragraph on its coverage. Raises `sqlite3.Error`."""
    totals = row(
        connection,
        "SELECT (SELECT count(*) FROM clinics) AS clinics, (SELECT count(*) FROM posts) AS posts,"
        " (SELECT count(DISTINCT post_id || coalesce(crawl_id, '') || content_sha256) FROM revisions JOIN captures"
        " USING (capture_id) WHERE kind = 'content') AS edits,"
        " (SELECT min(started_at) FROM crawls) AS first_run, (SELECT max(started_at) FROM crawls) AS last_run,"
        " (SELECT min(published_at) FROM posts) AS first_published, (SELECT max(published_at) FROM posts) AS"
        " last_published",
    )
    made_by = rows(
        connection,
        "SELECT software, count(*) AS runs FROM crawls WHERE software IS NOT NULL GROUP BY software ORDER BY"
        " max(started_at) DESC LIMIT 5",
    )
    return {"totals": totals, "software": made_by, "coverage": paragraph(read_coverage([connection]))}


def citation(title: str, totals: dict[str, Any], url: str, today: date) -> str:
    """Return the citation of the whole archive as a data set, in the manner of APA."""
    first, last = ((totals[name] or "")[:4] for name in ("first_run", "last_run"))
    years = first if first == last else f"{first}-{last}"
    clinics = f"{totals['clinics']:,} clinic{'' if totals['clinics'] == 1 else 's'}"
    return f"{title} ({years or 'n.d.'}). Archive of the blogs of {clinics} [Data set]. Retrieved {today}, from {url}"
