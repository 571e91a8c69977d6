"""Which requests a visit to one clinic makes, and in which order: pure plans, without network or database."""
