"""Inventory mode to contact: a pure policy over its table."""
