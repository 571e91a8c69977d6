"""What the pages of the site say, read from the database: plain values for templates, no HTML but what is sanitised.

Every reader takes a `sqlite3.Connection` that it only reads from. Nothing here knows Datasette.
"""
