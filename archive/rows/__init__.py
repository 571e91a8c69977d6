"""How the items of a capture become rows. All functions are called inside a transaction, in capture order."""
