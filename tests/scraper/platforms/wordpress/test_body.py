"""The text of a post: without others' words, blocks that change by themselves, and what plugins add."""

from __future__ import annotations

import pytest

from scraper.platforms.wordpress.body import read_html

URL = "https://harbour-clinic.example/rest/"


def text(html: str) -> str | None:
    return read_html(html, URL).text


@pytest.mark.parametrize(
    "block",
    [
        '<ol class="wp-block-latest-comments"><li>Marta on Walks</li></ol>',
        '<div class="wp-block-comments"><p>A reader</p></div>',
        '<div class="wp-block-calendar"><table><tr><td>1</td></tr></table></div>',
        '<ul class="wp-block-archives-list wp-block-archives"><li>May 2024</li></ul>',
        '<ul class="wp-block-latest-posts__list wp-block-latest-posts"><li>Naps</li></ul>',
        '<div class="wp-block-query"><h2>Naps</h2></div>',
        '<div class="sharedaddy sd-sharing-enabled">Share this</div>',
        '<div class="heateor_sss_sharing_container">Share</div>',
        '<div id="jp-relatedposts" class="jp-relatedposts"><h3>Related</h3></div>',
        "<div class='yarpp yarpp-related'><p>No related posts.</p></div>",
        '<div class="saboxplugin-wrap"><p>About Noor</p></div>',
        '<div class="post-views content-post post-8"><span class="post-views-count">12</span></div>',
        '<div class="wpulike"><span class="count-box">3</span></div>',
        '<div id="ez-toc-container"><p>Contents</p></div>',
        '<form class="wpcf7-form"><label>Your name</label></form>',
        '<div class="page-links">Pages: 1 2</div>',
        '<div class="code-block code-block-2">An advertisement</div>',
        '<div id="comments"><p>A reader</p></div>',
        "1,204 views",
        '<div class="widget widget_recent_comments"><ul><li>Marta</li></ul></div>',
    ],
)
def test_what_is_not_the_authors_is_neither_text_nor_an_edit(block: str) -> None:
    assert text(f"<p>Rest.</p>{block}<p>Walk.</p>") == "Rest.\nWalk."


@pytest.mark.parametrize(
    ("html", "kept"),
    [
        ('<div class="so-panel widget widget_sow-editor"><p>Rest.</p></div>', "Rest."),  # a row of SiteOrigin
        ('<div class="wp-block-search"><form class="wp-block-search"><label>Find</label></form></div>', "Find"),
        ("<h2>7 views of the harbour</h2>", "7 views of the harbour"),
        ("<ul><li>12 views</li></ul>", "12 views"),
        ("<p>It has <b>12 views</b> a day.</p>", "It has 12 views a day."),
        ('<pre class="wp-block-code"><code>1 &lt; 2 &amp; 3</code></pre>', "1 < 2 & 3"),
        ('<p>Well <img class="emoji" alt="🙂" src="https://s.w.org/e.svg"> done</p>', "Well 🙂 done"),
    ],
)
def test_what_the_author_wrote_stays(html: str, kept: str) -> None:
    assert text(html) == kept


def test_avatars_and_links_to_them_reach_no_part_of_a_body() -> None:
    body = read_html(
        '<p>By <a href="https://gravatar.com/0123456789abcdef0123456789abcdef">Noor</a>'
        '<img src="https://1.gravatar.com/avatar/0123456789abcdef0123456789abcdef?s=96" alt="">'
        '<img class="avatar" src="/uploads/noor.jpg" alt="Noor"></p>',
        URL,
    )
    assert (body.text, body.links, body.images) == ("By Noor", (), ())
    assert "0123" not in (body.html or "")


def test_addresses_become_absolute_and_players_are_films() -> None:
    body = read_html(
        '<p><a href="/a">a</a> <a href="http://[x">b</a></p><iframe src="//player.vimeo.com/video/9">', URL
    )
    assert [link.url for link in body.links] == ["https://harbour-clinic.example/a", "http://[x"]
    assert [(image.url, image.kind) for image in body.images] == [("https://player.vimeo.com/video/9", "video")]


def test_the_same_words_give_the_same_text_in_every_source() -> None:
    api = "<p>Rest.</p><figure><img src='/a.png' alt='A'></figure>"
    page = f"<div class='entry-content'>{api}<div class='essb_links'>Share</div></div>"
    assert read_html(api, URL) == read_html(page, URL)
