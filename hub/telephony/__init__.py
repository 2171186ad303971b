"""Telephone exchanges, each behind the port of ``ivr.phone``."""
