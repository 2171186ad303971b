"""Reads call records of any of the four kinds, line by line, in constant memory.

Nothing is dropped without a trace: every line is an event, a known line that says nothing about a call
(``ignored``), or ``unreadable`` with its number and reason in the tally.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from itertools import chain, islice
from math import inf

from ivr import ami, cdr, cel, queue_log
from ivr.event import Event, Source, UnknownEventError, UnreadableLineError

LOOK_AHEAD = 50
KEPT_PROBLEMS = 100
KEPT_NAMES = 200
JUMP_SECONDS = 60.0
LONGEST_LINE = 262_144  # characters; a longer one is not a record, cut it is unreadable

_QUEUE_LOG = re.compile(r"[0-9]{9,11}(\.[0-9]+)?\|[^|]*\|[^|]*\|[^|]*\|", re.ASCII)
_LOCAL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", re.ASCII)
_EVENT_TYPE = re.compile(r"[A-Z_]{4,40}", re.ASCII)


class UnknownRecordsError(ValueError):
    """The lines are none of queue_log, CEL, AMI, CDR."""


@dataclass(frozen=True, slots=True)
class LineProblem:
    line_no: int
    reason: str


@dataclass(slots=True)
class Tally:
    """What became of the lines: ``lines`` = ``events`` + ``ignored`` + ``unreadable``.

    ``problems`` keeps the first hundred unreadable lines; ``unknown_events`` counts event names that are not ours: a
    dialplan may write what it likes, so such lines are whole and part of ``ignored``. ``clock_jumps``: how often the
    PBX's clock went back by more than a minute from one line to the next; such lines are read like others.
    """

    source: Source | None = None
    lines: int = 0
    events: int = 0
    ignored: int = 0
    unreadable: int = 0
    clock_jumps: int = 0
    problems: list[LineProblem] = field(default_factory=list)
    unknown_events: dict[str, int] = field(default_factory=dict)

    def note(self, error: UnreadableLineError) -> None:
        self.unreadable += 1
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(LineProblem(self.lines, str(error)))

    def leave(self, error: UnknownEventError) -> None:
        self.ignored += 1
        if error.name in self.unknown_events or len(self.unknown_events) < KEPT_NAMES:
            self.unknown_events[error.name] = self.unknown_events.get(error.name, 0) + 1


def _columns(line: str) -> list[str]:
    try:
        return next(csv.reader((line,), strict=True))
    except (csv.Error, StopIteration) as error:
        raise UnreadableLineError("broken quotes") from error


def _source_of(line: str) -> Source | None:
    if _QUEUE_LOG.match(line):
        return Source.QUEUE_LOG
    if line.startswith("{"):
        if '"eventtype"' in line or '"eventenum"' in line:
            return Source.CEL
        return Source.AMI if '"Event"' in line else None
    try:
        values = _columns(line)
    except UnreadableLineError:
        return None
    if {"uniqueid", "linkedid", "eventtype"} <= set(values):
        return Source.CEL
    if len(values) == cdr.COLUMN_COUNT and _LOCAL_TIME.fullmatch(values[9]):
        return Source.CDR
    if (
        len(values) >= len(cel.CSV_COLUMNS) - 2
        and _EVENT_TYPE.fullmatch(values[0])
        and _EVENT_TYPE.fullmatch(values[1])
    ):
        return Source.CEL
    return None


def detect(first_lines: Iterable[str]) -> Source:
    """Tell which kind of record these lines are, by their content; torn ones are passed over.

    Raises: UnknownRecordsError when none of them can be told.
    """
    for line in first_lines:
        source = _source_of(line.strip("\ufeff \r\n"))
        if source is not None:
            return source
    raise UnknownRecordsError("not queue_log, CEL, AMI JSON lines or CDR: no line has the shape of one of them")


def _parser(source: Source, first: list[str], zone: tzinfo) -> Callable[[str], Event | None]:
    if source is Source.QUEUE_LOG:
        return queue_log.parse_line
    if source is Source.AMI:
        return lambda line: ami.parse_json(line, zone=zone)
    if source is Source.CDR:
        return lambda line: cdr.parse_csv(_columns(line), zone=zone)
    if any(line.lstrip("\ufeff").startswith("{") for line in first):
        return lambda line: cel.parse_json(line, zone=zone)
    header = _header(first)

    def parse(line: str) -> Event | None:
        values = _columns(line)
        return None if values == header else cel.parse_csv(values, zone=zone, columns=header)

    return parse


def _header(first: list[str]) -> list[str] | None:
    try:
        values = _columns(first[0].strip("\ufeff\r\n"))
    except UnreadableLineError:
        return None
    return values if "uniqueid" in values else None


def read_records(
    lines: Iterable[str], *, zone: tzinfo, tally: Tally, head: Sequence[str] | None = None
) -> Iterator[Event]:
    """Yield the events of one file, in its order; ``tally`` is filled on the way.

    ``lines``: text lines of an open file (open it with ``errors="replace"``); ``zone``: the PBX's zone, for
    records whose times have no offset. ``head``: the first lines of the file where ``lines`` are a later piece of it:
    they tell the kind and the columns.
    Raises: UnknownRecordsError before the first event when the kind cannot be told. An empty file has no events.
    """
    source_lines = iter(lines)
    first = list(islice(source_lines, LOOK_AHEAD))
    if not head and not any(line.strip() for line in first):
        tally.lines += len(first)
        tally.ignored += len(first)
        return
    told = list(head) if head else first
    tally.source = detect(told)
    parse = _parser(tally.source, told, zone)
    before = -inf
    for line in chain(first, source_lines):
        tally.lines += 1
        text = line.strip("\ufeff\r\n\0 ")
        if not text:
            tally.ignored += 1
            continue
        try:
            event = parse(text[:LONGEST_LINE])
        except UnknownEventError as error:
            tally.leave(error)
            continue
        except UnreadableLineError as error:
            tally.note(error)
            continue
        if event is None:
            tally.ignored += 1
            continue
        tally.events += 1
        tally.clock_jumps += event.at < before - JUMP_SECONDS
        before = event.at
        yield event
