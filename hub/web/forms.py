"""What the fields of forms say."""


def row_id(text: str) -> int:
    """Zero, which no row has, for what can be no row's id."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
