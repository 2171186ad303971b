"""What an answer costs, item by item, and who bears it.

A customer who withdraws bears the actual cost of sending back, never more (Korean E-Commerce Consumer
Protection Act 18(9)); of a purchase abroad only what was named before the purchase. What is ours is
shared with the partner as the policy says for the inventory mode; goods that we own have no partner.
"""

from typing import Final

from msgspec import Struct

from hub.core.model import ClaimReason, FaultParty, InventoryMode, LineStatus, Money
from hub.policy.book_rows import FeeItem, FeeRow, FlatFee
from hub.policy.card import Cost, Request, Verdict
from hub.policy.ruling import Ruling, Situation, was_late
from hub.policy.stage import Stage

_SHARED: Final = frozenset({InventoryMode.CONSIGNMENT, InventoryMode.THIRD_PARTY_LOGISTICS})
_UNDER_WAY: Final = frozenset({Stage.SENT_ABROAD, Stage.AT_FORWARDER})
_OUTSIDE: Final = frozenset({FaultParty.CARRIER, FaultParty.MALL})
_CURRENCY: Final = {"KR": "KRW", "JP": "JPY"}


class CostFinding(Struct, frozen=True, kw_only=True):
    """``missing`` are facts without which the customer can be charged nothing. ``warnings`` are keys of
    ``card.toml``, ``lump_sum`` the amount that those of a lump sum name.
    """

    costs: tuple[Cost, ...] = ()
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    lump_sum: Money | None = None


def costs_of(situation: Situation, *, request: Request, ruling: Ruling) -> CostFinding:
    """What carrying out ``ruling`` costs. A refusal costs nothing; of a line in an unknown state nothing is known."""
    if ruling.verdict is Verdict.REFUSE or situation.facts.status is LineStatus.UNKNOWN:
        return CostFinding()
    if request is Request.CANCEL:
        if situation.stage_now in _UNDER_WAY:
            return _of_stage(situation, ruling)
        return _points(situation) if situation.facts.reason is ClaimReason.OUT_OF_STOCK else CostFinding()
    if request in {Request.RETURN, Request.EXCHANGE}:
        return _sending_back(situation, request, ruling)
    if request is Request.PARTIAL_REFUND:
        return _partial_refund(situation)
    if request is Request.DELIVERY_STATUS and was_late(situation) and "give_points" in ruling.steps:
        return _points(situation)
    return CostFinding()


def _of_stage(situation: Situation, ruling: Ruling) -> CostFinding:
    """The way back of goods that are already under way from abroad."""
    facts = situation.facts
    rows, lump_sum, warnings = _rows_of_stage(situation)
    if facts.return_cost is not None:
        rows = [
            FeeRow(
                item=FeeItem.FORWARDER_RETURN,
                amount_minor=facts.return_cost.minor,
                currency=facts.return_cost.currency,
                disclosed=bool(facts.is_cost_disclosed),
                disclosed_where="order" if facts.is_cost_disclosed else None,
            )
        ]
    is_theirs = ruling.fault in {FaultParty.CUSTOMER, FaultParty.UNKNOWN}
    if not rows:
        payer = FaultParty.UNKNOWN if is_theirs else FaultParty.SELLER
        cost = Cost(item=FeeItem.FORWARDER_RETURN.value, amount_minor=None, currency=_currency(situation), payer=payer)
        missing = ("return_cost",) if is_theirs else ()
        return CostFinding(costs=(cost,), missing=missing, warnings=tuple(warnings), lump_sum=lump_sum)
    if not is_theirs:
        costs = tuple(cost for row in rows for cost in _ours(situation, row.item, _money(row), ruling.fault))
        return CostFinding(costs=costs)
    if facts.return_cost is not None and facts.is_cost_disclosed is None:
        costs = tuple(_charged(row, FaultParty.UNKNOWN, is_disclosed=None) for row in rows)
        return CostFinding(costs=costs, missing=("disclosure",), warnings=("kftc_2012",), rules=("kr.kftc.2012",))
    found: list[Cost] = []
    for row in rows:
        is_disclosed = row.disclosed if facts.is_cost_disclosed is None else facts.is_cost_disclosed
        if not is_disclosed:
            found += _ours(situation, row.item, _money(row), FaultParty.SELLER)
            warnings.append("not_disclosed")
        else:
            payer = FaultParty.CUSTOMER if ruling.fault is FaultParty.CUSTOMER else FaultParty.UNKNOWN
            found.append(_charged(row, payer, is_disclosed=True))
    return CostFinding(
        costs=tuple(found),
        warnings=tuple(dict.fromkeys((*warnings, "kftc_2012"))),
        rules=("kr.kftc.2012", "kr.law.18-9") if situation.is_korean else (),
        lump_sum=lump_sum,
    )


