"""Files of the served site: every row of what its pages show, under the names and addresses that people expect."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
from datasette.app import Datasette

from archive.export import MAX_ROWS
from archive.questions import questions
from tests.archive.site.test_site import get, site_of
from tests.making import Made, comment, extraction, made, post, url

POSTS, MANY = 30, 1050  # a page has 1,000 rows at most


def fold_posts(archive: Made, posts: int) -> None:
    archive.crawl("run")
    archive.fold(
        *(
            extraction(number, post(f"p{number}", text=f"Text {number}.", title=f"Title {number}", views=number,
                                    published_at=f"2026-01-{number % 28 + 1:02}", addresses=(url(f"p{number}"),)))
            for number in range(1, posts + 1)
        ),
        extraction(posts + 1, comment("c1", "=1+1", post=(url("p7"),))),
        crawl_id="run",
    )  # fmt: skip


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with made(tmp_path_factory.mktemp("taken")) as archive:
        fold_posts(archive, POSTS)
        archive.db.execute("INSERT INTO clinic_attributes (clinic_id, name, value) VALUES ('riverside', 'state', 'NY')")
        yield archive


@pytest.fixture(scope="module")
def site(archive: Made) -> Datasette:
    return site_of(archive.folder)


@pytest.fixture(scope="module")
def long_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Datasette]:
    """The site of more posts than a page shows."""
    with made(tmp_path_factory.mktemp("long")) as archive:
        fold_posts(archive, MANY)
        yield site_of(archive.folder)


def lines(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def address(path: str, **values: Any) -> str:
    return str(httpx.URL(path, params=values))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/archive/posts.csv", "posts.csv"),
        ("/archive/posts_with_counts.csv", "posts_with_counts.csv"),
        ("/archive/views_gained.csv", "views_gained.csv"),
        (address("/archive.csv", sql="select title from posts -- all"), "query.csv"),
        ("/archive/posts.csv?_stream=on&_dl=1", "posts.csv"),
        ("/archive/posts.csv?_size=max", "posts.csv"),
    ],
)
def test_no_row_is_cut(path: str, name: str, long_site: Datasette) -> None:
    answer = get(long_site, path)
    assert len(lines(answer)) == MANY
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("title=Title+7", ["Title 7"]), ("title__in=Title+7,Title+9&_sort_desc=post_id", ["Title 9", "Title 7"]),
        ("_search=23", ["Title 23"]), ("_where=post_id+%3C+3&_sort=post_id", ["Title 1", "Title 2"]),
        ("_sort=post_id&_size=2", ["Title 1", "Title 2"]), ("title=nothing", []),
        ("_sort=post_id&_next=28&_size=1", ["Title 1"]),
    ],
)  # fmt: skip
def test_filters_search_and_order_of_the_page_hold_for_the_file(query: str, titles: list[str], site: Datasette) -> None:
    assert [row["title"] for row in lines(get(site, f"/archive/posts.csv?{query}"))] == titles


def test_columns_and_labels_as_asked_for(site: Datasette) -> None:
    (row,) = lines(get(site, "/archive/posts.csv?post_id=7&_col=title"))
    assert row == {"post_id": "7", "title": "Title 7"}
    (row,) = lines(get(site, "/archive/comments.csv?_labels=on&_col=post_id&_col=body_text"))
    assert row == {"comment_id": "1", "post_id": "7", "post_id_label": "Title 7", "body_text": "=1+1"}


def test_parameters_of_questions_and_of_typed_sql(site: Datasette) -> None:
    rows = lines(get(site, address("/archive/word_by_month.csv", word="17", clinic="riverside")))
    assert sum(int(row["posts_with_word"]) for row in rows) == 1
    sql = "select title from posts where post_id = cast(:id as integer) or title = :title"
    assert len(lines(get(site, address("/archive.csv", sql=sql, id="5", title="Title 9")))) == 2
    assert lines(get(site, address("/archive.csv", sql=sql))) == []


def test_the_excel_flavour_and_what_it_says_of_itself(site: Datasette) -> None:
    answer = get(site, "/archive/comments.csv?_excel=on")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "'=1+1" in answer.text
    assert "apostrophe" in answer.headers["x-archive-altered"]
    assert answer.headers["content-disposition"] == 'attachment; filename="comments-excel.csv"'
    assert "=1+1" in lines(get(site, "/archive/comments.csv"))[0]["body_text"]


def test_a_sheet_holds_the_same_rows(long_site: Datasette) -> None:
    answer = get(long_site, "/archive/posts.xlsx?_sort=post_id")
    assert answer.headers["content-disposition"] == 'attachment; filename="posts.xlsx"'
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content))["rows"]
    assert sheet.max_row == MANY + 1
    assert sheet["A2"].value == 1
    many = f"with recursive n(i) as (select 1 union all select i + 1 from n where i <= {MAX_ROWS}) select i from n"
    refused = get(long_site, address("/archive.xlsx", sql=many))
    assert (refused.status_code, refused.text[:36]) == (413, "query has more than 1,048,575 rows, ")


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/archive/nothing.csv", 404, "No table, view or question"),
        ("/archive/posts.csv?_where=nonsense", 400, "no such column: nonsense"),
        (address("/archive.csv", sql="select * from nowhere"), 400, "no such table: nowhere"),
        (address("/archive.csv", sql="delete from posts"), 400, "Statement must be a SELECT"),
        (address("/archive.xlsx", sql="select nonsense"), 400, "no such column: nonsense"),
        ("/archive.csv", 400, "sql=SELECT"),
        ("/archive/_sqlite_migrations.csv", 200, "id"),
    ],
)
def test_what_cannot_be_given_says_why(path: str, status: int, message: str, site: Datasette) -> None:
    answer = get(site, path)
    assert answer.status_code == status
    assert message in answer.text


def test_pages_lead_to_their_files(site: Datasette) -> None:
    for page in ("/archive/posts?title__contains=Title+7&_sort=title", "/archive/views_gained?clinic=riverside",
                 address("/archive", sql="select title from posts limit 3")):  # fmt: skip
        html = get(site, page).text
        took = re.findall(r'<p class="downloads">(.*?)</p>', html, re.DOTALL)[0]
        files = [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+)"', took)]
        assert [re.search(r"\.(csv|xlsx|json)", file)[1] for file in files] == ["csv", "csv", "xlsx", "json"]  # type: ignore[index]
        for file in files:
            assert get(site, file).status_code == 200
        assert "_excel=on" in files[1]


@pytest.mark.parametrize("name", questions())
def test_every_question_runs_and_is_drawn_where_it_says_so(name: str, site: Datasette) -> None:
    value = {"word": "Text", "attribute": "state"}
    words = {field.name: value[field.kind] for field in questions()[name].fields if field.required}
    page = get(site, address(f"/archive/{name}", **words))
    assert page.status_code == 200
    assert questions()[name].title in html.unescape(page.text)
    rows = lines(get(site, address(f"/archive/{name}.csv", **words)))
    if (drawing := questions()[name].drawing) and rows:
        assert {drawing.x, drawing.y, drawing.color or drawing.x} <= set(rows[0])
        drawn = [row for row in rows if row[drawing.x] and row[drawing.y]]
        assert ("<svg" in page.text) == (len(drawn) > 1)
        assert ("Only one value is known" in page.text) == (len(drawn) == 1)


@pytest.mark.parametrize(
    ("question", "values", "allowed"),
    [
        ("views_gained", {"clinic": "nosuch"}, "it has riverside"),
        ("views_gained", {"from": "2026-13-45"}, "write it as 2026-03-01"),
        ("views_gained", {"to": "20260301"}, "write it as 2026-03-01"),
        ("edits_after_publication", {"days": "many"}, "a whole number"),
        ("views_gained", {"clinic": "rivesride"}, "nearest: riverside"),
        ("views_gained", {"from": "2026-03-02", "to": "2026-03-01"}, "it is after"),
        ("word_by_month", {"word": ""}, "word is required: a word or a phrase, such as sleep"),
        ("comments_with_a_word", {"word": " -- "}, "needs a letter or digit"),
        ("clinics_by_attribute", {"attribute": "owner"}, "it has state"),
        ("one_commenter", {"pseudonym": ""}, "author of comments"),
        ("same_words", {"words": '"'}, "a sentence or phrase"),
    ],
)
def test_a_value_that_a_question_cannot_have_is_refused(
    question: str, values: dict[str, str], allowed: str, site: Datasette
) -> None:
    for form in ("", ".json", ".csv", ".xlsx"):
        answer = get(site, address(f"/archive/{question}{form}", **values))
        assert answer.status_code == 400, form
        assert allowed in html.unescape(answer.text), form
    assert get(site, f"/archive/{question}").status_code == 200, "the empty form is no fault"


def test_categories_of_rules_are_a_choice(archive: Made, site: Datasette) -> None:
    assert get(site, "/archive/posts_with_claims?category=any&clinic=").status_code == 200, "no rule is stored yet"
    with archive.db.atomic():
        archive.db.execute("INSERT INTO lexicon_rules VALUES (1,'l','r','r@1',1,'lasting','claim','','','','','')")
    try:
        assert get(site, "/archive/posts_with_claims?category=any&clinic=").status_code == 400
        page = get(site, "/archive/posts_with_claims?category=lasting&clinic=").text
        assert '<select name="category"><option value="">all</option><option value="lasting" selected>' in page
        assert get(site, "/archive/claims_by_month?category=&clinic=").status_code == 200
    finally:
        with archive.db.atomic():
            archive.db.execute("DELETE FROM lexicon_rules")


def test_the_form_marks_what_is_required_and_has_an_example(site: Datasette) -> None:
    page = get(site, "/archive/word_by_month").text
    assert "a word or a phrase (required)" in page
    assert '<input type="text" name="word" value="sleep" required placeholder="sleep">' in page
    assert "No rows" not in page
    answered = get(site, "/archive/comments_with_a_word?word=absent&clinic=").text
    assert 'name="word" value="absent"' in answered
    assert "No rows" in answered
    optional = get(site, "/archive/views_gained").text
    assert '<input type="date" name="from" value="" placeholder="2026-03-01">' in optional


def test_a_file_in_the_folder_is_never_left_behind(archive: Made, site: Datasette) -> None:
    get(site, "/archive/posts.xlsx")
    assert not [path for path in Path(archive.folder).iterdir() if path.suffix in (".xlsx", ".part")]
