"""Crawls of real blog servers, compared with what is in them: `make servers`. `make test` needs none of them."""
