"""What protects the site from its visitors: who may ask, and how much work and memory a query may take."""
