"""Malls without an API, read from the files that people hand in."""

from connectors.sheet.connector import MANIFEST

__all__ = ["MANIFEST"]
