"""The body of a post in ordinary HTML, as WordPress, Ghost and Squarespace write it."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest

from scraper.items import Image, Link
from scraper.platforms._body import Body, read_body
from scraper.platforms._images import largest_source
from scraper.platforms._tree import full_soup, soup

PAGE = "https://clinic.example/blog/sleep/"


def body_of(html: str) -> Body:
    """The body of a fragment; the lean and the full tree must give the same."""
    bodies = [
        read_body(tree.body.contents if tree.body else [], lambda href: urljoin(PAGE, href))
        for tree in (soup(html.encode(), "utf-8"), full_soup(html.encode(), "utf-8"))
    ]
    assert bodies[0] == bodies[1]
    return bodies[0]


def test_blocks_become_lines_and_markup_without_style() -> None:
    body = body_of(
        '<div class="entry"><h2 id="a">Sleep</h2><p style="color:red">Rest <span>well</span>,<br>always.</p>'
        "<script>track()</script><ul><li>One</li><li><b>Two</b></li></ul></div>"
    )
    assert body.text == "Sleep\nRest well, always.\nOne\nTwo"
    assert body.html == "<h2>Sleep</h2><p>Rest well,<br>always.</p><ul><li>One</li><li><b>Two</b></li></ul>"


def test_links_are_absolute_and_have_text_and_rel() -> None:
    body = body_of('<p>See <a href="../diet/#top" rel="nofollow noopener">our <em>diet</em></a> <a>here</a>.</p>')
    assert body.links == (Link(url="https://clinic.example/blog/diet/#top", text="our diet", rel="nofollow noopener"),)
    assert body.text == "See our diet here."


def test_a_caption_belongs_to_the_pictures_of_its_figure() -> None:
    body = body_of(
        '<figure><img src="/a.jpg" alt="A bed"><figcaption>Our <b>room</b></figcaption></figure><img src="b.jpg">'
    )
    assert body.images == (
        Image(url="https://clinic.example/a.jpg", alt="A bed", caption="Our room"),
        Image(url="https://clinic.example/blog/sleep/b.jpg"),
    )
    assert body.text == "Our room"


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="/a.jpg">',
        '<img src="data:image/gif;base64,R0lG" data-src="/a.jpg">',
        '<img src="/tiny.gif" data-lazy-src="/a.jpg">',
        '<img src="/a-300.jpg" srcset="/a-300.jpg 300w, /a.jpg 1024w">',
        '<img src="/tiny.gif" data-srcset="/a.jpg 2x,/a-300.jpg">',
    ],
)
def test_a_picture_is_the_largest_that_is_named(markup: str) -> None:
    assert body_of(f"<p>{markup}</p>").images == (Image(url="https://clinic.example/a.jpg"),)


def test_a_placeholder_alone_is_no_picture() -> None:
    assert body_of('<p><img src="data:image/gif;base64,R0lG"></p>') == Body()


@pytest.mark.parametrize(
    ("source_set", "largest"),
    [
        ("", ""),
        ("a.jpg", "a.jpg"),
        ("a.jpg, b.jpg 2x", "b.jpg"),
        ("a.jpg 1x,b.jpg 1.5x", "b.jpg"),
        ("w_10,h_10/a.jpg 10w, w_90,h_90/a.jpg 90w", "w_90,h_90/a.jpg"),
        ("a.jpg 100h, b.jpg wide", "a.jpg"),
        (", ,", ""),
    ],
)
def test_source_sets(source_set: str, largest: str) -> None:
    assert largest_source(source_set) == largest


def test_films_are_videos_and_blobs_are_none() -> None:
    body = body_of('<video><source src="/a.mp4"></video><audio src="blob:x"></audio>')
    assert body.images == (Image(url="https://clinic.example/a.mp4", kind="video"),)
