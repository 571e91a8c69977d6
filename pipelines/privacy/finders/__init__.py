"""Find what identifies a person in a text: mailboxes, phone numbers, accounts, addresses of profiles, known names."""
