"""Promises, complaints and compensations."""
