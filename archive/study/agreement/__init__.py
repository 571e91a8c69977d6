"""How far coders agree on the units that several of them coded, and on which units they do not."""
