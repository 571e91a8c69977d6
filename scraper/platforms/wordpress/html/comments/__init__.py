"""Comments in the HTML of a WordPress page: where they stand, what each says, and on which pages a thread lies."""
