"""`hub status`: how fresh and how complete the data of each shop and feed is."""

from typing import Annotated

import typer

from hub.cli.console import ExitCode, print_json, print_table, screen, with_hub
from hub.desk.status import read_status


def register(app: typer.Typer) -> None:
    app.command("status", help="Per shop and feed: data as of, complete or not, gaps, quarantine, next run.")(status)


def status(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> int:
    report = with_hub(read_status)
    if as_json:
        print_json(report)
    else:
        rows = [
            (
                shop.shop,
                feed.feed,
                feed.data_as_of.astimezone().isoformat(timespec="minutes") if feed.data_as_of else "never",
                "yes" if feed.complete else "NO",
                feed.known,
                len(feed.missing),
                feed.quarantined,
                feed.breaker,
                feed.error.message if feed.error else "",
            )
            for shop in report.shops
            for feed in shop.feeds
        ]
        headings = ("shop", "feed", "data as of", "complete", "known", "missing", "quarantined", "breaker", "error")
        print_table("", headings, rows)
        for shop in report.shops:
            if shop.consent is not None and shop.consent.is_alarming:
                left = "" if shop.consent.days_left is None else f" ({shop.consent.days_left} days left)"
                fix = "let the owner consent on the shop's page of the desk"
                screen.print(f"{shop.shop}: consent {shop.consent.state}{left}: {fix}", markup=False)
    return ExitCode.ALL_DONE if report.complete else ExitCode.PART_DONE
