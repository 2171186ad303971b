"""`hub status`: how fresh and how complete the data of each shop and feed is."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import msgspec
import typer

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, print_json, print_table, screen, with_hub
from hub.desk.phone.call_following import FollowStatus
from hub.desk.shops.openings import opening_status, read_openings
from hub.desk.shops.status import FeedStatus, ShopStatus, Status, read_status


def register(app: typer.Typer) -> None:
    app.command("status", help="Per shop and feed: data as of, complete or not, gaps, quarantine, next run.")(status)


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="First compare each day with what the malls count, where they count.")
    ] = False,
) -> int:
    async def work(hub: Hub) -> Status:
        failed = await hub.compare() if compare else {}
        for shop, error in failed.items():
            screen.print(f"{shop}: not compared: {error.kind}: {error.message}", style="red", markup=False)
        return await with_openings(hub, await read_status(hub))

    report = with_hub(work)
    if as_json:
        print_json(report)
    else:
        _print(report)
    return ExitCode.ALL_DONE if report.complete else ExitCode.PART_DONE


async def with_openings(hub: Hub, report: Status) -> Status:
    """The report with each shop's checklist, which only this command shows beside the feeds."""
    openings = {each.shop: opening_status(each) for each in await read_openings(hub)}
    found = [msgspec.structs.replace(shop, opening=openings.get(shop.shop)) for shop in report.shops]
    return msgspec.structs.replace(report, shops=found)


def _print(report: Status) -> None:
    headings = ("shop", "feed", "data as of", "complete", "known", "listed", "missing", "breaker", "next run", "error")
    rows = [
        (
            shop.shop,
            feed.feed,
            _clock(feed.data_as_of) or "never",
            "yes" if feed.complete else "NO",
            feed.known,
            "" if feed.listed is None else f"{feed.held}/{feed.listed}",
            feed.lacking,
            feed.breaker + (f" since {_clock(feed.breaker_since)}" if feed.breaker_since else ""),
            _clock(feed.next_run),
            feed.error.message if feed.error else "",
        )
        for shop in report.shops
        for feed in shop.feeds
    ]
    print_table("", headings, rows)
    for shop in report.shops:
        for line in _notes(shop):
            screen.print(f"{shop.shop}: {line}", markup=False)
    for file in report.call_files:
        screen.print(f"calls {file.path}: {_follow(file)}", style=None if file.is_well else "red", markup=False)
    if report.routing is not None and report.routing.problem:
        what = f"routing: {report.routing.problem} (version {report.routing.version} stays in force)"
        screen.print(what, style="red", markup=False, soft_wrap=True)


def _notes(shop: ShopStatus) -> Iterator[str]:
    if shop.consent is not None and shop.consent.is_alarming:
        left = "" if shop.consent.days_left is None else f" ({shop.consent.days_left} days left)"
        yield f"consent {shop.consent.state}{left}: let the owner consent on the shop's page of the desk"
    if shop.quota is not None and shop.quota.used_share >= 0.9:
        yield f"{shop.quota.used_share:.0%} of the mall's quota used up ({_clock(shop.quota.told_at)})"
    if shop.opening is not None and not shop.opening.ready:
        yield f"not ready: {', '.join(shop.opening.missing)} (see the opening checklist on the shop's page)"
    for feed in shop.feeds:
        yield from _gaps(feed)


def _follow(file: FollowStatus) -> str:
    """How a file of call records is followed."""
    name = f"of {file.pbx}, " if file.pbx else ""
    if file.problem is not None:
        return f"{name}NOT READ, {file.problem}"
    if not file.followed:
        return f"{name}NOT FOLLOWED, no worker has it"
    read = f"{file.lines} lines, {file.unreadable} unreadable, newest {_clock(file.read_at) or 'never'}"
    return f"{name}{read}, looked at {_clock(file.looked_at) or 'never'}"


def _gaps(feed: FeedStatus) -> Iterator[str]:
    for gap in feed.gaps:
        yield f"{feed.feed} {gap.id}: {gap.reason.value.replace('_', ' ')}"
    if feed.missing_count > len(feed.gaps):
        yield f"{feed.feed}: {feed.missing_count - len(feed.gaps)} more are missing"
    for day in feed.days:
        yield f"{feed.feed} of {day.day}: the mall counts {day.listed}, here are {day.held}"


def _clock(at: datetime | None) -> str:
    return at.astimezone().isoformat(timespec="minutes") if at else ""
