"""Derived texts: what is computed from rows alone, in the tables `cache_*`, and can be computed again at any time.

    sentences   a text cut into sentences (offsets and hashes)
    edits       the words that an edit removed and added, and its kind
    fates       how long each sentence of a post stood there, and how it ended
    tables      the tables, and the triggers that delete derived rows with the rows that they come from

No row of these tables is written in a transaction of a crawl. They are no part of an archive's canonical digest.
"""
