"""The decision card of a line, and the facts that it rests on."""
