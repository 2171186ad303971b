"""`hub ivr check`, `graph` and `schema`: the telephone's spec looked through, drawn and described."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, complain, print_json, print_table, screen, with_hub
from hub.cli.ivr_simulate import hint_at_script
from hub.core.errors import ConfigurationError
from hub.desk.telephone import SPEC_FILE
from ivr.check import SpecError, check_spec, load_spec
from ivr.document import Severity
from ivr.drawing import draw_flow
from ivr.flow import flow_of
from ivr.holiday_list import listed_days
from ivr.prompts import ReadSound
from ivr.schema import spec_schema_text
from ivr.spec import Spec

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
    lang: Annotated[Language, typer.Option(help="Language of the words.")] = Language.KO,
) -> None:
    path, text, _ = _read(spec)
    try:
        drawn = draw_flow(flow_of(load_spec(text, source=str(path))), language=lang)
    except SpecError as error:
        what = f"{path} has errors and cannot be drawn: {error}"
        raise ConfigurationError(what, fix=f"hub ivr check {path}") from error
    if svg is None:
        typer.echo(drawn, nl=False)
        return
    try:
        svg.write_text(drawn, encoding="utf-8")
    except OSError as error:
        what = f"{svg}: {error.strerror}"
        raise ConfigurationError(what) from error
    screen.print(f"{svg}: written", markup=False)


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
