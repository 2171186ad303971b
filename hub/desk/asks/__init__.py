"""Whom to ask about a case, and the questions to contacts until they are answered."""
