"""`hub ivr`: the telephone's spec, its call records and what they count to."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import Struct

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, complain, print_json, print_table, read_span, screen, with_hub
from hub.cli.ivr_compile import compile_spec
from hub.cli.ivr_simulate import simulate
from hub.cli.ivr_spec import check, graph, schema
from hub.core.errors import ConfigurationError
from hub.desk.telephone import current_routes
from hub.stats.calls import calls_per_hour
from hub.sync.calls import CallImport, FileReport
from ivr.records import Tally, UnknownRecordsError, read_records
from ivr.routes import Routes, RoutesError, routes_from_map


class ImportReport(Struct, frozen=True, kw_only=True):
    """``calls`` stand in the stretch of time that the new events touched."""

    files: list[FileReport]
    calls: int


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The telephone: spec, call records, counts.", no_args_is_help=True)
    group.command("check", help="Every error and warning of an IVR spec, with line and fix.")(check)
    group.command("graph", help="Draw the flow of a spec as SVG.")(graph)
    group.command("schema", help="The JSON Schema of a spec.")(schema)
    group.command("simulate", help="A call through the spec, or a script of calls with what shall come of them.")(
        simulate
    )
    group.command("compile", help="The spec as files for a PBX; --diff: against what is deployed.")(compile_spec)
    group.command("import", help="Read call records: queue_log, CEL, AMI or CDR, told apart by content.")(
        import_records
    )
    group.command("counts", help="Calls per mall, line and hour.")(counts)
    app.add_typer(group, name="ivr")


def _routes(map_file: Path | None, hub: Hub) -> Routes:
    if map_file is None:
        return current_routes(hub)
    try:
        return routes_from_map(map_file.read_bytes(), timezone=hub.settings.timezone)
    except OSError as error:
        what = f"{map_file}: {error.strerror}"
        raise ConfigurationError(what) from error
    except (RoutesError, msgspec.DecodeError) as error:
        what = f"{map_file}: {error}"
        raise ConfigurationError(what) from error


def _require_records(path: Path, routes: Routes) -> None:
    """Raises: ConfigurationError for a file of another kind, before any other is imported."""
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            next(read_records(lines, zone=routes.zone, tally=Tally()), None)
    except (OSError, UnknownRecordsError) as error:
        what = f"{path}: {error.strerror if isinstance(error, OSError) else error}"
        raise ConfigurationError(what) from error


def import_records(
    paths: Annotated[list[Path], typer.Argument(help="Files of call records.")],
    map_file: Annotated[
        Path | None, typer.Option("--map", help="JSON naming what the logs do not; absent: the current IVR spec.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    for path in paths:
        if not path.is_file():
            what = f"{path}: no such file"
            raise ConfigurationError(what)

    async def work(hub: Hub) -> ImportReport:
        routes = _routes(map_file, hub)
        for path in paths:
            _require_records(path, routes)
        records = CallImport(hub.database, routes)
        files = []
        for path in paths:
            with path.open(encoding="utf-8", errors="replace") as lines:
                files.append(await records.read_file(str(path), lines))
        return ImportReport(files=files, calls=await records.derive())

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
            for line_no, reason in file.problems[:10]:
                complain(f"{file.path}:{line_no}: {reason}")
    return ExitCode.PART_DONE if any(file.unreadable for file in report.files) else ExitCode.ALL_DONE


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
