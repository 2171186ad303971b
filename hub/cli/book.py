"""`hub book`: the books that supervisors write, out and in, with their history."""

import csv
import io
import sys
from collections.abc import AsyncIterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, complain, print_json, print_table, screen, with_hub
from hub.core.book_problem import Problem
from hub.core.errors import ConfigurationError
from hub.desk.access import AccessAction, command_line_actor, record_access
from hub.desk.books.books import (
    PAGE,
    Book,
    OvertakenError,
    ProblemsError,
    VersionHead,
    decode_book,
    read_book,
    read_history,
    write_whole,
)
from hub.desk.books.changes import Kind, compare
from hub.desk.books.fields import cell_text, sections_of
from hub.desk.books.forms import BookForm, read_forms
from hub.desk.books.rows import row_type
from hub.desk.books.sheets import read_section, safe_cell, sheet_rows
from hub.desk.cases.case import NotFoundError
from hub.stats.workbook import write_workbook
from hub.store.books import BookKind
from hub.web.books.words import headings_of, meanings_of
from routing.sheet import SheetError

#: ways to reach people, and addresses that work like passwords
_MASKED: Final = frozenset({"phone", "chat", "email", "webhook_url"})
_MASK: Final = "***"
_WHICH: Final = "Which book."


class Format(StrEnum):
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The books that supervisors write: routing, policy, templates.", no_args_is_help=True)
    group.command("show", help="The rows in force, or of an older version.")(show)
    group.command("history", help="Who put which version in force, when and why.")(history)
    group.command("export", help="A whole book as JSON, or one section as csv or xlsx.")(export)
    group.command("import", help="Put a book (JSON) or one section (csv, xlsx) in force: whole, or not at all.")(
        import_book
    )
    app.add_typer(group, name="book")


