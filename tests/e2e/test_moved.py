"""A clinic that moves to another site is told of, not followed; under its new address its posts are the same posts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.e2e.hostile import Blog, Reply, redirect, serving
from tests.e2e.product import Done, column, rows, run, value_of

STANZA = '[clinics.riverside]\nname = "Riverside"\nurl = "{url}"\nallow_private = true\n'


def crawl(folder: Path, url: str) -> Done:
    """A run of cron's, by a clinics.toml that names the clinic there."""
    (folder / "clinics.toml").write_text(STANZA.format(url=url), "utf-8")
    return run("clinic-archive", "crawl", "--archive", "archive", cwd=folder)


def test_a_clinic_moves(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    with serving(Blog()) as old, serving(Blog()) as new:
        for place, answer in new.answers.items():  # one post has another title there: its redirect alone proves it
            assert isinstance(answer, Reply) and isinstance(answer.body, bytes)
            new.answers[place] = replace(answer, body=answer.body.replace(b"Note 2", b"Memo 2"))
        assert crawl(tmp_path, old.url).code == 0
        old.asked.clear()
        old.answers["/"] = redirect(f"{new.url}/")
        moved = crawl(tmp_path, old.url)
        assert moved.code == 3
        assert f"riverside: moved or gone: its home page leads to {new.url}/" in moved.err
        assert "change url in its stanza" in moved.err
        assert old.paths == ["/robots.txt", "/"]
        assert [path for path in new.paths if path not in ("/robots.txt", "/")] == []

        for number in (1, 2, 3):
            old.answers[f"/post/note-{number}"] = redirect(f"{new.url}/post/note-{number}")
        column_of = "SELECT count(*) FROM posts"
        assert value_of(archive, column_of) == 3
        assert crawl(tmp_path, new.url).code == 0
        assert crawl(tmp_path, new.url).code == 0
        assert value_of(archive, column_of) == 3
        matched = "SELECT matched_by FROM post_addresses WHERE address LIKE ? ORDER BY address"
        assert column(archive, matched, f"{new.url}/post/%") == ["title and date", "redirect", "title and date"]
        assert column(archive, "SELECT removed_at FROM posts") == [None] * 3
        kinds = rows(archive, "SELECT kind, count(*) AS number FROM revisions GROUP BY kind ORDER BY kind DESC")
        assert kinds == [{"kind": "first", "number": 3}, {"kind": "content", "number": 1}]  # its title is another
        assert run("clinic-archive", "verify", "--archive", "archive", cwd=tmp_path) == Done(0, "", "")
        assert run("clinic-archive", "rebuild", "--archive", "archive", cwd=tmp_path).code == 0
        assert value_of(archive, column_of) == 3
