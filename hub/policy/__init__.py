"""By when and on what ground: pure decisions with their reasons. No I/O, no clock of its own."""
