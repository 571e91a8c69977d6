"""The page's own script, with the addresses and words it needs put in front.

Normally it asks the known addresses with a visitor's token. Where those are switched off it asks another spelling,
which stands in no HTML document: only in the script itself.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from .api import PULSE
from .chrome import BLOG_APP
from .locale import LANGUAGES

_SOURCE = Path(__file__).parent / "static" / "blog-viewer.js"


@cache
def source(api: bool) -> str:
    """The script for a clinic with or without the known addresses."""
    known = {
        "tokens": "/_api/v1/access-tokens",
        "post": "/_api/blog-frontend-adapter-public/v2/post-page/",
        "metadata": "/_api/blog-frontend-adapter-public/v2/post-page-metadata/",
        "comments": "/_api/comments/v1/comments/list-by-resource",
        "members": "/_api/members/v1/members/query",
    }
    other = {
        "tokens": "",
        "post": f"{PULSE}/card/",
        "metadata": f"{PULSE}/beat/",
        "comments": f"{PULSE}/voices",
        "members": f"{PULSE}/faces",
    }
    words = {
        code: {"views": language.views, "comments": language.comments, "months": language.months}
        for code, language in LANGUAGES.items()
    }
    settings = {"app": BLOG_APP, "addresses": known if api else other, "words": words}
    text = json.dumps(settings, ensure_ascii=False, separators=(",", ":"))
    return f"var blogViewerSettings={text};\n{_SOURCE.read_text('utf-8')}"
