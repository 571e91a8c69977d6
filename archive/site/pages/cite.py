"""Citations of a post as APA, BibTeX, RIS and CSL-JSON, each with the revision's permalink and its capture date.

The clinic is the publisher, this archive the archive. A field that no page gave is left out, never guessed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
# Characters with a meaning in BibTeX. Braces become parentheses, so that no reader has to balance them.
_TEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "{": "(",
    "}": ")",
}


@dataclass(frozen=True, slots=True)
class Work:
    """The cited revision of a post. Dates are ISO 8601; `published` may be None, `captured` is the capture's date.

    `timed`: the citation names the time of the capture, too, as where another revision of the same day is cited.
    """

    title: str
    author: str | None
    published: str | None
    clinic: str
    url: str
    permalink: str
    captured: str
    archive: str
    language: str | None = None
    timed: bool = False

    @property
    def day(self) -> date | None:
        """The day of publication; None if no page gave a valid date."""
        try:
            return date.fromisoformat((self.published or "")[:10])
        except ValueError:
            return None

    @property
    def key(self) -> str:
        """The BibTeX key, such as "riverside-2026-on-sleep-20260301093000-0123abcd": each revision has its own."""
        words = re.findall(
            r"[a-z0-9]+", f"{self.clinic} {self.day.year if self.day else 'undated'} {self.title}".lower()
        )
        name = "-".join(words)[:60].rstrip("-")
        return "-".join([name, *re.findall(r"[a-z0-9]+", self.permalink.rpartition("/")[2])])

    @property
    def second(self) -> str:
        """The second of the capture: "2026-03-01 09:30:00 UTC"."""
        return f"{self.captured[:19].replace('T', ' ')} UTC"


def apa(work: Work) -> str:
    """Return the citation in APA style, 7th edition: a blog post with an archived version."""
    author = work.author or work.clinic
    when = f"({work.day.year}, {MONTHS[work.day.month - 1]} {work.day.day})" if work.day else "(n.d.)"
    title = work.title if work.title.endswith((".", "?", "!", "…")) else f"{work.title}."
    published_in = f" {work.clinic}." if work.author else ""
    captured = date.fromisoformat(work.captured[:10])
    time = f", {work.second[11:]}" if work.timed else ""
    return (
        f"{author}{'' if author.endswith('.') else '.'} {when}. {title}{published_in} {work.url} (archived"
        f" {MONTHS[captured.month - 1]} {captured.day}, {captured.year}{time}, at {work.permalink})"
    )


def bibtex(work: Work) -> str:
    """Return a BibTeX entry of type @online, which biblatex knows; plain BibTeX treats it as @misc."""
    fields = {
        "title": f"{{{_tex(work.title)}}}",
        "author": f"{{{_tex(work.author)}}}" if work.author else None,
        "organization": _tex(work.clinic),
        "date": work.day.isoformat() if work.day else None,
        "year": str(work.day.year) if work.day else None,
        "url": _url(work.permalink),
        "urldate": work.captured[:10],
        "howpublished": f"Blog post, {_url(work.url)}",
        "note": f"Archived {work.second} by {_tex(work.archive)}",
        "language": work.language,
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return f"@online{{{work.key},\n" + ",\n".join(lines) + "\n}\n"


def ris(work: Work) -> str:
    """Return an RIS record of type BLOG, as reference managers read it; lines end with CR LF."""
    day = work.day
    fields = [
        ("TY", "BLOG"),
        ("TI", work.title),
        ("AU", work.author),
        ("PB", work.clinic),
        ("T2", work.clinic),
        ("PY", str(day.year) if day else None),
        ("DA", day.strftime("%Y/%m/%d") if day else None),
        ("UR", work.permalink),
        ("L2", work.url),
        ("Y2", work.captured[:10].replace("-", "/")),
        ("DB", work.archive),
        ("LA", work.language),
        ("N1", f"Archived {work.captured} from {work.url}"),
        ("ER", ""),
    ]
    return "".join(f"{tag}  - {_single_line(value)}\r\n" for tag, value in fields if value is not None)


def csl(work: Work) -> str:
    """Return CSL-JSON: a list of one item of type post-weblog."""
    item: dict[str, object] = {
        "id": work.key,
        "type": "post-weblog",
        "title": work.title,
        "container-title": work.clinic,
        "publisher": work.clinic,
        "URL": work.url,
        "archive": work.archive,
        "archive_location": work.permalink,
        "accessed": {"date-parts": [[int(part) for part in work.captured[:10].split("-")]]},
    }
    if work.author:
        item["author"] = [{"literal": work.author}]
    if work.day:
        item["issued"] = {"date-parts": [[work.day.year, work.day.month, work.day.day]]}
    if work.language:
        item["language"] = work.language
    return json.dumps([item], ensure_ascii=False, indent=1) + "\n"


# By the ending of the address: the function that writes the citation, and its media type.
STYLES = {
    "bib": (bibtex, "application/x-bibtex; charset=utf-8"),
    "ris": (ris, "application/x-research-info-systems; charset=utf-8"),
    "json": (csl, "application/vnd.citationstyles.csl+json"),
}


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in _single_line(text))


def _url(text: str) -> str:
    return re.sub(r"[{}\\%\s]", lambda found: f"\\{found[0]}" if found[0] == "%" else "", text)


def _single_line(text: str) -> str:
    return " ".join(text.split())
