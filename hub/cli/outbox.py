"""`hub outbox`: actions that are not over, and taking back those that were not sent."""

from typing import Annotated

import typer

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, complain, print_json, print_table, with_hub
from hub.desk.access import command_line_actor
from hub.desk.acting.outbox import Waiting, cancel, waiting_actions


def register(app: typer.Typer) -> None:
    outbox = typer.Typer(help="Actions on their way to a mall.", no_args_is_help=True)
    outbox.command("list", help="Actions that wait to be sent, are being sent, or have no certain outcome.")(show)
    outbox.command("cancel", help="Take back an action that was not sent yet; it stays as refused.")(take_back)
    app.add_typer(outbox, name="outbox")


def show(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> int:
    async def work(hub: Hub) -> list[Waiting]:
        return await waiting_actions(hub.database)

    found = with_hub(work)
    if as_json:
        print_json(found)
        return ExitCode.ALL_DONE
    rows = [
        (
            action.action_id,
            action.shop,
            action.action,
            action.inquiry_no or action.order_no,
            action.line_no,
            action.outcome if action.started_at else "not sent",
            action.look_at.astimezone().isoformat(timespec="minutes") if action.look_at else "",
            action.why,
        )
        for action in found
    ]
    print_table("", ("id", "shop", "action", "about", "line", "outcome", "next look", "why"), rows)
    return ExitCode.ALL_DONE


def take_back(
    action_id: Annotated[int, typer.Argument(help="Its id, as `hub outbox list` shows it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    async def work(hub: Hub) -> bool:
        return await cancel(hub, command_line_actor(), action_id)

    is_cancelled = with_hub(work)
    if as_json:
        print_json({"action_id": str(action_id), "cancelled": is_cancelled})
    if not is_cancelled:
        complain(f"action {action_id} is being sent already, is over, or does not exist", fix="See `hub outbox list`.")
    return ExitCode.ALL_DONE if is_cancelled else ExitCode.NOTHING_DONE
