"""Files beside a message, as a mall tells of them. Whoever wrote the message chose their names, so both are cleaned."""

import re
from typing import Final
from urllib.parse import urlsplit

from hub.core.model import Attachment

LONGEST_NAME: Final = 200
LONGEST_ADDRESS: Final = 2_000
#: more files than any mall lets one message have; a hostile record must not fill a page
MOST: Final = 50
# Controls, and the marks that turn the direction of writing: "gpj.exe" must not look like "exe.jpg".
_HIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


def attachment(name: object, address: object, *, unnamed: str) -> Attachment:
    """``unnamed`` is what a file without a name is called; an address that is none of the web is left out."""
    shown = _HIDDEN.sub("", name).strip()[:LONGEST_NAME] if isinstance(name, str) else ""
    return Attachment(name=shown or unnamed, url=web_address(address))


def web_address(value: object) -> str | None:
    """``value`` where it is an http address without a password in it, else ``None``."""
    if not isinstance(value, str) or len(value) > LONGEST_ADDRESS or not value.isprintable() or " " in value:
        return None
    try:
        parts = urlsplit(value)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return None
    return value if is_web else None
