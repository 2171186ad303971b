"""`hub quarantine`: records that could not be read."""

import sys
from typing import Annotated, Any

import typer

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, print_json, print_table, screen, with_hub
from hub.core.errors import ConfigurationError
from hub.desk.access import AccessAction, command_line_actor, record_access
from hub.sync.quarantine import Retried, list_quarantine, outline, read_payload, retry_quarantine


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Records that could not be read: list, show, retry.", no_args_is_help=True)
    group.command("list", help="Every record that waits, oldest first.")(list_records)
    group.command("show", help="What the mall sent: its outline, or with --unmask all of it.")(show)
    group.command("retry", help="Read what was kept again, after an update; no mall is called.")(retry)
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
    unmask: Annotated[bool, typer.Option("--unmask", help="All of it, personal data too; needs --reason.")] = False,
    reason: Annotated[str, typer.Option(help="Why you need to see it; stands in the access log.")] = "",
) -> None:
    if not unmask:
        payload = with_hub(lambda hub: read_payload(hub.database, record))
        print_json(outline(payload))
        screen.print("without its values: they may be somebody's. --unmask --reason WHY shows them.", markup=False)
        return
    if not reason.strip():
        what = "--unmask needs --reason"
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


def retry(
    records: Annotated[list[int] | None, typer.Argument(help="Ids of `hub quarantine list`; none: all.")] = None,
    shop: Annotated[str | None, typer.Option(help="Only this shop.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every record; the default.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    if records and (shop or everything):
        what = "ids name single records: --shop and --all do not go with them"
        raise ConfigurationError(what, fix="Give ids, or --shop NAME, or --all.")

    async def work(hub: Hub) -> dict[str, Retried]:
        return await _retry(hub, set(records or ()), shop)

    retried = with_hub(work)
    left = [row for each in retried.values() for row in each.left]
    resolved = sum(each.resolved for each in retried.values())
    if as_json:
        print_json(_document(retried))
    else:
        headings = ("id", "shop", "feed", "key", "error")
        if left:
            print_table("", headings, [(row.id, row.shop, row.feed, row.key, row.error) for row in left])
        tried = resolved + len(left)
        screen.print(f"{resolved} of {tried} can be read now" if tried else "nothing waits", markup=False)
    if not left:
        return ExitCode.ALL_DONE
    return ExitCode.PART_DONE if resolved else ExitCode.NOTHING_DONE


async def _retry(hub: Hub, ids: set[int], shop: str | None) -> dict[str, Retried]:
    """By shop. Raises: ConfigurationError for an id that waits no more, or a shop that is unknown."""
    if shop is not None:
        await hub.shop_store.named(shop)
    waiting = await list_quarantine(hub.database, shop=shop, ids=ids)
    if missing := ids - {row.id for row in waiting}:
        what = f"no record {min(missing)} waits in quarantine"
        raise ConfigurationError(what, fix="`hub quarantine list` shows them.")
    return {
        name: await retry_quarantine(hub, await hub.shop_store.named(name), ids=ids)
        for name in dict.fromkeys(row.shop for row in waiting)
    }


def _document(retried: dict[str, Retried]) -> dict[str, Any]:
    shops = [
        {"shop": name, "tried": each.tried, "resolved": each.resolved, "outdated": each.outdated, "left": each.left}
        for name, each in retried.items()
    ]
    return {"complete": not any(each.left for each in retried.values()), "shops": shops}
