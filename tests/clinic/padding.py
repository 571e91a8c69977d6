"""Bulk in the shape of a real page: style rules, class names, icon paths and viewer-model JSON.

A captured page is about a megabyte of which less than a twentieth is text (reference 1.1), and compresses four to six
times. This module makes bytes with those properties, the same ones for the same seed.
"""

from __future__ import annotations

import json
import os
import random
import string
from functools import cache

BULK = float(os.environ.get("CLINIC_BULK", "1"))  # of the bytes of a real page that stand for nothing
_LETTERS = string.ascii_letters + string.digits
_DECLARATIONS = (
    "display:flex",
    "display:block",
    "display:none",
    "position:relative",
    "position:absolute",
    "overflow:hidden",
    "box-sizing:border-box",
    "width:100%",
    "height:100%",
    "margin:0",
    "padding:0",
    "border:0",
    "cursor:pointer",
    "text-align:start",
    "white-space:nowrap",
    "pointer-events:none",
    "flex-direction:column",
    "align-items:center",
    "padding:{}px {}px",
    "margin-inline-start:{}px",
    "font-size:{}px",
    "line-height:{}px",
    "width:{}px",
    "min-height:{}px",
    "top:{}px",
    "opacity:.{}",
    "z-index:{}",
    "flex:{} {} auto",
    "grid-area:{} / {} / {} / {}",
    "color:rgb(var(--color_{}))",
    "background-color:var(--wix-color-{})",
    "border-radius:{}px",
    "transition:opacity .{}s ease 0s,visibility 0s .{}s",
    "font:var(--font_{})",
    "fill:rgba({},{},{},.{})",
    "transform:translate3d({}px,{}px,0)",
    "box-shadow:0 {}px {}px 0 rgba(22,45,61,.{})",
    "max-width:calc(100% - {}px)",
    "--corvid-color-{}:rgba({},{},{},1)",
    "letter-spacing:.{}em",
)
_PSEUDO = ("", "", "", "", ":hover", ":focus", ":before", " svg", " button", " span", ">div", "[data-mode~=open]")
_WORDS = (
    "viewer",
    "router",
    "members",
    "forms",
    "gallery",
    "booking",
    "render",
    "theme",
    "mobile",
    "lazy",
    "cache",
    "preset",
    "media",
    "header",
    "layout",
    "schema",
    "motion",
    "anchor",
    "consent",
    "locale",
    "widget",
    "store",
    "events",
    "panel",
    "worker",
    "session",
    "platform",
    "image",
    "blog",
    "comments",
    "portal",
)


def class_name(rng: random.Random) -> str:
    """A hashed class name such as the style loader gives out."""
    return "".join(rng.choices(_LETTERS, k=rng.choice((5, 6, 6, 6))))


def hashed(seed: str) -> str:
    """The class name that belongs to a seed."""
    return "s" + class_name(random.Random(seed))


def _rule(rng: random.Random, classes: list[str]) -> str:
    selectors = ",".join(
        f".{rng.choice(classes)}{rng.choice(_PSEUDO)}" + (f" .{rng.choice(classes)}" if rng.random() < 0.4 else "")
        for _ in range(rng.choice((1, 1, 1, 2)))
    )
    declarations = ";".join(
        pattern.format(*(rng.randrange(300) for _ in range(4)))
        for pattern in rng.sample(_DECLARATIONS, rng.randint(2, 5))
    )
    return f"{selectors}{{{declarations}}}"


@cache
def style_sheets(generation: int) -> tuple[str, ...]:
    """The style elements of one generation of pages, about 8 KB each, newest builds having more of them."""
    rng = random.Random(f"styles of generation {generation}")
    sheets = []
    for index in range(round((64 if generation == 1 else 86) * BULK)):
        classes = [class_name(rng) for _ in range(45)]
        rules: list[str] = []
        size = 0
        while size < 8000:
            rules.append(_rule(rng, classes))
            size += len(rules[-1])
        name = f"{rng.choice(_WORDS)}.{rng.choice(_WORDS)}[{rng.choice(_WORDS).title()}{index}].{class_name(rng)}"
        sheets.append(
            f'<style data-href="https://static.parastorage.com/services/{name}.min.css">{"".join(rules)}</style>'
        )
    return tuple(sheets)


def styles(generation: int, share: float) -> str:
    """A part of a generation's style elements."""
    sheets = style_sheets(generation)
    return "\n".join(sheets[: max(1, round(len(sheets) * share))])


@cache
def model_filler(generation: int) -> str:
    """A JSON object of experiments, client specs and routes: the bulk of the viewer model (about 0.3 MB)."""
    rng = random.Random(f"model of generation {generation}")
    specs: dict[str, object] = {}
    for _ in range(round((560 if generation == 1 else 800) * BULK)):
        guid = "-".join("".join(rng.choices("0123456789abcdef", k=size)) for size in (8, 4, 4, 4, 12))
        first, two, three = rng.choices(_WORDS, k=3)
        specs[guid] = {
            "appDefinitionId": guid,
            "type": rng.choice(("public", "editor", "siteextension")),
            "applicationId": rng.randrange(20_000),
            "widgets": {
                f"{first}_{two}": {"componentUrl": f"https://{first}.wixapps.net/{two}/{three}?v={rng.random():.6f}"}
            },
            "experiments": {
                f"specs.{rng.choice(_WORDS)}.{rng.choice(_WORDS).title()}{rng.choice(_WORDS).title()}": "true"
                for _ in range(4)
            },
        }
    return json.dumps(specs, separators=(",", ":"))


@cache
def icon(seed: str, points: int = 40) -> str:
    """A small drawing with a plausible path."""
    rng = random.Random(seed)
    path = " ".join(f"{rng.choice('LC')}{rng.uniform(0, 19):.3f},{rng.uniform(0, 19):.3f}" for _ in range(points))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="19" viewBox="0 0 19 19" role="img" class="blog-icon-fill">'
        f'<path d="M0,0 {path} Z"></path></svg>'
    )


@cache
def script_filler(seed: str, size: int) -> str:
    """An inline bundle: minified-looking code that does nothing."""
    rng = random.Random(seed)
    parts = ['(function(){"use strict";var n={};']
    length = 0
    while length < size:
        first, two = class_name(rng).lower(), rng.choice(_WORDS)
        parts.append(
            f'n["{first}"]=function(e,t){{return e&&e.{two}?t(e.{two},{rng.randrange(9999)}):void 0}};'
            f'n["{two}_{rng.randrange(999)}"]=[{",".join(str(rng.randrange(999)) for _ in range(6))}];'
        )
        length += len(parts[-1])
    return "".join(parts) + "})();"
