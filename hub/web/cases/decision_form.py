"""The decision panel's form: what an agent typed of a request, and the facts that it tells."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.core.model import ClaimReason, FaultParty, Money
from hub.desk.decisions.facts import Told
from hub.policy.card import DelayKind, Request
from hub.policy.grounds import Ground, Proof
from hub.web.formats import EXPONENT

_LONGEST: Final = 2_000
_NUMBER: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")
_SAID: Final = {"yes": True, "no": False}
#: what each request asks about beside its reason
FIELDS: Final[Mapping[Request, tuple[str, ...]]] = {
    Request.CANCEL: ("made_to_order", "notice", "return_cost", "disclosed"),
    Request.RETURN: ("fault", "proved", "used", "made_to_order", "notice", "return_cost", "disclosed"),
    Request.EXCHANGE: ("fault", "proved", "used", "made_to_order"),
    Request.PARTIAL_REFUND: ("amount", "consent", "approved"),
    Request.WITHDRAW_RETURN: (),
    Request.DELIVERY_STATUS: ("delay", "position", "eta_from", "eta_to", "promise"),
}
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "fault": tuple(each.value for each in FaultParty if each is not FaultParty.UNKNOWN),
    "delay": tuple(each.value for each in DelayKind),
}
YES_NO: Final = frozenset({"proved", "made_to_order", "used", "notice", "disclosed", "consent", "position"})


class CardForm(Struct, frozen=True, kw_only=True):
    """As typed; empty where nothing was. ``proof`` holds "photos:yes" or "photos:no"."""

    line_no: str = ""
    request: str = ""
    reason: str = ""
    fault: str = ""
    proved: str = ""
    made_to_order: str = ""
    used: str = ""
    notice: str = ""
    return_cost: str = ""
    disclosed: str = ""
    amount: str = ""
    consent: str = ""
    approved: str = ""
    delay: str = ""
    position: str = ""
    eta_from: str = ""
    eta_to: str = ""
    promise: str = ""
    evidence: str = ""
    message_sent: str = ""
    alternative_offered: str = ""
    step: str = ""
    tick_id: str = ""
    ground: tuple[str, ...] = ()
    proof: tuple[str, ...] = ()

    def proof_said(self, proof: str) -> str:
        return next((each.partition(":")[2] for each in self.proof if each.partition(":")[0] == proof), "")


def read_form(items: Iterable[tuple[str, Any]]) -> CardForm:
    """From the fields of a form; what the panel does not know is left out."""
    values: dict[str, Any] = {}
    lists: dict[str, list[str]] = {"ground": [], "proof": []}
    for name, value in items:
        text = str(value).replace("\r\n", "\n")[:_LONGEST]
        if name in lists:
            lists[name].append(text)
        elif name in CardForm.__struct_fields__:
            values[name] = text
    return CardForm(**values, ground=tuple(lists["ground"]), proof=tuple(lists["proof"]))


class ReadForm(Struct, frozen=True, kw_only=True):
    """``wrong`` are the fields that cannot be read: they tell nothing."""

    told: Told
    wrong: tuple[str, ...] = ()


def told_of(form: CardForm, *, currency: str, zone: ZoneInfo, may_approve: bool) -> ReadForm:
    """The facts of the form. An approval counts only from somebody who may give it."""
    reader = _Reader(form, currency=currency, zone=zone)
    told = Told(
        reason=reader.choice("reason", ClaimReason),
        claimed_fault=reader.choice("fault", FaultParty),
        is_fault_proved=_SAID.get(form.proved),
        made_to_order=_SAID.get(form.made_to_order),
        notice_given=_SAID.get(form.notice),
        is_used=_SAID.get(form.used),
        alleged=tuple(Ground(each) for each in dict.fromkeys(form.ground) if each in set(Ground)),
        proofs=_proofs(form, "yes"),
        denied=_proofs(form, "no"),
        return_cost=reader.money("return_cost"),
        is_cost_disclosed=_SAID.get(form.disclosed),
        amount_asked=reader.money("amount"),
        has_consent=_SAID.get(form.consent),
        is_approved=bool(form.approved) and may_approve,
        delay=reader.choice("delay", DelayKind),
        is_position_known=_SAID.get(form.position),
        eta_from=reader.day("eta_from"),
        eta_to=reader.day("eta_to"),
        promised_at=reader.time("promise"),
    )
    return ReadForm(told=told, wrong=tuple(reader.wrong))


def _proofs(form: CardForm, said: str) -> tuple[Proof, ...]:
    return tuple(proof for proof in Proof if form.proof_said(proof.value) == said)


class _Reader:
    """Reads one field after the other and remembers those that cannot be read."""

    def __init__(self, form: CardForm, *, currency: str, zone: ZoneInfo) -> None:
        self._form = form
        self._currency = currency
        self._zone = zone
        self.wrong: list[str] = []

    def choice(self, name: str, codes: Any) -> Any:
        text = getattr(self._form, name)
        return codes(text) if text in set(codes) else None

    def money(self, name: str) -> Money | None:
        text = getattr(self._form, name).strip().replace(",", "")
        if not text:
            return None
        minor = Decimal(text).scaleb(EXPONENT.get(self._currency, 2)) if _NUMBER.fullmatch(text) else None
        if minor is None or minor != int(minor):
            self.wrong.append(name)
            return None
        return Money(minor=int(minor), currency=self._currency)

    def day(self, name: str) -> date | None:
        found = self._parsed(name, "%Y-%m-%d")
        return found.date() if found else None

    def time(self, name: str) -> datetime | None:
        return self._parsed(name, "%Y-%m-%dT%H:%M")

    def _parsed(self, name: str, pattern: str) -> datetime | None:
        text = getattr(self._form, name).strip()
        if not text:
            return None
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=self._zone)
        except ValueError:
            self.wrong.append(name)
            return None
