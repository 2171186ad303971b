"""Call detail records (cdr_csv with unique id, user field and the new columns: 21 columns, no header).

A call makes several rows, and ``ANSWERED`` says that the menu answered: calls are never counted from here.
The rows give which channel belongs to which call, and calls to numbers that nobody routes.
Source: Asterisk 22, cdr/cdr_csv.c; confidence: sure. Times are local, without an offset.
"""

from datetime import tzinfo

from ivr.cel import pbx_time
from ivr.event import Event, Kind, Source, UnreadableLineError

COLUMN_COUNT = 21
_SOURCE, _DESTINATION, _CONTEXT, _START, _DISPOSITION, _UNIQUEID, _LINKEDID = 1, 2, 3, 9, 14, 16, 19


def parse_csv(values: list[str], *, zone: tzinfo) -> Event:
    """Read one row.

    Raises: UnreadableLineError when columns, time or ids are missing.
    """
    if len(values) != COLUMN_COUNT:
        raise UnreadableLineError("not the 21 columns of a CDR")
    uniqueid, linkedid = values[_UNIQUEID], values[_LINKEDID]
    if not uniqueid or not linkedid:
        raise UnreadableLineError("no call id")
    is_first = uniqueid == linkedid
    return Event(
        source=Source.CDR,
        kind=Kind.ROW,
        at=pbx_time(values[_START], zone),
        callid=uniqueid,
        linkedid=linkedid,
        detail=values[_DISPOSITION],
        extra=values[_CONTEXT],
        did=values[_DESTINATION] if is_first else "",
        caller=values[_SOURCE] if is_first else "",
    )
