"""Pages that answer in place of what a site publishes: labelled pages, real pages, headers, hostile ones.

`tests/pages/quality` holds answers with their headers, `NNN-real.http` and `NNN-doubtful-KIND.http`. They were written
after public descriptions by somebody who did not know the rules.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.extract import extract
from scraper.items import Exchange, Problem
from scraper.platforms import platform_named
from scraper.quality import KINDS, doubt_of, refusal_of
from scraper.quality._words import NOTIONS

LABELLED = sorted((Path(__file__).parents[1] / "pages" / "quality").glob("*.http"))
REAL = Path(__file__).parents[3] / "shared" / "real-pages"
URL = "https://www.clinic.example/post/sleep"
LABELS = {"bot-wall": "bot-challenge", "empty": "empty-shell"}


def answer(path: Path) -> Exchange:
    """The exchange of a file: status line, headers, an empty line, the body."""
    head, _, body = path.read_bytes().partition(b"\n\n")
    status, *lines = head.decode("latin-1").splitlines()
    headers: dict[str, str] = {}
    for name, _, value in (line.partition(":") for line in lines):
        key = name.lower()
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    return Exchange(
        url=URL, body=body, status=int(status.split()[1]), headers=headers, content_type=headers.get("content-type", "")
    )


def page(markup: str, **headers: str) -> Exchange:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Exchange(url=URL, body=markup.encode(), content_type="text/html; charset=utf-8", headers=named)


def kind_of(exchange: Exchange) -> str | None:
    """The kind of the problem that is all an answer gives; None for any other answer."""
    items = extract(exchange, platform_named("wix"))
    kinds = {item.kind for item in items if isinstance(item, Problem) and item.kind in KINDS}
    if not kinds:
        return None
    assert len(items) == 1, "a doubtful page gives nothing but its problem"
    return kinds.pop()


@pytest.mark.parametrize("path", [path for path in LABELLED if path.stem.endswith("real")], ids=lambda path: path.stem)
def test_no_real_page_is_doubtful(path: Path) -> None:
    assert kind_of(answer(path)) is None


def test_nine_of_ten_doubtful_pages_are_found_and_named() -> None:
    labelled = {path: path.stem.partition("doubtful-")[2] for path in LABELLED if "doubtful" in path.stem}
    missed = [path.stem for path in labelled if kind_of(answer(path)) is None]
    assert len(missed) <= len(labelled) / 10, missed
    expected = {path: {LABELS.get(label, label), "unreadable"} for path, label in labelled.items()}
    otherwise = [path.stem for path in labelled if kind_of(answer(path)) not in {None, *expected[path]}]
    assert len(otherwise) <= len(labelled) / 10, otherwise


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/real-pages is not there")
def test_no_saved_page_of_a_real_site_is_doubtful() -> None:
    saved = sorted(REAL.rglob("*.html"))
    assert saved
    found = {path.name: doubt_of(page(path.read_text("utf-8", "replace")), may_be_post=True) for path in saved}
    assert {name: doubt for name, doubt in found.items() if doubt is not None} == {}


POST = (
    '<html><head><title>Salt | Clinic</title><script type="application/ld+json">{"@type":"BlogPosting"}</script></head>'
    "<body><article><h1>Salt</h1><p>Bread is the surprise: four slices hold as much salt as a bag of crisps.</p>"
    "</article></body></html>"
)


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"cf_mitigated": "challenge"}, "bot-challenge"),
        ({"x_amzn_waf_action": "captcha"}, "bot-challenge"),
        ({"x_vercel_mitigated": "challenge"}, "bot-challenge"),
        ({"x_dd_b": "2"}, "bot-challenge"),
        ({"server": "Parking/1.0"}, "parked"),
        ({"x_template": "tpl_x", "x_buckets": "b1"}, "parked"),
        ({"x_datadome": "protected"}, None),
        ({"x_iinfo": "12-3120012-3120044 SNNy RT(1772800100 20)"}, None),
        ({"cf_ray": "90be77aa0011d2ff-ORD", "server": "cloudflare"}, None),
        ({"x_cache": "Error from cloudfront"}, None),
    ],
)
def test_headers_that_say_so_outweigh_a_post_and_those_of_every_answer_do_not(
    headers: dict[str, str], kind: str | None
) -> None:
    assert kind_of(page(POST, **headers)) == kind


def test_a_cache_that_reports_an_error_needs_a_page_that_shows_nothing() -> None:
    broken = "<html><title>Clinic</title><body><p>Something else.</p></body></html>"
    assert kind_of(page(broken, x_cache="Error from cloudfront")) == "error-page"
    assert kind_of(page(broken)) == "unsupported-platform" or kind_of(page(broken)) is None


@pytest.mark.parametrize(
    ("kind", "title", "body"),
    [
        ("maintenance", "Технические работы", "<h1>Сайт временно закрыт</h1><p>Зайдите, пожалуйста, позже.</p>"),
        ("maintenance", "メンテナンス中", "<p>システムの保守作業中です。しばらくしてから再度お試しください。</p>"),
        (
            "maintenance",
            "Site Maintenance",
            "<article><h1>We'll be back soon!</h1><p>Sorry for the trouble: some upkeep is under way, and we will be"
            " online again shortly.</p><p>- The Team</p></article>",
        ),
        ("coming-soon", "Strona w budowie", "<h1>Zapraszamy wkrótce</h1>"),
        ("coming-soon", "Sắp ra mắt", "<h1>Website đang xây dựng</h1><p>Vui lòng quay lại sau.</p>"),
        ("suspended", "Sito sospeso", "<h2>Il piano di questo sito è scaduto</h2><p>Sei il proprietario? Rinnova.</p>"),
        ("suspended", "Hesap askıya alındı", "<h1>Barındırma hesabı kapatıldı</h1><p>Site sahibi ödeme yapmalı.</p>"),
        ("parked", "fysio-delft.example", "<h1>Deze domeinnaam is te koop</h1><p>Interesse? Doe een bod.</p>"),
        ("parked", "Welcome to nginx!", "<h1>Welcome to nginx!</h1>"),
        ("login-wall", "로그인", "<h2>회원 전용</h2><p>로그인 후 이용해 주세요.</p>"),
        ("login-wall", "Bereich", "<h1>Bitte das Passwort eingeben</h1><form><input type=password></form>"),
        ("consent-wall", "Before you continue", "<p>We use cookies to measure ads.</p><button>Accept all</button>"),
        ("error-page", "502 Bad Gateway", "<center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center>"),
        ("error-page", "Ошибка", "<h1>Произошла ошибка на сервере</h1><p>Обновите страницу.</p>"),
        ("bot-challenge", "安全验证", "<p>请完成验证，证明您不是机器人</p>"),
        ("bot-challenge", "", "<script>document.cookie='a=1';location.reload()</script>"),
        ("empty-shell", "Clinic", "<div id=root></div><script src=/main.js></script>"),
        ("empty-shell", "Clinic", "<header></header><main></main><footer>© 2026</footer>"),
    ],
)
def test_walls_in_many_languages(kind: str, title: str, body: str) -> None:
    markup = f"<html><head><title>{title}</title></head><body>{body}</body></html>"
    assert kind_of(page(markup)) == kind
    assert kind_of(page(f"<!-- wixstatic.com -->{markup}")) == kind


@pytest.mark.parametrize(
    "markup",
    [
        "<title>Dr. Lee</title><body><h1>Dr. Lee, Dentist</h1><p>12 High St. Open Monday to Friday.</p>",
        "<title>Contact</title><body><form><input name=name><input type=email><div class=g-recaptcha></div></form>",
        "<title>Urlaub</title><body><h1>Urlaub</h1><p>Die Praxis ist vom 1. bis 14. August geschlossen.</p>",
        "<title>Portal</title><body><a href=/news>News</a><h1>Portal</h1><p>It will be unavailable on Sunday for"
        " maintenance.</p><p>Posted 1 March 2026</p>",
        "<title>Skin check</title><body><h1>Skin check</h1><p>Human skin changes. We verify each mole with a lens, and"
        " you wait a moment for the picture. A check takes fifteen minutes of your time.</p><p>Bring a list of your"
        " medicines, and do not put on cream before the visit, because it hides the structure.</p>",
        "<title>Когда вызывать скорую</title><body><h1>Когда вызывать скорую</h1><p>Боль в груди: звоните сразу.</p>",
        "<title>Blog</title><body><h1>Blog</h1><p>No posts yet.</p>",
        "<title>Map</title><body><img src=map.png>",
    ],
)
def test_small_pages_of_a_site_are_its_own(markup: str) -> None:
    assert kind_of(page(f"<html>{markup}</html>")) is None


def test_scripts_that_makers_add_to_real_pages_are_no_wall() -> None:
    added = (
        '<script src="/cdn-cgi/challenge-platform/scripts/jsd/main.js"></script>'
        '<script src="https://js.datadome.co/tags.js"></script><script>window._pxAppId="PX1"</script>'
        '<script src="/_Incapsula_Resource?SWJIYLWA=719d"></script>'
    )
    assert kind_of(page(POST.replace("</head>", f"{added}</head>"))) is None


def test_a_document_of_a_browser_may_be_empty_until_its_scripts_have_run() -> None:
    shell = page("<html><body><div id=root></div><script src=/main.js></script></body></html>")
    assert doubt_of(shell, may_be_post=True) is not None
    assert doubt_of(replace(shell, via="document", page=URL), may_be_post=True) is None


def test_an_error_status_says_enough_unless_a_bot_wall_sends_it() -> None:
    notice = page("<title>Maintenance</title><h1>We are back soon</h1>")
    assert doubt_of(replace(notice, status=503), may_be_post=True) is None
    wall = page("<title>x</title>", cf_mitigated="challenge")
    assert isinstance(refusal_of(replace(wall, status=403), may_be_post=True), Exception)


def test_no_notion_matches_nothing() -> None:
    assert [name for notions in NOTIONS.values() for name, pattern in notions if pattern.search("")] == []
    assert set(NOTIONS) == KINDS - {"empty-shell", "unreadable"}


@given(st.binary(max_size=400), st.sampled_from(["", "text/html", "text/plain", "text/html; charset=utf-16"]))
def test_any_bytes_are_judged(body: bytes, content_type: str) -> None:
    exchange = Exchange(url="http://[x", body=body, content_type=content_type)
    refusal = refusal_of(exchange, may_be_post=True)
    assert refusal is None or (refusal.kind in KINDS and str(refusal).isprintable())


@pytest.mark.parametrize("part", [b"<div id=app>", b"<article>x", b"<h1>x", b"<", b"<!--", b"<script>", b"<noscript>x"])
def test_deep_and_broken_markup_is_judged_in_one_walk(part: bytes) -> None:
    """A walk that began again at each element would need minutes here."""
    refusal_of(page((part * (119_000 // len(part))).decode()), may_be_post=True)
