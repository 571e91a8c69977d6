"""A post and its texts: which revision is new, whose value is shown, what counts as a change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scraper.items import Alias, Gone, Image, Link, Post, Related, Site
from tests.making import HEX, Made, capture, extraction, faults, made, post, url

KINDS = "SELECT kind FROM revisions ORDER BY captured_at, revision_id"


def kinds(archive: Made) -> list[str]:
    return [row[0] for row in archive.rows(KINDS)]


class TestRevisions:
    def test_a_b_a(self, archive: Made) -> None:
        archive.fold(*(extraction(n, post(text=text)) for n, text in enumerate("ABA", 1)))
        assert kinds(archive) == ["first", "content", "content"]
        assert archive.rows("SELECT body_text FROM revisions ORDER BY captured_at") == [("A",), ("B",), ("A",)]
        current = archive.one("SELECT substr(capture_id, -1) FROM revisions JOIN posts USING (revision_id)")
        assert current == "3"

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from(["html", "api", "rendered"])), max_size=8))
    def test_a_text_is_compared_with_the_last_of_its_source(
        self, tmp_path: Path, template: Path, current: list[tuple[str, str]]
    ) -> None:
        with made(tmp_path / "a", template) as archive:
            for number, (text, source) in enumerate(current, 1):
                archive.fold(extraction(number, post(text=text, source=source)))
            last: dict[str, str] = {}
            wanted = []
            for text, source in current:
                if last.get(source) != text:
                    wanted.append("content" if source in last else "source" if last else "first")
                last[source] = text
            assert kinds(archive) == wanted
            assert archive.one("SELECT count(*) FROM sightings WHERE revision_id IS NULL") == 0
            assert faults(archive.db) == []

    def test_white_space_and_tracking_are_no_edit(self, archive: Made) -> None:
        link = "https://x.example/"
        archive.fold(extraction(1, post(text="One two.", links=(Link(url=link),))))
        archive.fold(extraction(2, post(text="One\n two. ", links=(Link(url=f"{link}?utm_source=a"),))))
        assert kinds(archive) == ["first"]

    def test_a_title_without_a_text_is_no_revision(self, archive: Made) -> None:
        archive.fold(extraction(1, post(text=None)), extraction(2, post()))
        assert kinds(archive) == ["first"]

    def test_a_picture_post_has_one(self, archive: Made) -> None:
        archive.fold(extraction(1, post(text=None, body_html="<figure></figure>")))
        assert kinds(archive) == ["first"]


class TestUpgradeOfAParser:
    """Version 2 reads the old page's text as `then`."""

    def fold(self, archive: Made, now: str, then: Any) -> None:
        reread_ids = []

        def reread(capture_id: str) -> Any:
            reread_ids.append(capture_id)
            if then is None:
                return None
            read = post(text=then)
            return {name: getattr(read, name) for name in read.__slots__}

        archive.fold(extraction(1, post(text="Old reading.")))
        archive.fold(extraction(2, post(text=now), version=2), reread=reread)
        assert reread_ids == [capture(1).capture_id]

    def test_what_it_reads_differently_is_its_own(self, archive: Made) -> None:
        self.fold(archive, now="New reading.", then="New reading.")
        assert kinds(archive) == ["first", "extractor"]
        ((taken, version),) = archive.rows(
            "SELECT substr(capture_id, -1), extractor_version FROM revisions WHERE kind = 'extractor'"
        )
        assert (taken, version) == ("1", 2)
        assert archive.one("SELECT kind FROM revisions JOIN posts USING (revision_id)") == "extractor"

    def test_an_edit_beside_it_is_an_edit(self, archive: Made) -> None:
        self.fold(archive, now="Edited, new reading.", then="New reading.")
        assert kinds(archive) == ["first", "extractor", "content"]

    def test_an_edit_that_it_reads_alike_is_an_edit(self, archive: Made) -> None:
        self.fold(archive, now="Edited.", then="Old reading.")
        assert kinds(archive) == ["first", "content"]

    def test_without_the_old_bytes_no_edit_is_claimed(self, archive: Made) -> None:
        self.fold(archive, now="Something else.", then=None)
        assert kinds(archive) == ["first", "extractor"]

    def test_the_same_text_asks_nothing(self, archive: Made) -> None:
        archive.fold(extraction(1, post()), extraction(2, post(), version=2), reread=lambda _: pytest.fail("asked"))
        assert kinds(archive) == ["first"]


