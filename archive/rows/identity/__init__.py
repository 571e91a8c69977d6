"""Which post an address means: identities, their merging, and items that wait for their post."""
