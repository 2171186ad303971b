"""`hub export`: rows for files; the columns are a contract (docs/command-line.md)."""

import csv
import sys
from collections.abc import AsyncIterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TextIO

import msgspec
import typer

from hub.bootstrap import Hub
from hub.cli.console import read_span, with_hub
from hub.core.errors import ConfigurationError
from hub.desk.access import AccessAction, command_line_actor, record_access
from hub.desk.export import ExportKind, ExportRequest, columns, export_rows
from hub.stats.workbook import write_workbook


class Format(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"
    XLSX = "xlsx"


def register(app: typer.Typer) -> None:
    app.command("export", help="Rows as jsonl, csv or xlsx; personal data masked.")(export)


def export(
    kind: Annotated[ExportKind, typer.Argument(help="Which rows.")],
    shop: Annotated[str | None, typer.Option(help="Only this shop.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="Rows of this time on.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Rows before this time.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to write them.")] = Format.JSONL,
    output: Annotated[Path | None, typer.Option(help="File to write; absent: standard output.")] = None,
    unmask: Annotated[bool, typer.Option("--unmask", help="Personal data in the clear; needs --reason.")] = False,
    reason: Annotated[str, typer.Option(help="Why; stands in the access log.")] = "",
) -> None:
    if unmask and not reason.strip():
        what = "--unmask needs --reason"
        raise ConfigurationError(what, fix="The reason stands in the access log beside the export.")
    if shop is not None and kind is ExportKind.CALLS:
        what = "calls belong to a mall's line, not to a shop"
        raise ConfigurationError(what, fix="Leave --shop out; the column mall tells them apart.")
    if form is Format.XLSX and output is None:
        what = "an xlsx cannot go to standard output"
        raise ConfigurationError(what, fix="Name a file with --output FILE.xlsx.")

    async def work(hub: Hub) -> None:
        start, end = read_span(since, until, zone=hub.settings.zone)
        if shop is not None:
            await hub.shop_store.named(shop)
        request = ExportRequest(kind=kind, shop=shop, since=start, until=end, unmask=unmask)
        async with hub.database.writing() as connection:
            await record_access(
                connection,
                at=hub.now(),
                actor=command_line_actor(),
                action=AccessAction.EXPORT,
                subject=f"export {kind}{' unmasked' if unmask else ''}",
                reason=reason or None,
            )
        rows = export_rows(hub.database, request, mode_of=await hub.mode_of(), zone=hub.settings.zone)
        if form is Format.XLSX and output is not None:
            await write_workbook(output, title=kind.value, columns=columns(kind), rows=rows)
        elif output is not None:
            with output.open("w", encoding="utf-8", newline="") as file:
                await _write_text(rows, kind, form, file)
        else:
            await _write_text(rows, kind, form, sys.stdout)

    with_hub(work)


async def _write_text(rows: AsyncIterator[dict[str, Any]], kind: ExportKind, form: Format, file: TextIO) -> None:
    if form is Format.JSONL:
        encode = msgspec.json.Encoder().encode
        async for row in rows:
            file.write(encode(row).decode() + "\n")
        return
    writer = csv.writer(file)
    writer.writerow(columns(kind))
    async for row in rows:
        writer.writerow([_plain_cell(row[name]) for name in columns(kind)])


def _plain_cell(value: Any) -> Any:
    # A spreadsheet would run a customer's text that looks like a formula.
    if isinstance(value, str) and value[:1] in "=+-@\t\r" and value[:1]:
        return "'" + value
    return value
