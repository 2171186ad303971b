"""The shops themselves: how fresh and whole they are, what they can do, opening a new one."""