class TestFields:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["html", "api", "feed"]), st.none() | st.sampled_from("xy"), st.none() | st.just(0)
            ),
            min_size=1, max_size=6,
        )
    )  # fmt: skip
    def test_the_best_source_that_ever_spoke_is_shown(
        self, tmp_path: Path, template: Path, values: list[tuple[str, str | None, int | None]]
    ) -> None:
        """Silence never erases, 0 stays 0."""
        rank = {"html": 0, "api": 1, "feed": 2}
        with made(tmp_path / "a", template) as archive:
            current: dict[str, tuple[int, Any]] = {}
            for number, (source, author, minutes) in enumerate(values, 1):
                archive.fold(extraction(number, post(source=source, author=author, minutes_to_read=minutes)))
                for name, value in (("author", author), ("minutes_to_read", minutes)):
                    if value is not None and rank[source] <= current.get(name, (9, None))[0]:
                        current[name] = (rank[source], value)
            wanted = tuple(current.get(name, (9, None))[1] for name in ("author", "minutes_to_read"))
            assert archive.rows("SELECT author, minutes_to_read FROM posts") == [wanted]

    def test_a_change_is_told_within_one_source_only(self, archive: Made) -> None:
        """An API that spells the author otherwise does not make him change with every crawl."""
        for crawl in range(3):
            archive.fold(
                extraction(3 * crawl + 1, post(source="api", author="Ada R.", excerpt="Short")),
                extraction(3 * crawl + 2, post(author="Ada Roe", excerpt="Long")),
            )
        assert archive.rows("SELECT * FROM post_changes") == []
        archive.fold(extraction(20, post(author="Ada Poe")))
        assert archive.rows("SELECT field, old, new FROM post_changes") == [("author", "Ada Roe", "Ada Poe")]
        assert archive.rows("SELECT name FROM authors JOIN posts USING (author_id)") == [("Ada Poe",)]

    def test_what_was_never_given_is_no_change(self, archive: Made) -> None:
        archive.fold(extraction(1, post()), extraction(2, post(author="Ada Roe", language="en")))
        assert archive.rows("SELECT * FROM post_changes") == []

    def test_seen_again_it_is_removed_no_more(self, archive: Made) -> None:
        archive.fold(extraction(1, post(), url=url("sleep")))
        archive.db.execute("UPDATE posts SET removed_at = '2026'")
        archive.fold(extraction(2, post(), url=url("sleep")))
        assert archive.rows("SELECT removed_at FROM posts") == [(None,)]
        archive.db.execute("UPDATE posts SET removed_at = '2026'")
        archive.fold(extraction(3, url=url("sleep"), http_status=304, refers_to=capture(1).capture_id))
        assert archive.rows("SELECT removed_at FROM posts") == [(None,)]
        archive.fold(extraction(4, Gone(url=url("sleep"), answered="404")))
        assert archive.rows("SELECT removed_at FROM posts") == [(None,)]  # one answer confirms nothing


