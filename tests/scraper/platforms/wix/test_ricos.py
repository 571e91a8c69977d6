"""Rich content: each node type, the older forms, strange shapes, and real documents against an independent reading."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from scraper.items import Image, Link
from scraper.platforms._html import text_lines
from scraper.platforms.wix.richtext.ricos import render
from scraper.platforms.wix.richtext.ricos_media import MEDIA, media_url

REAL = Path(__file__).parents[5] / "shared" / "real-pages" / "api"
FACTS = Path(__file__).parent / "real_facts.json"
Node = dict[str, Any]


def text(words: str, *decorations: Node) -> Node:
    return {"type": "TEXT", "textData": {"text": words, "decorations": list(decorations)}}


def node(kind: str, *nodes: Node, **data: Any) -> Node:
    return {"type": kind, "nodes": list(nodes), **data}


def paragraph(words: str) -> Node:
    return node("PARAGRAPH", text(words))


def document(*nodes: Node) -> Node:
    return {"nodes": list(nodes), "metadata": {"version": 1}}


LINK = {"type": "LINK", "linkData": {"link": {"url": "https://example.org/a", "rel": {"nofollow": True}}}}
BOLD = {"type": "BOLD", "fontWeightValue": 700}


def test_paragraphs_headings_and_styles() -> None:
    body = render(
        document(
            node("HEADING", text("Before & after"), headingData={"level": 3}),
            node("PARAGRAPH"),
            node(
                "PARAGRAPH",
                text("Eat "),
                text("lightly", BOLD, {"type": "ITALIC", "italicData": True}),
                text(".\nRest."),
            ),
            node("PARAGRAPH", text("thin", {"type": "BOLD", "fontWeightValue": 400})),
        )
    )
    assert body.text == "Before & after\nEat lightly. Rest.\nthin"
    assert "<h3>Before &amp; after</h3>" in body.html
    assert "<em><strong>lightly</strong></em>" in body.html
    assert "<strong>thin" not in body.html


def test_links_join_across_styles_and_refuse_scripts() -> None:
    script = {"type": "LINK", "linkData": {"link": {"url": "javascript:alert(1)"}}}
    body = render(
        document(node("PARAGRAPH", text("see ", LINK), text("here", LINK, BOLD), text(" or "), text("not", script)))
    )
    assert body.links == (Link(url="https://example.org/a", text="see here", rel="nofollow"),)
    assert "javascript" not in body.html
    assert body.text == "see here or not"


def test_lists_quotes_tables_and_folds_give_a_block_a_line() -> None:
    inner = node("ORDERED_LIST", node("LIST_ITEM", paragraph("deep")))
    row = node("TABLE_ROW", node("TABLE_CELL", paragraph("dose")), node("TABLE_CELL", paragraph("20 mg")))
    fold = node(
        "COLLAPSIBLE_LIST",
        node(
            "COLLAPSIBLE_ITEM",
            node("COLLAPSIBLE_ITEM_TITLE", paragraph("Is it safe?")),
            node("COLLAPSIBLE_ITEM_BODY", paragraph("Ask us.")),
        ),
    )
    body = render(
        document(
            node("BULLETED_LIST", node("LIST_ITEM", paragraph("one"), inner), node("LIST_ITEM", paragraph("two"))),
            node("BLOCKQUOTE", paragraph("quoted")),
            node("TABLE", row),
            fold,
            node("CODE_BLOCK", text("x = 1")),
        )
    )
    assert body.text.split("\n") == ["one", "deep", "two", "quoted", "dose", "20 mg", "Is it safe?", "Ask us.", "x = 1"]
    assert text_lines(BeautifulSoup(body.html or "", "lxml").contents) == body.text.split("\n")


def test_pictures_galleries_videos_and_files() -> None:
    image = {"image": {"src": {"id": "ab_1%7Emv2.jpg"}}, "altText": "A chair", "caption": "The room"}
    gallery = {
        "items": [
            {"image": {"media": {"src": {"id": "ab_2~mv2.jpg"}}}, "altText": "left"},
            {"video": {"media": {"src": {"id": "ab_3"}}}},
        ]
    }
    body = render(
        document(
            node("IMAGE", node("CAPTION", text("The room")), imageData=image),
            node("IMAGE", imageData=image),
            node("GALLERY", galleryData=gallery),
            node("VIDEO", videoData={"video": {"src": {"url": "https://youtu.be/x1"}}}),
            node("FILE", fileData={"src": {"id": "form.pdf"}, "name": "Intake form.pdf"}),
            node("HTML", htmlData={"url": "https://widget.example/box.html"}),
            node("GIF", gifData={"original": {"gif": "https://media.example/a.gif"}}),
        )
    )
    assert body.text == "The room\nThe room"
    assert body.images == (
        Image(url=MEDIA + "ab_1~mv2.jpg", alt="A chair", caption="The room"),
        Image(url=MEDIA + "ab_1~mv2.jpg", alt="A chair", caption="The room"),
        Image(url=MEDIA + "ab_2~mv2.jpg", alt="left", kind="gallery"),
        Image(url="https://video.wixstatic.com/video/ab_3/file", kind="video"),
        Image(url="https://youtu.be/x1", kind="video"),
        Image(url="https://static.wixstatic.com/ugd/form.pdf", alt="Intake form.pdf", kind="file"),
        Image(url="https://widget.example/box.html", kind="file"),
        Image(url="https://media.example/a.gif"),
    )


def test_buttons_previews_embeds_and_polls() -> None:
    preview = {"title": "A guide", "description": "All of it", "link": {"url": "https://example.org/g"}}
    poll = {"poll": {"title": "Which day?", "options": [{"title": "Monday"}, {"title": "Friday"}]}}
    embed = {"src": "https://vimeo.example/1", "oembed": {"type": "video", "title": "A walk"}}
    body = render(
        document(
            node("BUTTON", buttonData={"text": "Book now", "link": {"url": "/book"}}),
            node("LINK_PREVIEW", linkPreviewData=preview),
            node("POLL", pollData=poll),
            node("EMBED", embedData=embed),
            node("DIVIDER"),
            node("SOMETHING_NEW", paragraph("joined")),
        )
    )
    assert body.text.split("\n") == ["Book now", "A guide", "All of it", "Which day?", "Monday", "Friday", "joined"]
    assert [link.url for link in body.links] == ["/book", "https://example.org/g"]
    assert body.images == (Image(url="https://vimeo.example/1", alt="A walk", kind="video"),)


def test_numeric_node_types() -> None:
    words = {"type": 1, "textData": {"text": "old", "decorations": [{"type": 0}]}}
    image = {"type": 14, "imageData": {"image": {"src": {"id": "n~mv2.png"}}}}
    body = render({"nodes": [{"type": 2, "headingData": {"level": 1}, "nodes": [words]}, image]})
    assert body.html.startswith("<h1><strong>old</strong></h1>")
    assert body.images == (Image(url=MEDIA + "n~mv2.png"),)


def test_draft_js() -> None:
    blocks: list[Node] = [
        {"type": "header-two", "text": "Costs"},
        {"type": "unstyled", "text": "🌿 see the list", "entityRanges": [{"key": 0, "offset": 11, "length": 4}],
         "inlineStyleRanges": [{"style": "BOLD", "offset": 3, "length": 3}]},
        {"type": "unordered-list-item", "text": "a", "depth": 0},
        {"type": "ordered-list-item", "text": "b", "depth": 1},
        {"type": "unordered-list-item", "text": "c", "depth": 0},
        {"type": "atomic", "text": " ", "entityRanges": [{"key": 1, "offset": 0, "length": 1}]},
        {"type": "atomic", "text": " ", "entityRanges": [{"key": 2, "offset": 0, "length": 1}]},
    ]  # fmt: skip
    cell = {"content": {"blocks": [{"type": "unstyled", "text": "cell"}]}}
    table = {"config": {"rows": {"0": {"columns": {"0": cell}}}}}
    image = {"src": {"file_name": "d~mv2.jpg"}, "metadata": {"alt": "door"}}
    entities = {
        "0": {"type": "LINK", "data": {"url": "https://example.org/list"}},
        "1": {"type": "wix-draft-plugin-image", "data": image},
        "2": {"type": "wix-draft-plugin-table", "data": table},
    }
    body = render({"blocks": blocks, "entityMap": entities})
    assert body.text.split("\n") == ["Costs", "🌿 see the list", "a", "b", "c", "cell"]
    assert "🌿 <strong>see</strong>" in body.html
    assert "<li><p>a</p><ol><li><p>b</p></li></ol></li><li><p>c</p></li></ul>" in body.html
    assert body.links == (Link(url="https://example.org/list", text="list"),)
    assert body.images == (Image(url=MEDIA + "d~mv2.jpg", alt="door"),)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"id": "x~mv2.jpg"}, MEDIA + "x~mv2.jpg"),
        ({"url": MEDIA + "x~mv2.jpg/v1/fill/w_9,h_9/x.jpg"}, MEDIA + "x~mv2.jpg"),
        ("wix:image://v1/x~mv2.jpg/name.jpg#originWidth=9", MEDIA + "x~mv2.jpg"),
        ({"url": "data:image/png;base64,AAAA"}, None),
        ({}, None),
        (7, None),
    ],
)
def test_media_url(source: object, expected: str | None) -> None:
    assert media_url(source) == expected


def test_bottomless_nesting_keeps_the_text() -> None:
    tree = text("bottom")
    for _ in range(50_000):
        tree = node("BLOCKQUOTE", tree)
    assert render(document(paragraph("top"), tree, paragraph("end"))).text == "top\nbottom\nend"


def test_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    assert render(json.loads('{"nodes":[{"type":"TEXT","textData":{"text":"a\\ud83cb"}}]}')).text == "a\ufffdb"


KEYS = st.sampled_from([
    "nodes", "type", "textData", "text", "decorations", "imageData", "image", "src", "id", "url", "galleryData",
    "items", "blocks", "entityMap", "entityRanges", "inlineStyleRanges", "offset", "length", "key", "depth", "data",
    "config", "rows", "columns", "content", "pairs", "level", "headingData",
])  # fmt: skip
KINDS = st.sampled_from([
    "PARAGRAPH", "TEXT", "IMAGE", "GALLERY", "TABLE", "TABLE_CELL", "LIST_ITEM", "LINK", "BOLD", "atomic",
    "ordered-list-item",
])  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | KINDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=6),
    max_leaves=40,
)


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_never_raises_and_never_prints_an_empty_line(value: object) -> None:
    body = render(value)
    assert body.text is None or all(line.strip() for line in body.text.split("\n"))


def plain(words: str) -> str:
    """As `real_facts.json` hashes a text: NFC, without white space and zero-width characters."""
    joined = "".join(words.split())
    return unicodedata.normalize("NFC", joined.translate(dict.fromkeys((0x200B, 0x200C, 0x200D, 0xFEFF))))


@pytest.mark.skipif(not REAL.is_dir(), reason="the captured answers are not at hand")
def test_real_documents_read_as_their_pages_do() -> None:
    """The independent reading took its text from the HTML of the same posts."""
    facts = {fact.get("post_uuid"): fact for name, fact in json.loads(FACTS.read_bytes()).items() if name != "_notes"}
    compared = 0
    for path in sorted(REAL.glob("post-page__*.json")):
        post = json.loads(path.read_bytes())["postPageResponse"]["data"]["postPage"]["post"]
        body = render(post["richContent"])
        lines = text_lines(BeautifulSoup(body.html or "", "lxml").contents)
        assert lines == (body.text.split("\n") if body.text else [])
        fact = facts.get(post["id"])
        if fact is None:
            continue
        read = hashlib.sha256(plain(body.text or "").encode()).hexdigest()
        assert read == fact["body_sha256_nows"], path.name
        assert sum(image.kind == "image" for image in body.images) == fact["images"]
        assert sum(image.kind == "video" for image in body.images) == fact["videos"]
        compared += 1
    assert compared >= 6
