"""`hub act`: one write to a mall, through the same path as the desk."""

import sys
from datetime import datetime
from typing import Annotated, Final

import msgspec
import typer

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, complain, print_json, screen, with_hub
from hub.core.contract import HoldReason, LineOutcome, Outcome
from hub.core.errors import ConfigurationError, MallError, NotFoundAtMallError, UnsupportedByMallError
from hub.core.model import ClaimReason
from hub.desk.access import command_line_actor
from hub.desk.acting.act import act
from hub.desk.acting.action import (
    IRREVERSIBLE,
    Action,
    ActionRequest,
    ActionResult,
    UnconfirmedError,
    WrongRequestError,
)
from hub.desk.acting.answer_guard import GuardError, UnreadWarningsError
from hub.desk.worklist.locks import HeldError
from hub.policy.finding import Finding

_HELP = """Do one thing at a mall, once, and read back what became of it.

answer-inquiry, change-answer: --inquiry --text. The answer guard reads the text first: what must not be said is
not sent (--force-guard with a reason sends it all the same, and the access log keeps the reason); what it warns of
is asked about on a terminal, and told on stderr elsewhere.

confirm, dispatch (--carrier --tracking), delay (--ship-date), seller-cancel (--reason), memo (--text),
give-points (--points --text), move-delivery (--delivery-date --text, --delivery-time), file-return, file-exchange
(--reason): --order --line.

approve-cancel, refuse-cancel, and of a return or an exchange accept, collect, hold (--text, --hold-reason, --fee),
release, refuse (--text), complete; redeliver-exchange (--carrier --tracking): --order --line of the claim.

A mall may need or take more (hub connectors --json: "needs", "takes") or do more than the word says
("warning"); what cannot be taken back asks first.
"""


def register(app: typer.Typer) -> None:
    app.command("act", help=_HELP, short_help="Do one thing at a mall, once, and read back what became of it.")(run)


def run(
    action: Annotated[Action, typer.Argument(help="What to do.")],
    shop: Annotated[str, typer.Option(help="The shop.")],
    order: Annotated[str | None, typer.Option(help="Order number.")] = None,
    line: Annotated[
        list[str] | None, typer.Option(help="Line number; repeat it for several lines of the order.")
    ] = None,
    inquiry: Annotated[str | None, typer.Option(help="Inquiry number.")] = None,
    text: Annotated[str, typer.Option(help="What the customer is told; of a memo, what is kept.")] = "",
    reason: Annotated[ClaimReason | None, typer.Option(help="Why, in the hub's words.")] = None,
    quantity: Annotated[int | None, typer.Option(min=1, help="Only so many; absent: all that is left.")] = None,
    carrier: Annotated[str | None, typer.Option(help="Carrier, as the mall names it.")] = None,
    tracking: Annotated[str | None, typer.Option(help="Tracking number.")] = None,
    ship_date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Planned day of dispatch, in the mall's zone.")
    ] = None,
    delivery_date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of delivery that the customer wants now.")
    ] = None,
    delivery_time: Annotated[
        datetime | None, typer.Option(formats=["%H:%M"], help="Time of that day; absent: as it is.")
    ] = None,
    hold_reason: Annotated[HoldReason | None, typer.Option(help="Why a return or exchange is stopped.")] = None,
    option: Annotated[
        str | None, typer.Option(help="What is sent instead in an exchange: the mall's code of the option.")
    ] = None,
    points: Annotated[int | None, typer.Option(min=1, help="Points to give.")] = None,
    fee: Annotated[
        int | None, typer.Option(min=1, help="Asked of the customer with a hold, where the mall takes it.")
    ] = None,
    force_guard: Annotated[
        str, typer.Option(metavar="REASON", help="Send an answer that the guard stops, for this reason.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before what cannot be taken back.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, send nothing.")] = False,
) -> int:
    request = ActionRequest(
        action=action,
        shop=shop,
        order_no=order,
        line_nos=tuple(line or ()),
        inquiry_no=inquiry,
        text=text,
        reason=reason,
        quantity=quantity,
        carrier=carrier,
        tracking_no=tracking,
        ship_on=ship_date.date() if ship_date else None,
        deliver_on=delivery_date.date() if delivery_date else None,
        deliver_at=delivery_time.time() if delivery_time else None,
        hold_reason=hold_reason,
        option_code=option,
        points=points,
        fee=fee,
        confirmed=yes,
        warnings_read="" if sys.stdin.isatty() and not (yes or dry_run) else None,
        guard_override=force_guard,
    )

    _require_terminal(action, is_sure=yes or dry_run)

    async def work(hub: Hub) -> ActionResult | HeldError | MallError:
        try:
            return await _act(hub, request, dry_run=dry_run)
        except (HeldError, MallError) as error:
            return error
        except GuardError as error:
            what = "\n".join(["the answer guard stops this answer", *map(_told, error.findings)])
            raise ConfigurationError(what, fix="Mend the text, or give the reason: --force-guard REASON.") from error
        except WrongRequestError as error:
            raise ConfigurationError(_with_options(str(error)), fix="`hub act --help` names the options.") from error

    result = with_hub(work)
    if not isinstance(result, ActionResult):
        complain(str(result), fix=_next_step(result))
        if as_json:
            print_json(_refused(request, why=str(result)))
        return ExitCode.NOTHING_DONE
    for finding in result.findings:
        screen.print(_told(finding), style="yellow", markup=False)
    if as_json:
        print_json(result)
    else:
        _show(result)
    return _exit_code(result, is_dry=dry_run)


