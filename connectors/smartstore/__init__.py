"""Naver SmartStore."""

from connectors.smartstore.connector import MANIFEST

__all__ = ["MANIFEST"]
