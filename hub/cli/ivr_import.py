"""`hub ivr import`, `problems` and `counts`: call records in, once or as they are written, and what they count to."""

import asyncio
import re
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from msgspec import Struct

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, complain, print_json, print_table, read_span, screen, with_hub
from hub.core.errors import ConfigurationError
from hub.desk.phone.callbacks import callbacks_of_records
from hub.desk.phone.flow import current_routes, current_spec
from hub.stats.calls import calls_per_hour
from hub.store.database import time_of
from hub.sync.call_files import FollowedFile, note_file, read_problems
from hub.sync.calls import CallImport, FileReport
from ivr.records import Tally, UnknownRecordsError, read_records
from ivr.routes import Routes, RoutesError, routes_from_map

_FILE_HELP: Final = "Name files that a PBX wrote: queue_log, CEL (csv, jsonl), AMI (jsonl) or CDR."
_MAP_HELP: Final = (
    'Write it as {"timezone": "Asia/Seoul", "did": {"0700…": "mall/order"}, "queues": {"name": "mall/order"}}.'
)
_PBX_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.]{0,31}", re.ASCII)


class ImportReport(Struct, frozen=True, kw_only=True):
    """``calls`` stand in the stretch of time that the new events touched."""

    files: list[FileReport]
    calls: int


def _routes(map_file: Path | None, hub: Hub) -> Routes:
    if map_file is None:
        return current_routes(hub)
    try:
        return routes_from_map(map_file.read_bytes(), timezone=hub.settings.timezone)
    except OSError as error:
        what = f"{map_file}: {error.strerror}"
        raise ConfigurationError(what, fix=_MAP_HELP) from error
    except (RoutesError, msgspec.DecodeError) as error:
        what = f"{map_file}: {error}"
        raise ConfigurationError(what, fix=_MAP_HELP) from error


def _require_records(path: Path, routes: Routes) -> None:
    """Raises: ConfigurationError for a file of another kind, before any other is imported."""
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            next(read_records(lines, zone=routes.zone, tally=Tally()), None)
    except (OSError, UnknownRecordsError) as error:
        what = f"{path}: {error.strerror if isinstance(error, OSError) else error}"
        raise ConfigurationError(what, fix=_FILE_HELP) from error


