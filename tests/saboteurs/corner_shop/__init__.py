"""The corner shop: an invented mall with everything a mall has, in as little code as possible."""

from .connector import MANIFEST

__all__ = ["MANIFEST"]
