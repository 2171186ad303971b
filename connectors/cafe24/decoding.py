"""One record at a time, so that a broken one is reported alone."""

from hashlib import sha256
from typing import TypeVar

import msgspec

from hub.core.errors import MalformedResponseError

W = TypeVar("W")


def decode(decoder: msgspec.json.Decoder[W], row: bytes) -> W:
    """One record. Raises: MalformedResponseError with the path inside it, never with its content."""
    try:
        return decoder.decode(row)
    except UnicodeDecodeError as error:
        raise MalformedResponseError("not UTF-8", path="$") from error
    except msgspec.MsgspecError as error:
        raise MalformedResponseError(str(error)) from error


def best_key(row: bytes, name: str) -> str:
    """The identity of a broken record: its number where it can still be found, else a digest."""
    try:
        fields = msgspec.json.decode(row)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        fields = None
    found = fields.get(name) if isinstance(fields, dict) else None
    if isinstance(found, str | int) and found != "":
        return str(found).replace("\x00", "")[:100]
    return f"unreadable:{sha256(row).hexdigest()[:16]}"