def import_records(
    paths: Annotated[list[Path], typer.Argument(help="Files of call records.")],
    map_file: Annotated[
        Path | None, typer.Option("--map", help="JSON naming what the logs do not; absent: the current IVR spec.")
    ] = None,
    pbx: Annotated[
        str | None, typer.Option(help="Name of the PBX, where several write the same call ids; always the same one.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Read on as the files grow and are rotated.")] = False,
    every: Annotated[float, typer.Option(min=0.1, max=3600, help="With --follow: seconds between looks.")] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    if pbx is not None and not _PBX_NAME.fullmatch(pbx):
        what = f"--pbx {pbx!r} is no name"
        raise ConfigurationError(what, fix="Use up to 32 letters, digits, dots and underscores.")
    if follow:
        if as_json:
            what = "--follow has no end, and --json prints one document at the end"
            raise ConfigurationError(what, fix="Leave one of them out; hub ivr problems --json tells how far it is.")
        return with_hub(lambda hub: _follow(hub, paths, _routes(map_file, hub), pbx=pbx, every=every))
    for path in paths:
        if not path.is_file():
            what = f"{path}: {'a folder' if path.is_dir() else 'no such file'}"
            raise ConfigurationError(what, fix=_FILE_HELP)

    async def work(hub: Hub) -> ImportReport:
        routes = _routes(map_file, hub)
        for path in paths:
            _require_records(path, routes)
        records = CallImport(hub.database, routes, pbx=pbx)
        files = []
        for path in paths:
            with path.open(encoding="utf-8", errors="replace") as lines:
                files.append(await records.read_file(str(path), lines))
        calls = await records.derive()
        for path, report in zip(paths, files, strict=True):
            await note_file(hub.database, report, path=path.absolute(), pbx=pbx, now=hub.now())
        await _keep_wishes(hub)
        return ImportReport(files=files, calls=calls)

    report = with_hub(work)
    if as_json:
        print_json(report)
    else:
        headings = ("file", "kind", "lines", "events", "new", "ignored", "unreadable")
        rows = [
            (file.path, file.kind, file.lines, file.events, file.new_events, file.ignored, file.unreadable)
            for file in report.files
        ]
        print_table("", headings, rows)
        for file in report.files:
            _name_problems(file)
    return ExitCode.PART_DONE if any(file.unreadable for file in report.files) else ExitCode.ALL_DONE


async def _keep_wishes(hub: Hub) -> None:
    """Callers of the last days who asked to be called back become cases, where a spec says what they are called."""
    with suppress(ConfigurationError):
        await callbacks_of_records(hub, current_spec(hub))


async def _follow(hub: Hub, paths: list[Path], routes: Routes, *, pbx: str | None, every: float) -> int:
    """Until it is interrupted: a line of news for each piece that was read."""
    files = [FollowedFile(hub.database, routes, path=path.absolute(), pbx=pbx, now=hub.now) for path in paths]
    while True:
        for path, file in zip(paths, files, strict=True):
            try:
                reports = await file.poll()
            except UnknownRecordsError as error:
                what = f"{path}: {error}"
                raise ConfigurationError(what, fix=_FILE_HELP) from error
            if any(report.new_events for report in reports):
                await _keep_wishes(hub)
            for report in reports:
                screen.print(f"{path}: {report.lines} lines, {report.new_events} new events", markup=False)
                _name_problems(report)
        await asyncio.sleep(every)


def _name_problems(file: FileReport) -> None:
    for line_no, reason in file.problems[:10]:
        complain(f"{file.path}:{line_no}: {reason}")
    if file.unknown_events:
        names = ", ".join(f"{name} ({number})" for name, number in sorted(file.unknown_events.items())[:10])
        complain(f"{file.path}: events that say nothing here were left alone: {names}")
    if file.clock_jumps:
        complain(f"{file.path}: the PBX's clock went back {file.clock_jumps} times by more than a minute")
    if file.events and not file.new_events:
        complain(f"{file.path}: nothing new, every record in it was read before")


def problems(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Counts are of all lines; of those that could not be read the first thousand of a file are listed."""

    async def work(hub: Hub) -> dict[str, list[dict[str, object]]]:
        files, found = await read_problems(hub.database)
        return {
            "files": [{**file, "read_at": time_of(file["read_at"])} for file in files],
            "problems": [
                {**msgspec.structs.asdict(problem), "found_at": time_of(problem.found_at)} for problem in found
            ],
        }

    found = with_hub(work)
    if as_json:
        print_json(found)
    elif found["files"]:
        names = ("path", "pbx", "kind", "lines", "events", "ignored", "unreadable", "clock_jumps")
        print_table("", names, [tuple(file[name] for name in names) for file in found["files"]])
        for problem in found["problems"]:
            screen.print(f"{problem['path']}:{problem['line_no']}: {problem['reason']}", markup=False)
    else:
        screen.print("no call records were read")
    return ExitCode.PART_DONE if any(file["unreadable"] for file in found["files"]) else ExitCode.ALL_DONE


def counts(
    since: Annotated[str | None, typer.Option("--from", help="Calls that entered from here on.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Calls that entered before.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    async def work(hub: Hub) -> list[dict[str, object]]:
        start, end = read_span(since, until, zone=hub.settings.zone)
        found = await calls_per_hour(hub.database, since=start, until=end, zone=hub.settings.zone)
        return [msgspec.to_builtins(row) for row in found]

    rows = with_hub(work)
    if as_json:
        print_json(rows)
    elif rows:
        print_table("", tuple(rows[0]), [tuple(row.values()) for row in rows])
    else:
        screen.print("no calls in this time")
