"""How the site shows rows: the columns that a page begins with, and its cells."""
