"""The spider of a visit to a clinic's blog."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from scrapy.crawler import Crawler

from scraper.config.clinics import Clinic, Clinics, clinic_from_url, read_clinics, refuse_placeholder, user_agent
from scraper.crawl.visit import crawl_blog
from scraper.platforms._platform import Plan
from scraper.spiders._clinic import ClinicSpider


class BlogSpider(ClinicSpider):
    """Visits one clinic: `scrapy crawl blog -a clinic=SLUG` or `-a url=URL`.

    `-a limit=N` requests the N newest posts, `-a everything=1` every post, due or not.
    """

    name = "blog"
    kind = "crawl"

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Find the clinic's stanza by slug, or create one from a URL. Raises `ValueError` naming what is wrong."""
        clinic, limit = kwargs.pop("clinic", None), kwargs.pop("limit", None)
        if not isinstance(clinic, Clinic):
            clinic = cls._named(crawler, clinic, kwargs.pop("url", None))
        return super().from_crawler(crawler, *args, clinic=clinic, limit=int(limit) if limit else None, **kwargs)

    @staticmethod
    def _named(crawler: Crawler, slug: str | None, url: str | None) -> Clinic:
        """Return the clinic that `scrapy crawl` names, under the same rules as `clinic-archive crawl`."""
        settings = crawler.settings
        path = Path(settings["CLINICS_FILE"])
        listed = read_clinics(path) if path.exists() or slug else Clinics()
        if slug:
            (clinic,) = listed.select([slug])
        elif url:
            clinic = clinic_from_url(url)
        else:
            raise ValueError("the blog spider needs -a clinic=SLUG (see clinics.toml) or -a url=URL")
        refuse_placeholder(listed.crawler_config, [clinic])
        settings.set("USER_AGENT", user_agent(listed.crawler_config), priority="spider")
        settings.set("BROWSER_EXECUTABLE", listed.crawler_config.browser or None, priority="spider")
        return replace(clinic, allow_private=True) if settings.getbool("ALLOW_PRIVATE") else clinic

    def plan(self) -> Plan:
        """Return the plan of the visit."""
        return crawl_blog(self.context, self.visit)
