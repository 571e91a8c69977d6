"""The public address of the archive's site, as clinics.toml gives it."""

from __future__ import annotations

from pathlib import Path

from pipelines.commands._errors import exit_on_error
from scraper.config.clinics import read_clinics


def site_address(clinics_file: Path) -> str | None:
    """Return [site] base_url, None without it or without the file; ends the process for a file that is wrong."""
    with exit_on_error(clinics_file):
        return read_clinics(clinics_file).base_url if clinics_file.exists() else None