class TestCounters:
    def test_each_source_has_a_reading_of_its_own(self, archive: Made) -> None:
        page = post(views=3, views_raw="3", comments_count=0, comments_count_raw="0 comments")
        page.sources |= {"comments_count": "warmup", "comments_count_raw": "html"}
        archive.fold(extraction(1, page))
        sql = "SELECT source, views, views_raw, comments_count, comments_count_raw FROM readings ORDER BY 1"
        assert archive.rows(sql) == [("html", 3, "3", None, "0 comments"), ("warmup", None, None, 0, None)]

    def test_a_placeholder_is_kept_as_it_was_printed(self, archive: Made) -> None:
        archive.fold(extraction(1, post(views_raw="-")))
        assert archive.rows("SELECT views, views_raw, likes FROM readings") == [(None, "-", None)]

    def test_a_page_without_counters_leaves_no_reading(self, archive: Made) -> None:
        archive.fold(extraction(1, post()))
        assert archive.rows("SELECT * FROM readings") == []


class TestEdges:
    def labels(self, archive: Made) -> list[tuple[Any, ...]]:
        return archive.rows(
            "SELECT label, substr(first_capture_id, -1), substr(last_capture_id, -1) FROM tags JOIN post_tags"
            " USING (tag_id) ORDER BY 1"
        )

    def test_labels_carry_first_and_last_capture(self, archive: Made) -> None:
        for number, tags in enumerate([("a", "b"), ("b", "ö"), ()], 1):
            archive.fold(extraction(number, post(tags=tags)))
        assert self.labels(archive) == [("a", "1", "1"), ("b", "1", "2"), ("ö", "2", "2")]
        assert archive.rows("SELECT field, old, new FROM post_changes") == [("tags", '["a", "b"]', '["b", "ö"]')]

    def test_two_sources_that_disagree_do_not_flap(self, archive: Made) -> None:
        for crawl in range(3):
            archive.fold(
                extraction(2 * crawl + 1, post(tags=("a", "b"))),
                extraction(2 * crawl + 2, post(source="api", tags=("a",))),
            )
        assert archive.rows("SELECT * FROM post_changes") == []
        assert [label[2] for label in self.labels(archive)] == ["5", "5"]

    def test_related_posts_and_images(self, archive: Made) -> None:
        cards = [Related(position=n, title=name, url=url(name)) for n, name in enumerate("ab", 1)]
        turned = [Related(position=n, title=None, url=url(name)) for n, name in enumerate("ba", 1)]
        pictures = (
            Image(url="https://i.example/1.jpg", alt="One"),
            Image(url="https://i.example/1.jpg", kind="gallery"),
        )
        archive.fold(extraction(1, post(related_posts=tuple(cards), images=pictures)))
        archive.fold(extraction(2, post(related_posts=tuple(turned), images=pictures[::-1])))
        sql = "SELECT title, position, substr(first_capture_id, -1), substr(last_capture_id, -1) FROM related_posts"
        assert archive.rows(f"{sql} ORDER BY title") == [("a", 2, "1", "2"), ("b", 1, "1", "2")]
        sql = "SELECT kind, alt, position, substr(last_capture_id, -1) FROM images ORDER BY kind"
        assert archive.rows(sql) == [("gallery", None, 1, "2"), ("image", "One", 2, "2")]

    def test_a_post_of_pictures_alone_has_its_revision(self, archive: Made) -> None:
        archive.fold(extraction(1, post(text=None, body_html='<img src="https://i.example/1.jpg">')))
        assert archive.rows("SELECT revision_id, body_text FROM posts") == [(1, None)]

    def test_links_belong_to_a_text(self, archive: Made) -> None:
        link = Link(url="https://WWW.x.example/a", text="a", rel="nofollow")
        archive.fold(extraction(1, post(text="A", links=(link, link))), extraction(2, post(text="B")))
        assert archive.rows("SELECT revision_id, position, domain, rel FROM links") == [
            (1, 1, "www.x.example", "nofollow"),
            (1, 2, "www.x.example", "nofollow"),
        ]


def test_a_post_without_a_url_is_sighted_where_it_was_captured(archive: Made) -> None:
    archive.fold(extraction(1, post(url=None, addresses=(HEX,))))
    assert archive.rows("SELECT url FROM sightings") == [(capture(1).url,)]


