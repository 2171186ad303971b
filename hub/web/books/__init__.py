"""The editors of the books."""
