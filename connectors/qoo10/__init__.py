"""Qoo10 Japan (QAPI)."""

from connectors.qoo10.connector import MANIFEST

__all__ = ["MANIFEST"]
