"""The archive served by Datasette: `plugins/` are its hooks, `templates/` and `static/` how it looks."""
