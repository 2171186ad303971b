"""`hub compensation`: the ledger of what was given beyond what is owed, and its rows for settlement with partners."""

import csv
import sys
from collections.abc import AsyncIterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import msgspec
import typer
from msgspec import Struct

from hub.bootstrap import Hub
from hub.cli.console import print_json, print_table, read_span, with_hub
from hub.core.errors import ConfigurationError
from hub.desk.access import AccessAction, command_line_actor, record_access
from hub.desk.books.sheets import safe_cell
from hub.desk.care.compensation_list import LedgerRow, LedgerSpan, LedgerSum, ledger_rows, read_sums
from hub.stats.workbook import as_mappings, write_workbook


class Format(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"
    XLSX = "xlsx"


class Ledger(Struct, frozen=True, kw_only=True):
    """What `hub compensation list --json` prints."""

    sums: tuple[LedgerSum, ...]
    rows: tuple[LedgerRow, ...]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Compensations given, and the partners' shares of them.", no_args_is_help=True)
    group.command("list", help="Rows that were given, with sums by partner.")(list_given)
    group.command("export", help="The same rows as csv, xlsx or jsonl, for settlement.")(export)
    app.add_typer(group, name="compensation")


_FROM = Annotated[str | None, typer.Option("--from", help="Given at this time or later.")]
_TO = Annotated[str | None, typer.Option("--to", help="Given before this time.")]
_PARTNER = Annotated[str | None, typer.Option(help='Only this partner\'s shares; "-": where no partner has one.')]


def list_given(
    since: _FROM = None,
    until: _TO = None,
    partner: _PARTNER = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    async def work(hub: Hub) -> Ledger:
        span = _span(hub, since, until, partner)
        return Ledger(
            sums=await read_sums(hub, actor=command_line_actor(), span=span),
            rows=tuple([row async for row in ledger_rows(hub, span=span)]),
        )

    found = with_hub(work)
    if as_json:
        print_json(found)
        return
    print_table(
        "",
        ("given", "shop", "order", "line", "kind", "reason", "amount", "partner", "partner's", "ours"),
        [
            (
                row.given_at,
                row.shop,
                row.order_no,
                row.line_no,
                row.kind,
                row.reason,
                f"{row.amount_minor:,} {row.currency}",
                row.partner,
                f"{row.partner_minor:,}",
                f"{row.our_minor:,}",
            )
            for row in found.rows
        ],
    )
    print_table(
        "",
        ("partner", "currency", "rows", "amount", "partner's", "ours"),
        [
            (
                each.partner,
                each.currency,
                each.count,
                f"{each.amount_minor:,}",
                f"{each.partner_minor:,}",
                f"{each.our_minor:,}",
            )
            for each in found.sums
        ],
    )


def export(
    since: _FROM = None,
    until: _TO = None,
    partner: _PARTNER = None,
    form: Annotated[Format, typer.Option("--format", help="How to write them.")] = Format.JSONL,
    output: Annotated[Path | None, typer.Option(help="File to write; absent: standard output.")] = None,
) -> None:
    if form is Format.XLSX and output is None:
        what = "an xlsx cannot go to standard output"
        raise ConfigurationError(what, fix="Name a file with --output FILE.xlsx.")

    async def work(hub: Hub) -> None:
        span = _span(hub, since, until, partner)
        async with hub.database.writing() as connection:
            await record_access(
                connection,
                at=hub.now(),
                actor=command_line_actor(),
                action=AccessAction.EXPORT,
                subject="export compensations",
            )
        rows = ledger_rows(hub, span=span)
        if form is Format.XLSX and output is not None:
            columns = LedgerRow.__struct_fields__
            await write_workbook(output, title="compensations", columns=columns, rows=as_mappings(rows))
        elif output is not None:
            with output.open("w", encoding="utf-8", newline="") as file:
                await _write(rows, form, file)
        else:
            await _write(rows, form, sys.stdout)

    with_hub(work)


def _span(hub: Hub, since: str | None, until: str | None, partner: str | None) -> LedgerSpan:
    start, end = read_span(since, until, zone=hub.settings.zone)
    return LedgerSpan(since=start, until=end, partner=partner)


async def _write(rows: AsyncIterator[LedgerRow], form: Format, file: TextIO) -> None:
    if form is Format.JSONL:
        encode = msgspec.json.Encoder().encode
        async for row in rows:
            file.write(encode(row).decode() + "\n")
        return
    writer = csv.writer(file)
    writer.writerow(LedgerRow.__struct_fields__)
    async for row in rows:
        values = (getattr(row, name) for name in row.__struct_fields__)
        writer.writerow([safe_cell(value) if isinstance(value, str) else value for value in values])
