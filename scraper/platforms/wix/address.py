"""Addresses on a Wix page: of posts, of the original files of pictures, and of links in copies made by mirror programs.

Wix: `/post/<slug>` (the slug may hold folders), before 2020 `/single-post/...`; listings are `/<blog page>`,
`/<blog page>/page/2`, `/<blog page>/categories/<slug>`, `.../tags/<slug>`, `.../hashtags/<Tag>`; languages by
`?lang=es` or a prefix `/es/`. [reference: section 4.3] A picture is `https://static.wixstatic.com/media/<uri>`;
what follows (`/v1/fill/...`) is a rendition. [reference: section 6, "Images"]

Mirrors (HTTrack, wget) make links local: `../treatments.html`, `../../static.wixstatic.com/media/ab_mv2.jpg`.
`og:url` and JSON-LD keep the true addresses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote, urljoin, urlsplit

from scraper.addresses import is_web_address

MEDIA = "https://static.wixstatic.com/media/"
# Paths below /post/ that mirror programs invented from scripts; the server answers "not found".
_INVENTED = {"feed", "robots", "sitemap", "undefined", "null"}
# "/post/how-does-ketamine-work", "/es/post/x", "/site/post/2019/06/06/x", "/single-post/2018/x" (pages of a mirror end
# in ".html")
_POST = re.compile(r"/(?:post|single-post)/(?P<slug>[^?#]+)$")
# "/blog", "/blog/page/2", "/hot-topics/categories/clean-energy", "/blog/tags/x", "/blog/hashtags/X"
_LISTING = re.compile(r"(?:^|/)(?:blog(?:-\d+)?|news|[^/]+/(?:page/\d+|categories/[^/]+|tags/[^/]+|hashtags/[^/]+))/?$")
# "...wixstatic.com/media/ab_12~mv2.jpg/v1/fill/w_10,h_10/file.jpg" -> "ab_12~mv2.jpg"
_FILE = re.compile(r"static\.wixstatic\.com/media/([^/?#]+)")
# "ab_12_mv2.jpg", "ab_12_mv2_d_1200_800_s_2.png": a mirror wrote "_" where the file's name has "~"
_MIRRORED = re.compile(r"_mv2(?=[._])")

# Hosts of free sites, each with many: `user.wixsite.com/clinic`, of the Studio editor `user.wixstudio.com/clinic`.
FREE_HOSTS = (".wixsite.com", ".wixstudio.com", ".wixstudio.io", ".editorx.io")


def root(url: str) -> str:
    """Return the base URL of the site, no trailing slash; of free sites, which share a host, with their path part."""
    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}"
    site = parts.path.strip("/").split("/")[0]
    return f"{base}/{site}" if site and (parts.hostname or "").endswith(FREE_HOSTS) else base


def is_post(url: str) -> bool:
    """Return whether the path has the form of a post's."""
    found = _POST.search(_path(url))
    slug = found["slug"].rstrip("/") if found else ""
    return bool(slug) and slug not in _INVENTED and not slug.startswith("$")


def is_listing(url: str) -> bool:
    """Return whether the path has the form of a listing's: the blog page, a page of it, a category, tag or hashtag."""
    return _LISTING.search(_path(url)) is not None and not is_post(url)


def is_copy(url: str) -> bool:
    """Return whether this is the address of a saved copy: a file such as `/mirror/post/a.html`, or no web address."""
    return not is_web_address(url) or _path(url).lower().endswith((".html", ".htm"))


def _path(url: str) -> str:
    try:
        return unquote(urlsplit(url).path)
    except ValueError:  # "http://[broken"
        return ""


def slug(url: str) -> str | None:
    """Return the last part of the path, unescaped: `how-does-ketamine-work`; None where there is none."""
    return _path(url).rstrip("/").rsplit("/", 1)[-1] or None


def original_file(source: str) -> str:
    """Return the original file of any address of a picture on Wix; other addresses are returned unchanged.

    `ab~mv2.jpg`, `https://static.wixstatic.com/media/ab~mv2.jpg/v1/fill/w_147/ab~mv2.jpg` and a mirror's
    `../../static.wixstatic.com/media/ab_mv2.jpg/v1/...` all give `https://static.wixstatic.com/media/ab~mv2.jpg`.
    """
    found = _FILE.search(source)
    if found is None:
        if "/" in source or not source:
            return "https:" + source if source.startswith("//") else source
        name = source
    else:
        name = found[1] if source.startswith(("http:", "https:", "//")) else _MIRRORED.sub("~mv2", found[1])
    return MEDIA + name.replace("%7E", "~").replace("%7e", "~")


def resolver(page: str, written: str | None) -> Callable[[str], str]:
    """Return a function that makes links of a page absolute. `page`: its true address; `written`: its canonical link.

    A page whose canonical link is a relative `.html` file, and whose true address has no such ending, is a mirror's.
    Its relative links are paths in the mirror's folders (`host/path.html`) and become the addresses they were made of.
    """
    mirrored = written is not None and "://" not in written and ".htm" in written and not page.endswith(".html")
    site = urlsplit(page).netloc if is_web_address(page) else ""

    def absolute(href: str) -> str:
        link = href.strip()
        try:
            if not mirrored or urlsplit(link).scheme or link.startswith(("//", "/", "#", "?")):
                return urljoin(page, link)
            joined = urlsplit(urljoin(f"https://mirror.invalid/{site}{urlsplit(page).path}", link))
        except ValueError:
            return link
        host, _, path = joined.path.lstrip("/").partition("/")
        if host == site:
            path = re.sub(r"(?:^|(?<=/))index\.html?$|\.html?$", "", path)
        elif "." not in host:
            return urljoin(page, link)
        tail = (f"?{joined.query}" if joined.query else "") + (f"#{joined.fragment}" if joined.fragment else "")
        return f"https://{host}/{path}{tail}"

    return absolute
