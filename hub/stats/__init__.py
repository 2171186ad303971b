"""Figures for supervisors. Every figure is counted by one statement and opens to exactly its rows."""
