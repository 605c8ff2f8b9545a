"""Widgets: each shows one part of a frame."""
