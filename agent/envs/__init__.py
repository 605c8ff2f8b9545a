"""Worlds to sample from, many at a time."""
