"""One case with everything around it: order, claims, messages, colleagues, time line."""
