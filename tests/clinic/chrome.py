"""The document around a widget: head, inline styles, site header and footer, viewer models, warm-up data.

Order and proportions follow section 1.1 of the reference: most bytes are inline CSS before the body and the viewer
model after it; the two sentinels "top of page" and "bottom of page" stay English in every language.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from html import escape
from typing import Any

from . import padding
from .model import Image, stable_uuid

SITE = "Juniper Lane Ketamine Clinic"
BLOG_APP = "14bcded7-0066-7c35-14d7-466cb3f09103"
BLOG_APP_INTERNAL = "22bef345-3c5b-4c18-b782-74d4085112ff"
META_SITE = stable_uuid("meta site")
SITE_ID = stable_uuid("site")
TIMEZONE = "America/Boise"

MENU = (
    ("Home", "/"),
    ("About", "/about"),
    ("Our Team", "/team"),
    ("Treatments", "/treatments"),
    ("Depression", "/treatments/depression"),
    ("PTSD", "/treatments/ptsd"),
    ("Chronic Pain", "/treatments/pain"),
    ("Pricing", "/pricing"),
    ("Blog", "/blog"),
    ("Contact", "/contact"),
    ("Book a Consultation", "/book-online"),
)
_FOOTER = (
    ("Visit", ("218 Juniper Lane, Suite 4", "Boise, Idaho 83702", "Parking behind the building")),
    ("Hours", ("Monday to Thursday 7 am to 5 pm", "Friday 6 am to 2 pm", "Closed on weekends")),
    ("Emergencies", ("If you are in danger, call 911.", "Crisis line: call or text 988, day and night.")),
    ("Notice", ("Nothing on this website is medical advice.", "Results differ from person to person.")),
)


@dataclass
class Page:
    """What a document needs to know about what it shows."""

    base: str
    path: str
    title: str
    generation: int
    widget: str
    language: str = "en"
    direction: str = "ltr"
    description: str = ""
    og_title: str = ""
    og_type: str = "website"
    image: Image | None = None
    metas: list[tuple[str, str]] = field(default_factory=list)
    json_ld: dict[str, Any] | None = None
    warmup: dict[str, str | dict[str, Any]] | None = None
    script: dict[str, str] | None = None
    share: float = 1.0
    build: str = ""

    @property
    def url(self) -> str:
        """The absolute address of the page."""
        return self.base + self.path


def embedded(value: object) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")


@cache
def _styles(generation: int, share: float) -> str:
    return padding.styles(generation, share)


def _meta(name: str, content: str, attribute: str = "property") -> str:
    return f'<meta {attribute}="{name}" content="{escape(content)}"/>'


def _head(page: Page) -> str:
    essential = {
        "fleetConfig": {"fleetName": "thunderbolt-isolated-renderer", "type": "GA", "code": 0},
        "mode": {"qa": False, "enableTestApi": False, "debug": False, "ssrIndicator": False, "ssrOnly": False},
        "language": {"userLanguage": page.language},
        "site": {"externalBaseUrl": page.base, "isSEO": False},
        "media": {
            "staticMediaUrl": "https://static.wixstatic.com/media",
            "mediaRootUrl": "https://static.wixstatic.com/",
        },
        "requestUrl": page.url,
        "commonConfig": {
            "brand": "wix",
            "siteRevision": "898",
            "branchId": "",
            "language": page.language,
            "locale": "en-us",
            "BSI": "",
        },
    }
    visible = page.og_title or page.title
    social = [
        _meta("og:title", visible),
        _meta("og:url", page.url),
        _meta("og:site_name", SITE),
        _meta("og:type", page.og_type),
    ]
    twitter = [_meta("twitter:card", "summary_large_image", "name"), _meta("twitter:title", visible, "name")]
    if page.description:
        social.insert(1, _meta("og:description", page.description))
        twitter.append(_meta("twitter:description", page.description, "name"))
    if page.image:
        fitted = f"{page.image.url}/v1/fill/w_1000,h_667,al_c,q_90,usm_0.66_1.00_0.01/{page.image.uri}"
        social[2:2] = [
            _meta("og:image", fitted),
            _meta("og:image:width", str(page.image.width)),
            _meta("og:image:height", str(page.image.height)),
        ]
        twitter.append(_meta("twitter:image", fitted, "name"))
    json_ld = f'<script type="application/ld+json">{embedded(page.json_ld)}</script>' if page.json_ld else ""
    return "\n".join(
        [
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1" id="wixDesktopViewport" />',
            '<meta http-equiv="X-UA-Compatible" content="IE=edge">',
            '<meta name="generator" content="Wix.com Website Builder"/>',
            f'<script type="application/json" id="wix-essential-viewer-model">{embedded(essential)}</script>',
            "<script>window.viewerModel = JSON.parse("
            "document.getElementById('wix-essential-viewer-model').textContent)</script>",
            f'<script data-url="https://static.parastorage.com/services/thunderbolt/handleTokens.inline.bundle.min.js">'
            f"{padding.script_filler('head', 9000)}</script>",
            _styles(page.generation, page.share),
            f'<meta http-equiv="X-Wix-Meta-Site-Id" content="{META_SITE}">',
            f'<meta http-equiv="X-Wix-Application-Instance-Id" content="{SITE_ID}">',
            '<meta http-equiv="X-Wix-Published-Version" content="898"/>',
            '<meta http-equiv="etag" content="bug"/>',
            f"<title>{escape(page.title, quote=False)}</title>",
            f'<link rel="canonical" href="{escape(page.url)}"/>',
            *social,
            json_ld,
            *(_meta(name, content) for name, content in page.metas),
            f'<link rel="alternate" href="{page.base}/blog-feed.xml" title="{SITE} - RSS" type="application/rss+xml"/>',
            *twitter,
        ]
    )


@cache
def _header(base: str) -> str:
    items = "".join(
        f'<li id="comp-m4z{index}" class="sFn6x wixui-horizontal-menu__item"><div class="{padding.hashed(label)}">'
        f'<a data-testid="linkElement" href="{base}{path if path != "/" else ""}" target="_self" '
        f'class="{padding.hashed(path)}">'
        f'<span class="{padding.hashed("m" + label)}">{label}</span></a>{padding.icon("menu" + label, 24)}</div></li>'
        for index, (label, path) in enumerate(MENU)
    )
    colors = ";".join(f"--wix-color-{n}:var(--color_{n % 36})" for n in range(1, 90))
    return (
        '<div id="SCROLL_TO_TOP" class="Vd6aQZ ignore-focus SCROLL_TO_TOP" role="region" tabindex="-1" '
        'aria-label="top of page"><span class="mHZSwn">top of page</span></div>'
        f'<div id="site-root" class="site-root"><div id="masterPage" class="mesh-layout" style="{colors}">'
        '<header id="SITE_HEADER" class="xU8fqS SITE_HEADER wixui-header" tabindex="-1"><div class="_C0cVf">'
        f'<div class="{padding.hashed("logo")}"><a data-testid="linkElement" href="{base}" class="j7pOnl" '
        f'aria-label="{SITE}">{padding.icon("logo", 260)}</a></div>'
        f'<nav id="comp-menu" aria-label="Site" class="StylableHorizontalMenu"><ul class="sKaWy">{items}</ul></nav>'
        f'<nav id="comp-hamburger" aria-label="Mobile" class="HamburgerMenu" hidden><ul class="sKaWm">{items}</ul>'
        "</nav>"
        "</div></header>"
    )


@cache
def _footer(base: str) -> str:
    columns = "".join(
        f'<div class="{padding.hashed(title)} wixui-rich-text" data-testid="richTextElement"><h6 class="font_6 '
        'wixui-rich-text__text">'
        f'<span class="color_11 wixui-rich-text__text">{title}</span></h6>'
        + "".join(
            '<p class="font_8 wixui-rich-text__text" style="line-height:1.7em; font-size:15px;"><span '
            'style="letter-spacing:'
            f'normal;" class="wixui-rich-text__text">{line}</span></p>'
            for line in lines
        )
        + "</div>"
        for title, lines in _FOOTER
    )
    links = "".join(
        f'<li id="dataItem-{name}" class="VGXFRO"><a data-testid="linkElement" '
        f'href="https://{name}.example/juniperlane" '
        f'target="_blank" rel="noreferrer noopener" aria-label="{name}">{padding.icon(name, 120)}</a></li>'
        for name in ("facebook", "instagram", "youtube")
    )
    form = "".join(
        f'<div class="{padding.hashed(label)}"><label for="f-{label}" class="wixui-text-input__label">{label}</label>'
        f'<input id="f-{label}" class="has-custom-focus wixui-text-input__input" type="text" '
        f'name="{label.lower()}" value=""/></div>'
        for label in ("First name", "E-mail")
    )
    drawings = "".join(
        f'<div class="comp-shape" data-testid="svgRoot">{padding.icon(f"shape{n}", 300)}</div>' for n in range(8)
    )
    return (
        '<footer id="SITE_FOOTER" class="xU8fqS SITE_FOOTER wixui-footer" tabindex="-1"><div class="_C0cVf">'
        f'{columns}<ul class="v6gSj">{links}</ul>{drawings}<form class="JVi7i2"><p class="font_8">Letters '
        "from the clinic, "
        f'once a month</p>{form}<button class="wixui-button" type="submit">Subscribe</button></form>'
        f'<p class="font_9">© {SITE}. <a href="{base}/privacy-policy">Privacy</a> <a href="{base}/accessibility">'
        "Accessibility</a>"
        "</p></div></footer></div></div>"
        '<div id="SCROLL_TO_BOTTOM" class="Vd6aQZ ignore-focus SCROLL_TO_BOTTOM" role="region" tabindex="-1" '
        'aria-label="bottom of page"><span class="mHZSwn">bottom of page</span></div>'
    )


def _viewer_model(base: str, path: str, language: str, generation: int) -> str:
    model = {
        "siteFeaturesConfigs": {
            "accessibilityBrowserZoom": {"isBuilder": False, "isStudio": generation == 2},
            "seo": {
                "context": {
                    "siteName": SITE,
                    "siteUrl": base,
                    "indexSite": True,
                    "defaultUrl": base + path,
                    "businessName": SITE,
                    "homePageTitle": "Home",
                    "currency": "USD",
                }
            },
            "siteWixCodeSdk": {
                "siteDisplayName": SITE,
                "siteRevision": 898,
                "regionalSettings": "en-us",
                "language": language,
                "currency": "USD",
                "pageIdToPrefix": {},
                "timezone": TIMEZONE,
            },
            "router": {"baseUrl": base, "pages": {"dplda": {"pageUriSEO": "post"}}},
        },
        "site": {"metaSiteId": META_SITE, "siteId": SITE_ID, "editorName": "Studio", "siteType": "UGC"},
        "language": {"userLanguage": language},
    }
    text = embedded(model)
    return text[:-1] + ',"tpaCommons":{"appsClientSpecMapData":' + padding.model_filler(generation) + "}}"


def _warmup(page: Page) -> str:
    apps: dict[str, Any] = {} if page.warmup is None else {BLOG_APP: page.warmup}
    value = {
        "platform": {"ssrPropsUpdates": [], "ssrStyleUpdates": [], "ssrStructureUpdates": []},
        "pages": {
            "compIdToTypeMap": {
                "masterPage": "MasterPage",
                "SITE_HEADER": "HeaderContainer",
                "PAGES_CONTAINER": "PagesContainer",
                "SITE_FOOTER": "FooterContainer",
                "SCROLL_TO_TOP": "Anchor",
                "SCROLL_TO_BOTTOM": "Anchor",
                "TPAMultiSection_m5f3wqc1": "tpaWidgetNative",
            }
        },
        "appsWarmupData": apps,
        "ooi": {"failedInSsr": {}},
    }
    return embedded(value)


def document(page: Page) -> str:
    """The whole document."""
    script = ""
    if page.script is not None:
        attributes = "".join(f' data-{name}="{escape(value)}"' for name, value in page.script.items())
        script = f'<script defer src="/static/blog-viewer.js"{attributes}></script>'
    build = f"<!-- render {page.build} -->" if page.build else ""
    direction = f' dir="{page.direction}"' if page.direction == "rtl" else ""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="{page.language}"{direction}>',
            f"<head>{_head(page)}</head>",
            '<body class="responsive" data-js-loaded="false">',
            '<div id="SITE_CONTAINER"><div id="main_MF" class="main_MF">',
            _header(page.base),
            '<main id="PAGES_CONTAINER" class="PAGES_CONTAINER" tabindex="-1" data-main-content="true">'
            '<div id="SITE_PAGES">',
            page.widget,
            "</div></main>",
            _footer(page.base),
            "</div></div>",
            f'<script data-url="https://static.parastorage.com/services/thunderbolt/bi.inline.bundle.min.js">'
            f"{padding.script_filler('bi', 14000)}</script>",
            f'<script type="application/json" id="wix-viewer-model">'
            f"{_viewer_model(page.base, page.path, page.language, page.generation)}</script>",
            build,
            script,
            "<!-- warmup data start -->",
            f'<script type="application/json" id="wix-warmup-data">{_warmup(page)}</script>',
            "<!-- warmup data end -->",
            "</body>",
            "</html>",
        ]
    )
