"""The shops: files, consent, cheat sheets, checklists, how whole they are."""
