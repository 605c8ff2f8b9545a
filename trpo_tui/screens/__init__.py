"""Screens: each shows a frame in its own way."""
