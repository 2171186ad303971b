"""The tables of every module as one ``metadata``: what migrations and the check of the schema look at."""

from hub.store import alert_tables, truth_tables
from hub.store.tables import metadata

__all__ = ["alert_tables", "metadata", "truth_tables"]
