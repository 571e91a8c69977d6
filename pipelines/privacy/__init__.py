"""Commenters are people: keyed pseudonyms for their ids, masks for their names."""
