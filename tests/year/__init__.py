"""A year of a small clinic: its script of events, the blog that plays it, a moved clock, and what must be kept of it.

`script` says what happens on which day, `blog` is the blog in its present state, `site` shows it on loopback and
remembers who was told what, `moved` makes one run of the product at a moment of the story, `oracle` says from the
script and from what was told what the archive must hold. None of them knows how the product decides.
"""
