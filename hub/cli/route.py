"""`hub route`: whom to ask about a line or product, and why; and the table of inventory modes."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, complain, print_json, print_table, read_time, screen, with_hub
from hub.core.errors import ConfigurationError
from hub.core.model import Product
from hub.desk.books.mode_rows import import_modes
from hub.registry import find_connectors
from hub.store.catalogue import catalogue_facts, read_stock_facts
from hub.store.one import find_product, find_products_of_line
from hub.store.shops import ShopRow
from routing.book import SECTIONS, rows_of
from routing.chain import BookInForce, Matter, RouteDecision, explain
from routing.rules_file import WrongFileError, place_of, read_tables
from routing.table_file import ModeTableImport


class Language(StrEnum):
    KO = "ko"
    EN = "en"


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Whom to ask, and why.", no_args_is_help=True)
    group.command("explain", help="The contact chain for a line or product, step by step.")(explain_route)
    group.command("check", help="Every mistake of a routing.toml, with what to do; nothing is changed.")(check_file)
    group.command("import", help="Replace the inventory modes by a CSV or spreadsheet: whole, or not at all.")(
        import_table
    )
    app.add_typer(group, name="route")


def explain_route(
    shop: Annotated[str, typer.Option(help="The shop.")],
    matter: Annotated[Matter, typer.Option(help="What it is about.")],
    line: Annotated[str | None, typer.Option(help="Line number.")] = None,
    order: Annotated[
        str | None, typer.Option(help="Order number, where the mall counts lines within an order.")
    ] = None,
    product: Annotated[str | None, typer.Option(help="The mall's product code, or the seller's SKU.")] = None,
    at: Annotated[str | None, typer.Option(help="When; absent: now.")] = None,
    lang: Annotated[Language, typer.Option(help="Language of the sentences.")] = Language.EN,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    if (line is None) == (product is None):
        what = "name either --line or --product"
        raise ConfigurationError(what, fix="hub export lines --shop NAME lists both.")
    if order is not None and line is None:
        what = "--order says which --line is meant, and there is none"
        raise ConfigurationError(what, fix="Name a line of that order with --line.")

    async def work(hub: Hub) -> RouteDecision:
        row = await hub.shop_store.named(shop)
        asked = await _product(hub, row, line=line, order=order, code=product or "")
        book = hub.routing
        if book is None:
            what = "there is no routing table"
            raise ConfigurationError(what, fix="hub db upgrade")
        if book.problem is not None and not book.version:
            # A file that was never right: the shipped rules alone would answer as if it were not there.
            raise ConfigurationError(book.problem.what, fix=book.problem.fix)
        async with hub.database.reading() as connection:
            (stock,) = await read_stock_facts(hub.database, connection, [(row.id, asked)])
        return explain(
            asked,
            shop=row.name,
            mall=row.mall,
            matter=matter,
            at=read_time(at, option="--at", zone=hub.settings.zone) or hub.now(),
            table=book.table,
            directory=book.directory,
            chain=book.chain,
            zone=hub.settings.timezone,
            facts=catalogue_facts(stock),
            book=BookInForce(
                version=book.version,
                source=book.source,
                problem=book.problem.told(lang) if book.problem else None,
            ),
            locale=lang,
        )

    decision = with_hub(work)
    if as_json:
        print_json(decision)
    else:
        _print(decision)
    if decision.book.problem is None:
        return ExitCode.ALL_DONE
    complain(f"{decision.book.problem} (version {decision.book.version} of the routing book stays in force)")
    return ExitCode.PART_DONE


async def _product(hub: Hub, shop: ShopRow, *, line: str | None, order: str | None, code: str) -> Product:
    """What is sold in that line, or under that code, though no order has named it yet.

    Raises: ConfigurationError for a line that the hub does not know, or that several orders have.
    """
    if line is None:
        found = await find_product(hub.database, shop.id, code)
        return found or Product(name=code, code=code, seller_sku=code)
    of_orders = await find_products_of_line(hub.database, shop.id, line, order_no=order)
    if not of_orders:
        where = f"in shop {shop.name!r}" if order is None else f"in order {order!r} of shop {shop.name!r}"
        what = f"the hub knows no line {line!r} {where}"
        raise ConfigurationError(what, fix=f"hub resync --shop {shop.name} --order NO reads an order from the mall.")
    if len(of_orders) > 1:
        what = f"shop {shop.name!r} has a line {line!r} in several orders"
        raise ConfigurationError(what, fix=f"Name one with --order: {', '.join(of_orders)}.")
    return next(iter(of_orders.values()))


def _print(decision: RouteDecision) -> None:
    for step in decision.steps:
        screen.print(f"· {step}", markup=False)
    rows = [
        (
            f"{link.role}{' (together)' if link.together else ''}",
            link.name,
            link.organisation,
            "yes" if link.open_now else "no",
            ", ".join(link.reachable_by),
            link.why,
        )
        for link in decision.chain
    ]
    headings = ("role", "name", "organisation", "open", "by", "why")
    print_table(f"{decision.mode} · {decision.matter}", headings, rows)
    if decision.considered:
        considered = [(each.kind, each.name, each.why) for each in decision.considered]
        print_table("also considered", ("kind", "name", "why not"), considered)


def check_file(
    file: Annotated[Path, typer.Argument(help="A routing.toml.")],
    lang: Annotated[Language, typer.Option(help="Language of the sentences.")] = Language.EN,
) -> int:
    try:
        tables = read_tables(file.read_bytes(), file=str(file), malls=frozenset(find_connectors().manifests))
    except OSError as error:
        what = f"{file}: {error.strerror}"
        raise ConfigurationError(what, fix="Name a file that this user can read.") from error
    except WrongFileError as error:
        for problem in error.problems:
            reason, fix = problem.told(lang)
            complain(f"{file}: {place_of(problem)}: {reason}", fix=fix)
        return ExitCode.WRONG_USE
    counts = ", ".join(f"{len(rows_of(tables, section))} {section}" for section in SECTIONS)
    screen.print(f"{file}: right ({counts})", markup=False, soft_wrap=True)
    return ExitCode.ALL_DONE


def import_table(
    file: Annotated[Path, typer.Argument(help="CSV (UTF-8, CP949, Shift_JIS), xlsx or xls.")],
    lang: Annotated[Language, typer.Option(help="Language of the sentences.")] = Language.EN,
) -> int:
    try:
        data = file.read_bytes()
    except OSError as error:
        what = f"{file}: {error.strerror}"
        raise ConfigurationError(what, fix="Name a file that this user can read.") from error

    async def work(hub: Hub) -> ModeTableImport:
        return await import_modes(hub.database, data, now=hub.now())

    read = with_hub(work)
    for problem in read.problems:
        place = f"{file}:{problem.row}" if problem.row else str(file)
        reason, fix = problem.told(lang)
        column = f"{problem.column}: " if problem.column else ""
        value = f" ({problem.value!r})" if problem.value else ""
        complain(f"{place}: {column}{reason}{value}", fix=fix)
    if read.problems:
        complain("nothing was imported")
        return 2
    screen.print(f"{len(read.rows)} rows imported", markup=False)
    return 0
