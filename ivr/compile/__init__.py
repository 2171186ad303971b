"""Configurations of telephone systems, written from one flow: texts, the same bytes for the same spec."""
