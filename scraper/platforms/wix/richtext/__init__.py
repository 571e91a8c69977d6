"""Wix's rich-text documents (Ricos, Draft.js) as HTML, text, links and media."""
