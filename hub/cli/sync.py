"""`hub sync`: one complete run over the shops."""

from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from hub.bootstrap import Hub, SyncReport
from hub.cli.console import ExitCode, print_json, print_table, screen, with_hub
from hub.core.contract import Feed


def register(app: typer.Typer) -> None:
    app.command("sync", help="Read every shop once: what is new, what changed, what vanished.")(sync)


def sync(
    shop: Annotated[list[str] | None, typer.Option(help="Only this shop; may be given more than once.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read the whole time again, not only changes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    progress = Bars()

    async def work(hub: Hub) -> SyncReport:
        with progress.bars:
            return await hub.sync(shop or (), full=full, on_progress=progress)

    report = with_hub(work)
    if as_json:
        print_json(report)
    else:
        print_report(report)
    if report.complete:
        return ExitCode.ALL_DONE
    nothing = not any(feed.complete or feed.read for each in report.shops for feed in each.feeds)
    return ExitCode.NOTHING_DONE if nothing else ExitCode.PART_DONE


class Bars:
    """One progress bar per shop and feed, on a terminal only."""

    def __init__(self) -> None:
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[read]:>7} read"),
            TimeElapsedColumn(),
            console=screen,
            disable=not screen.is_terminal,
        )
        self._tasks: dict[tuple[str, Feed], TaskID] = {}

    def __call__(self, shop: str, feed: Feed, share: float, read: int) -> None:
        key = (shop, feed)
        if key not in self._tasks:
            self._tasks[key] = self.bars.add_task(f"{shop} · {feed}", total=1.0, read=0)
        self.bars.update(self._tasks[key], completed=share, read=read)


def print_report(report: SyncReport) -> None:
    rows = [
        (
            each.shop,
            feed.feed,
            feed.read,
            feed.new,
            feed.changed,
            feed.quarantined,
            feed.vanished,
            feed.calls,
            f"{feed.seconds:.1f}",
            "yes" if feed.complete else "NO",
        )
        for each in report.shops
        for feed in each.feeds
    ]
    headings = ("shop", "feed", "read", "new", "changed", "quarantined", "vanished", "calls", "seconds", "complete")
    print_table("", headings, rows)
    for each in report.shops:
        if each.run_id:
            screen.print(f"{each.shop}: run {each.run_id}", markup=False)
        if each.error:
            screen.print(f"{each.shop}: {each.error.kind}: {each.error.message}", style="red", markup=False)
