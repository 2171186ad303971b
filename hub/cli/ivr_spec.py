"""`hub ivr check`, `graph`, `ways` and `schema`: the telephone's spec looked through, drawn, counted and described."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, complain, print_json, print_table, read_span, screen, with_hub
from hub.cli.ivr_simulate import hint_at_script
from hub.core.errors import ConfigurationError
from hub.desk.phone.flow import SPEC_FILE
from hub.stats.call_ways import taken_ways
from ivr.cards import tell_ways
from ivr.check import SpecError, check_spec, load_spec
from ivr.document import Severity
from ivr.drawing import draw_flow
from ivr.flow import Flow, flow_of
from ivr.holiday_list import listed_days
from ivr.prompts import ReadSound
from ivr.schema import spec_schema_text
from ivr.spec import Spec
from ivr.ways import WayCounts, count_ways

#: enough for the head of a sound file, which says what it holds
_HEAD_BYTES = 64 * 1024
_SPEC_HELP = "YAML file; absent: the spec in HUB_HOME."


class Language(StrEnum):
    KO = "ko"
    EN = "en"


def check(
    spec: Annotated[Path | None, typer.Argument(help=_SPEC_HELP)] = None,
    prompts: Annotated[
        Path | None,
        typer.Option(help="Folder of the sound files; each must be there, 8 kHz mono.", exists=True, file_okay=False),
    ] = None,
    holidays: Annotated[bool, typer.Option("--holidays", help="List the days that are not as their weekday.")] = False,
    lang: Annotated[Language, typer.Option(help="Language of the sentences.")] = Language.EN,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    path, text, today = _read(spec)
    read_sound = None if prompts is None else _sounds_of(prompts)
    problems = check_spec(text, source=str(path), today=today, read_sound=read_sound)
    is_wrong = any(problem.severity is Severity.ERROR for problem in problems)
    if as_json:
        if not holidays or is_wrong:
            print_json(problems)
    else:
        for problem in problems:
            message, fix = problem.told(lang)
            complain(f"{problem.file}:{problem.line}: {problem.severity}: {message} [{problem.code}]", fix=fix)
        if not problems:
            screen.print(f"{path}: no errors", markup=False)
        if not is_wrong:
            hint_at_script(path)
    if holidays and not is_wrong:
        _print_days(load_spec(text, source=str(path)), lang, as_json=as_json)
    return ExitCode.WRONG_USE if is_wrong else ExitCode.ALL_DONE


def graph(
    spec: Annotated[Path | None, typer.Argument(help=_SPEC_HELP)] = None,
    svg: Annotated[Path | None, typer.Option(help="Write it here; absent: to standard output.", dir_okay=False)] = None,
    counts: Annotated[bool, typer.Option("--counts", help="With the calls that took each way.")] = False,
    since: Annotated[str | None, typer.Option("--from", help="Counts: calls that entered from here on.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Counts: calls that entered before.")] = None,
    lang: Annotated[Language, typer.Option(help="Language of the words.")] = Language.KO,
) -> None:
    flow = _flow_of(spec, doing="drawn")
    drawn = draw_flow(flow, language=lang, counts=_count(flow, since, until).by_way if counts else None)
    if svg is None:
        typer.echo(drawn, nl=False)
        return
    try:
        svg.write_text(drawn, encoding="utf-8")
    except OSError as error:
        what = f"{svg}: {error.strerror}"
        raise ConfigurationError(what, fix="Name with --svg a file that this user can write.") from error
    screen.print(f"{svg}: written", markup=False)


def ways(
    spec: Annotated[Path | None, typer.Argument(help=_SPEC_HELP)] = None,
    since: Annotated[str | None, typer.Option("--from", help="Calls that entered from here on.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Calls that entered before.")] = None,
    lang: Annotated[Language, typer.Option(help="Language of the words.")] = Language.EN,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    flow = _flow_of(spec, doing="counted")
    found = _count(flow, since, until)
    if as_json:
        print_json(found)
        return
    told = {each.way: each for each in tell_ways(flow, language=lang)}
    rows = [
        (told[each.way].origin, told[each.way].label, told[each.way].to, each.way, each.calls) for each in found.ways
    ]
    rows += [("not in this spec", "", "", way, number) for way, number in found.unknown]
    print_table("", ("from", "key or event", "to", "way", "calls"), rows)
    screen.print(f"{found.calls} calls, {found.without} of them without any way in their records")


def _count(flow: Flow, since: str | None, until: str | None) -> WayCounts:
    async def work(hub: Hub) -> WayCounts:
        start, end = read_span(since, until, zone=hub.settings.zone)
        return count_ways(flow, await taken_ways(hub.database, since=start, until=end, zone=hub.settings.zone))

    return with_hub(work)


def _flow_of(spec: Path | None, *, doing: str) -> Flow:
    """Raises: ConfigurationError for a spec that is not there or has errors."""
    path, text, _ = _read(spec)
    try:
        return flow_of(load_spec(text, source=str(path)))
    except SpecError as error:
        what = f"{path} has errors and cannot be {doing}: {error}"
        raise ConfigurationError(what, fix=f"hub ivr check {path}") from error


def schema() -> None:
    typer.echo(spec_schema_text(), nl=False)


def _read(spec: Path | None) -> tuple[Path, str, date]:
    """The file, its text, and the centre's date."""

    async def path_and_today(hub: Hub) -> tuple[Path, date]:
        return spec or hub.settings.home / SPEC_FILE, hub.now().astimezone(hub.settings.zone).date()

    path, today = with_hub(path_and_today)
    try:
        return path, path.read_text(encoding="utf-8"), today
    except (OSError, UnicodeDecodeError) as error:
        what = f"{path}: {error.strerror if isinstance(error, OSError) else 'is not UTF-8 text'}"
        raise ConfigurationError(what, fix="Name a YAML file; docs/telephone.md describes it.") from error


def _sounds_of(folder: Path) -> ReadSound:
    """Reads from ``folder`` alone, whatever a spec names."""
    root = folder.resolve()

    def read(name: str) -> bytes | None:
        path = (root / name).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            return None
        with path.open("rb") as sound:
            return sound.read(_HEAD_BYTES)

    return read


def _print_days(spec: Spec, language: Language, *, as_json: bool) -> None:
    days = listed_days(spec, language=language)
    if as_json:
        print_json(days)
    else:
        rows = [(day.calendar, day.date, day.kind, day.name or "") for day in days]
        print_table("", ("calendar", "date", "kind", "holiday"), rows)
