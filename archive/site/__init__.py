"""The archive served by Datasette: `plugins/` are its hooks, `pages/` reads the database, `templates/` makes HTML."""
