"""How the items of a capture become rows. Called inside a transaction, in capture order."""
