"""The documentation as a test object: generated pages, commands and SQL that run, links that lead somewhere."""
