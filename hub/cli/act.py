"""`hub act`: one write to a mall, through the same path as the desk."""

import sys
from datetime import datetime
from typing import Annotated

import typer

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, print_json, screen, with_hub
from hub.core.contract import Outcome
from hub.core.errors import ConfigurationError
from hub.core.model import ClaimReason
from hub.desk.access import command_line_actor
from hub.desk.act import IRREVERSIBLE, Action, ActionRequest, ActionResult, WrongRequestError, act

#: an unknown outcome may have been done; pending is a dry run
_EXIT_CODES = {
    Outcome.DONE: ExitCode.ALL_DONE,
    Outcome.PENDING: ExitCode.ALL_DONE,
    Outcome.UNKNOWN: ExitCode.PART_DONE,
    Outcome.REFUSED: ExitCode.NOTHING_DONE,
}


def register(app: typer.Typer) -> None:
    app.command("act", help="Do one thing at a mall, once, and read back what became of it.")(run)


def run(
    action: Annotated[Action, typer.Argument(help="What to do.")],
    shop: Annotated[str, typer.Option(help="The shop.")],
    order: Annotated[str | None, typer.Option(help="Order number.")] = None,
    line: Annotated[str | None, typer.Option(help="Line number.")] = None,
    inquiry: Annotated[str | None, typer.Option(help="Inquiry number.")] = None,
    text: Annotated[str, typer.Option(help="What the customer is told.")] = "",
    reason: Annotated[ClaimReason | None, typer.Option(help="Why, in the hub's words.")] = None,
    quantity: Annotated[int | None, typer.Option(min=1, help="Only so many; absent: all that is left.")] = None,
    carrier: Annotated[str | None, typer.Option(help="Carrier, as the mall names it.")] = None,
    tracking: Annotated[str | None, typer.Option(help="Tracking number.")] = None,
    ship_date: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Planned day of dispatch.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before what cannot be taken back.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, send nothing.")] = False,
) -> int:
    if action in IRREVERSIBLE and not (yes or dry_run):
        if not sys.stdin.isatty():
            what = f"{action.value} cannot be taken back"
            raise ConfigurationError(what, fix="Without a terminal it needs --yes.")
        typer.confirm(
            f"{action.value} at {shop}, order {order}, line {line}: cannot be taken back. Go on?", abort=True, err=True
        )
    request = ActionRequest(
        action=action,
        shop=shop,
        order_no=order,
        line_no=line,
        inquiry_no=inquiry,
        text=text,
        reason=reason,
        quantity=quantity,
        carrier=carrier,
        tracking_no=tracking,
        ship_on=ship_date.date() if ship_date else None,
    )

    async def work(hub: Hub) -> ActionResult:
        try:
            return await act(hub, command_line_actor(), request, dry_run=dry_run)
        except WrongRequestError as error:
            what = str(error)
            raise ConfigurationError(what) from error

    result = with_hub(work)
    if as_json:
        print_json(result)
    else:
        screen.print(f"{result.outcome}{': ' + result.message if result.message else ''}", markup=False)
    return _EXIT_CODES[result.outcome]