def _rows_of_stage(situation: Situation) -> tuple[list[FeeRow], Money | None, list[str]]:
    """Itemised costs of the stage. A lump sum is no cost of anything: left out, or shown with a warning."""
    switches, stage = situation.switches, situation.stage_now
    rows = [
        row
        for item in (FeeItem.FORWARDER_RETURN, FeeItem.OVERSEAS_RETURN)
        if (row := switches.fee(item, stage=stage)) is not None
    ]
    lump = switches.fee(FeeItem.LUMP_SUM, stage=stage)
    if lump is None:
        return rows, None, []
    if switches.flat_fee is FlatFee.BLOCK:
        return rows, _money(lump), ["lump_sum_blocked"]
    return [*rows, lump], _money(lump), ["lump_sum"]


def _sending_back(situation: Situation, request: Request, ruling: Ruling) -> CostFinding:
    facts, switches = situation.facts, situation.switches
    item = FeeItem.EXCHANGE_SHIPPING if request is Request.EXCHANGE else FeeItem.RETURN_SHIPPING
    row = switches.fee(item, stage=situation.stage_now)
    amount = facts.return_cost or (_money(row) if row else None)
    if ruling.fault is FaultParty.SELLER or ruling.fault is FaultParty.PARTNER or ruling.fault in _OUTSIDE:
        return CostFinding(
            costs=_ours(situation, item, amount, ruling.fault),
            warnings=_mode_warning(situation),
        )
    is_disclosed = facts.is_cost_disclosed if facts.is_cost_disclosed is not None else row.disclosed if row else None
    is_theirs = ruling.fault is FaultParty.CUSTOMER
    if is_theirs and situation.stage is not None and is_disclosed is False:
        costs = _ours(situation, item, amount, FaultParty.SELLER)
        return CostFinding(costs=costs, warnings=("not_disclosed", "kftc_2012"), rules=("kr.kftc.2012",))
    cost = Cost(
        item=str(item),
        amount_minor=amount.minor if amount else None,
        currency=amount.currency if amount else _currency(situation),
        payer=FaultParty.CUSTOMER if is_theirs else FaultParty.UNKNOWN,
        source=(row.disclosed_where or "") if row else "",
        is_disclosed=is_disclosed,
    )
    return CostFinding(costs=(cost,), warnings=("amount_unknown",) if is_theirs and amount is None else ())


def _partial_refund(situation: Situation) -> CostFinding:
    asked = situation.facts.amount_asked
    if asked is None or asked.minor <= 0:
        return CostFinding()
    costs = _ours(situation, "partial_refund", asked, FaultParty.SELLER)
    return CostFinding(costs=costs, warnings=_mode_warning(situation))


def _points(situation: Situation) -> CostFinding:
    """The points that the switch gives with the notice of a delay or a shortage."""
    points = situation.switches.delay_points
    share = situation.switches.share(situation.facts.mode)
    if not points or (share is not None and not share.is_on):
        return CostFinding()
    if share is not None and share.limit_minor is not None:
        points = min(points, share.limit_minor)
    amount = Money(minor=points, currency=_currency(situation))
    return CostFinding(costs=_ours(situation, "points", amount, FaultParty.SELLER), warnings=_mode_warning(situation))


def _ours(situation: Situation, item: str, amount: Money | None, fault: FaultParty) -> tuple[Cost, ...]:
    """What the customer does not pay, shared with the partner; the parts add up to ``amount``."""
    currency = amount.currency if amount else _currency(situation)
    if fault in _OUTSIDE:
        return (Cost(item=str(item), amount_minor=amount.minor if amount else None, currency=currency, payer=fault),)
    share = situation.switches.share(situation.facts.mode)
    percent = share.partner_percent if share and situation.facts.mode in _SHARED else 0
    if amount is None or not percent:
        minor = amount.minor if amount else None
        return (Cost(item=str(item), amount_minor=minor, currency=currency, payer=FaultParty.SELLER),)
    theirs = amount.minor * percent // 100
    parts = ((FaultParty.PARTNER, theirs), (FaultParty.SELLER, amount.minor - theirs))
    return tuple(
        Cost(item=str(item), amount_minor=minor, currency=currency, payer=payer, source=f"cost share {percent} %")
        for payer, minor in parts
        if minor
    )


def _mode_warning(situation: Situation) -> tuple[str, ...]:
    is_shared = any(row.partner_percent for row in situation.switches.compensation)
    return ("mode_unknown",) if is_shared and situation.facts.mode is InventoryMode.UNKNOWN else ()


def _charged(row: FeeRow, payer: FaultParty, *, is_disclosed: bool | None) -> Cost:
    return Cost(
        item=row.item.value,
        amount_minor=row.amount_minor,
        currency=row.currency,
        payer=payer,
        source=row.disclosed_where or "",
        is_disclosed=is_disclosed,
    )


def _money(row: FeeRow) -> Money:
    return Money(minor=row.amount_minor, currency=row.currency)


def _currency(situation: Situation) -> str:
    amount = situation.facts.amount
    return amount.currency if amount else _CURRENCY.get(situation.facts.country, "KRW")
