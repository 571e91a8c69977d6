"""What the site's pages show, read from the database: plain values for templates; the only HTML is sanitised or ours.

Every function takes a `sqlite3.Connection` and only reads from it. Nothing here imports Datasette.
"""
