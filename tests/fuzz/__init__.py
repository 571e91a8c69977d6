"""Mutated inputs through everything that reads bytes of others."""
