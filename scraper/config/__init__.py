"""The configuration: clinics.toml, and clinics from a sampling frame in CSV."""
