"""Which mall and line a number or a queue belongs to: what the records do not say themselves."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

_WANTED = 'write "mall/line" or {"mall": …, "line": …}; notice_seconds is a number'
# dialplan contexts in which calls from outside arrive, when the map names none
INBOUND_CONTEXTS = frozenset({"from-trunk", "from-pstn", "from-external", "from-did-direct", "inbound", "incoming"})


class RoutesError(ValueError):
    """The map cannot be used; the message names the key and what is wanted there."""

    def __init__(self, where: str, wanted: str) -> None:
        super().__init__(f"{where}: {wanted}")


class Place(msgspec.Struct, frozen=True):
    """``notice_seconds``: how long the announcements before the menu last; 0 = not known."""

    mall: str
    line: str
    notice_seconds: float = 0.0

    def is_of(self, other: "Place") -> bool:
        """The same line of the same mall."""
        return (self.mall, self.line) == (other.mall, other.line)


class Routes(msgspec.Struct, frozen=True, kw_only=True):
    """``timezone``: the centre's and the PBX's zone (IANA name).

    ``callback_keys``: queue and the key that, pressed while waiting, asks for a callback.
    """

    timezone: str
    dids: Mapping[str, Place]
    queues: Mapping[str, Place]
    callback_keys: frozenset[tuple[str, str]] = frozenset()
    inbound_contexts: frozenset[str] = INBOUND_CONTEXTS

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def place_of_did(self, did: str) -> Place | None:
        return self.dids.get(did) or self.dids.get(plain_number(did))


def plain_number(number: str) -> str:
    """Digits only, Korean country code as the trunk prefix: ``+82 70-0000-1001`` -> ``07000001001``."""
    digits = "".join(character for character in number if character in "0123456789")
    if digits.startswith("82") and len(digits) >= 10:
        digits = "0" + digits[2:].removeprefix("0")
    return digits


def _place(value: object, *, where: str) -> Place:
    fields: dict[str, object] = value if isinstance(value, dict) else {}
    if isinstance(value, str):
        mall, _, line = value.partition("/")
        fields = {"mall": mall, "line": line}
    notice = fields.get("notice_seconds", 0)
    try:
        place = msgspec.convert({**fields, "notice_seconds": notice}, Place)
    except msgspec.ValidationError as error:
        raise RoutesError(where, _WANTED) from error
    if not place.mall or not place.line:
        raise RoutesError(where, _WANTED)
    return place


def _places(document: dict[str, Any], key: str) -> dict[str, Place]:
    entries = document.get(key) or {}
    if not isinstance(entries, dict):
        raise RoutesError(key, "an object is wanted")
    return {str(name): _place(value, where=f"{key}.{name}") for name, value in entries.items()}


def routes_from_map(text: str | bytes, *, timezone: str = "Asia/Seoul") -> Routes:
    """Read a map file (JSON): ``timezone``, ``did``, ``queues``; further keys are left alone.

    ``did`` and ``queues``: name -> ``"mall/line"`` or ``{"mall", "line"}``. ``timezone`` (argument) stands in
    for a missing one. Raises: RoutesError.
    """
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RoutesError("map", f"this is no JSON, {error}") from error
    if not isinstance(document, dict):
        raise RoutesError("map", 'an object is wanted with "timezone", "did" and "queues"')
    name = document.get("timezone") or timezone
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise RoutesError("timezone", "not a known IANA zone, write for example Asia/Seoul") from error
    dids = _places(document, "did")
    if not dids and not document.get("queues"):
        raise RoutesError("map", 'it names no number and no queue: give "did" and "queues"')
    contexts = document.get("inbound_contexts") or INBOUND_CONTEXTS
    if not isinstance(contexts, list | frozenset):
        raise RoutesError("inbound_contexts", "a list of dialplan contexts is wanted")
    return Routes(
        timezone=name,
        dids=dids | {plain_number(did): place for did, place in dids.items()},
        queues=_places(document, "queues"),
        inbound_contexts=frozenset(str(context) for context in contexts),
    )
