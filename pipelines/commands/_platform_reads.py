"""How the blogs of a platform are read and what becomes known of them, as each platform declares it, for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from scraper.platforms import platform_named


def reads_of(platform: str | None) -> dict[str, str] | None:
    """Return `Platform.reads` of the platform of that name; None where it declares nothing, or for no platform."""
    reader = platform_named(platform)
    return dict(reader.reads) if reader is not None and reader.reads is not None else None


def read_by(platform: str | None) -> str:
    """Return who reads a clinic's blog, and how: "wordpress (API, feed, pages)"; "-" where nobody does."""
    reads = reads_of(platform)
    return f"{platform} ({reads['by']})" if reads else platform or "-"


def known_lines(platforms: Iterable[str | None]) -> Iterator[str]:
    """Yield a line for each of the platforms that declares what becomes known, by name."""
    for name in sorted({platform for platform in platforms if platform}):
        reads = reads_of(name)
        if reads:
            known = ", ".join(f"{field} {value}" for field, value in reads.items() if field != "by")
            yield f"known of a {name} blog: {known}"
