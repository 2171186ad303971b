"""Call detail records (cdr_csv with unique id, user field and the new columns: 21 columns, no header).

A call makes several rows, and ``ANSWERED`` says that the menu answered: calls are never counted from here.
The rows give which channel belongs to which call, and calls to numbers that nobody routes.
Source: Asterisk 22, cdr/cdr_csv.c; confidence: sure. Times have no offset: they are local, or UTC with
``usegmtime=yes``, which the row does not say. The channel's id begins with the time of its creation: of the two
readings the one that lies nearer to it is meant, and of an hour that a clock set back gives twice, the right one.
"""

import re
from datetime import UTC, datetime, tzinfo

from ivr.cel import pbx_time
from ivr.event import Event, Kind, Source, UnreadableLineError

COLUMN_COUNT = 21
_LONGEST_ID = 200
_NAIVE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", re.ASCII)
_CREATED = re.compile(r"(?:.*-)?([0-9]{9,11})\.[0-9]+", re.ASCII)
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
        at=_start(values[_START], uniqueid, zone),
        callid=uniqueid,
        linkedid=linkedid,
        detail=values[_DISPOSITION],
        extra=values[_CONTEXT],
        did=values[_DESTINATION] if is_first else "",
        caller=values[_SOURCE] if is_first else "",
    )


def _start(text: str, uniqueid: str, zone: tzinfo) -> float:
    """Raises: UnreadableLineError for what is no time."""
    local = pbx_time(text, zone)
    created = _CREATED.fullmatch(uniqueid) if len(uniqueid) < _LONGEST_ID else None
    if created is None or not _NAIVE.fullmatch(text):
        return local
    naive = datetime.fromisoformat(text)
    readings = (local, naive.replace(tzinfo=zone, fold=1).timestamp(), naive.replace(tzinfo=UTC).timestamp())
    return min(readings, key=lambda at: abs(at - float(created[1])))
