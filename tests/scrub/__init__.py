"""The labels of personal identifiers, and how well the masking rules find them."""
