"""The blogs that are crawled: which server, how it is set, from which address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One blog. `script` is the file in ../shared/servers that starts it, `settings` what its `set` is given."""

    script: str
    port: int
    path: str = "/"
    settings: tuple[tuple[str, str], ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    seed: str | None = None  # the program of this folder that fills it anew, with words of our own

    @property
    def url(self) -> str:
        """The address that the crawl is given."""
        return f"http://127.0.0.1:{self.port}{self.path}"


def _wordpress(*settings: tuple[str, str], core: str = "debian", port: int = 18480, seed: str | None = None) -> Case:
    environment = {"WP_NAME": f"cases{port}", "WP_PORT": str(port), "WP_CORE": core}
    return Case(script="wordpress", port=port, settings=settings, environment=environment, seed=seed)


CASES = {
    "wordpress": _wordpress(),
    "wordpress-rest-off": _wordpress(("rest", "off")),
    "wordpress-rest-gone": _wordpress(("rest", "gone"), ("theme", "twentytwentyone"), ("comment_pages", "20")),
    "wordpress-plain": _wordpress(("permalink", "plain")),
    "wordpress-no-rewriting": _wordpress(("permalink", "plain"), ("rewrite", "off")),
    "wordpress-static-front": _wordpress(("front", "static")),
    "wordpress-excerpt-feeds": _wordpress(("feed_excerpt", "1"), ("rest", "off")),
    "wordpress-6.5": _wordpress(core="6.5", port=18481),
    "wordpress-second": _wordpress(seed="seed.php"),
    "wordpress-second-rest-gone": _wordpress(("rest", "gone"), ("theme", "twentytwentyone"), seed="seed.php"),
    "ghost": Case(script="ghost", port=18093),
    "isso": Case(script="isso", port=18094),
}
