"""What a run did, and what stays of a clinic whatever the run: blog status, removals, whole posts as documents."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from archive.rows import runs
from archive.times import utc
from pipelines.run.key import BadKey, read_key
from pipelines.run.run import Run
from scraper.config.clinics import Clinic
from scraper.crawl.state import VisitState
from scraper.items import Gone, Image, Related
from tests.making import CLINIC, HEX, Made, capture, comment, extraction, post, reading, sighting, url

HOUR = 60  # captures are a minute apart


def ended(**changes: Any) -> dict[str, Any]:
    values = {
        "ended_at": "2026-03-01T10:00:00.000000Z", "status": "done", "complete": 1, "platform": "wix",
        "blog_status": "blog", "finished": True,
    }  # fmt: skip
    return values | changes


def test_rows_are_counted_by_run(archive: Made) -> None:
    archive.crawl("c1")
    archive.crawl("c2")
    archive.fold(extraction(1, post(views=1)), extraction(2, comment()), crawl_id="c1")
    archive.fold(extraction(3, post(text="New.")), extraction(4, comment(), reading(likes=0)), crawl_id="c2")
    first, second = (runs.count_rows(archive.db, name, CLINIC) for name in ("c1", "c2"))
    assert first == {
        "new_posts": 1, "new_revisions": 0, "readings": 1, "comments": 0, "posts": 1, "problems": 0, "captures": 2,
        "wire_bytes": 10,
    }  # fmt: skip
    assert (second["new_posts"], second["new_revisions"], second["readings"], second["comments"]) == (0, 1, 1, 1)


class TestBlogStatus:
    @pytest.mark.parametrize(
        ("before", "status", "after"),
        [
            ("unknown", "blog", "blog"), ("unknown", "unreachable", "unreachable"), ("blog", "unreachable", "blog"),
            ("blog", "unknown", "blog"), ("none_found", "unknown", "none_found"), ("blog", "none_found", "none_found"),
            ("none_found", "blog", "blog"), ("closed", "blog", "closed"), ("unsupported", "unreachable", "unsupported"),
            ("closed", "none_found", "closed"),
        ],
    )  # fmt: skip
    def test_what_a_visit_finds_out(self, archive: Made, before: str, status: str, after: str) -> None:
        archive.db.execute("UPDATE clinics SET blog_status = ?", [before])
        runs.save_blog_status(archive.db, CLINIC, status)
        assert archive.one("SELECT blog_status FROM clinics") == after

    @pytest.mark.parametrize(
        ("before", "closed_on", "after"),
        [
            ("blog", "2026-03-04", "blog"), ("blog", "2026-03-03", "closed"), ("blog", "2020-01-01", "closed"),
            ("none_found", None, "none_found"), ("closed", "2020-01-01", "closed"),
            ("closed", "2026-03-04", "unknown"), ("closed", None, "unknown"),
        ],
    )  # fmt: skip
    def test_the_stanza_says_when_a_clinic_closes(
        self, archive: Made, before: str, closed_on: str | None, after: str
    ) -> None:
        archive.db.execute("UPDATE clinics SET blog_status = ?", [before])
        runs.save_closing(archive.db, CLINIC, closed_on, "2026-03-03")
        assert archive.rows("SELECT blog_status, closed_on FROM clinics") == [(after, closed_on)]

    def test_a_clinic_that_is_closed_no_more_has_the_blog_that_its_posts_are_of(self, archive: Made) -> None:
        archive.fold(extraction(1, post()))
        runs.save_closing(archive.db, CLINIC, "2026-03-01", "2026-03-03")
        runs.save_closing(archive.db, CLINIC, None, "2026-03-04")
        assert archive.rows("SELECT blog_status, closed_on FROM clinics") == [("blog", None)]

    def test_closed_clinics_stay_in_the_archive(self, tmp_path: Path) -> None:
        run = Run(tmp_path)
        run.register_closed(
            [
                Clinic(slug="shut", name="Shut", url="https://shut.example", closed=date(2025, 1, 1)),
                Clinic(slug="open", name="Open", url="https://open.example"),
                Clinic(slug="soon", name="Soon", url="https://soon.example", closed=date(9999, 1, 1)),
            ]
        )
        run.open_run_file("crawl")
        found = run.db.execute("SELECT clinic_id, blog_status, closed_on FROM clinics").fetchall()
        assert found == [("shut", "closed", "2025-01-01")]
        run.close(0, {})

    def test_what_others_captured_opens_no_closed_clinic(self, tmp_path: Path) -> None:
        """A backfill may take a clinic as the archive knows it, when clinics.toml has it no more."""
        shut = Clinic(slug="shut", name="Shut", url="https://shut.example", closed=date(2025, 1, 1))
        run = Run(tmp_path)
        run.register_closed([shut])
        run.begin(replace(shut, closed=None), VisitState(clinic_id="shut"), "agent", kind="backfill")
        found = run.db.execute("SELECT clinic_id, blog_status, closed_on FROM clinics").fetchall()
        assert found == [("shut", "closed", "2025-01-01")]
        run.close(0, {})


def test_a_killed_run_has_seen_what_its_rows_say(archive: Made) -> None:
    for name in ("c1", "c2", "c3"):
        archive.crawl(name)
    rest = post("rest", addresses=(url("rest"),))
    archive.fold(extraction(1, post()), extraction(2, post()), extraction(3, rest), extraction(4, comment()),
                 crawl_id="c1")  # fmt: skip
    archive.fold(extraction(5, sighting()), extraction(6, Gone(url=url("rest"), answered="404")),
                 extraction(7, Gone(url=url("never"), answered="404")), crawl_id="c2")  # fmt: skip
    for name in ("c1", "c2", "c3"):
        runs.save_killed_run(archive.db, name, CLINIC)
    assert archive.rows("SELECT crawl_id, status, fetched, gone FROM clinic_runs ORDER BY 1") == [
        ("c1", "cut-short", 2, 0), ("c2", "cut-short", 0, 1), ("c3", "cut-short", 0, 0)
    ]  # fmt: skip


class TestRemovals:
    def crawl(self, archive: Made, name: str, *extractions: Any, complete: int = 1) -> Any:
        archive.crawl(name)
        archive.fold(*extractions, crawl_id=name)
        runs.save_clinic_run(archive.db, name, CLINIC, ended(complete=complete))
        return archive.one("SELECT removed_at FROM posts")

    GONE = Gone(url=url("sleep"), answered="404")

    def test_two_complete_runs_a_day_apart_confirm_one(self, archive: Made) -> None:
        assert self.crawl(archive, "c1", extraction(1, post())) is None
        assert self.crawl(archive, "c2", extraction(2, self.GONE)) is None
        assert self.crawl(archive, "c3", extraction(3 + 19 * HOUR, self.GONE)) is None
        assert self.crawl(archive, "c4", extraction(2 + 20 * HOUR, self.GONE)) == utc(capture(2).fetched_at)
        assert self.crawl(archive, "c5", extraction(30 * HOUR, post())) is None

    def test_incomplete_runs_are_no_evidence(self, archive: Made) -> None:
        self.crawl(archive, "c1", extraction(1, post()))
        assert self.crawl(archive, "c2", extraction(2, self.GONE), complete=0) is None
        assert self.crawl(archive, "c3", extraction(30 * HOUR, self.GONE)) is None
        assert self.crawl(archive, "c4", extraction(40 * HOUR, self.GONE)) is None
        assert self.crawl(archive, "c5", extraction(50 * HOUR, self.GONE)) == utc(capture(30 * HOUR).fetched_at)

    def test_seen_in_between_it_starts_anew(self, archive: Made) -> None:
        self.crawl(archive, "c1", extraction(1, post()))
        self.crawl(archive, "c2", extraction(2, self.GONE))
        assert self.crawl(archive, "c3", extraction(20 * HOUR, post())) is None
        assert self.crawl(archive, "c4", extraction(40 * HOUR, self.GONE)) is None

    def test_one_long_run_confirms_nothing(self, archive: Made) -> None:
        self.crawl(archive, "c1", extraction(1, post()))
        assert self.crawl(archive, "c2", extraction(2, self.GONE), extraction(30 * HOUR, self.GONE)) is None

    def test_an_old_address_that_is_gone_is_no_removal(self, archive: Made) -> None:
        """The post lives on under its new one, and is read after the old one in each run."""
        moved = post(addresses=(url("sleep"), url("old"), HEX))
        self.crawl(archive, "c1", extraction(1, moved))
        for number in range(1, 4):
            at = number * 30 * HOUR
            gone = extraction(at, Gone(url=url("old"), answered="404"))
            assert self.crawl(archive, f"d{number}", gone, extraction(at + 1, moved)) is None


class TestDocuments:
    def documents(self, archive: Made, crawl_id: str) -> list[dict[str, Any]]:
        return list(runs.post_documents(archive.db, crawl_id, CLINIC))

    def test_a_post_as_a_whole(self, archive: Made) -> None:
        archive.crawl("c1")
        page = post(
            tags=("b", "a"), views=0, views_raw="0", published_at="2024-01-01", url=url("sleep"),
            images=(Image(url="https://i.example/1.jpg", alt="One"),),
            related_posts=(Related(position=1, title="T", url=url("t")),),
        )  # fmt: skip
        archive.fold(
            extraction(1, page), extraction(2, comment(likes=1)), extraction(3, reading(likes=4)), crawl_id="c1"
        )
        archive.fold(extraction(4, post("other", addresses=(url("other"),), published_at="2025-01-01")), crawl_id="c1")
        newest, document = self.documents(archive, "c1")
        assert newest["slug"] == "other"
        assert (document["views"], document["views_raw"], document["likes"], document["comments_count"]) == (
            0,
            "0",
            4,
            None,
        )
        assert document["tags"] == ["a", "b"]
        assert document["images"] == [{"url": "https://i.example/1.jpg", "alt": "One", "caption": None}]
        assert [card["url"] for card in document["related_posts"]] == [url("t")]
        assert [row["body_text"] for row in document["comments"]] == ["Thank you."]
        assert "capture_id" not in document

    def test_unchanged_since_the_last_visit_it_has_all_it_had(self, archive: Made) -> None:
        archive.crawl("c1")
        archive.crawl("c2")
        page = post(
            related_posts=(Related(position=1, title="T", url=url("t")),), images=(Image(url="https://i.example/1"),)
        )
        archive.fold(extraction(1, page, url=url("sleep")), crawl_id="c1")
        archive.fold(extraction(2, url=url("sleep"), http_status=304, refers_to=capture(1).capture_id), crawl_id="c2")
        assert self.documents(archive, "c2") == self.documents(archive, "c1")
        assert self.documents(archive, "c2")[0]["related_posts"]

    def test_what_the_page_shows_no_more_is_left_out(self, archive: Made) -> None:
        archive.crawl("c1")
        for number, name in enumerate("ab", 1):
            cards = (Related(position=1, title=name, url=url(name)),)
            page = post(related_posts=cards, images=(Image(url=f"https://i.example/{name}"),))
            archive.fold(extraction(number, page), crawl_id="c1")
        (document,) = self.documents(archive, "c1")
        assert [card["title"] for card in document["related_posts"]] == ["b"]
        assert [image["url"] for image in document["images"]] == ["https://i.example/b"]

    def test_only_posts_that_the_run_saw(self, archive: Made) -> None:
        archive.crawl("c1")
        archive.crawl("c2")
        archive.fold(extraction(1, post()), crawl_id="c1")
        archive.fold(extraction(2, sighting()), crawl_id="c2")
        assert self.documents(archive, "c2") == []


class TestKey:
    def test_made_once_for_its_owner_alone(self, tmp_path: Path) -> None:
        key = read_key(tmp_path)
        assert len(key) == 32
        assert read_key(tmp_path, wanted=True) == key
        assert (tmp_path / "pseudonym.key").stat().st_mode & 0o777 == 0o600
        assert read_key(tmp_path / ".." / tmp_path.name) == key

    @pytest.mark.parametrize("text", ["", "\n", "abc", "00" * 16, "zz" * 32, "\ud7ff"])
    def test_a_damaged_one_is_refused(self, tmp_path: Path, text: str) -> None:
        """An empty key would give pseudonyms that everybody can compute."""
        (tmp_path / "pseudonym.key").write_text(text, "utf-8")
        with pytest.raises(BadKey, match="backup"):
            read_key(tmp_path)

    def test_killed_while_it_was_made_it_is_made_anew(self, tmp_path: Path) -> None:
        (tmp_path / "pseudonym.key.part").write_text("half")
        assert len(read_key(tmp_path)) == 32
        assert not (tmp_path / "pseudonym.key.part").exists()

    def test_a_lost_one_is_not_replaced(self, archive: Made) -> None:
        archive.fold(extraction(1, post()), extraction(2, comment(author="reader-abc", person="reader-abc")))
        Run(archive.folder / "other").release()
        with pytest.raises(BadKey, match="gone"):
            Run(archive.folder)
        assert not (archive.folder / "pseudonym.key").exists()
        (archive.folder / "pseudonym.key").write_text("ab" * 32)
        Run(archive.folder).release()  # the lock was given back
