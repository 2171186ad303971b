"""`hub phone`: the exchange live, whose telephone is whose, and a call out."""

import asyncio
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from msgspec import Struct

from hub.bootstrap import Hub, open_hub
from hub.cli.console import ExitCode, complain, print_json, print_table, screen, settings_and_logs, with_hub
from hub.core.errors import ConfigurationError
from hub.desk.access import command_line_actor
from hub.desk.phone.dialling import Dialled, dial_number
from hub.desk.phone.exchange import addresses, listen
from hub.desk.phone.flow import SPEC_FILE
from hub.desk.phone.notes import NoteError
from hub.desk.phone.seats import give_phone
from hub.telephony.ami import AmiAddress, AmiControl, AmiSource
from ivr.check import SpecError, load_spec
from ivr.compile.asterisk import spec_hash
from ivr.flow import flow_of
from ivr.phone import AgentState, LiveEvent, PhoneError
from ivr.running import Difference, Lack, compare_running
from ivr.spec import Spec


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The telephone exchange: try it, watch it, say whose telephone is whose.")
    group.command("status", help="Whether each exchange answers, and what its agents do.")(status)
    group.command("watch", help="Keep and show what the exchanges tell, until Ctrl-C.")(watch)
    group.command("assign", help="Say which telephone stands at an account's seat.")(assign)
    group.command("call", help="Ring an account's telephone, then a number, under one that the mall owns.")(call)
    app.add_typer(group, name="phone")


def status(as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False) -> int:
    settings = settings_and_logs()
    known = addresses(settings)
    found = asyncio.run(_ask(known, _spec(settings.home) if known else None))
    if as_json:
        print_json({"exchanges": found})
    else:
        for each in found:
            _complain_of(each)
        rows = [(each.name, f"{each.host}:{each.port}", each.error or "answers") for each in found]
        print_table("", ("exchange", "address", "state"), rows)
        agents = [(each.name, agent.member, agent.state, agent.reason) for each in found for agent in each.agents or ()]
        if agents:
            print_table("", ("exchange", "telephone", "state", "reason"), agents)
    if any(each.error for each in found):
        return ExitCode.NOTHING_DONE
    return ExitCode.PART_DONE if any(each.differences for each in found) else ExitCode.ALL_DONE


class AgentReport(Struct, frozen=True, kw_only=True):
    """What one telephone does now; ``reason``: of a pause, as the exchange words it."""

    member: str
    state: AgentState
    reason: str | None


class ExchangeReport(Struct, frozen=True, kw_only=True):
    """``agents``: ``None`` where the exchange did not answer.

    ``spec_revision``, ``spec_hash``: of the compiled spec that it runs, ``None`` where it says none. ``differences``:
    from the spec in HUB_HOME; ``None`` where there is no spec, or the exchange runs a dialplan of its own.
    """

    name: str
    host: str
    port: int
    error: str | None
    agents: list[AgentReport] | None
    spec_revision: str | None = None
    spec_hash: str | None = None
    differences: list[Difference] | None = None


async def _ask(known: Iterable[AmiAddress], spec: Spec | None) -> list[ExchangeReport]:
    return [await _ask_one(address, spec) for address in known]


async def _ask_one(address: AmiAddress, spec: Spec | None) -> ExchangeReport:
    report = partial(ExchangeReport, name=address.name, host=address.host, port=address.port)
    control = AmiControl(address)
    try:
        agents = [
            AgentReport(member=each.member, state=each.agent or AgentState.UNKNOWN, reason=each.detail or None)
            for each in await control.agents()
        ]
        running = await control.running()
    except PhoneError as problem:
        return report(error=str(problem), agents=None)
    differences = None
    if spec is not None and running.hash is not None:
        differences = compare_running(spec, running, wanted_hash=spec_hash(flow_of(spec)))
    return report(
        error=None,
        agents=agents,
        spec_revision=running.revision,
        spec_hash=running.hash,
        differences=differences,
    )


def _spec(home: Path) -> Spec | None:
    """``None`` where there is none. Raises: ConfigurationError for one with errors."""
    path = home / SPEC_FILE
    if not path.exists():
        return None
    try:
        return load_spec(path.read_text(encoding="utf-8"), source=str(path))
    except (SpecError, OSError, UnicodeDecodeError) as error:
        what = f"{path} cannot be used: {error}"
        raise ConfigurationError(what, fix=f"hub ivr check {path}") from error


