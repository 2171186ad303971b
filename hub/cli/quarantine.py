"""`hub quarantine`: records that could not be read."""

import sys
from typing import Annotated

import typer

from hub.bootstrap import Hub, SyncReport
from hub.cli.console import ExitCode, print_json, print_table, screen, with_hub
from hub.core.errors import ConfigurationError
from hub.desk.access import AccessAction, command_line_actor, record_access
from hub.sync.quarantine import list_quarantine, read_payload


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Records that could not be read: list, show, retry.", no_args_is_help=True)
    group.command("list", help="Every record that waits, oldest first.")(list_records)
    group.command("show", help="What the mall sent. Personal data: needs a reason, which is logged.")(show)
    group.command("retry", help="Read the shops whole again; what can be read now leaves quarantine.")(retry)
    app.add_typer(group, name="quarantine")


def list_records(
    shop: Annotated[str | None, typer.Option(help="Only this shop.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    rows = with_hub(lambda hub: list_quarantine(hub.database, shop=shop))
    if as_json:
        print_json(rows)
        return
    headings = ("id", "shop", "feed", "key", "error", "since")
    print_table("", headings, [(row.id, row.shop, row.feed, row.key, row.error, row.first_seen_at) for row in rows])


def show(
    record: Annotated[int, typer.Argument(help="The id that `hub quarantine list` shows.")],
    reason: Annotated[str, typer.Option(help="Why you need to see it; stands in the access log.")] = "",
) -> None:
    if not reason.strip():
        what = "showing a record needs --reason"
        raise ConfigurationError(what, fix="It holds personal data; the reason stands in the access log.")

    async def work(hub: Hub) -> bytes:
        payload = await read_payload(hub.database, record)
        async with hub.database.writing() as connection:
            await record_access(
                connection,
                at=hub.now(),
                actor=command_line_actor(),
                action=AccessAction.UNMASK,
                subject=f"quarantine {record}",
                reason=reason,
            )
        return payload

    sys.stdout.write(with_hub(work).decode(errors="replace") + "\n")


def retry(shop: Annotated[str | None, typer.Option(help="Only this shop.")] = None) -> int:
    async def work(hub: Hub) -> tuple[SyncReport | None, int]:
        waiting = {row.shop for row in await list_quarantine(hub.database, shop=shop)}
        report = await hub.sync(sorted(waiting), full=True) if waiting else None
        return report, len(await list_quarantine(hub.database, shop=shop))

    report, left = with_hub(work)
    screen.print("nothing waits" if report is None else f"{left} still cannot be read")
    return ExitCode.ALL_DONE if not left else ExitCode.PART_DONE
