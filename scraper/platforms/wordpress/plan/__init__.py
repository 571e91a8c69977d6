"""The requests to a WordPress site: posts and comments from its REST API, else from feeds, sitemaps and pages."""
