"""What visitors can do to the site: foreign names and pages, queries that want all memory, addresses of nonsense."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import psutil
import pytest
from datasette.app import Datasette

from archive.site.visitors import queries
from archive.site.visitors.door import BASE_URL
from tests.archive.site.test_site import get, site_of
from tests.e2e.browsing import serving
from tests.making import Made, comment, extraction, made, post
from tests.soak import SOAK, sampled
from tests.waiting import HANG

MEGABYTES = 512
MANY = "posts a, sqlite_master b, sqlite_master c, sqlite_master d, sqlite_master e, sqlite_master f"
ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n)"
WORST = (
    "select randomblob(1000000000)",
    "select zeroblob(2000000000)",
    "select hex(zeroblob(9000000)), hex(zeroblob(4000000))",
    f"select group_concat(b.sql || c.sql || d.sql) from {MANY}",
    f"select json_group_array(hex(zeroblob(2000000))) from {MANY}",
    f"select json_group_array(b.sql || c.sql) from {MANY}",
    "select printf('%.*c', 1000000000, 'x')",
    "select printf('%1000000000d', 1)",
    f"{ENDLESS} select randomblob(4000000) from n",
    f"{ENDLESS} select zeroblob(9000000), zeroblob(9000000), zeroblob(9000000) from n",
    f"{ENDLESS} select count(*) from n",
    f"{ENDLESS} select i, hex(randomblob(100000)) from n order by 2",
    f"select b.sql, c.sql, d.sql from {MANY} order by random()",
    "with recursive x(t) as (select 'aaaaaa' union all select replace(t, 'a', 'aaaaaa') from x) select t from x",
    f"{ENDLESS} select distinct randomblob(50000) from n",
    f"{ENDLESS} select i, sum(i) over (order by i rows between unbounded preceding and current row) from n",
    f"select {', '.join(['hex(zeroblob(1000000))'] * 400)}",
    f"{ENDLESS} select {', '.join(['i'] * 400)} from n limit 1000",
    f"{ENDLESS}, m as materialized (select randomblob(100000) as b from n) select max(b) from m",
    "select json_object('a', hex(zeroblob(4900000)), 'b', hex(zeroblob(4900000)))",
    f"{ENDLESS} select max(t) from (select hex(randomblob(1000000)) as t, i from n group by i)",
)
FORMS = ("", ".json", ".csv", ".xlsx")
OTHERS = ("/", "/-/search?q=heals", "/-/status", "/riverside", "/riverside/sleep", "/archive/posts", "/-/explore")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with made(tmp_path_factory.mktemp("visited")) as archive:
        archive.crawl("run")
        archive.fold(
            extraction(1, post(text="Sleep heals. Schlaf hält gesund.", views=5, published_at="2026-01-02")),
            extraction(2, comment("c1", "Thank you.")),
            crawl_id="run",
        )
        yield archive


@pytest.fixture(scope="module")
def site(archive: Made) -> Datasette:
    return site_of(archive.folder)


def sql(query: str, form: str = "") -> str:
    return f"/archive{form}?sql={quote(query)}"


# --- queries ---


def resident(server: psutil.Process) -> int:
    """Bytes of memory that a server and its processes hold, shared pages counted once for each."""
    total = 0
    for process in (server, *server.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss
    return total


def test_twenty_of_the_worst_queries_leave_the_other_pages_and_the_memory_alone(archive: Made) -> None:
    """Seven of the twenty by default; all with SOAK."""
    addresses = [sql(query, FORMS[number % len(FORMS)]) for number, query in enumerate(WORST)]
    with serving(archive.folder) as (url, server):
        most, others, statuses = asyncio.run(beside(url, server, sampled(addresses, 7)))
    assert {status for status, _ in others} == {200}
    assert {path for _, path in others} == set(OTHERS)
    assert 503 in statuses, "no query was refused"
    assert set(statuses) <= {200, 400, 413, 503}
    assert most < MEGABYTES * 1_000_000, f"{most / 1e6:.0f} MB"


async def beside(
    url: str, server: psutil.Process, addresses: list[str]
) -> tuple[int, list[tuple[int, str]], list[int]]:
    """Ask for all addresses at once, each until it is not refused, and for the other pages as long as that takes.

    Returns the most memory held, statuses and paths of the other pages, and the statuses of the addresses.
    """
    statuses: list[int] = []
    others: list[tuple[int, str]] = []
    most = 0
    async with httpx.AsyncClient(base_url=url, timeout=HANG) as client:

        async def insist(address: str) -> None:
            status = 503
            while status == 503:
                # A visitor gives up a file that does not begin or end: an endless one may take 15 minutes.
                with contextlib.suppress(httpx.ReadTimeout, httpx.RemoteProtocolError):
                    async with client.stream("GET", address, timeout=15 if ".json?" not in address else HANG) as answer:
                        statuses.append(status := answer.status_code)
                        async for _ in answer.aiter_bytes():
                            if answer.num_bytes_downloaded > 20_000_000:
                                break
                    continue
                return

        tasks = [asyncio.create_task(insist(address)) for address in addresses]
        looks = 0
        while looks < len(OTHERS) or not all(task.done() for task in tasks):
            path = OTHERS[looks % len(OTHERS)]
            others.append(((await client.get(path)).status_code, path))
            most = max(most, resident(server))
            looks += 1
        await asyncio.gather(*tasks)
    return most, others, statuses


@pytest.mark.parametrize("query", sampled(WORST, 8))
def test_each_of_them_ends_with_an_answer(query: str, site: Datasette) -> None:
    site.sql_time_limit_ms = 100
    try:
        answer = get(site, sql(query, ".json"))
    finally:
        site.sql_time_limit_ms = 10_000
    assert answer.status_code in (200, 400)
    assert len(answer.content) < 3 * 6_000_000


def test_more_heavy_queries_than_allowed_are_refused_and_their_number_is_free_again(site: Datasette) -> None:
    async def ask() -> list[httpx.Response]:
        await site.invoke_startup()
        paths = [sql(f"{ENDLESS} select count(*) from n", ".json")] * (queries.MAX_AT_ONCE + 2)
        return await asyncio.gather(*(site.client.get(path) for path in paths))

    site.sql_time_limit_ms = 300
    try:
        answers = asyncio.run(ask())
    finally:
        site.sql_time_limit_ms = 10_000
    assert sorted(answer.status_code for answer in answers) == [400] * queries.MAX_AT_ONCE + [503] * 2
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert int(refused.headers["retry-after"]) > 0
    assert refused.headers["cache-control"] == "no-store"
    assert get(site, sql("select 1 as n", ".json")).status_code == 200


@pytest.mark.parametrize("form", [".csv", ".xlsx", ".csv?_excel=on"])
def test_files_without_a_first_row_end_early_and_never_lock_queries_out(form: str, site: Datasette) -> None:
    form, _, option = form.partition("?")
    slow = f"{sql(f'{ENDLESS} select count(*) from n', form)}&{option}"

    async def ask() -> tuple[list[httpx.Response], httpx.Response]:
        await site.invoke_startup()
        files = [asyncio.create_task(site.client.get(slow)) for _ in range(queries.MAX_FILES_AT_ONCE + 1)]
        while not any(task.done() for task in files):  # until the file that finds no place is refused
            await asyncio.sleep(0.01)
        query = await site.client.get(sql("select 1 as n", ".json"))
        return [await task for task in files], query

    site.sql_time_limit_ms = 1000
    try:
        files, query = asyncio.run(ask())
    finally:
        site.sql_time_limit_ms = 10_000
    assert query.status_code == 200
    assert sorted(file.status_code for file in files) == [400] * queries.MAX_FILES_AT_ONCE + [503]
    assert {file.text for file in files if file.status_code == 400} == {
        "query: the query gave no row within the time of a page's query; select or sort fewer rows\n"
    }


@pytest.mark.parametrize("end", ["terminate", "kill"])
def test_queries_end_with_the_server(end: str, archive: Made) -> None:
    slow = sql(f"{ENDLESS} select i from n", ".csv")
    with (
        serving(archive.folder) as (url, server),
        httpx.Client(base_url=url, timeout=HANG) as client,
        client.stream("GET", slow) as answer,
    ):
        blocks = answer.iter_bytes()  # its name keeps the connection open
        assert next(blocks)
        workers = server.children(recursive=True)
        assert workers
        getattr(server, end)()
        server.wait(HANG)
        _, alive = psutil.wait_procs(workers, HANG)
        assert not alive


def test_values_of_all_types_come_from_the_process_as_they_are(site: Datasette) -> None:
    query = "select 1 as n, 9007199254740993 as big, 0.1 as real, NULL as gap, x'00ff' as bytes, 'é' as text"
    answer = get(site, f"{sql(query, '.json')}&_shape=array")
    (row,) = answer.json()
    assert row["n"] == 1
    assert (row["big"], row["real"], row["gap"], row["text"]) == (9007199254740993, 0.1, None, "é")
    assert row["bytes"]["encoded"] == "AP8="
    assert get(site, "/archive/posts.json?_where=post_id=1&_shape=array").json()[0]["title"] == "On sleep"
    assert get(site, "/archive/posts.json?_where=nonsense").status_code == 400
    assert len(get(site, f"{sql('select 1 as n union select 2')}").text.split("<tr>")) == 4


def test_rows_that_are_too_large_for_a_page_say_so(site: Datasette) -> None:
    answer = get(site, sql("select hex(zeroblob(3500000)) as x", ".json"))
    assert answer.status_code == 400
    assert "select fewer rows" in answer.json()["error"]


# --- names and other sites ---


def ask(site: Datasette, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async def request() -> httpx.Response:
        await site.invoke_startup()
        transport = httpx.ASGITransport(app=site.app())
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8001") as client:
            return await client.request(
                method, path, headers={name.replace("_", "-"): v for name, v in headers.items()}
            )

    return asyncio.run(request())


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8001", 200), ("127.0.0.1", 200), ("localhost:1", 200), ("LOCALHOST", 200), ("[::1]:8001", 200),
        ("evil.example", 400), ("evil.example:8001", 400), ("127.0.0.1.evil.example", 400), ("127.0.0.2", 400),
        ("localhost@evil.example", 400), ("", 400), ("localhost, evil.example", 400), ("0.0.0.0", 400),
        ("archive.example", 400),
    ],
)  # fmt: skip
def test_only_names_of_this_machine_are_answered(host: str, status: int, site: Datasette) -> None:
    for path in ("/", "/archive.json?sql=select+1", "/-/posts.atom", "/archive/posts.csv", "/site/archive.css"):
        answer = ask(site, path, host=host)
        assert answer.status_code == status, path
        assert "evil" not in answer.text


def test_the_public_name_is_answered_too(site: Datasette, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BASE_URL, "https://archive.example")
    assert ask(site, "/", host="archive.example").status_code == 200
    assert ask(site, "/", host="archive.example:444").status_code == 200
    assert ask(site, "/", host="localhost:8001").status_code == 200
    assert ask(site, "/", host="other.example").status_code == 400
    assert ask(site, "/", host="archive.example", origin="https://archive.example").status_code == 200
    assert ask(site, "/", host="127.0.0.1:8001", origin="https://archive.example").status_code == 200
    assert ask(site, "/", host="archive.example", origin="https://evil.example").status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"}, 403),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "cors", "sec_fetch_dest": "empty"}, 403),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"}, 403),
        ({"sec_fetch_site": "same-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "script"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}, 200),
        ({"sec_fetch_site": "same-origin", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "style"}, 200),
        ({"sec_fetch_site": "none", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}, 200),
        ({"origin": "https://evil.example"}, 403), ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403), ({"origin": "http://127.0.0.1:8001"}, 200), ({}, 200),
    ],
)  # fmt: skip
def test_pages_of_other_sites_get_no_data(headers: dict[str, str], status: int, site: Datasette) -> None:
    assert ask(site, "/archive.json?sql=select+1", **headers).status_code == status


# --- addresses ---


@pytest.mark.parametrize("method", ["TRACE", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "BREW"])
def test_other_methods_are_refused(method: str, site: Datasette) -> None:
    for path in ("/", "/archive", "/archive/posts", "/archive/views_gained", "/-/status", "/nowhere"):
        answer = ask(site, path, method)
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET, HEAD"


def test_head_is_answered(site: Datasette) -> None:
    for path in ("/", "/archive/posts.csv", "/archive/posts", "/riverside/sleep"):
        answer = ask(site, path, "HEAD")
        assert answer.status_code == 200
        assert answer.content == b""


ODD = ("nosuch", "-1", "0", "1.5", "1e9", "99999999999999999999", "max", "null", "\0", "'", '"', "]", "[", "%", "a,b",
       "$null", "$null,1", "{}", '{"a":1}', "[]", "é", "\ud7ff", "../..", "~41", "a" * 300, "")  # fmt: skip
ARGUMENTS = ("_sort", "_sort_desc", "_size", "_next", "_timelimit", "_facet", "_facet_size", "_facet_array",
             "_facet_date", "_col", "_nocol", "_shape", "_labels", "_label", "_through", "_where", "_search",
             "_search_title", "_search_nosuch", "_ttl", "_json", "_trace", "_blob_column", "_nl", "_filter_column",
             "_sort_by_desc", "title__nosuch", "title__in", "title__arraycontains", "nosuch", "sql", "page", "sort",
             "comment", "from", "to", "whole", "q", "order", "kind", "clinic", "_extra", "_next__gt")  # fmt: skip
PATHS = ("/archive", "/archive/posts", "/archive/posts/1", "/archive/posts_with_counts", "/archive/views_gained",
         "/archive/nosuch", "/archive/posts/nosuch", "/archive/posts/1,2", "/archive/posts/1.blob", "/riverside/sleep",
         "/riverside/sleep/compare", "/-/search", "/-/posts.atom", "/riverside", "/")  # fmt: skip

# Of all pairs of a value and a path, each argument is tried with one of so many.
STEP = 5 if SOAK else 389


# Datasette leaves a coroutine that it made when a facet before it fails.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("place", "argument"), list(enumerate(ARGUMENTS)), ids=ARGUMENTS)
def test_no_argument_is_a_fault_of_the_program_or_gives_a_path(
    place: int, argument: str, site: Datasette, archive: Made
) -> None:
    async def each() -> None:
        await site.invoke_startup()
        transport = httpx.ASGITransport(app=site.app())
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            for number in range(place % STEP, len(ODD) * len(PATHS), STEP):
                value, path = ODD[number % len(ODD)], PATHS[number % len(PATHS)]
                for form in ("", ".json") if path.startswith("/archive") and "." not in path else ("",):
                    answer = await client.get(f"{path}{form}", params={argument: value, "_facet": "title"})
                    assert answer.status_code < 500, (path, argument, value)
                    assert str(archive.folder) not in answer.text

    asyncio.run(each())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/archive/posts?_sort=nosuch", 400), ("/archive/posts.json?_sort_desc=nosuch", 400),
        ("/archive/posts?_sort=title&_sort_desc=title", 400), ("/archive/posts?_size=x", 400),
        ("/archive/posts?_size=-1", 400), ("/archive/posts?_size=99999", 400),
        ("/archive/posts_with_counts?_next=x", 400),
        ("/archive/posts?_timelimit=x", 400), ("/archive?sql=select+1&_timelimit=x", 400),
        ("/-/threads", 404), ("/-/threads.json", 404), ("/-/databases", 404), ("/-/databases.json", 404),
        ("/archive.json?sql=select+*+from+pragma_database_list", 400),
        ("/archive.csv?sql=select+*+from+PRAGMA_database_list()", 400),
        ("/archive/posts.json?_where=post_id+in+(select+seq+from+pragma_database_list)", 400),
        ("/~61rchive.json?sql=select+*+from+pragma_database_list", 400),
        ("/archive?sql=attach+'x'+as+y", 400), ("/_internal", 403), ("/_internal?sql=select+1", 403),
        ("/archive.db", 403),
    ],
)  # fmt: skip
def test_what_is_closed_or_wrong(path: str, status: int, site: Datasette, archive: Made) -> None:
    answer = get(site, path)
    assert answer.status_code == status, answer.text
    assert str(archive.folder) not in answer.text


@pytest.mark.parametrize("path", ["/archive?sql=", "/archive.csv?sql=", "/archive/posts.csv?_where="])
@pytest.mark.parametrize(
    ("query", "message"),
    [
        (f"1{' ' * 300}", "more than 200 blanks in a row"),
        ("1" + "\t\n" * 150, "more than 200 blanks in a row"),
        ("1 + " * 2_501 + "1", "more than 10,000 characters"),
    ],
)
def test_very_long_sql_is_refused_before_it_is_read(path: str, query: str, message: str, site: Datasette) -> None:
    answer = get(site, path + quote(query))
    assert answer.status_code == 400
    assert message in answer.text


@pytest.mark.parametrize(
    "where",
    [
        "post_id in (select post_id from posts order by post_id limit 1)", "title <> ' order by x'",
        "title <> ' limit 7'", f"1{' ' * 150}or{' ' * 150}0", "post_id = 1 or title = 'a) limit 1'",
    ],
)  # fmt: skip
def test_a_filter_with_the_words_of_an_order_or_a_limit_stays_whole(where: str, site: Datasette) -> None:
    answer = get(site, f"/archive/posts.csv?_where={quote(where)}")
    assert answer.status_code == 200, answer.text
    assert len(answer.text.splitlines()) == 2


def test_nobody_between_may_store_an_answer(site: Datasette) -> None:
    for path in (*OTHERS, "/archive/posts.csv", "/archive.json?sql=select+1", "/nowhere", "/site/archive.css"):
        assert get(site, path).headers["cache-control"] == "private, no-cache", path
