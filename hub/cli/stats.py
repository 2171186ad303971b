"""`hub stats`: the supervisor's figures, the same as on the statistics page."""

from collections.abc import AsyncIterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from hub.bootstrap import Hub
from hub.cli import stats_counts
from hub.cli.console import print_json, print_table, read_span, screen, with_hub
from hub.core.errors import ConfigurationError
from hub.stats.call_figures import Terms
from hub.stats.call_lines import Formula
from hub.stats.report import Around, Asked, Report, read_report
from hub.stats.staffing import WhatIf
from hub.stats.stock import partner_by
from hub.stats.workbook import write_workbook
from routing.modes import ModeTable


class ReportName(StrEnum):
    INQUIRIES = "inquiries"
    CALLS = "calls"
    RATES = "rates"
    LINES = "lines"
    TOPICS = "topics"
    STAFFING = "staffing"
    ORDER_LINE = "order-line"
    REASONS = "reasons"
    CONTACT_RATE = "contact-rate"
    REPLIES = "replies"
    ON_TIME = "on-time"
    BACKLOG = "backlog"
    PROMISES = "promises"
    ASKS = "asks"
    COMPENSATION = "compensation"
    FIRST_CONTACT = "first-contact"
    REFUNDS = "refunds"
    DISPATCH = "dispatch"
    CLAIM_CAUSES = "claim-causes"
    AGENTS = "agents"
    CALLBACKS = "callbacks"


def register(app: typer.Typer) -> None:
    app.command(
        "stats",
        help="The supervisor's figures: inquiries, calls, reasons, replies, refunds, dispatch, agents and others.",
    )(stats)
    stats_counts.register(app)


def stats(
    report: Annotated[ReportName, typer.Argument(help="Which figures.")],
    since: Annotated[str | None, typer.Option("--from", help="From this time on.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Before this time.")] = None,
    by: Annotated[str | None, typer.Option(help="Break down by these, with commas between.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    xlsx: Annotated[Path | None, typer.Option(help="Write an Excel file.")] = None,
    mall: Annotated[str | None, typer.Option(help="Of one mall alone.")] = None,
    shop: Annotated[str | None, typer.Option(help="Of one shop alone.")] = None,
    within: Annotated[float, typer.Option(min=0, max=3600, help="Seconds of waiting that count as in time.")] = 20,
    repeat_hours: Annotated[float, typer.Option(min=0.1, max=720, help="Hours in which a caller calls again.")] = 24,
    formula: Annotated[Formula, typer.Option(help="Formula of the service level.")] = Formula.OFFERED,
    target: Annotated[float, typer.Option(help="Staffing: service level to reach, as a share of 1.")] = 0.8,
    shrinkage: Annotated[float, typer.Option(help="Staffing: share of paid time away from the telephone.")] = 0,
    after_call: Annotated[float, typer.Option(min=0, help="Staffing: seconds of work after each call.")] = 0,
    calls: Annotated[float | None, typer.Option(min=0, help="Staffing: what if so many calls came an hour.")] = None,
    aht: Annotated[float | None, typer.Option(min=1, help="Staffing: what if a call took so many seconds.")] = None,
    agents: Annotated[int | None, typer.Option(min=0, help="Staffing: what if so many agents were there.")] = None,
) -> None:
    """Without --by each report has its own dimensions; a wrong one is answered with those that there are."""
    what_if = WhatIf(
        target=target,
        within_seconds=within,
        shrinkage=shrinkage,
        agents=agents,
        calls_per_hour=calls,
        handling_seconds=aht,
        after_call_seconds=after_call,
    )
    asked = Asked(terms=Terms(within_seconds=within, repeat_hours=repeat_hours), formula=formula, what_if=what_if)
    if as_json and xlsx is not None:
        what = "--json and --xlsx are two answers to one question"
        raise ConfigurationError(what, fix="Choose one of them.")

    async def work(hub: Hub) -> Report:
        zone = hub.settings.zone
        mode_of = await hub.mode_of()
        table = hub.routing.table if hub.routing else ModeTable()
        around = Around(
            now=hub.now(),
            countries={name: manifest.country for name, manifest in hub.registry.manifests.items()},
            mode_of=mode_of,
            partner_of=partner_by(table),
            mode_changes=table.days_of_change,
            mall=mall,
            shop=shop,
        )
        try:
            start, end = read_span(since, until, zone=zone)
            found = await read_report(
                hub.database, name=report.value, since=start, until=end, zone=zone, by=by, asked=asked, around=around
            )
        except (ValueError, OverflowError) as error:
            what = f"hub stats {report.value}: {error}"
            fix = "Separate dimensions with commas, as in --by mall,hour; write days as 2026-11-22."
            raise ConfigurationError(what, fix=fix) from error
        if xlsx is not None:
            await write_workbook(xlsx, title=report.value, columns=found.columns, rows=_each(found.rows))
        return found

    found = with_hub(work)
    if as_json:
        print_json(found)
    elif xlsx is not None:
        screen.print(f"{xlsx}: {len(found.rows)} rows", markup=False)
    elif found.rows:
        as_of = found.data_as_of and found.data_as_of.astimezone(ZoneInfo(found.zone))
        title = f"as of {as_of.isoformat(timespec='minutes')}" if as_of else ""
        print_table(title, found.columns, [tuple(row[name] for name in found.columns) for row in found.rows])
    else:
        screen.print("nothing in this time")


async def _each(rows: Sequence[Mapping[str, Any]]) -> AsyncIterator[Mapping[str, Any]]:
    for row in rows:
        yield row
