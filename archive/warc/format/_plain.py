"""Whether bytes are a text that was never encoded, or was decoded already: judged by how they begin."""

import re

_SAMPLE = 1024
# "\x1f\x8b" and nearly all other compressed data hold a control character early
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
# As these begin: <!doctype html>, <html lang="de">, <!-- made by -->, <?xml version="1.0"?>, <urlset xmlns="...">
_MARKUP = re.compile(rb"\s*<[!?a-z]", re.IGNORECASE)
# As these begin: {"post": {}}, [1, 2], [], {}
_JSON = re.compile(rb"\s*[\[{]\s*[\"\[{\]}\dtfn-]")
# "text/html", "application/xhtml+xml", "image/svg+xml"; "application/ld+json", "text/json"
_MARKUP_TYPE = re.compile(r"(text|application)/html|.*[/+]xml|application/xhtml")
_JSON_TYPE = re.compile(r".*[/+]json")


def begins_as(body: bytes, content_type: str | None) -> bool:
    """Return whether a body begins as its Content-Type says: as HTML or XML, as JSON, as text.

    Without a Content-Type, HTML, XML and JSON are looked for. False for every other type, and for an empty body.
    """
    mime = (content_type or "").partition(";")[0].strip().lower()
    sample = body[:_SAMPLE].removeprefix(b"\xef\xbb\xbf")
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):  # the byte order marks of UTF-16
        sample = sample.decode("utf-16", "replace").encode("utf-8", "replace")
    if _CONTROL.search(sample):
        return False
    is_markup, is_json = _MARKUP.match(sample) is not None, _JSON.match(sample) is not None
    if _JSON_TYPE.fullmatch(mime):
        return is_json
    if _MARKUP_TYPE.match(mime):
        return is_markup
    if mime == "text/plain":
        return is_text(body)
    return not mime and (is_markup or is_json)


def is_text(body: bytes) -> bool:
    """Return whether a body is UTF-8 text without control characters; False for an empty one."""
    if not body or _CONTROL.search(body):
        return False
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
