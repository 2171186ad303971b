"""Saved pages of the statistics, and mailing them."""
