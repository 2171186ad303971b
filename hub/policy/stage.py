"""The four delivery stages of a purchase abroad, from facts alone: a missing fact makes the stage unknown.

Source of the stages, answers and amounts: a purchase agency's own handbook for its agents (Korean,
undated); confidence: sure for what it says, and no more than one seller's practice. On 30 October 2012
the Korea Fair Trade Commission fined six such sellers: money kept on a withdrawal must be the itemised
actual cost of the return, named before the purchase.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from msgspec import Struct


class StageFact(StrEnum):
    """What an agent, a spreadsheet or another system tells about a line."""

    OVERSEAS_ORDERED = "overseas_ordered"
    OVERSEAS_DISPATCHED = "overseas_dispatched"
    FORWARDER_IN = "forwarder_in"
    FORWARDER_OUT = "forwarder_out"


class Told(Struct, frozen=True, kw_only=True):
    """``at`` is when it happened, aware; ``None``: it is known not to have happened. ``reference`` is its number.

    ``is_day``: only the day is known, and ``at`` is its first moment. ``told_at`` is when this was told:
    what had not happened then may have happened since.
    """

    at: datetime | None
    reference: str | None = None
    is_day: bool = False
    told_at: datetime | None = None


class StageFacts(Struct, frozen=True, kw_only=True):
    """``None``: nobody has told; that is not the same as not happened. ``delivered`` is what the mall says."""

    overseas_ordered: Told | None = None
    overseas_dispatched: Told | None = None
    forwarder_in: Told | None = None
    forwarder_out: Told | None = None
    delivered: Told | None = None


class Stage(StrEnum):
    """Before the order abroad has left; before the forwarder has it; before he sends it; on its way."""

    ORDERED = "1"
    SENT_ABROAD = "2"
    AT_FORWARDER = "3"
    ON_ITS_WAY = "4"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"


#: In the order in which they happen, each with the stage as long as it has not.
_WAY: Final = (
    ("overseas_ordered", Stage.ORDERED),
    ("overseas_dispatched", Stage.ORDERED),
    ("forwarder_in", Stage.SENT_ABROAD),
    ("forwarder_out", Stage.AT_FORWARDER),
    ("delivered", Stage.ON_ITS_WAY),
)
_DAY: Final = timedelta(days=1)
_TICK: Final = timedelta(microseconds=1)


class Contradiction(Struct, frozen=True, kw_only=True):
    """``later`` is said to have happened; ``earlier``, which must come first, not at all or after it.

    ``key`` is not_before (it was told, at that time or later, not to have happened) or out_of_order (its
    time is later).
    """

    key: str
    earlier: str
    later: str


class StageFinding(Struct, frozen=True, kw_only=True):
    """The stage and what it rests on.

    ``missing`` are the facts, first to come first, without which the stage is unknown; ``contradiction``
    is why facts that are all there give none. ``since`` is when the stage began, ``as_of`` when it was
    last told that the next step has not happened; either may be ``None``.
    """

    stage: Stage
    missing: tuple[str, ...] = ()
    contradiction: Contradiction | None = None
    since: datetime | None = None
    as_of: datetime | None = None


def stage_of(facts: StageFacts) -> StageFinding:
    """The stage that ``facts`` prove, or unknown with the reason.

    Each fact up to the first that has not happened must be told; what comes after that one cannot have
    happened either. That something had not happened when it was told is worth nothing once a later step
    has: it is missing then. Goods that the customer has are delivered, whatever was told of their way.
    """
    contradiction = find_contradiction(facts)
    if contradiction is not None:
        return StageFinding(stage=Stage.UNKNOWN, contradiction=contradiction)
    if facts.delivered is not None and facts.delivered.at is not None:
        return StageFinding(stage=Stage.DELIVERED, since=facts.delivered.at)
    told = [getattr(facts, name) for name, _ in _WAY]
    last = max((place for place, each in enumerate(told) if each is not None and each.at is not None), default=-1)
    since = None
    missing = []
    for place, (name, stage) in enumerate(_WAY):
        each: Told | None = told[place]
        if each is None or (each.at is None and place < last):
            missing.append(name)
        elif each.at is not None:
            since = each.at
        elif missing:
            break
        else:
            return StageFinding(stage=stage, since=since, as_of=each.told_at)
    return StageFinding(stage=Stage.UNKNOWN, missing=tuple(missing))


def find_contradiction(facts: StageFacts) -> Contradiction | None:
    """The first two facts that cannot both be true."""
    before: list[tuple[str, Told]] = []
    for name, _ in _WAY:
        told: Told | None = getattr(facts, name)
        if told is None:
            continue
        if told.at is not None:
            latest = _latest(told, told.at)
            for earlier, first in before:
                if first.at is None:
                    if first.told_at is None or first.told_at >= latest:
                        return Contradiction(key="not_before", earlier=earlier, later=name)
                elif latest < first.at:
                    return Contradiction(key="out_of_order", earlier=earlier, later=name)
        before.append((name, told))
    return None


def _latest(told: Told, at: datetime) -> datetime:
    """When it happened at the latest: a day at its end, but not after it was told."""
    if not told.is_day:
        return at
    ends = at + _DAY - _TICK
    return ends if told.told_at is None else max(at, min(ends, told.told_at))


class StageCosts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Amounts of one shop, in minor units of ``currency``; a setting, ``None`` where the shop has set none.

    ``announced_cost_minor``: what the product page names for a cancel once the goods have left abroad.
    ``return_work_low_minor`` to ``…_high_minor``: what the forwarder asks for sending them back.
    ``return_cost_minor``: the return from the customer after arrival. ``customs_link``: where the parcel is
    looked up, ``{number}`` stands for its number. Source of the defaults: the handbook named above for the
    amounts (one seller's, 2024 or before; confidence: likely), Korea Customs Service for the address.
    """

    currency: str = "KRW"
    announced_cost_minor: int | None = 10_000
    return_work_low_minor: int | None = 2_000
    return_work_high_minor: int | None = 4_000
    return_cost_minor: int | None = None
    customs_link: str = "https://unipass.customs.go.kr"


