"""Readers of printed values: the forms seen on real pages, the odd ones, and what holds for any text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from scraper.platforms._dates import iso_date, printed_date, read_date
from scraper.platforms._html import sanitise_html, text_lines, text_of
from scraper.platforms._values import clean, count, counter_kind, minutes, visible, western_digits

CAPTURED = datetime(2025, 3, 5, 12, tzinfo=UTC)
GROUPS = st.sampled_from([",", ".", " ", "\u00a0", "\u202f", "\u2009", "'", "’", "٬"])
DIGITS = st.sampled_from(["0123456789", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "０１２３４５６７８９"])


class TestText:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [("  a\u00a0\n b ", "a b"), ("e\u0301", "é"), (" \n\u00a0", None), ("", None), (None, None)],
    )
    def test_clean(self, text: str | None, expected: str | None) -> None:
        assert clean(text) == expected

    @given(st.text())
    def test_clean_once_is_clean(self, text: str) -> None:
        cleaned = clean(text)
        assert cleaned is None or (clean(cleaned) == cleaned and cleaned == cleaned.strip() != "")

    def test_zero_width_characters_are_nothing_to_see(self) -> None:
        assert not visible("\u200b \ufeff")
        assert visible("a\u200b")

    def test_a_block_a_line(self) -> None:
        html = "<div>a<b>b</b> c<br>d<p>e</p>f<script>g</script><!-- h --><ul><li>i</li><li> </li></ul></div>"
        assert text_lines(BeautifulSoup(html, "lxml").contents) == ["ab c d", "e", "f", "i"]
        assert text_of(BeautifulSoup(html, "lxml")) == "ab c d e f i"
        assert text_of(None) is None

    def test_sanitised_markup_has_nothing_that_runs(self) -> None:
        html = (
            '<p style="a" class="b" onclick="c()">d<script>e()</script><a href="javascript:f()">g</a>'
            '<a href="/h" target="_blank">i</a><img src="https://a.example/j.png" alt="k" onerror="l()"><iframe>'
        )
        assert sanitise_html(html) == ('<p>d<a>g</a><a href="/h">i</a><img src="https://a.example/j.png" alt="k"></p>')

    @given(st.text(alphabet="<>&\"'/ aimgscripton=:", max_size=80))
    def test_sanitised_markup_is_stable(self, html: str) -> None:
        safe = sanitise_html(html)
        assert sanitise_html(safe) == safe
        assert "<script" not in safe


class TestCounts:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("1,261 views", 1261), ("1.261 Ansichten", 1261), ("1 261 vues", 1261), ("1\u202f261 vues", 1261),
            ("1’261 Ansichten", 1261), ("1,23,456 views", 123456), ("1 200 300", 1200300), ("12345678", 12345678),
            ("٤ مشاهدات", 4), ("مشاهدة واحدة (١)", 1), ("٠ تعليق", 0), ("0 visualização", 0), ("1 view", 1),
            ("Minut čtení: 5", 5), ("1.2K", 1200), ("1,2 mil visualizaciones", 1200), ("12k", 12000),
            ("1.5M", 1500000),
            ("2 mil", 2000), ("3万", 30000), ("1,2 тыс. просмотров", 1200),
            ("", None), (None, None), ("views", None), ("12 views 3 comments", None), ("-5", None), ("1.5", None),
            ("12,34", None), ("1,261.5", None), ("5" * 400, None),
        ],
    )  # fmt: skip
    def test_as_printed(self, text: str | None, expected: int | None) -> None:
        assert count(text) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("5 mi", 5_000_000), ("5 mi de visualizações", 5_000_000), ("12 mil", 12_000), ("1,5 bi", 1_500_000_000),
            ("15 ألف", 15_000), ("١٥ ألف مشاهدة", 15_000), ("3 آلاف مشاهدة", 3000), ("2 مليون مشاهدة", 2_000_000),
            ("3億", 300_000_000), ("3億回視聴", 300_000_000), ("1.2万次观看", 12_000), ("5천회", 5000),
            ("조회수 12만회", 120_000), ("12 rb", 12_000),
            ("12 rb tayangan", 12_000), ("3,4 jt tayangan", 3_400_000), ("2 billion", 2_000_000_000),
            ("2bn views", 2_000_000_000), ("7 thousand views", 7000), ("1,2 Mio. Aufrufe", 1_200_000),
            ("3 Mrd. Aufrufe", 3_000_000_000), ("4 Tsd. Ansichten", 4000), ("2,5 Md de vues", 2_500_000_000),
            ("7 tys. wyświetleń", 7000), ("1,3 mln wyświetleń", 1_300_000), ("6 tis. zobrazení", 6000),
            ("3 mil millones de visualizaciones", 3_000_000_000), ("12 mila visualizzazioni", 12_000),
            ("2 χιλ. προβολές", 2000), ("3 млн просмотров", 3_000_000), ("9 тис. переглядів", 9000),
            ("8 bin görüntüleme", 8000), ("2 ล้าน", 2_000_000), ("2 พันล้านครั้ง", 2_000_000_000), ("4 หมื่น", 40_000),
            ("1,5 lakh views", 150_000), ("2 लाख दृश्य", 200_000), ("3 crore views", 30_000_000),
            ("2 triệu lượt xem", 2_000_000), ("5 אלף צפיות", 5000), ("2 miljoonaa katselua", 2_000_000),
            ("11 ezer megtekintés", 11_000), ("4 mii de vizualizări", 4000), ("3 mn visningar", 3_000_000),
        ],
    )  # fmt: skip
    def test_words_that_multiply(self, text: str, expected: int) -> None:
        assert count(text) == expected
        assert count(f"({text})") in (expected, None)

    @pytest.mark.parametrize(
        "text",
        [
            "999+", "999 +", "999+ views", "1K+", "1.2K+ views", "+999", ">999", "~5 views", "over 999 views",
            "More than 12 comments", "más de 12 mil", "über 500 Aufrufe", "2 mil.", "1,2 mil. zobrazení", "5 B",
            "6 B görüntüleme", "3 E megtekintés", "4 t. katselua", "12 N lượt xem", "7 Tr", "5 billones de vistas",
            "2 Billionen Aufrufe", "3 трлн", "3 zzz views", "5 unheard views", "12 xy", "1.234 mil", "1,234 K", "50 %",
            "5 mil mil mil mil",
        ],
    )  # fmt: skip
    def test_a_number_that_is_not_whole_or_not_sure_is_none(self, text: str) -> None:
        assert count(text) is None

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("5 Mi piace", 5), ("2 Me gusta", 2), ("4 lượt xem", 4), ("3 kommentarer", 3), ("5 milky words", None),
            ("閲覧数：5回", 5), ("12 unheard", 12), ("Post (3)", 3), ("3 likes. Post not marked as liked", 3),
        ],
    )  # fmt: skip
    def test_a_word_that_begins_like_one_multiplies_nothing(self, text: str, expected: int | None) -> None:
        assert count(text) == expected

    @given(st.integers(0, 10**12), GROUPS, DIGITS, st.sampled_from(["{} views", "{}", "views: {}", "({})"]))
    def test_any_grouping_in_any_digits_reads_back(self, number: int, group: str, digits: str, form: str) -> None:
        printed = f"{number:,}".replace(",", group).translate(str.maketrans("0123456789", digits))
        assert count(form.format(printed)) == number

    @given(st.text(max_size=80))
    def test_any_text_gives_a_count_or_none(self, text: str) -> None:
        found = count(text)
        assert found is None or found >= 0
        if not any(char.isdecimal() for char in text):
            assert found is None

    @given(st.text(max_size=40))
    def test_digits_of_all_scripts(self, text: str) -> None:
        assert [int(char) for char in western_digits(text) if char.isdecimal()] == [
            int(char) for char in text if char.isdecimal()
        ]

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ("2 views", "views"), ("0 comments", "comments"), ("3 visualizaciones", "views"), ("1 comentario",
            "comments"),
            ("0 visualização", "views"), ("0 comentário", "comments"), ("3 weergaven", "views"), ("٤ مشاهدات",
            "views"),
            ("0 opmerkingen", "comments"), ("٠ تعليق", "comments"), ("1 Ansicht", "views"), ("2 Kommentare",
            "comments"),
            ("5 vues", "views"), ("2 commentaires", "comments"), ("7 visualizzazioni", "views"), ("1 commento",
            "comments"),
            ("3 zobrazení", "views"), ("1 komentář", "comments"), ("4 wyświetlenia", "views"), ("閲覧数：5回", "views"),
            ("0件のコメント", "comments"), ("9 צפיות", "views"), ("0 תגובות", "comments"), ("2 visningar", "views"),
            ("1 like. Post not marked as liked", "likes"), ("2 lajků.", "likes"), ("2 foos", None), ("", None),
        ],
    )  # fmt: skip
    def test_which_counter(self, text: str, kind: str | None) -> None:
        assert counter_kind(text) == kind

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("2 min read", 2), ("4\n   min read", 4), ("1 minuten om te lezen", 1), ("1 دقائق قراءة", 1), ("read", None)],
    )
    def test_minutes(self, text: str, expected: int | None) -> None:
        assert minutes(text) == expected


class TestDates:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2024-03-01T10:00:00.123Z", "2024-03-01T10:00:00Z"),
            ("2024-03-01T10:00:00+02:00", "2024-03-01T08:00:00Z"),
            ("2024-03-01T10:00:00", "2024-03-01"),
            ("2019-02-01", "2019-02-01"),
            ("2019-02", None), ("2019-02-30", None), ("0001-01-01T00:00:00+10:00", None), ("Feb 1, 2019", None),
            ("0001-01-01T00:00:00Z", None), ("0001-01-01T00:00:00.000Z", None), ("0001-01-01", None),
            ("0001-01-01T00:00:00", None), ("0000-00-00", None), ("0000-00-00T00:00:00Z", None),
            ("1970-01-01T00:00:00Z", None), ("1970-01-01T00:00:00.000+00:00", None), ("1970-01-01", None),
            ("1969-12-31T19:00:00-05:00", None), ("1970-01-01T08:30:00Z", "1970-01-01T08:30:00Z"),
            ("0987-03-01T10:00:00Z", "0987-03-01T10:00:00Z"), ("0987-03-01", "0987-03-01"),
            ("0099-12-31T23:59:59.5Z", "0099-12-31T23:59:59Z"), ("9999-12-31T23:59:59-10:00", None),
            ("", None),
        ],
    )  # fmt: skip
    def test_machine_readable(self, text: str, expected: str | None) -> None:
        assert iso_date(text) == expected

    @pytest.mark.parametrize(
        ("text", "language", "expected"),
        [
            ("Feb 1, 2019", "en", "2019-02-01"), ("9 sept 2021", "es", "2021-09-09"), ("12 ene 2022", "es",
            "2022-01-12"),
            ("7 de nov. de 2018", "pt-br", "2018-11-07"), ("6 mei 2021", "nl", "2021-05-06"),
            ("٦ مايو ٢٠٢١", "ar", "2021-05-06"), ("2. Okt. 2022", "de", "2022-10-02"), ("Apr 02, 2023", "en",
            "2023-04-02"),
            ("1 mars 2023", "fr", "2023-03-01"), ("2022年9月11日", "ja", "2022-09-11"),
            ("6 mei 2021", None, "2021-05-06"),
        ],
    )  # fmt: skip
    def test_with_a_year_need_no_capture_time(self, text: str, language: str | None, expected: str) -> None:
        assert read_date(text, None, language) == read_date(text, CAPTURED, language) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Mar 4", "2025-03-04"), ("Mar 5", "2025-03-05"), ("Mar 7", "2024-03-07"), ("Sep 11", "2024-09-11"),
            ("5 hours ago", "2025-03-05"), ("14 min. ago", "2025-03-05"), ("6 days ago", "2025-02-27"),
            ("Feb 29", "2024-02-29"),
        ],
    )  # fmt: skip
    def test_without_a_year_count_from_the_capture(self, text: str, expected: str) -> None:
        assert read_date(text, CAPTURED, "en") == expected
        assert read_date(text, None, "en") is None
        found = printed_date(text, CAPTURED, "en")
        assert found is not None
        assert (found.is_relative, found.counted_to is not None) == (True, "ago" in text)

    def test_tomorrow_may_be_today_in_the_zone_of_the_site(self) -> None:
        assert read_date("Mar 6", CAPTURED, "en") is None
        last = datetime(2026, 12, 31, 13, tzinfo=UTC)
        found = [read_date(text, last, "en") for text in ("Jan 1", "Jan 2", "Dec 31")]
        assert found == [None, "2026-01-02", "2026-12-31"]

    def test_a_capture_that_claims_the_last_day_of_all_dates_nothing(self) -> None:
        last = datetime(9999, 12, 31, 13, tzinfo=UTC)
        assert [read_date(text, last, "en") for text in ("Apr 2", "Mar 1, 2020")] == [None, "2020-03-01"]

    @pytest.mark.parametrize("text", ["hello", "2 min read", "May 2021", "in 3 days", "12", "", "x" * 80])
    def test_what_says_no_day_is_no_date(self, text: str) -> None:
        assert read_date(text, CAPTURED, "en") is None

    def test_an_order_that_nobody_tells_is_no_date(self) -> None:
        assert read_date("03/04/2019", CAPTURED) is None
        assert read_date("03/04/2019", CAPTURED, "es") == "2019-04-03"

    @settings(max_examples=60, deadline=None)
    @given(st.text(max_size=30), st.sampled_from(["en", "ar", "xx", None]))
    def test_any_text_is_a_past_date_or_none(self, text: str, language: str | None) -> None:
        found = read_date(text, CAPTURED, language)
        assert found is None or found[:4].isdecimal()