def test_the_platform_ranks_its_sources(archive: Made) -> None:
    """Of a platform whose API is the best source, the page's title gives way to the API's, and not the other way."""
    ranked = ("api", "html")
    by_api = replace(extraction(1, post(title="By the API", source="api")), sources=ranked)
    by_page = replace(extraction(2, post(title="By the page")), sources=ranked)
    archive.fold(by_api, by_page)
    assert archive.one("SELECT title FROM posts") == "By the API"
    archive.fold(extraction(3, post(title="By the page, of a platform whose pages are best")))
    assert archive.one("SELECT title FROM posts") == "By the page, of a platform whose pages are best"


class TestRelativeDates:
    """A page that prints "3 days ago", or "Sep 11" without its year, is read to another date at each visit."""

    ROW = "SELECT published_at, published_raw, published_on FROM posts"

    def dated(self, at: str, raw: str, source: str = "relative", counted_to: str | None = None) -> Post:
        read = post(published_at=at, published_raw=raw, counted_to=counted_to)
        read.sources |= {"published_at": source, "published_raw": source}
        return read

    def test_the_first_reading_stays(self, archive: Made) -> None:
        archive.fold(extraction(1, self.dated("2026-02-26", "3 days ago")))
        archive.fold(extraction(2, self.dated("2026-02-27", "5 days ago")))
        assert archive.rows(self.ROW) == [("2026-02-26", "3 days ago", "2026-02-26")]
        assert archive.rows("SELECT * FROM post_changes") == []

    @pytest.mark.parametrize("source", ["html", "api", "feed", "text"])
    def test_every_other_source_replaces_it_and_is_no_change(self, archive: Made, source: str) -> None:
        exact = self.dated("2026-02-25T21:00:00Z", "2026-02-25T21:00:00Z", source)
        archive.fold(extraction(1, self.dated("2026-02-26", "3 days ago")), extraction(2, exact))
        archive.fold(extraction(3, self.dated("2026-02-27", "4 days ago")))
        assert archive.rows(self.ROW) == [("2026-02-25T21:00:00Z", "2026-02-25T21:00:00Z", None)]
        assert archive.rows("SELECT * FROM post_changes") == []

    def test_of_two_posts_that_become_one_the_better_source_stays(self, archive: Made) -> None:
        first = replace(self.dated("2026-02-26", "3 days ago"), addresses=(url("sleep"),))
        exact = self.dated("2026-02-20T21:00:00Z", "2026-02-20T21:00:00Z", "html")
        second = replace(exact, url=url("rest"), addresses=(url("rest"),), title=None, author="Ada Roe")
        second.sources["author"] = "feed"
        archive.fold(extraction(1, Site(platform="wix", timezone="America/New_York"), first, second))
        archive.fold(extraction(2, Alias(addresses=(url("rest"), url("sleep")))))
        assert archive.rows(self.ROW) == [("2026-02-20T21:00:00Z", "2026-02-20T21:00:00Z", "2026-02-20")]
        assert archive.rows(
            "SELECT url, title, author, sources ->> 'published_at', sources ->> 'author' FROM posts"
        ) == [(url("sleep"), first.title, "Ada Roe", "html", "feed")]
        archive.fold(extraction(3, replace(self.dated("2026-02-27", "4 days ago"), addresses=(url("sleep"),))))
        assert archive.one("SELECT published_at FROM posts") == "2026-02-20T21:00:00Z"
        assert faults(archive.db) == []

    @pytest.mark.parametrize(("zone", "day"), [("America/New_York", "2026-02-25"), (None, "2026-02-26")])
    def test_it_is_counted_by_the_clinics_own_calendar(self, archive: Made, zone: str | None, day: str) -> None:
        hours_ago = self.dated("2026-02-26", "9 hours ago", counted_to="2026-02-26T02:00:00Z")
        archive.fold(extraction(1, Site(platform="wix", timezone=zone), hours_ago))
        assert archive.rows(self.ROW) == [(day, "9 hours ago", day)]
