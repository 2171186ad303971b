"""`hub route`: whom to ask about a line or product, and why; and the table of inventory modes."""

from pathlib import Path
from typing import Annotated

import typer

from hub.bootstrap import Hub
from hub.cli.console import complain, print_json, print_table, read_time, screen, with_hub
from hub.core.errors import ConfigurationError
from hub.core.model import Product
from hub.desk.routing_book import catalogue_facts, import_modes
from hub.store.catalogue import read_stock_facts
from hub.store.one import find_product_of_line
from routing.chain import Matter, RouteDecision, explain
from routing.modes import ModeTable
from routing.table_file import ModeTableImport


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Whom to ask, and why.", no_args_is_help=True)
    group.command("explain", help="The contact chain for a line or product, step by step.")(explain_route)
    group.command("import", help="Replace the inventory modes by a CSV or spreadsheet: whole, or not at all.")(
        import_table
    )
    app.add_typer(group, name="route")


def explain_route(
    shop: Annotated[str, typer.Option(help="The shop.")],
    matter: Annotated[Matter, typer.Option(help="What it is about.")],
    line: Annotated[str | None, typer.Option(help="Line number.")] = None,
    product: Annotated[str | None, typer.Option(help="The mall's product code, or the seller's SKU.")] = None,
    at: Annotated[str | None, typer.Option(help="When; absent: now.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    if (line is None) == (product is None):
        what = "name either --line or --product"
        raise ConfigurationError(what)

    async def work(hub: Hub) -> RouteDecision:
        row = await hub.shop_store.named(shop)
        found = await find_product_of_line(hub.database, row.id, line_no=line, product_code=product)
        if found is None and line is not None:
            what = f"the hub knows no line {line!r} in shop {shop!r}"
            raise ConfigurationError(what)
        book = hub.routing
        if book is None:
            what = "there is no routing table"
            raise ConfigurationError(what)
        asked = found or Product(name=product or "", code=product, seller_sku=product)
        async with hub.database.reading() as connection:
            (stock,) = await read_stock_facts(hub.database, connection, [(row.id, asked)])
        return explain(
            asked,
            shop=row.name,
            mall=row.mall,
            matter=matter,
            at=read_time(at, option="--at", zone=hub.settings.zone) or hub.now(),
            table=book.table or ModeTable(),
            directory=book.directory,
            zone=hub.settings.timezone,
            facts=catalogue_facts(stock),
        )

    decision = with_hub(work)
    if as_json:
        print_json(decision)
        return
    for step in decision.steps:
        screen.print(f"· {step}", markup=False)
    rows = [
        (link.role, link.name, link.organisation, "yes" if link.open_now else link.next_open_at or "no", link.why)
        for link in decision.chain
    ]
    print_table(f"{decision.mode} · {decision.matter}", ("role", "name", "organisation", "open", "why"), rows)


def import_table(file: Annotated[Path, typer.Argument(help="CSV (UTF-8, CP949, Shift_JIS), xlsx or xls.")]) -> int:
    try:
        data = file.read_bytes()
    except OSError as error:
        what = f"{file}: {error.strerror}"
        raise ConfigurationError(what) from error

    async def work(hub: Hub) -> ModeTableImport:
        return await import_modes(hub.database, data, now=hub.now())

    read = with_hub(work)
    for problem in read.problems:
        place = f"{file}:{problem.row}" if problem.row else str(file)
        told = f" ({problem.value!r})" if problem.value else ""
        complain(f"{place}: {problem.column or ''}: {problem.reason}{told}", fix=problem.fix)
    if read.problems:
        complain("nothing was imported")
        return 2
    screen.print(f"{len(read.rows)} rows imported", markup=False)
    return 0
