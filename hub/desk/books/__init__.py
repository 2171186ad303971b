"""Routing, policy and templates as books that supervisors write: drafts, previews, versions."""
