"""Privacy of commenters: keyed pseudonyms for their ids, masks for their names."""
