"""Channel event logging (CEL), as JSON lines or as CSV.

Source: Asterisk 22, res/cdrel_custom/registry.c for the field names, cel.conf for the events; confidence: sure.
The CSV has no header as a rule: its columns are then those of ``CSV_COLUMNS``.
"""

import re
from datetime import datetime, tzinfo
from typing import Any, TypeVar

import msgspec

from ivr.event import Event, Kind, Source, UnknownEventError, UnreadableLineError
from ivr.queue_log import step

_COLUMN_NAMES = """
eventtype eventenum eventtime usereventname name num ani rdnis dnid exten context channame appname appdata
amaflags accountcode uniqueid linkedid bridgepeer peeraccount userfield eventextra tenantid
"""
CSV_COLUMNS = _COLUMN_NAMES.split()

_EPOCH = re.compile(r"[0-9]{9,11}(\.[0-9]{1,9})?", re.ASCII)
_AGENT = re.compile(r"[^/]+/(.+?)(-[0-9a-f]+)?(;[12])?", re.ASCII)
_KNOWN_NAMES = """
ANSWER CHAN_END DTMF STREAM_BEGIN STREAM_END APP_START APP_END PARK_START PARK_END PICKUP FORWARD
LOCAL_OPTIMIZE LOCAL_OPTIMIZE_BEGIN HOOKFLASH BRIDGE_EXIT BRIDGE_START BRIDGE_END BRIDGE_UPDATE CONF_START
CONF_END
"""
_IGNORED = frozenset(_KNOWN_NAMES.split())


class Row(msgspec.Struct):
    """The fields of a CEL record that are used here; a missing one is empty."""

    eventtype: str = ""
    eventenum: str = ""
    eventtime: str | float = ""
    usereventname: str | None = ""
    num: str | None = ""
    exten: str | None = ""
    context: str | None = ""
    channame: str | None = ""
    appname: str | None = ""
    uniqueid: str = ""
    linkedid: str = ""
    eventextra: Any = ""


T = TypeVar("T")
_row = msgspec.json.Decoder(Row)
_extra = msgspec.json.Decoder(dict[str, Any])


def pbx_time(value: str | float | None, zone: tzinfo) -> float:
    """Epoch seconds of an epoch or of an ISO time; a time without offset is read in ``zone``."""
    if isinstance(value, int | float):
        value = f"{value:.6f}"
    if value and _EPOCH.fullmatch(value):
        return float(value)
    try:
        at = datetime.fromisoformat(value or "")
    except ValueError as error:
        raise UnreadableLineError("the time cannot be read") from error
    if at.year < 1990 or at.year > 9000:
        raise UnreadableLineError("the time cannot be read")
    return (at if at.tzinfo else at.replace(tzinfo=zone)).timestamp()


def agent_of(channel: str) -> str:
    """``IAX2/agent1001-12516`` -> ``agent1001``."""
    match = _AGENT.fullmatch(channel)
    return match[1] if match else channel


def _user_event(name: str, row: Row, at: float) -> Event:
    if not name.startswith("IVR_"):
        raise UnknownEventError(name)
    extra = row.eventextra
    if isinstance(extra, str) and extra:
        try:
            extra = _extra.decode(extra)
        except msgspec.DecodeError as error:
            raise UnreadableLineError("eventextra is no JSON") from error
    text = extra.get("extra", "") if isinstance(extra, dict) else ""
    args = [*str(text).split("|"), "", "", "", "", ""]
    caller = args[3] or (row.num or "")
    # ENTER has mall, line, DID; so have the others: two arguments, then the DID, the caller, the way
    words, ids = (args[0], args[1], args[2], caller), (row.uniqueid, row.linkedid)
    return step(name[4:], words, source=Source.CEL, at=at, ids=ids, way=args[4])


def decode_row(line: str | bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode a record; ``null`` for a field that is not there is as good as leaving it out."""
    try:
        return decoder.decode(line)
    except msgspec.ValidationError:
        values = _extra.decode(line)
        return msgspec.convert({name: value for name, value in values.items() if value is not None}, decoder.type)


def parse_row(row: Row, *, zone: tzinfo) -> Event | None:
    """Read one record; ``None`` = known, but says nothing that is needed here."""
    kind = row.eventenum or row.eventtype
    if not kind:
        raise UnreadableLineError("no event type")
    if kind in _IGNORED:
        return None
    at = pbx_time(row.eventtime, zone)
    if not row.uniqueid or not row.linkedid:
        raise UnreadableLineError("no call id")
    if kind == "USER_DEFINED" or kind.startswith("IVR_"):
        return _user_event(row.usereventname or row.eventtype, row, at)
    context, exten = row.context or "", row.exten or ""
    values: dict[str, Any]
    if kind == "CHAN_START":
        values = {"kind": Kind.CHANNEL, "detail": context, "did": exten, "caller": row.num or ""}
        if row.uniqueid != row.linkedid:
            values = {"kind": Kind.CHANNEL, "detail": context}
    elif kind == "BRIDGE_ENTER":
        values = {
            "kind": Kind.BRIDGE,
            "detail": row.appname or "",
            "queue": exten,
            "agent": agent_of(row.channame or ""),
        }
    elif kind == "HANGUP":
        values = {"kind": Kind.HANGUP, "extra": context}
    elif kind == "LINKEDID_END":
        values = {"kind": Kind.END}
    elif kind in ("BLINDTRANSFER", "ATTENDEDTRANSFER"):
        values = {"kind": Kind.TRANSFER, "detail": "blind" if kind[0] == "B" else "attended"}
    else:
        raise UnknownEventError(kind)
    return Event(source=Source.CEL, at=at, callid=row.uniqueid, linkedid=row.linkedid, **values)


def parse_json(line: str | bytes, *, zone: tzinfo) -> Event | None:
    try:
        row = decode_row(line, _row)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise UnreadableLineError("no CEL record") from error
    return parse_row(row, zone=zone)


def parse_csv(values: list[str], *, zone: tzinfo, columns: list[str] | None = None) -> Event | None:
    """``columns``: the header, when the file has one."""
    names = columns or CSV_COLUMNS
    if len(values) < len(names) - 2:
        raise UnreadableLineError("too few columns")
    found = {name: value for name, value in zip(names, values, strict=False) if name in Row.__struct_fields__}
    return parse_row(Row(**found), zone=zone)