DEFAULT_STAGE_COSTS: Final = StageCosts()


class Certainty(StrEnum):
    """Whether a cost arises: surely, perhaps (what decides it is the next step), or of an unknown amount."""

    CERTAIN = "certain"
    POSSIBLE = "possible"
    UNKNOWN = "unknown"


class RealCost(Struct, frozen=True, kw_only=True):
    """What a change-of-mind cancel costs the seller at this stage: from ``low_minor`` to ``high_minor``.

    ``item`` is forwarder_return or return_shipping. Amounts are ``None`` where the shop has set none.
    """

    item: str
    certainty: Certainty
    low_minor: int | None
    high_minor: int | None
    currency: str


class StageAnswer(Struct, frozen=True, kw_only=True):
    """What to answer to a change-of-mind cancel at one stage, as keys and amounts; words are the card's.

    ``response``: accept_free, accept_at_cost, receive_then_return, return, or ask (stage not known).
    ``announced_cost_minor``: the most that may be asked of the customer, if it was named before the
    purchase and is covered by itemised real costs. ``steps`` in their order.
    """

    stage: Stage
    response: str
    announced_cost_minor: int | None
    currency: str
    costs: tuple[RealCost, ...]
    steps: tuple[str, ...]
    customs_link: str | None = None


def answer_of(stage: Stage, *, costs: StageCosts = DEFAULT_STAGE_COSTS, parcel_no: str | None = None) -> StageAnswer:
    """The answer at ``stage``. ``parcel_no`` fills the customs link, which only stage 4 has."""
    response, steps = _ANSWERS[stage]
    link = costs.customs_link.replace("{number}", quote(parcel_no or "", safe=""))
    return StageAnswer(
        stage=stage,
        response=response,
        announced_cost_minor=costs.announced_cost_minor if response == "accept_at_cost" else None,
        currency=costs.currency,
        costs=_real_costs(stage, costs),
        steps=steps,
        customs_link=link if stage is Stage.ON_ITS_WAY and link else None,
    )


_ANSWERS: Final[dict[Stage, tuple[str, tuple[str, ...]]]] = {
    Stage.ORDERED: ("accept_free", ("tell_overseas_seller", "ask_overseas_refund", "cancel_at_mall")),
    Stage.SENT_ABROAD: (
        "accept_at_cost",
        ("offer_to_wait", "name_cost_items", "take_payment", "ask_forwarder_to_refuse", "cancel_at_mall"),
    ),
    Stage.AT_FORWARDER: (
        "accept_at_cost",
        ("offer_to_wait", "name_cost_items", "take_payment", "keep_or_return_at_forwarder", "cancel_at_mall"),
    ),
    Stage.ON_ITS_WAY: ("receive_then_return", ("send_customs_link", "receive_unopened", "file_return_after_arrival")),
    Stage.DELIVERED: ("return", ("file_return",)),
    Stage.UNKNOWN: ("ask", ("find_out_stage",)),
}


def _real_costs(stage: Stage, costs: StageCosts) -> tuple[RealCost, ...]:
    if stage is Stage.SENT_ABROAD:
        # None when the forwarder refuses the parcel in time.
        return (_return_work(Certainty.POSSIBLE, costs),)
    if stage is Stage.AT_FORWARDER:
        # None, too, when it is kept there for the next order of the same goods.
        return (_return_work(Certainty.CERTAIN, costs),)
    if stage in {Stage.ON_ITS_WAY, Stage.DELIVERED}:
        amount = costs.return_cost_minor
        return (
            RealCost(
                item="return_shipping",
                certainty=Certainty.UNKNOWN if amount is None else Certainty.CERTAIN,
                low_minor=amount,
                high_minor=amount,
                currency=costs.currency,
            ),
        )
    return ()


def _return_work(certainty: Certainty, costs: StageCosts) -> RealCost:
    is_set = costs.return_work_high_minor is not None
    return RealCost(
        item="forwarder_return",
        certainty=certainty if is_set else Certainty.UNKNOWN,
        low_minor=costs.return_work_low_minor,
        high_minor=costs.return_work_high_minor,
        currency=costs.currency,
    )
