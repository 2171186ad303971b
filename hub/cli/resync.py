"""`hub resync`: a stretch of time or one order read again, beside the runs by schedule."""

from datetime import datetime
from typing import Annotated

import typer

from hub.bootstrap import Hub, SyncReport
from hub.cli.console import ExitCode, print_json, read_span, with_hub
from hub.cli.sync import Bars, print_report
from hub.core.errors import ConfigurationError
from hub.desk.acting.answered import note_answered
from hub.sync.resync import resync_order, resync_span
from hub.sync.run import ShopReport


def register(app: typer.Typer) -> None:
    app.command("resync", help="Read a stretch of time, or one order, of one shop again.")(run)


def run(
    shop: Annotated[str, typer.Option(help="The shop.")],
    since: Annotated[str | None, typer.Option("--from", help="From this time on.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Before this time; left away: up to now.")] = None,
    order: Annotated[str | None, typer.Option(help="This order instead of a stretch of time.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    if (order is None) == (since is None) or (order is not None and until is not None):
        what = "resync reads either a stretch of time or one order"
        raise ConfigurationError(what, fix="Give --from (and --to), or --order.")
    progress = Bars()

    async def work(hub: Hub) -> SyncReport:
        started_at = hub.now()
        with progress.bars:
            report = await _read(hub, shop, since=since, until=until, order=order, on_progress=progress)
        return SyncReport(started_at=started_at, finished_at=hub.now(), complete=report.complete, shops=[report])

    report = with_hub(work)
    if as_json:
        print_json(report)
    else:
        print_report(report)
    if report.complete:
        return ExitCode.ALL_DONE
    is_something_done = any(feed.complete or feed.read for each in report.shops for feed in each.feeds)
    return ExitCode.PART_DONE if is_something_done else ExitCode.NOTHING_DONE


async def _read(
    hub: Hub, name: str, *, since: str | None, until: str | None, order: str | None, on_progress: Bars
) -> ShopReport:
    shop = await hub.shop_store.named(name)
    if order is not None:
        report = await resync_order(hub, shop, order)
    else:
        start, end = read_span(since, until, zone=hub.settings.zone)
        report = await resync_span(hub, shop, since=_given(start), until=end or hub.now(), on_progress=on_progress)
    if report.complete:
        await note_answered(hub, shop_id=shop.id)
    return report


def _given(since: datetime | None) -> datetime:
    if since is None:
        what = "resync needs --from"
        raise ConfigurationError(what)
    return since
