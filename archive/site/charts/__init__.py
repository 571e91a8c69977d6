"""Charts of the site, drawn by Vega in a process of its own."""
