"""Joins the pages of a post whose text lies on several."""

from __future__ import annotations

from dataclasses import replace

from scraper.items import PARTIAL_TEXT, Extraction, Post, PostPart, Problem, Source

_HTML: Source = "html"


def join_parts(held: list[Extraction]) -> list[Extraction]:
    """Return the captures without `PostPart`s; where all pages of a post came, their text is a `Post` of the last one.

    A text that lacks a page is not joined: the next visit would show the page as an edit.
    """
    parts: dict[str, dict[int, PostPart]] = {}
    last: dict[str, int] = {}  # place of the capture of the last page that came
    for place, extraction in enumerate(held):
        for item in extraction.items:
            if isinstance(item, PostPart):
                parts.setdefault(item.post, {})[item.number] = item
                last[item.post] = place
    if not parts:
        return held
    whole = {post: pages for post, pages in parts.items() if len(pages) == max(page.last for page in pages.values())}
    joined: list[Extraction] = []
    for place, extraction in enumerate(held):
        own = {item.post for item in extraction.items if isinstance(item, PostPart)}
        is_whole = bool(own) and own <= whole.keys()
        items = [
            item
            for item in extraction.items
            if not isinstance(item, PostPart)
            and not (is_whole and isinstance(item, Problem) and item.kind == PARTIAL_TEXT)
        ]
        items += [_joined(post, whole[post]) for post in sorted(own & whole.keys()) if last[post] == place]
        joined.append(replace(extraction, items=tuple(items)))
    return joined


def _joined(address: str, parts: dict[int, PostPart]) -> Post:
    pages = [parts[number].page for number in sorted(parts)]
    text = "\n".join(page.body_text for page in pages if page.body_text)
    post = Post(
        platform=pages[0].platform,
        platform_post_id=pages[0].platform_post_id,
        addresses=(address,),
        title=pages[0].title,
        author=pages[0].author,
        body_text=text or None,
        word_count=len(text.split()) or None,
        body_html="".join(page.body_html or "" for page in pages) or None,
        links=tuple(link for page in pages for link in page.links),
        images=tuple(image for page in pages for image in page.images),
    )
    names = ("title", "author", "body_text", "body_html", "word_count", "links", "images")
    post.sources = {name: _HTML for name in names if getattr(post, name) not in (None, ())}
    return post
