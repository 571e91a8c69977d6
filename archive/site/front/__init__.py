"""The pages that lead into the archive: the list of clinics, what the archive is, and how it stands."""
