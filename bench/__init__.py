"""The benchmark: a full sync of every emulated mall beside a hand-written lower bound, in one run."""
