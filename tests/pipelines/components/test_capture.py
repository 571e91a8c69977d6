"""Every exchange is recorded as it came, before anything reads it; secrets never reach the disk."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from scrapy.http import Response

from archive.warc import Failure, RecordGroup, WarcWriteError, read_record, records
from pipelines.components.capture import last_whole_answer
from pipelines.run.run import Run
from scraper.items import Extraction, Post, Problem
from tests.visiting import CLINIC, SITE, TOKENS_URL, Visiting, post_answer, post_url

PAGE = post_answer("sleep", "Sleep well.", views=3)


@pytest.fixture
def visiting(tmp_path: Path) -> Iterator[Visiting]:
    with Visiting(tmp_path) as found:
        yield found


def rows(visiting: Visiting, sql: str) -> list[tuple[object, ...]]:
    visiting.pipelines[-1].close_spider()  # type: ignore[union-attr]
    return visiting.run.db.execute(sql).fetchall()


def recorded(visiting: Visiting, number: int = -1) -> RecordGroup:
    (path,) = (visiting.run.archive / "warc" / "riverside").glob("*.warc.gz")
    return [item for item in records(path, archive=visiting.run.archive) if isinstance(item, RecordGroup)][number]


def test_the_record_is_what_was_served(visiting: Visiting) -> None:
    packed = gzip.compress(PAGE)
    answer = visiting.answer(post_url("sleep"), packed, headers={"Content-Encoding": "gzip", "X-Odd": "ü"})
    assert isinstance(answer.items[0], Post)
    group = recorded(visiting)
    assert group.body == packed
    assert group.capture == answer.capture
    assert dict(group.request_headers)[b"Host"] == b"riverside.example"
    assert read_record(visiting.run.archive, group.capture.warc_file, group.capture.warc_offset) == group


def test_tokens_are_blanked_in_body_and_headers(visiting: Visiting) -> None:
    tokens = {"apps": {"x": {"instance": "SECRET-TOKEN", "intId": 4}}, "list": ["SECRET-TOKEN"]}
    for body, headers in (
        (json.dumps(tokens).encode(), {}),
        (gzip.compress(json.dumps(tokens).encode()), {"Content-Encoding": "gzip"}),
        (b"<html>SECRET-TOKEN</html>", {}),
        (gzip.compress(b"SECRET-TOKEN")[:9], {"Content-Encoding": "gzip"}),
        (b"SECRET-TOKEN", {"Content-Encoding": "br"}),
        (b"SECRET-TOKEN", {"Content-Encoding": "rot13"}),
        (b"[" * 100_000 + b'"SECRET-TOKEN"', {}),
    ):
        request = visiting.request(TOKENS_URL, meta={"secret": True}, headers={"Authorization": "SECRET-TOKEN"})
        served = Response(
            TOKENS_URL,
            body=body,
            headers={"Set-Cookie": "a=SECRET-TOKEN", **headers},
            request=request,
            protocol="HTTP/1.1",
        )
        visiting.capture.process_response(request, served)
        group = recorded(visiting)
        assert "body" in group.blanked
        assert "SECRET" not in repr((group.body, group.response_headers, group.request_headers))
        assert group.problems == ()
    (shape,) = {item.body for item in [recorded(visiting, 0), recorded(visiting, 1)]}
    assert json.loads(shape or b"") == {"apps": {"x": {"instance": "", "intId": 4}}, "list": [""]}


def test_an_equal_payload_is_recorded_as_a_revisit_and_read_in_full(visiting: Visiting) -> None:
    visiting.answer(post_url("sleep"), PAGE)
    assert rows(visiting, "SELECT count(*) FROM captures") == [(1,)]
    answer = visiting.answer(post_url("sleep"), PAGE)
    assert isinstance(answer.items[0], Post)
    assert recorded(visiting).profile == "identical-payload-digest"
    found = rows(
        visiting, "SELECT views, evidence, record_type FROM readings JOIN captures USING (capture_id) ORDER BY 3"
    )
    assert found == [(3, "read", "response"), (3, "read", "revisit")]
    assert rows(visiting, "SELECT kind FROM revisions") == [("first",)]
    assert rows(visiting, "SELECT count(*) FROM sightings WHERE source = 'post'") == [(2,)]


def test_another_payload_method_or_body_is_no_revisit(visiting: Visiting) -> None:
    visiting.answer(post_url("sleep"), PAGE)
    rows(visiting, "SELECT 1")
    visiting.answer(post_url("sleep"), PAGE + b" ")
    visiting.answer(post_url("sleep"), PAGE, method="POST")
    visiting.answer(post_url("sleep"), PAGE, status=203)
    assert rows(visiting, "SELECT DISTINCT record_type FROM captures") == [("response",)]


def test_a_304_is_asked_for_and_is_the_servers_word(visiting: Visiting) -> None:
    when = "Mon, 02 Mar 2026 00:00:00 GMT"
    visiting.answer(post_url("sleep"), PAGE, headers={"ETag": '"v1"', "Last-Modified": when})
    rows(visiting, "SELECT 1")
    request = visiting.request(post_url("sleep"), meta={"conditional": True})
    visiting.freshness.process_request(request)
    assert request.headers["If-None-Match"] == b'"v1"'
    assert request.headers["If-Modified-Since"] == when.encode()
    visiting.answer(post_url("sleep"), status=304, meta={"conditional": True})
    assert recorded(visiting).profile == "server-not-modified"
    found = rows(visiting, "SELECT views, evidence FROM readings ORDER BY read_at")
    assert found == [(3, "read"), (3, "not-modified")]
    plain = visiting.request(post_url("sleep"))
    visiting.freshness.process_request(plain)
    assert "If-None-Match" not in plain.headers


def test_the_whole_answer_is_found_behind_revisits_and_failures(visiting: Visiting) -> None:
    def whole() -> str | None:
        visiting.run._folds["riverside"].commit()
        row = last_whole_answer(visiting.run.db, "riverside", visiting.request(post_url("sleep")))
        return row["capture_id"] if row else None

    first = visiting.answer(post_url("sleep"), PAGE).capture
    for status in (304, 500, 304, 404):
        visiting.answer(post_url("sleep"), status=status)
        assert whole() == first.capture_id
    second = visiting.answer(post_url("sleep"), post_answer("sleep", "Sleep better.")).capture
    assert whole() == second.capture_id
    again = visiting.answer(post_url("sleep"), post_answer("sleep", "Sleep better.")).capture
    assert again.refers_to == whole() == second.capture_id
    # A revisit whose original is lost names none.
    visiting.run.db.execute("UPDATE captures SET refers_to = NULL WHERE capture_id = ?", [again.capture_id])
    assert whole() == second.capture_id


def test_a_fetch_without_an_answer_is_recorded(visiting: Visiting) -> None:
    visiting.fail(f"{SITE}/post/a", TimeoutError("took too long"))
    (path,) = (visiting.run.archive / "warc" / "riverside").glob("*.warc.gz")
    (failure,) = [item for item in records(path, archive=visiting.run.archive) if isinstance(item, Failure)]
    assert (failure.reason, failure.capture.url) == ("timeout", f"{SITE}/post/a")
    assert rows(visiting, "SELECT kind, message FROM problems") == [(failure.reason, failure.message)]


def test_what_the_spider_tells_of_itself_gets_a_record(visiting: Visiting) -> None:
    """A fold of the WARC has no spider to ask."""
    visiting.note(Problem(kind="robots-refused", message="a: forbidden", url=f"{SITE}/a"))
    (path,) = (visiting.run.archive / "warc" / "riverside").glob("*.warc.gz")
    (failure,) = [item for item in records(path, archive=visiting.run.archive) if isinstance(item, Failure)]
    assert (failure.reason, failure.message, failure.capture.url) == ("robots-refused", "a: forbidden", f"{SITE}/a")
    found = rows(
        visiting, "SELECT kind, message, problems.url, record_type FROM problems JOIN captures USING (capture_id)"
    )
    assert found == [("robots-refused", "a: forbidden", f"{SITE}/a", "failure")]
    assert visiting.run.outcomes["riverside"].captures == 0


def test_an_answer_without_a_record_ends_the_run(visiting: Visiting) -> None:
    stopped: list[int] = []
    visiting.run.on_halt(lambda: stopped.append(1))
    with pytest.raises(Exception, match="without a capture"):
        visiting.tell(Extraction(clinic_id="riverside", capture=None, items=(Post(platform="wix"),)))
    assert visiting.run.broken is not None
    assert "never recorded" in visiting.run.broken
    assert stopped == [1]


def test_a_disk_that_refuses_ends_every_visit(visiting: Visiting, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[str] = []
    visiting.run.on_halt(lambda: stopped.append("one"))
    visiting.run.on_halt(lambda: stopped.append("other"))
    visiting.answer(post_url("sleep"), PAGE)
    writer = visiting.run.writer("riverside")
    assert writer._file is not None
    broken = writer._file
    monkeypatch.setattr(broken, "broken", True)
    with pytest.raises(WarcWriteError):
        visiting.answer(post_url("rest"), PAGE)
    assert stopped == ["one", "other"]
    assert visiting.run.broken is not None
    visiting.pipelines[-1].close_spider()  # type: ignore[union-attr]
    assert visiting.run.db.execute("SELECT count(*) FROM captures").fetchone() == (0,)  # left for the next start


def test_requests_of_others_are_not_archived(visiting: Visiting) -> None:
    from scrapy.http import Request

    request = Request(SITE)
    response = Response(SITE, request=request)
    assert visiting.capture.process_response(request, response) is response
    visiting.capture.process_exception(request, TimeoutError())
    assert "capture" not in request.meta


def test_the_lock_is_held_and_given_back(tmp_path: Path) -> None:
    from pipelines.run.locking import Locked

    with Visiting(tmp_path) as visiting:
        with pytest.raises(Locked, match="nothing done"):
            Run(tmp_path)
        visiting.end()
        visiting.run.close(0, {})
    Run(tmp_path).release()


def test_names_and_addresses_never_reach_the_logs(visiting: Visiting, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    visiting.thread("sleep", Vega="Marisol Vega", Roe="Ada Roe")
    visiting.end()
    assert "Marisol" not in caplog.text
    assert "SECRET" not in caplog.text
    assert "Marisol" not in repr(visiting.run.outcomes)
    assert CLINIC.slug == "riverside"
