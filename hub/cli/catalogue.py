"""`hub catalogue`: suppliers and stock as the malls tell them, for routing and for the agents."""

from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, print_json, print_table, screen, with_hub
from hub.sync.catalogue import BrokenRecord, CatalogueError, CatalogueReport, CatalogueStatus, read_catalogue_status


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Suppliers and stock of the malls: read, show.", no_args_is_help=True)
    group.command("read", help="Read suppliers and stock of every shop whose mall tells them.")(read)
    group.command("show", help="Per shop: how many suppliers and items are known, and as of when.")(show)
    app.add_typer(group, name="catalogue")


def read(
    shop: Annotated[list[str] | None, typer.Option(help="Only this shop; may be given more than once.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    progress = _Bars()

    async def work(hub: Hub) -> list[CatalogueReport]:
        with progress.bars:
            return await hub.read_catalogue(shop or (), on_progress=progress)

    reports = with_hub(work)
    if as_json:
        print_json(reports)
    else:
        _print_reports(reports)
    if all(report.complete and not report.broken for report in reports):
        return ExitCode.ALL_DONE
    return ExitCode.PART_DONE if any(report.read for report in reports) else ExitCode.NOTHING_DONE


def show(
    shop: Annotated[str | None, typer.Option(help="Only this shop.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    async def work(hub: Hub) -> list[CatalogueStatus]:
        shops = [await hub.shop_store.named(shop)] if shop else await hub.shops()
        return [await read_catalogue_status(hub.database, row) for row in shops]

    found = with_hub(work)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            each.shop,
            each.suppliers,
            each.items,
            each.data_as_of.astimezone().isoformat(timespec="minutes") if each.data_as_of else "never",
            each.broken,
            each.error.message if each.error else "",
        )
        for each in found
    ]
    print_table("", ("shop", "suppliers", "items", "data as of", "broken", "error"), rows)
    for each in found:
        _print_trouble(each.shop, None, each.broken_records)


def _print_reports(reports: list[CatalogueReport]) -> None:
    if not reports:
        screen.print("no shop's mall tells a catalogue", markup=False)
        return
    rows = [
        (
            each.shop,
            each.suppliers,
            each.items,
            each.new,
            each.changed,
            each.removed,
            each.broken,
            each.calls,
            f"{each.seconds:.1f}",
            "yes" if each.complete else "NO",
        )
        for each in reports
    ]
    headings = ("shop", "suppliers", "items", "new", "changed", "removed", "broken", "calls", "seconds", "complete")
    print_table("", headings, rows)
    for each in reports:
        _print_trouble(each.shop, each.error, each.broken_records)


def _print_trouble(shop: str, error: CatalogueError | None, broken: list[BrokenRecord]) -> None:
    if error is not None:
        screen.print(f"{shop}: {error.kind}: {error.message}", style="red", markup=False)
    for record in broken:
        screen.print(f"{shop}: {record.key!r}: {record.error}", markup=False)


class _Bars:
    """One progress bar per shop, on a terminal only."""

    def __init__(self) -> None:
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[read]:>7} read"),
            TimeElapsedColumn(),
            console=screen,
            disable=not screen.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, shop: str, share: float, read: int) -> None:
        if shop not in self._tasks:
            self._tasks[shop] = self.bars.add_task(shop, total=1.0, read=0)
        self.bars.update(self._tasks[shop], completed=share, read=read)
