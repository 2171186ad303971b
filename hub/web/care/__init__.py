"""Promises, complaints and compensations over all cases."""