def show(
    kind: Annotated[BookKind, typer.Argument(help=_WHICH)],
    version: Annotated[int | None, typer.Option(help="An older version; 0: what ships.")] = None,
    unmask: Annotated[
        bool, typer.Option("--unmask", help="Telephone, chat, e-mail in the clear; needs --reason.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why; stands in the access log.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    if unmask and not reason.strip():
        what = "--unmask needs --reason"
        raise ConfigurationError(what, fix="The reason stands in the access log.")

    async def work(hub: Hub) -> tuple[BookForm, Book]:
        if unmask:
            await _record(hub, f"book {kind} unmasked", reason)
        return await _read(hub, kind, version)

    form, book = with_hub(work)
    sections = {name: [_told(row, unmask=unmask) for row in getattr(book.tables, name)] for name in _sections(form)}
    if as_json:
        print_json(_head_document(book) | {"sections": sections})
        return
    head = book.head
    screen.print(f"{kind} version {book.version}{f': {head.note}' if head and head.note else ''}", markup=False)
    for name, rows in sections.items():
        if not rows:
            continue
        columns = tuple(dict.fromkeys(column for row in rows for column in row))
        print_table(f"{name} ({len(rows)})", columns, [tuple(row.get(column) for column in columns) for row in rows])


def _sections(form: BookForm) -> tuple[str, ...]:
    return tuple(sections_of(form.tables))


def _told(row: Any, *, unmask: bool) -> dict[str, Any]:
    """A row by field, without what is left at its default."""
    said: dict[str, Any] = msgspec.to_builtins(row)
    if unmask:
        return said
    return {name: _MASK if name in _MASKED and value else value for name, value in said.items()}


def _head_document(book: Book) -> dict[str, Any]:
    head = book.head
    return {
        "kind": book.kind,
        "version": book.version,
        "in_force": book.version == book.newest,
        "source": head.source if head else None,
        "author": head.author if head else None,
        "note": head.note if head else None,
        "created_at": head.created_at if head else None,
    }


async def _read(hub: Hub, kind: BookKind, version: int | None) -> tuple[BookForm, Book]:
    form = (await read_forms(hub))[kind]
    try:
        return form, await read_book(hub, form, actor=command_line_actor(), version=version)
    except NotFoundError:
        what = f"the {kind} book has no version {version}"
        raise ConfigurationError(what, fix=f"`hub book history {kind}` lists them.") from None


def history(
    kind: Annotated[BookKind, typer.Argument(help=_WHICH)],
    before: Annotated[int | None, typer.Option(help="Versions before this one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    async def work(hub: Hub) -> tuple[VersionHead, ...]:
        return await read_history(hub, kind, actor=command_line_actor(), before=before)

    heads = with_hub(work)
    if as_json:
        print_json(heads)
        return
    rows = [(head.version, head.created_at.isoformat(), head.author or head.source, head.note) for head in heads]
    print_table(f"{kind}: {len(heads)} of at most {PAGE}", ("version", "at", "by", "note"), rows)


def export(
    kind: Annotated[BookKind, typer.Argument(help=_WHICH)],
    section: Annotated[str | None, typer.Option(help="Only this section; csv and xlsx need one.")] = None,
    form_name: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.JSON,
    version: Annotated[int | None, typer.Option(help="An older version.")] = None,
    output: Annotated[Path | None, typer.Option(help="File to write; absent: standard output.")] = None,
) -> None:
    """Everything, so that it can be imported again; it stands in the access log."""
    if (form_name is Format.JSON) != (section is None):
        what = "csv and xlsx hold one --section, json the whole book"
        raise ConfigurationError(what, fix="Name a --section for csv or xlsx, none for json.")
    if form_name is Format.XLSX and output is None:
        what = "an xlsx cannot go to standard output"
        raise ConfigurationError(what, fix="Name a file with --output FILE.xlsx.")

    async def work(hub: Hub) -> tuple[BookForm, Book]:
        form, book = await _read(hub, kind, version)
        await _record(hub, f"book {kind} {section or 'whole'} version {book.version}", None)
        if form_name is Format.XLSX and section is not None and output is not None:
            rows = sheet_rows(getattr(book.tables, section), _row(form, section))
            columns = _row(form, section).__struct_fields__
            await write_workbook(output, title=section, columns=columns, rows=_each(rows))
        return form, book

    form, book = with_hub(work)
    if form_name is Format.XLSX:
        return
    text = form.encode(book.tables) + "\n" if section is None else _csv_text(form, section, book)
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8")


async def _each(rows: Any) -> AsyncIterator[Mapping[str, Any]]:
    for row in rows:
        yield row


def _row(form: BookForm, section: str) -> Any:
    try:
        return row_type(form, section)
    except NotFoundError:
        what = f"the {form.kind} book has no section {section!r}"
        raise ConfigurationError(what, fix=f"Its sections are {', '.join(_sections(form))}.") from None


def _csv_text(form: BookForm, section: str, book: Book) -> str:
    row = _row(form, section)
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(row.__struct_fields__)
    for each in getattr(book.tables, section):
        writer.writerow([safe_cell(cell_text(getattr(each, name))) for name in row.__struct_fields__])
    return file.getvalue()


def import_book(
    kind: Annotated[BookKind, typer.Argument(help=_WHICH)],
    file: Annotated[Path, typer.Argument(help="JSON of a whole book; csv, xlsx or xls of a --section.")],
    section: Annotated[str | None, typer.Option(help="The section that the file replaces.")] = None,
    note: Annotated[str, typer.Option(help="Why; stands in the history. Absent: the file's name.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    try:
        data = file.read_bytes()
    except OSError as error:
        what = f"{file}: {error.strerror}"
        raise ConfigurationError(what) from error

    async def work(hub: Hub) -> dict[str, Any]:
        form, book = await _read(hub, kind, None)
        tables = _tables(form, book, data, section, file)
        changes = compare(book.tables, tables)
        document = {
            "kind": kind,
            "version": book.version,
            **{each.value: changes.count(each) for each in Kind},
            "dry_run": dry_run,
        }
        problems = form.find_problems(tables)
        if problems:
            raise ProblemsError(problems)
        if changes and not dry_run:
            written = await write_whole(
                hub, form, tables, actor=command_line_actor(), note=note or file.name, based_on=book.version
            )
            document["version"] = written.version
        return document

    try:
        document = with_hub(work)
    except ProblemsError as error:
        _complain_of(error.problems)
        return ExitCode.WRONG_USE
    except OvertakenError as error:
        complain(f"version {error.newest} was put in force meanwhile", fix="Look at it, then import again.")
        return ExitCode.NOTHING_DONE
    if as_json:
        print_json(document)
    else:
        told = ", ".join(f"{document[each.value]} {each.value}" for each in Kind)
        screen.print(f"{kind} version {document['version']}: {told}{' (nothing written)' if dry_run else ''}")
    return ExitCode.ALL_DONE


def _tables(form: BookForm, book: Book, data: bytes, section: str | None, file: Path) -> Any:
    if section is None:
        return decode_book(form, data)
    row = _row(form, section)
    try:
        read = read_section(data, row, headings=headings_of(form.kind, section, row), meanings=meanings_of(row))
    except SheetError as error:
        what = f"{file}: {error.what}"
        raise ConfigurationError(what, fix=error.fix) from error
    if read.errors:
        for each in read.errors:
            complain(f"{file}:{each.row}: {each.typed.field}: {each.typed.key} {dict(each.typed.words) or ''}".rstrip())
        what = f"{file}: {read.total} cells cannot be read; nothing was imported"
        raise ConfigurationError(what)
    return msgspec.structs.replace(book.tables, **{section: read.rows})


def _complain_of(problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        place = "" if problem.row is None else f" row {problem.row + 1}"
        column = f", {problem.column}" if problem.column else ""
        complain(f"{problem.section}{place}{column}: {problem.reason}", fix=problem.fix)
    complain("nothing was put in force")


async def _record(hub: Hub, subject: str, reason: str | None) -> None:
    async with hub.database.writing() as connection:
        await record_access(
            connection,
            at=hub.now(),
            actor=command_line_actor(),
            action=AccessAction.EXPORT,
            subject=subject,
            reason=reason,
        )
