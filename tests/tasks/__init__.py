"""Thirty tasks of researchers and analysts: the recipes of docs/tasks.md, and answers that are known beforehand."""
