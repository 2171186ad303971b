"""The work of agents: the list, a case, what is done and written there."""
