"""HTML pages of WordPress: the parts of a page, each read by a module of its own; `page` joins them."""
