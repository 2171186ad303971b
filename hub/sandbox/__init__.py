"""The kit for emulated malls: one seeded World, its clock, and the faults that can be switched on."""
