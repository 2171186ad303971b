"""`hub file`: shops without an API: files in, replies out."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, complain, print_json, print_table, read_span, screen, with_hub
from hub.core.errors import ConfigurationError
from hub.core.files import FileKind, FileLook, Layout, ReplyKind, ReplyLayout, UnreadableFileError, Upload
from hub.desk.access import command_line_actor
from hub.desk.files.importing import ImportResult, file_desk, import_upload, keep_layout, read_files
from hub.desk.files.preview import Preview, preview_upload
from hub.desk.files.replies import keep_reply_layout, read_replies, take_replies, write_reply

_Shop = Annotated[str, typer.Option(help="The shop.")]
_Kind = Annotated[FileKind, typer.Option("--kind", help="What the rows are.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_File = Annotated[Path, typer.Argument(help="A .xlsx, .xls, .csv, .tsv or .txt file.")]
_LayoutFile = Annotated[
    Path | None, typer.Option("--layout", help="JSON file of a layout; absent: the one that holds.")
]
_Guess = Annotated[bool, typer.Option("--guess", help="Read the columns as their headings let guess.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Shops without an API: files in, answers and tracking numbers out.", no_args_is_help=True)
    group.command("preview", help="What an import would do; nothing is kept.")(preview)
    group.command("import", help="Hand a file in and read the shop.")(import_file)
    group.command("layout", help="The layout that holds, or keep another one (--set FILE.json).")(layout)
    group.command("list", help="The files that were handed in, newest first.")(list_files)
    group.command("write", help="Write an answer or a tracking number down for the next file.")(write)
    group.command("export", help="The file for the mall: what no file had before, or a span.")(export)
    app.add_typer(group, name="file")


def preview(
    file: _File,
    shop: _Shop,
    kind: _Kind = FileKind.ORDERS,
    layout_file: _LayoutFile = None,
    guess: _Guess = False,
    as_json: _Json = False,
) -> int:
    upload = _upload(file, kind)

    async def work(hub: Hub) -> tuple[FileLook, Preview]:
        look, chosen = await _looked(hub, shop, upload, layout_file, guess=guess)
        return look, await preview_upload(hub, shop=shop, upload=upload, layout=chosen)

    look, found = _refused_as_wrong_use(file, work)
    if as_json:
        print_json(_preview_document(look, found))
    else:
        columns = [(each.heading, each.field, "guessed" if each.is_guessed else "") for each in look.columns]
        print_table(f"{file.name}: {look.rows:,} rows below row {look.header_row}", ("column", "field", ""), columns)
        counts = found.counts
        screen.print(
            f"of {found.compared:,} rows: {counts.new} new, {counts.changed} changed, {counts.unchanged} unchanged; "
            f"{found.errors} of {found.rows:,} cannot be read",
            markup=False,
        )
        _warn(look.warnings)
        for problem in found.problems:
            screen.print(f"row {problem.row}, {problem.column or problem.field}: {problem.code}", markup=False)
    return ExitCode.PART_DONE if found.errors else ExitCode.ALL_DONE


_WARNINGS = {
    "new_known": "the layout does not read this new column, which looks like a field: choose it on the Files page",
    "new": "the layout does not read this new column: choose a field for it on the Files page if it is wanted",
    "gone": "the layout reads it and the file has it not: if it was renamed, choose the new one on the Files page",
    "leading_zero_lost": "stored as numbers, leading zeros may be lost: download it with the column as text",
    "digits_rounded": "the last digits of long numbers seem to be zeros: download it with the column as text",
}


def _warn(warnings: tuple[tuple[str, str], ...]) -> None:
    for code, heading in warnings:
        complain(f"column {heading}: {_WARNINGS[code]}")


def _preview_document(look: FileLook, found: Preview) -> dict[str, Any]:
    return {
        "worksheet": look.sheet,
        "encoding": look.encoding,
        "header_row": look.header_row,
        "rows": found.rows,
        "compared": found.compared,
        "new": found.counts.new,
        "changed": found.counts.changed,
        "unchanged": found.counts.unchanged,
        "errors": found.errors,
        "problems": [msgspec.to_builtins(problem) for problem in found.problems],
        "unknown": dict(found.unknown),
        "missing": list(look.missing),
        "warnings": [list(warning) for warning in look.warnings],
        "layout": msgspec.to_builtins(look.layout),
    }


def import_file(
    file: _File,
    shop: _Shop,
    kind: _Kind = FileKind.ORDERS,
    layout_file: _LayoutFile = None,
    guess: _Guess = False,
    as_json: _Json = False,
) -> int:
    upload = _upload(file, kind)

    async def work(hub: Hub) -> ImportResult:
        chosen: Layout | None = None
        if layout_file is not None or guess:
            _, chosen = await _looked(hub, shop, upload, layout_file, guess=guess)
        with Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[read]:,}"), TimeElapsedColumn(),
            console=screen, disable=not screen.is_terminal,
        ) as bars:  # fmt: skip
            bar = bars.add_task(file.name, total=1.0, read=0)
            return await import_upload(
                hub,
                actor=command_line_actor(),
                shop=shop,
                upload=upload,
                layout=chosen,
                on_progress=lambda share, read: bars.update(bar, completed=share, read=read),
            )

    result = _refused_as_wrong_use(file, work)
    note = result.note
    if as_json:
        document = {"file": result.key, "is_new": result.is_new, "error": result.error}
        document["warnings"] = [list(warning) for warning in result.warnings]
        print_json(document | msgspec.to_builtins(note))
    else:
        known = "" if result.is_new else " (this file was here before)"
        screen.print(
            f"{note.rows:,} rows: {note.new} new, {note.changed} changed, {note.unchanged} unchanged, "
            f"{note.errors} in quarantine{known}",
            markup=False,
        )
        _warn(result.warnings)
        if result.error:
            complain(result.error)
    return ExitCode.ALL_DONE if note.complete and not note.errors else ExitCode.PART_DONE


def layout(
    shop: _Shop,
    kind: _Kind = FileKind.ORDERS,
    new: Annotated[Path | None, typer.Option("--set", help="JSON file of the layout to keep.")] = None,
) -> None:
    """Prints the layout as JSON: change it and give it back with --set."""

    async def work(hub: Hub) -> Layout | None:
        if new is not None:
            await keep_layout(hub, actor=command_line_actor(), shop=shop, layout=_read_layout(new, kind))
        _, desk = await file_desk(hub, shop)
        kept = await desk.layout(kind)
        return kept.layout if kept else None

    print_json(msgspec.to_builtins(with_hub(work)))


def list_files(shop: _Shop, as_json: _Json = False) -> None:
    files = with_hub(lambda hub: read_files(hub, actor=command_line_actor(), shop=shop))
    if as_json:
        print_json(files)
        return
    rows = [
        (
            file.received_at.isoformat(timespec="minutes"),
            file.kind.value,
            file.name,
            file.by,
            file.note and file.note.rows,
            file.note and file.note.errors,
        )
        for file in files
    ]
    print_table(shop, ("received", "kind", "file", "by", "rows", "errors"), rows)


def write(
    kind: Annotated[ReplyKind, typer.Argument(help="What is written down.")],
    shop: _Shop,
    value: Annotated[list[str], typer.Option("--value", help="FIELD=TEXT, e.g. tracking_no=600000000001.")],
) -> None:
    values = {}
    for pair in value:
        field, sign, text = pair.partition("=")
        if not sign:
            what = f"--value {field!r} has no text"
            raise ConfigurationError(what, fix="Write --value FIELD=TEXT.")
        values[field] = text

    async def work(hub: Hub) -> None:
        await write_reply(hub, actor=command_line_actor(), shop=shop, kind=kind, values=values)

    with_hub(work)


def export(
    kind: Annotated[ReplyKind, typer.Argument(help="What the file holds.")],
    shop: _Shop,
    output: Annotated[Path, typer.Option(help="File to write.")],
    since: Annotated[str | None, typer.Option("--from", help="A copy of what was written since then.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="... and before this time.")] = None,
    layout_file: Annotated[
        Path | None, typer.Option("--layout", help="JSON file of the mall's upload form; kept for the next time.")
    ] = None,
) -> None:
    async def work(hub: Hub) -> int:
        start, end = read_span(since, until, zone=hub.settings.zone)
        actor = command_line_actor()
        if layout_file is not None:
            await keep_reply_layout(hub, actor=actor, shop=shop, layout=_decoded(layout_file, ReplyLayout))
        _, form = await read_replies(hub, actor=actor, shop=shop, kind=kind)
        if not output.name.lower().endswith(f".{form.form.value}"):
            what = f"the file for this mall is a .{form.form.value}"
            raise ConfigurationError(what, fix=f"Name one with --output FILE.{form.form.value}.")
        file = await take_replies(hub, actor=actor, shop=shop, kind=kind, since=start, until=end)
        if file is None:
            return 0
        output.write_bytes(file.body)
        if file.unwritable:
            complain(f"{file.unwritable} characters are not in {form.encoding} and stand as ?")
        return file.rows

    screen.print(f"{with_hub(work):,} rows", markup=False)


def _upload(file: Path, kind: FileKind) -> Upload:
    try:
        return Upload(kind=kind, name=file.name, body=file.read_bytes())
    except OSError as error:
        what = f"{file}: {error.strerror}"
        raise ConfigurationError(what, fix="Name a file that this user can read.") from error


async def _looked(
    hub: Hub, shop: str, upload: Upload, layout_file: Path | None, *, guess: bool
) -> tuple[FileLook, Layout]:
    """Raises: ConfigurationError when no layout is given or kept, or what is guessed does not do."""
    _, desk = await file_desk(hub, shop)
    if layout_file is not None:
        given = _read_layout(layout_file, upload.kind)
        return desk.look(upload, layout=given), given
    kept = await desk.layout(upload.kind)
    if kept is not None and not guess:
        return desk.look(upload, layout=kept.layout), kept.layout
    look = desk.look(upload)
    if not guess:
        what = f"shop {shop!r} has no layout for files of {upload.kind.value}"
        raise ConfigurationError(
            what, fix="Choose the columns on the Files page, or give --layout FILE.json or --guess."
        )
    if look.missing:
        what = f"{upload.name}: the headings do not tell {', '.join(look.missing)}"
        raise ConfigurationError(what, fix="Choose the columns on the Files page, or give --layout FILE.json.")
    return look, look.layout


def _read_layout(path: Path, kind: FileKind) -> Layout:
    found: Layout = _decoded(path, Layout)
    if found.kind is not kind:
        what = f"{path}: a layout of {found.kind.value}, not of {kind.value}"
        raise ConfigurationError(what, fix=f"Give --kind {found.kind.value}.")
    return found


def _decoded(path: Path, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        what = f"{path}: {error.strerror}"
        raise ConfigurationError(what, fix="Name a JSON file.") from error
    except msgspec.MsgspecError as error:
        what = f"{path}: {error}"
        raise ConfigurationError(what, fix="docs/sheets.md describes the keys.") from error


def _refused_as_wrong_use(file: Path, work: Any) -> Any:
    try:
        return with_hub(work)
    except UnreadableFileError as error:
        what = f"{file}: {error.what}"
        raise ConfigurationError(what, fix="docs/sheets.md says which files can be read.") from error
