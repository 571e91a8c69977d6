"""Decoding: undoes the Content-Encoding of each answer, in place of Scrapy's own middleware.

Stored answers are decoded by the same code (`pipelines.decoding`), so that no answer is read in one way when it comes
and in another by a rebuild.
"""

from __future__ import annotations

from scrapy.http import Request, Response

from pipelines.decoding import decoded
from scraper.browser import META
from scraper.http import fetch_of


class Decoding:
    """Downloader middleware that decodes bodies; where one cannot be decoded, it sets the request's `Fetch.fault`."""

    def process_response(self, request: Request, response: Response) -> Response:
        """Return the response with its decoded body."""
        if META in request.meta:
            return response  # a browser decodes what it receives
        response, fault = decoded(response)
        fetch = fetch_of(request)
        if fetch is not None:
            fetch.fault = fault
        return response
