"""`hub replay`: what the malls sent, read again by today's mapping."""

from typing import Annotated

import typer

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, print_json, print_table, read_time, screen, with_hub
from hub.cli.sync import Bars
from hub.core.contract import Feed
from hub.core.errors import ConfigurationError
from hub.sync.replay import ReplayReport, replay_shop

_HELP = """Read the stored payloads of one shop by today's mapping, and show what differs from the records.

Shows only, unless --write is given. No mall is called.
"""


def register(app: typer.Typer) -> None:
    app.command("replay", help=_HELP, short_help="Read stored payloads by today's mapping.")(run)


def run(
    shop: Annotated[str, typer.Option(help="The shop.")],
    since: Annotated[str | None, typer.Option(help="Only payloads that came at this time or later.")] = None,
    feed: Annotated[Feed | None, typer.Option(help="Only this feed.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference; the default.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the difference.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    if dry_run and write:
        what = "--dry-run and --write exclude each other"
        raise ConfigurationError(what, fix="Look at the difference first, then give --write.")
    progress = Bars()

    async def work(hub: Hub) -> ReplayReport:
        row = await hub.shop_store.named(shop)
        start = read_time(since, option="--since", zone=hub.settings.zone)
        with progress.bars:
            return await replay_shop(hub, row, is_written=write, feed=feed, since=start, on_progress=progress)

    report = with_hub(work)
    if as_json:
        print_json(report)
    else:
        _show(report)
    if report.complete:
        return ExitCode.ALL_DONE
    is_something_read = any(each.payloads > each.unreadable for each in report.feeds)
    return ExitCode.PART_DONE if is_something_read else ExitCode.NOTHING_DONE


def _show(report: ReplayReport) -> None:
    headings = ("feed", "payloads", "same", "different", "newer", "unreadable")
    rows = [(each.feed, each.payloads, each.same, each.different, each.newer, each.unreadable) for each in report.feeds]
    print_table("", headings, rows)
    if report.columns:
        print_table("", ("column", "records"), list(report.columns.items()))
    if report.examples:
        told = [(each.record, each.key, each.column, each.before, each.after) for each in report.examples]
        print_table("", ("record", "key", "column", "before", "after"), told)
    for broken in report.unreadable:
        screen.print(f"{broken.feed} {broken.key}: {broken.error}", style="red", markup=False)
    for code, times in report.unknown_codes.items():
        screen.print(f"unknown code {code}: {times}", markup=False)
    done = "written" if report.written else "to be written with --write"
    screen.print(f"{report.new} new and {report.changed} changed records {done}", markup=False)
