"""What every command shares: opening the hub, one JSON document on stdout, one clear complaint on stderr."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from rich.console import Console
from rich.table import Table

from hub.bootstrap import Hub, open_hub
from hub.core.errors import ConfigurationError
from hub.logging import configure_logging
from hub.settings import Settings, read_settings

T = TypeVar("T")
_PIPE_WIDTH: Final = 400

#: for people; never holds data that a script reads
screen = Console(stderr=True, highlight=False)


class ExitCode(IntEnum):
    ALL_DONE = 0
    PART_DONE = 1
    WRONG_USE = 2
    NOTHING_DONE = 3


def settings_and_logs() -> Settings:
    settings = read_settings()
    configure_logging(settings)
    return settings


def with_hub(work: Callable[[Hub], Awaitable[T]]) -> T:
    """Open the hub as the settings say, run ``work``, close it."""
    settings = settings_and_logs()

    async def run() -> T:
        async with open_hub(settings) as hub:
            return await work(hub)

    return asyncio.run(run())


def print_json(document: object) -> None:
    """The one JSON document of a command."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(document, enc_hook=str), indent=2).decode() + "\n")
    sys.stdout.flush()


def print_table(title: str, headings: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    # A pipe has no width of its own: rows are not folded for it.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    console.print(table)


def complain(what: str, *, fix: str | None = None) -> None:
    # Not folded at the width of a terminal: scripts look for paths and numbers in it.
    screen.print(f"hub: {what}", style="red", markup=False, soft_wrap=True)
    if fix:
        screen.print(f"  {fix}", markup=False, soft_wrap=True)


def read_time(text: str | None, *, option: str, zone: ZoneInfo) -> datetime | None:
    """An option's time: ISO 8601; without an offset it is the centre's zone, a bare day is its start.

    Raises: ConfigurationError naming the option.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        what = f"{option}: {text!r} is no time"
        raise ConfigurationError(
            what, fix="Write 2026-11-22 or 2026-11-22T09:00 or 2026-11-22T09:00:00+09:00."
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def read_span(since: str | None, until: str | None, *, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """``--from`` and ``--to``, half-open. Raises: ConfigurationError when reversed."""
    start, end = read_time(since, option="--from", zone=zone), read_time(until, option="--to", zone=zone)
    if start and end and start >= end:
        what = "--from is not before --to"
        raise ConfigurationError(what, fix="The span begins at --from and ends before --to.")
    return start, end