async def _act(hub: Hub, request: ActionRequest, *, dry_run: bool) -> ActionResult:
    actor = command_line_actor()
    try:
        return await act(hub, actor, request, dry_run=dry_run)
    except UnreadWarningsError as error:
        for finding in error.findings:
            screen.print(_told(finding), style="yellow", markup=False)
        typer.confirm("The answer guard warns. Send it all the same?", abort=True, err=True)
        return await act(hub, actor, msgspec.structs.replace(request, warnings_read=error.digest))
    except UnconfirmedError as error:
        _ask(request, warning=error.warning)
        return await act(hub, actor, msgspec.structs.replace(request, confirmed=True))


#: fields of a request whose option has another name
_OPTIONS: Final = {
    "order_no": "--order",
    "line_no": "--line",
    "inquiry_no": "--inquiry",
    "tracking_no": "--tracking",
    "ship_on": "--ship-date",
    "hold_reason": "--hold-reason",
    "option_code": "--option",
}


def _with_options(message: str) -> str:
    """The fields that a message names as what is typed here."""
    return " ".join(_OPTIONS.get(word, word) for word in message.split(" "))


def _next_step(error: HeldError | MallError) -> str:
    if isinstance(error, HeldError):
        return "Ask them to give the case back on the desk, or wait until they have."
    if isinstance(error, NotFoundAtMallError):
        return f"`hub export lines --shop {error.shop}` and `hub export inquiries` name them."
    instead = error.instead if isinstance(error, UnsupportedByMallError) else None
    return instead or "`hub shop check NAME` tells what the mall lets this shop do."


def _refused(request: ActionRequest, *, why: str) -> ActionResult:
    """What was neither stored nor sent."""
    lines = tuple(LineOutcome(line_no=line_no, outcome=Outcome.REFUSED) for line_no in request.lines)
    return ActionResult(outcome=Outcome.REFUSED, lines=lines, message=why)


def _told(finding: Finding) -> str:
    """Kind, place and what to do; never a part of the text itself."""
    where = f"characters {finding.start + 1}-{finding.end}"
    return f"  {finding.level.value}: {finding.kind.value} ({finding.key}), {where}: {finding.reason} {finding.fix}"


def _require_terminal(action: Action, *, is_sure: bool, warning: str = "") -> None:
    """Raises: ConfigurationError when somebody must be asked and nobody is there."""
    if is_sure or sys.stdin.isatty() or not (warning or action in IRREVERSIBLE):
        return
    what = f"{action.value} cannot be taken back{': ' + warning if warning else ''}"
    raise ConfigurationError(what, fix="Without a terminal it needs --yes.")


def _ask(request: ActionRequest, *, warning: str) -> None:
    """Raises: ConfigurationError without a terminal; typer.Abort for a no."""
    _require_terminal(request.action, is_sure=False, warning=warning)
    if warning:
        screen.print(warning, style="yellow", markup=False)
    about = f"inquiry {request.inquiry_no}" if request.inquiry_no else f"order {request.order_no}"
    lines = f", line {', '.join(request.lines)}" if request.lines else ""
    question = f"{request.action.value} at {request.shop}, {about}{lines}: cannot be taken back. Go on?"
    typer.confirm(question, abort=True, err=True)


def _show(result: ActionResult) -> None:
    screen.print(f"{result.outcome}{': ' + result.message if result.message else ''}", markup=False)
    if len(result.lines) > 1:
        for line in result.lines:
            said = f": {line.mall_message}" if line.mall_message else ""
            screen.print(f"  {line.line_no}  {line.outcome}{said}", markup=False)


def _exit_code(result: ActionResult, *, is_dry: bool) -> ExitCode:
    """An unknown outcome may have been done, a pending one is not over: both are done in part."""
    if is_dry or result.outcome is Outcome.DONE:
        return ExitCode.ALL_DONE
    if result.outcome is Outcome.REFUSED and not result.is_mixed:
        return ExitCode.NOTHING_DONE
    return ExitCode.PART_DONE
