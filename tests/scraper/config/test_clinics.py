"""clinics.toml: what it says, and every way of getting it wrong, with its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.config.clinics import (
    Clinic,
    CrawlerConfig,
    clinic_from_url,
    parse_clinics,
    read_clinics,
    refuse_placeholder,
    user_agent,
)
from scraper.config.toml_file import ConfigError

HERE = Path("clinics.toml")
FULL = """\
[crawler]
contact = "archive@uni.edu"
project_url = "https://uni.edu/archive"

[clinics.riverside]
name = "Riverside"
url = "https://WWW.Riverside.com/"
comments = "counts"
privacy = "omit"
delay = 5
timezone = "America/New_York"
closed = 2026-03-31

[clinics.riverside.attributes]
state = "NY"
anything_goes = "here"

[clinics.local-2]
name = "Local"
url = "http://127.0.0.1:8000"
allow_private = true
"""


def test_a_whole_file() -> None:
    clinics = parse_clinics(FULL, HERE)
    riverside, local = clinics
    assert riverside == Clinic(
        slug="riverside",
        name="Riverside",
        url="https://www.riverside.com",
        attributes={"state": "NY", "anything_goes": "here"},
        comments="counts",
        privacy="omit",
        delay=5.0,
        timezone="America/New_York",
        closed=date(2026, 3, 31),
    )
    assert (riverside.delay_floor, riverside.is_loopback) == (5.0, False)
    assert (local.slug, local.comments, local.privacy, local.delay) == ("local-2", "threads", "pseudonymous", None)
    assert (local.delay_floor, local.is_loopback) == (0.0, True)
    assert len(clinics) == 2
    assert clinics.select(["local-2"]) == (local,)
    assert (
        user_agent(clinics.crawler_config)
        == "clinic-blog-archive/0.1.0 (+https://uni.edu/archive; contact: archive@uni.edu)"
    )
    assert riverside.as_stanza()["closed"] == "2026-03-31"
    assert [riverside.is_closed(date(2026, month, day)) for month, day in ((3, 30), (3, 31), (4, 1))] == [0, 1, 1]
    assert "allow_private" not in riverside.as_stanza()
    assert Clinic(slug="a", name="A", url="http://localhost", delay=0.0).as_stanza()["delay"] == 0.0
    assert hash(riverside) != hash(local)


def test_an_empty_file_has_no_clinics() -> None:
    assert len(parse_clinics("", HERE)) == 0


CLINIC = '[clinics.a]\nname = "A"\nurl = "https://a.de"\n'


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("x = [", 1, "not TOML"),
        ("[crawler]\ncontact = nobody\n", 2, "not TOML"),
        (CLINIC + '\n[clinics.a]\nname = "B"\n', 5, "two clinics have the slug 'a'"),
        (CLINIC + 'privcy = "omit"\n', 4, "unknown key 'privcy'"),
        ('# a\u2028b\r\n[clinics.a]\r\nname = "A"\r\nurl = "x"\r\n', 4, "not an http or https address"),
        ("\n\n[clinic]\n", 3, "unknown key 'clinic'"),
        ('[crawler]\ncontact = "a"\nmail = "b"', 3, "unknown key 'mail'"),
        ('clinics.a = { name = "A", url = "https://a.de", colour = "red" }', 1, "unknown key 'colour'"),
        (CLINIC + 'attributes.x = """\nprivcy = 1\n"""\nprivcy = 1\n', 7, "unknown key 'privcy'"),  # not line 5
        (CLINIC + "# privcy\n'privcy' = [\n1,\n]\n", 5, "unknown key 'privcy'"),
        ("[clinics]\nCaps = {}\n", 2, "a-z, 0-9"),
        ('[clinics."a.b"]\nname = "A"\n', 1, "a-z, 0-9"),
        ("[clinics]\na = 1\n", 2, "must be a table"),
        ('[clinics.a]\nurl = "https://a.de"\n', 1, "needs a name"),
        ('\n[clinics.a]\nname = " "\nurl = "https://a.de"\n', 3, "needs a name"),
        ('[clinics.a]\nname = "A"\n', 1, "needs a url"),
        ('[clinics.a]\nname = "A"\nurl = "a.de"\n', 3, "not an http or https address"),
        ('[clinics.a]\nname = "A"\nurl = "ftp://a.de"\n', 3, "not an http or https address"),
        ('[clinics.a]\nname = "A"\nurl = "http://localhost:80"\n', 3, "allow_private"),
        ('[clinics.a]\nname = "A"\nurl = "http://10.0.0.1"\n', 3, "allow_private"),
        (CLINIC + 'comments = "all"\n', 4, "threads, counts, none"),
        (CLINIC + "comments = true\n", 4, "text in quotes"),
        (CLINIC + 'privacy = ""\n', 4, "pseudonymous, omit, keep"),
        (CLINIC + "delay = 0.2\n", 4, "1 or more"),
        (CLINIC + "delay = -1\n", 4, "1 or more"),
        (CLINIC + "delay = nan\n", 4, "1 or more"),
        (CLINIC + "delay = true\n", 4, "a number"),
        (CLINIC + 'allow_private = "yes"\n', 4, "true or false"),
        (CLINIC + 'timezone = "EST5"\n', 4, "no time zone"),
        (CLINIC + 'timezone = "../../etc/passwd"\n', 4, "no time zone"),
        (CLINIC + 'closed = "2026"\n', 4, "a date"),
        (CLINIC + "closed = 2026-01-01T00:00:00Z\n", 4, "a date"),
        (CLINIC + "attributes = { state = 3 }\n", 4, "attribute state"),
        (CLINIC + '[clinics.a.attributes]\nx = "y"\nstate = 3\n', 6, "attribute state"),
        (CLINIC + '[clinics.b]\nname = "B"\nurl = "http://www.a.de/"\n', 6, "url of 'a' too"),
        ('[crawler]\ncontact = "a\\r\\nX: y"\n', 2, "header"),
        ('[crawler]\nproject_url = "uni.edu"\n', 2, "http or https"),
    ],
)
def test_mistakes_are_told_with_their_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_clinics(text, HERE)
    assert str(error.value).startswith(f"clinics.toml:{line}: ")
    assert words in str(error.value)


@given(st.text())
def test_any_text_gives_clinics_or_a_named_error(text: str) -> None:
    try:
        parse_clinics(text, HERE)
    except ConfigError as error:
        message = str(error)
    else:
        return
    assert message.startswith("clinics.toml:")


@given(st.text())
def test_any_text_as_contact_makes_a_header_or_an_error(contact: str) -> None:
    import json

    try:
        crawler = parse_clinics(f"[crawler]\ncontact = {json.dumps(contact)}\n", HERE).crawler_config
    except ConfigError:
        return
    assert user_agent(crawler).isascii()
    assert "\n" not in user_agent(crawler)


def test_a_slug_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(ConfigError, match="no clinic 'riversid'; known: riverside, local-2"):
        parse_clinics(FULL, HERE).select(["riversid"])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        read_clinics(tmp_path / "clinics.toml")
    (tmp_path / "clinics.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_clinics(tmp_path / "clinics.toml")


@pytest.mark.parametrize(
    ("url", "slug", "address"),
    [
        ("https://www.riverside.com/", "www-riverside-com", "https://www.riverside.com"),
        ("http://127.0.0.1:8000", "127-0-0-1-8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/", "--1-8000", "http://[::1]:8000"),
        ("https://user.wixsite.com/site", "user-wixsite-com-site", "https://user.wixsite.com/site"),
        ("https://user.wixsite.com/Other/blog", "user-wixsite-com-other", "https://user.wixsite.com/Other/blog"),
        ("https://müller.de:443", "xn--mller-kva-de", "https://xn--mller-kva.de"),
    ],
)
def test_clinic_from_url(url: str, slug: str, address: str) -> None:
    clinic = clinic_from_url(url)
    assert (clinic.slug, clinic.url) == (slug, address)
    assert not clinic.allow_private  # whether the run permits private addresses is not the address's to say


@pytest.mark.parametrize("url", ["riverside.com", "ftp://a.de", "", "http://", "javascript:alert(1)"])
def test_clinic_from_what_is_no_url(url: str) -> None:
    with pytest.raises(ConfigError, match="not an http or https address"):
        clinic_from_url(url)


@pytest.mark.parametrize(
    ("contact", "page", "is_placeholder"),
    [
        ("", "", True),
        ("you@example.org", "", True),
        ("you@uni.edu", "", True),
        ("YOUR-NAME@uni.edu", "", True),
        ("archive@uni.edu", "https://example.org/x", True),
        ("archive@uni.edu", "", False),
        ("archive@your-uni.edu", "", True),
        ("archive@uni.edu", "https://uni.edu/you-and-us", False),
        ("young@uni.edu", "https://uni.edu/archive", False),
        ("https://uni.edu/contact", "https://uni.edu/archive", False),
    ],
)
def test_placeholders(contact: str, page: str, is_placeholder: bool) -> None:
    assert CrawlerConfig(contact=contact, project_url=page).is_placeholder is is_placeholder


def test_a_placeholder_may_crawl_this_machine_alone() -> None:
    here = clinic_from_url("http://127.0.0.1:8000")
    there = clinic_from_url("https://riverside.com")
    refuse_placeholder(CrawlerConfig(), [here])
    refuse_placeholder(CrawlerConfig(contact="archive@uni.edu"), [here, there])
    with pytest.raises(ConfigError, match=r"set contact and project_url under \[crawler\] .* riverside-com"):
        refuse_placeholder(CrawlerConfig(contact="you@example.org"), [here, there])
    with pytest.raises(ConfigError, match=r"^mine.toml: the contact is missing: set"):
        refuse_placeholder(CrawlerConfig(), [there], Path("mine.toml"))


def test_the_example_of_the_repository_reads_and_is_a_placeholder() -> None:
    path = Path(__file__).parents[3] / "clinics.toml"
    assert read_clinics(path).crawler_config.is_placeholder
    text = path.read_text(encoding="utf-8")
    stanzas = text[text.index("# [clinics.sample]") :]
    # The stanzas in comments must be right too: a line of prose begins with a capital, a stanza's with [ or a key.
    live = "\n".join(line[2:] for line in stanzas.splitlines() if line[2:3] == "[" or " = " in line)
    assert [clinic.slug for clinic in parse_clinics(live, path)] == ["sample", "riverside-wellness"]


def test_what_is_nested_too_deeply_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^clinics\.toml:1: .*nested too deeply"):
        parse_clinics("a = " + "[" * 50_000, Path("clinics.toml"))
