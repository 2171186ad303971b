"""The telephone at the agents' desks: calls, pop, notes, callbacks, exchanges."""
