"""Slugs made from the names of clinics, for a list that has none."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress

from scraper.addresses import post_key
from scraper.config.clinics import RESERVED, Clinics

LONGEST = 60  # characters of a slug that is made, without its number
NO_LETTER = "clinic"  # for a name without a Latin letter or digit


class MadeSlugs:
    """Makes slugs that neither clinics.toml nor another row has; a site of clinics.toml keeps its slug."""

    def __init__(self, listed: Clinics) -> None:
        self._of_sites = {post_key(clinic.url): clinic.slug for clinic in listed}
        self._used = {clinic.slug for clinic in listed} | RESERVED

    def of(self, name: str, url: str) -> str:
        """Return the slug of a clinic: "Café Ketamine, Inc." gives "cafe-ketamine-inc", a second one "...-inc-2"."""
        with suppress(ValueError):  # what is no address is a fault of its row
            if url and (known := self._of_sites.get(post_key(url))):
                return known
        base = make_slug(name)
        slug, number = base, 1
        while slug in self._used:
            number += 1
            slug = f"{base}-{number}"
        self._used.add(slug)
        return slug


def make_slug(name: str) -> str:
    """Return a name in a-z, 0-9 and hyphens; accents are left out."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"['`]", "", plain)  # "St. Mary's" gives st-marys
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST].strip("-") or NO_LETTER
