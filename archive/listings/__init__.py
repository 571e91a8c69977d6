"""Rows that code makes of the archive, as pages and files show them; tables and questions are SQL."""