def _complain_of(report: ExchangeReport) -> None:
    """What the exchange has otherwise than the spec, each with what to do."""
    for each in report.differences or ():
        if each.lack is Lack.OTHER_SPEC:
            what = (
                f"{report.name} runs revision {report.spec_revision} ({report.spec_hash}), which is not the spec here"
            )
            complain(what, fix="hub ivr compile --diff /etc/asterisk, then write it with --out and reload")
        elif each.lack is Lack.NO_QUEUE:
            complain(f"{report.name} has no queue {each.queue}", fix="asterisk -rx 'queue reload all'")
        else:
            what = f"{report.name}: {each.member} is no member of queue {each.queue}"
            complain(what, fix="asterisk -rx 'queue reload all'")


def watch() -> None:
    settings = settings_and_logs()
    known = addresses(settings)
    if not known:
        what = "no exchange is set"
        raise ConfigurationError(what, fix="Set HUB_AMI_HOST, HUB_AMI_USER and HUB_AMI_SECRET.")

    async def show(event: LiveEvent) -> None:
        # Never the number: a terminal's scroll-back is a log, too.
        state = event.agent.value if event.agent else ""
        words = (event.kind.value, event.call_id, event.member, event.queue, state, event.detail)
        screen.print(" ".join(word for word in words if word), markup=False)

    async def run() -> None:
        async with open_hub(settings) as hub, asyncio.TaskGroup() as group:
            for address in known:
                group.create_task(listen(hub, AmiSource(address), also=show))

    try:
        asyncio.run(run())
    except* PhoneError as errors:
        for error in errors.exceptions:
            complain(str(error), fix="Look at HUB_AMI_USER and HUB_AMI_SECRET.")
        raise typer.Exit(ExitCode.NOTHING_DONE) from None


def assign(
    login: Annotated[str, typer.Argument(help="Account of the desk.")],
    member: Annotated[str, typer.Argument(help="Member name of the queues, PBX/MEMBER with several; - for none.")],
) -> None:
    async def work(hub: Hub) -> None:
        await give_phone(hub, actor=command_line_actor(), login=login, member="" if member == "-" else member)

    with_hub(work)
    screen.print(f"{login}: {member}", markup=False)


def call(
    user: Annotated[str, typer.Option(help="Account whose telephone rings first.")],
    number: Annotated[str, typer.Option(help="Whom to call.")],
    shop: Annotated[str, typer.Option(help="Shop in whose name; a number of its mall is shown.")],
    caller_id: Annotated[
        str | None, typer.Option("--caller-id", help="Another number to show; the mall must own it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> int:
    async def work(hub: Hub) -> Dialled | str:
        try:
            return await dial_number(
                hub, actor=command_line_actor(), login=user, shop=shop, number=number, caller_id=caller_id
            )
        except NoteError as error:
            return error.key

    done = with_hub(work)
    if isinstance(done, str):
        what, fix = _NOT_CALLED[done]
        if done != "phone.unreachable":
            raise ConfigurationError(what, fix=fix)
        complain(what, fix=fix)
        if as_json:
            print_json({"outcome": "refused", "dial_id": None, "exchange": None, "telephone": None, "caller_id": None})
        return ExitCode.NOTHING_DONE
    if as_json:
        place = {"exchange": done.pbx, "telephone": done.member, "caller_id": done.caller_id}
        print_json({"outcome": "pending", "dial_id": str(done.dial_id), **place})
    else:
        screen.print(f"{done.member} rings; then the number is called, shown {done.caller_id}", markup=False)
    return ExitCode.ALL_DONE


#: why nothing was dialled, and what to do
_NOT_CALLED: Final = {
    "phone.no_spec": ("there is no IVR spec, or it has errors", "hub ivr check"),
    "phone.no_phone": ("no telephone stands at this account's seat", "hub phone assign LOGIN MEMBER"),
    "phone.no_number": ("this is no telephone number", "Give it with its area code, as 02-000-0000."),
    "phone.abroad": ("this number is abroad", "Dial it at the telephone, with the carrier's prefix."),
    "phone.foreign_caller_id": (
        "the number to show is none of this mall's, and others may not be shown",
        "Name it under numbers or callbacks in ivr.yaml, or leave --caller-id out.",
    ),
    "phone.unreachable": ("the exchange does not answer, or refused the call", "hub phone status"),
}
