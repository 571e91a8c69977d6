"""The web side: it knows how blogs are found, fetched and read, and knows no database."""
