"""The public address of the site: from the option, else from clinics.toml; anything but an address is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from scraper.config.clinics import parse_clinics
from scraper.config.site import base_address
from scraper.config.toml_file import ConfigError
from tests.e2e.product import run
from tests.making import Made


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://archive.example", "https://archive.example"), ("https://Archive.Example/", "https://archive.example"),
        (" http://archive.example:8001 ", "http://archive.example:8001"), ("http://[::1]:80", "http://[::1]:80"),
    ],
)  # fmt: skip
def test_an_address(text: str, address: str) -> None:
    assert base_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "archive.example", "ftp://archive.example", "https://", "https://a.example/blogs", "https://a.example?x",
        "https://user:secret@a.example", "https://a.example:99999", "https://a.example:x", "https://a b.example",
        "http://[::1", "https://ä.example", "https://a.example\r\nX: y",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_site(text: str) -> None:
    with pytest.raises(ValueError, match=r"write scheme and host") as error:
        base_address(text)
    assert "secret" not in str(error.value)


def test_clinics_toml_has_it_and_names_the_line_of_a_fault() -> None:
    path = Path("clinics.toml")
    assert parse_clinics('[site]\nbase_url = "https://archive.example/"\n', path).base_url == "https://archive.example"
    assert parse_clinics("", path).base_url is None
    for text, message in (
        ('[site]\nbase_url = "archive"\n', r"clinics\.toml:2: base_url = 'archive' is not the address"),
        ("[site]\nbase_url = 1\n", "must be a text"), ('[site]\nurl = "x"\n', "unknown key 'url'"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=message):
            parse_clinics(text, path)


def test_serve_refuses_in_one_line(archive: Made, tmp_path: Path) -> None:
    done = run("clinic-archive", "serve", "--archive", archive.folder, "--base-url", "archive", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "--base-url 'archive' is not the address of a site" in done.lines[0]
    (tmp_path / "clinics.toml").write_text('[site]\nbase_url = "x"\n')
    done = run("clinic-archive", "serve", "--archive", archive.folder, cwd=tmp_path)
    assert (done.code, done.out) == (4, "")
    assert "clinics.toml:2: base_url" in done.lines[0]
