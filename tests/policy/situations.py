"""Reads the table of situations: one row a decision, in words that a non-programmer can read."""

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from hub.core.model import ClaimReason, ClaimState, FaultParty, InventoryMode, LineStatus, Money
from hub.policy.book_rows import (
    CompensationRow,
    DefectProof,
    FeeItem,
    FeeRow,
    FlatFee,
    Gift,
    LimitRow,
    ReturnWithdrawal,
)
from hub.policy.card import CardFacts, DelayKind, Request
from hub.policy.grounds import Ground, Proof
from hub.policy.stage import Stage, StageFacts, Told
from hub.policy.switches import Switches

FILE: Final = Path(__file__).parents[1] / "data" / "policy" / "situations.csv"
#: Monday 2026-06-15, 10:00 in Seoul and Tokyo; no holiday of either country is near.
ASKED_AT: Final = datetime(2026, 6, 15, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_FACT: Final = {"o": "overseas_ordered", "s": "overseas_dispatched", "i": "forwarder_in", "f": "forwarder_out"}
_SWITCH: Final = {
    "defect_proof": DefectProof,
    "return_withdrawal": ReturnWithdrawal,
    "flat_fee": FlatFee,
    "exchange_offered": lambda word: word == "yes",
    "purchase_agency": lambda word: word == "yes",
    "return_clause_shown": lambda word: word == "yes",
    "return_days": int,
    "delay_points": int,
}


class Row(Struct, frozen=True, kw_only=True):
    situation: str
    facts: CardFacts
    request: Request
    switches: Switches
    decision: str
    ground: str
    payer: str
    missing: tuple[str, ...]


def read_rows() -> list[Row]:
    lines = [line for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [_row(values) for values in csv.DictReader(lines)]


def _row(values: dict[str, str]) -> Row:
    return Row(
        situation=values["situation"],
        facts=_facts(values),
        request=Request(values["request"]),
        switches=_switches(values["policy"].split()),
        decision=values["decision"],
        ground=values["ground"],
        payer=values["payer"],
        missing=tuple(values["missing"].split()),
    )


def _facts(values: dict[str, str]) -> CardFacts:
    mall, status = values["mall"], LineStatus(values["status"])
    ordered, dispatched, delivered = (_days_before(values[name]) for name in ("ordered", "dispatched", "delivered"))
    is_paid = status is not LineStatus.PENDING_PAYMENT
    told = _told(values["told"].split())
    return CardFacts(
        shop=f"main-{mall}",
        mall=mall,
        country="JP" if mall == "qoo10" else "KR",
        order_no="O-1",
        line_no="L-1",
        status=status,
        amount=Money(minor=20_000, currency="JPY" if mall == "qoo10" else "KRW"),
        opened_at=ASKED_AT,
        ordered_at=ordered,
        paid_at=ordered if is_paid else None,
        dispatched_at=dispatched,
        delivered_at=delivered,
        reason=ClaimReason(values["reason"]),
        is_purchase_agency=bool(values["stage"]),
        stage_facts=_stage(values["stage"].split(), status, delivered),
        **told,
    )


def _days_before(text: str) -> datetime | None:
    return ASKED_AT - int(text) * _DAY if text else None


def _stage(words: list[str], status: LineStatus, delivered: datetime | None) -> StageFacts:
    known: dict[str, Told] = {}
    for place, word in enumerate(each for each in words if each != "?"):
        happened = ASKED_AT - (9 - place) * _DAY if word[1] == "+" else None
        known[_FACT[word[0]]] = Told(at=happened)
    arrived = status in {LineStatus.DELIVERED, LineStatus.PURCHASE_CONFIRMED}
    known["delivered"] = Told(at=(delivered or ASKED_AT) if arrived else None)
    return StageFacts(**known)


def _told(words: list[str]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name == "proof":
            told["proofs"] = (*told.get("proofs", ()), Proof(value))
        else:
            told |= _fact(name, value)
    return told


def _fact(name: str, value: str) -> dict[str, Any]:
    match name:
        case "waybill":
            return {"tracking_no": "1234567890"}
        case "planned" | "known" | "promise":
            at = ASKED_AT + int(value) * _DAY * (1 if name == "promise" else -1)
            return {{"planned": "planned_ship_at", "known": "known_at", "promise": "promised_at"}[name]: at}
        case "made_to_order" | "used" | "approved" | "position":
            names = {"used": "is_used", "approved": "is_approved", "position": "is_position_known"}
            return {names.get(name, name): True}
        case "notice" | "proved" | "disclosed" | "consent":
            names = {
                "notice": "notice_given",
                "proved": "is_fault_proved",
                "disclosed": "is_cost_disclosed",
                "consent": "has_consent",
            }
            return {names[name]: value == "yes"}
        case "cost" | "amount" | "refunded":
            names = {"cost": "return_cost", "amount": "amount_asked", "refunded": "refunded"}
            return {names[name]: Money(minor=int(value[:-3]), currency=value[-3:])}
        case "eta":
            first, last = value.split("-")
            on = ASKED_AT.date()
            return {"eta_from": _later(on, first), "eta_to": _later(on, last)}
        case "fault":
            return {"claimed_fault": FaultParty(value)}
        case "mode":
            return {"mode": InventoryMode(value)}
        case "delay":
            return {"delay": DelayKind(value)}
        case "claim":
            return {"claim_state": ClaimState(value)}
        case "alleged":
            return {"alleged": (Ground(value),)}
        case "denied":
            return {"denied": (Proof(value),)}
    raise ValueError(name)


def _later(on: date, days: str) -> date:
    return on + int(days) * _DAY


def _switches(words: list[str]) -> Switches:
    values: dict[str, Any] = {"fees": (), "compensation": (), "limits": ()}
    for word in words:
        name, _, value = word.partition("=")
        if name.startswith("fee."):
            _, item, *stage = name.split(".")
            fee = FeeRow(
                item=FeeItem(item),
                stage=Stage(stage[0]) if stage else None,
                amount_minor=int(value.rstrip("*")),
                disclosed=value.endswith("*"),
                disclosed_where="product page" if value.endswith("*") else None,
            )
            values["fees"] += (fee,)
        elif name == "share":
            values["compensation"] += (CompensationRow(partner_percent=int(value)),)
        elif name == "limit":
            values["limits"] += (LimitRow(gift=Gift.PARTIAL_REFUND, amount_minor=int(value)),)
        elif name == "unused":
            values["unused_grounds"] = frozenset({Ground(value)})
        else:
            values[name] = _SWITCH[name](value)  # type: ignore[operator]  # enums and functions alike
    return Switches(**values)
