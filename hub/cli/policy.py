"""`hub policy`: the decision card of a line, and the policy book behind it."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from hub.bootstrap import Hub
from hub.cli.console import complain, print_json, print_table, read_time, screen, with_hub
from hub.core.book_problem import Problem
from hub.core.errors import ConfigurationError
from hub.core.model import ClaimReason, FaultParty, Money
from hub.desk.access import command_line_actor
from hub.desk.books.policy import PolicyInForce, RefusedBookError, put_in_force, read_policy
from hub.desk.decisions.decision import DecidedLine, decide_line
from hub.desk.decisions.facts import LineKey, Told
from hub.policy.book import PolicyTables, decode, decode_toml
from hub.policy.book_rows import Language
from hub.policy.card import MATTERS, Card, DelayKind, Request
from hub.policy.grounds import Ground, Proof
from hub.store.books import BookVersion

_MOST_BYTES = 10_000_000
#: what may be asked: the requests, and the matters that agents call by their own names
Asked = StrEnum("Asked", {name.upper(): name for name in (*(each.value for each in Request), *MATTERS)})  # type: ignore[misc]  # made of two lists


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="What to answer, what it costs, who pays, and by which rule.", no_args_is_help=True)
    group.command("explain", help="The decision card of a line.")(explain)
    group.command("import", help="Put a policy book (JSON or TOML) in force: whole, or not at all.")(import_book)
    group.command("show", help="The policy book in force, or an older version.")(show)
    app.add_typer(group, name="policy")


def explain(
    shop: Annotated[str, typer.Option(help="The shop.")],
    line: Annotated[str, typer.Option(help="Line number.")],
    request: Annotated[Asked, typer.Option(help="What the customer asks for.")],
    order: Annotated[str | None, typer.Option(help="Order number; absent: the newest line of that number.")] = None,
    reason: Annotated[ClaimReason | None, typer.Option(help="Why; absent: what the mall says.")] = None,
    fault: Annotated[FaultParty | None, typer.Option(help="Whose fault it is said to be.")] = None,
    proved: Annotated[
        bool | None, typer.Option("--proved/--disproved", help="That fault was looked into, with this result.")
    ] = None,
    ground: Annotated[list[Ground] | None, typer.Option(help="A ground of refusal that is put forward.")] = None,
    proof: Annotated[list[Proof] | None, typer.Option(help="A proof at hand.")] = None,
    no_proof: Annotated[list[Proof] | None, typer.Option(help="A proof that there is not.")] = None,
    made_to_order: Annotated[bool | None, typer.Option("--made-to-order/--not-made-to-order")] = None,
    used: Annotated[bool | None, typer.Option("--used/--unused")] = None,
    notice: Annotated[
        bool | None, typer.Option("--notice/--no-notice", help="The exclusion was marked before the purchase.")
    ] = None,
    return_cost: Annotated[
        str | None, typer.Option(help='Cost of the return: minor units and currency, "3000KRW".')
    ] = None,
    disclosed: Annotated[
        bool | None, typer.Option("--disclosed/--not-disclosed", help="It was named before the purchase.")
    ] = None,
    amount: Annotated[str | None, typer.Option(help='Of a partial refund, "5000KRW".')] = None,
    consent: Annotated[bool | None, typer.Option("--consent/--no-consent")] = None,
    approved: Annotated[bool, typer.Option("--approved", help="A supervisor has approved.")] = False,
    delay: Annotated[DelayKind | None, typer.Option(help="What kind of delay it is.")] = None,
    position: Annotated[bool | None, typer.Option("--position-known/--position-unknown")] = None,
    eta_from: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Earliest day of arrival.")] = None,
    eta_to: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Latest day of arrival.")] = None,
    promise: Annotated[str | None, typer.Option(help="By when we call back.")] = None,
    known: Annotated[str | None, typer.Option(help="When the customer noticed the defect.")] = None,
    at: Annotated[str | None, typer.Option(help="When it is asked; absent: with its claim, else now.")] = None,
    lang: Annotated[
        Language | None, typer.Option(help="Of the draft; ko and en also of the card. Absent: ko, draft by mall.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    asked, implied = MATTERS.get(request.value) or (Request(request.value), None)

    async def work(hub: Hub) -> DecidedLine:
        zone = hub.settings.zone
        told = Told(
            at=read_time(at, option="--at", zone=zone),
            reason=reason or implied,
            claimed_fault=fault,
            is_fault_proved=proved,
            made_to_order=made_to_order,
            notice_given=notice,
            is_used=used,
            alleged=tuple(ground or ()),
            proofs=tuple(proof or ()),
            denied=tuple(no_proof or ()),
            return_cost=_money(return_cost, option="--return-cost"),
            is_cost_disclosed=disclosed,
            known_at=read_time(known, option="--known", zone=zone),
            amount_asked=_money(amount, option="--amount"),
            has_consent=consent,
            is_approved=approved,
            delay=delay,
            is_position_known=position,
            eta_from=eta_from.date() if eta_from else None,
            eta_to=eta_to.date() if eta_to else None,
            promised_at=read_time(promise, option="--promise", zone=zone),
        )
        return await decide_line(
            hub,
            actor=command_line_actor(),
            key=LineKey(shop=shop, line_no=line, order_no=order),
            request=asked,
            told=told,
            language=lang.value if lang else None,
            locale="en" if lang is Language.EN else "ko",
        )

    decided = with_hub(work)
    if as_json:
        print_json(card_document(decided.card))
    else:
        _show_card(decided.card)


def card_document(card: Card) -> dict[str, Any]:
    """The card as `hub policy explain --json` prints it: a public contract, keys are added and never renamed."""
    plain: dict[str, Any] = msgspec.to_builtins(card)
    dues = plain.pop("dues")
    first = {"decision", "ground", "evidence", "fault_party", "stage"}
    return {
        **{name: plain[name] for name in plain if name in first},
        "due": dues,
        "due_at": dues[0]["at"] if dues else None,
        **{name: value for name, value in plain.items() if name not in first},
    }


def _show_card(card: Card) -> None:
    screen.print(f"{card.decision} · {card.ground_text}", markup=False)
    print_table("", ("", "step"), [("■" if step.required else "□", step.text) for step in card.steps])
    if card.costs:
        rows = [(cost.item, cost.amount_minor, cost.currency, cost.payer) for cost in card.costs]
        print_table("", ("item", "amount", "currency", "payer"), rows)
    if card.dues:
        print_table("", ("due", "cause", "source"), [(due.at.isoformat(), due.cause, due.source) for due in card.dues])
    for warning in card.warnings:
        screen.print(f"! {warning}", style="yellow", markup=False)
    for rule in card.rule_texts:
        screen.print(f"§ {rule.id}  {rule.text} ({rule.source})", markup=False)
    screen.print(f"\n{card.draft}", markup=False)


def _money(text: str | None, *, option: str) -> Money | None:
    """Minor units and currency, as in 3000KRW. Raises: ConfigurationError naming the option."""
    if text is None:
        return None
    number, currency = text[:-3].strip(), text[-3:]
    if not (number.isascii() and number.isdigit() and currency.isascii() and currency.isupper() and len(number) <= 12):
        what = f"{option}: {text[:40]!r} is no amount"
        raise ConfigurationError(what, fix="Write minor units and currency: 3000KRW, 1250USD.")
    return Money(minor=int(number), currency=currency)


def import_book(
    file: Annotated[Path, typer.Argument(help="JSON or TOML; the sections are listed in docs/policy.md.")],
    note: Annotated[str | None, typer.Option(help="Why, for the history.")] = None,
) -> int:
    tables = _read_file(file)

    async def work(hub: Hub) -> BookVersion | tuple[Problem, ...]:
        names = [shop.name for shop in await hub.shops()]
        try:
            return await put_in_force(hub.database, tables, malls=hub.registry, shops=names, now=hub.now(), note=note)
        except RefusedBookError as error:
            return error.problems

    written = with_hub(work)
    if isinstance(written, BookVersion):
        screen.print(f"version {written.version} of the policy is in force", markup=False)
        return 0
    for problem in written:
        row = "" if problem.row is None else f" row {problem.row + 1}"
        complain(f"{file}: {problem.section}{row}, {problem.column or '-'}: {problem.reason}", fix=problem.fix)
    complain("nothing was imported")
    return 2


def _read_file(file: Path) -> PolicyTables:
    try:
        data = file.read_bytes()
    except OSError as error:
        what = f"{file}: {error.strerror}"
        raise ConfigurationError(what) from error
    if len(data) > _MOST_BYTES:
        what = f"{file}: larger than {_MOST_BYTES} bytes"
        raise ConfigurationError(what, fix="A policy book is a few pages long.")
    return decode_toml(data) if file.suffix == ".toml" else decode(data)


def show(
    version: Annotated[int | None, typer.Option(min=1, help="An older version.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    async def work(hub: Hub) -> PolicyInForce:
        return await read_policy(hub.database, version)

    policy = with_hub(work)
    if as_json:
        print_json({"version": policy.version, "tables": policy.tables})
        return
    screen.print(f"version {policy.version}", markup=False)
    for section in PolicyTables.__struct_fields__:
        for row in getattr(policy.tables, section):
            values = {name: getattr(row, name) for name in row.__struct_fields__}
            told = ", ".join(f"{name}={value}" for name, value in values.items() if value is not None)
            print(f"{section}: {told}")
