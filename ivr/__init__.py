"""The telephone: its menu spec, and what its records say. Pure, without I/O."""
