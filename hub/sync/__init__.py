"""Reading the shops: windows, cursors, the run, what vanished, and the cases that follow from it."""
