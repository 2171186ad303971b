"""The one list of cases over all shops: rows, counts, who works on what, teams and the board."""
