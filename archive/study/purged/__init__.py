"""What a purge leaves in the place of a file of `study/` that held what was purged."""
