"""What claims were about, beside the lines that were sold: which products make them, and by what.

A claim's cause is what an agent found (the step "cause" of a complaint), else what its reason says; a reason that says
nothing leaves it unknown. A change of mind is a difference between what was expected and what came. Both lines and
claims are counted by the database, alike ones at once.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, literal, null, select

from hub.core.model import ClaimKind, ClaimReason
from hub.stats.facts import Counted, Fact, FactReport, How, Measure, rows_of, stream
from hub.stats.sold import (
    buckets_of,
    is_copy,
    is_of_copy,
    is_rebilled,
    of_cell,
)
from hub.store.belonging import case_of_claim, line_of_claim
from hub.store.database import time_of
from hub.store.tables import cases, claims, complaint_steps, lines, orders

_LINE: Final = "order_line"
_CLAIM: Final = "claim"
#: the groups that complaints have too, see ``complaint_steps.cause_group``
GROUPS: Final = ("product", "delivery", "expectation")
GROUP_OF_REASON: Final[Mapping[ClaimReason, str]] = {
    ClaimReason.DEFECT: "product",
    ClaimReason.DAMAGED: "product",
    ClaimReason.WRONG_ITEM: "product",
    ClaimReason.MISSING_PART: "product",
    ClaimReason.LATE: "delivery",
    ClaimReason.OUT_OF_STOCK: "delivery",
    ClaimReason.NOT_AS_DESCRIBED: "expectation",
    ClaimReason.CHANGE_OF_MIND: "expectation",
    ClaimReason.WRONG_ORDER: "expectation",
}
#: figures that count claims alone
_OF_CLAIMS: Final = frozenset({"claims", "unknown_claims", *(f"{group}_claims" for group in GROUPS)})
_ALIKE: Final = ("mall", "shop", "kind", "reason", "found_group")
#: told apart where somebody asks for the dimension
_ON_WISH: Final[Mapping[str, str]] = {"product": "product_name", "product_code": "product_code"}


class CauseFact(Fact, frozen=True, kw_only=True):
    """A paid line (``what`` "order_line"), or a claim with the group of its cause, ``None`` where nothing tells it."""

    what: str
    product: str | None
    product_code: str | None
    order_no: str | None
    reference: str | None
    kind: str | None
    reason: str | None
    group: str | None


async def read_causes(counted: Counted) -> AsyncIterator[CauseFact]:
    query = _claims(counted, claims.c.order_no, claims.c.claim_key.label("reference"))
    async for row in stream(counted, query, row_id=claims.c.id):
        yield _fact(_CLAIM, row)
    if counted.opens in _OF_CLAIMS:
        return
    query = _lines(counted, orders.c.order_no, lines.c.line_no.label("reference"))
    async for row in stream(counted, query, row_id=lines.c.id):
        yield _fact(_LINE, row)


async def read_causes_alike(counted: Counted, names: frozenset[str]) -> AsyncIterator[tuple[CauseFact, int]]:
    buckets = buckets_of(counted, names)
    alike = (*_ALIKE, *(column for name, column in _ON_WISH.items() if name in names))
    nothing = [column for name, column in _ON_WISH.items() if name not in names]
    nothing += ["order_no", "reference"]
    kinds = [(_CLAIM, _claims(counted), claims.c.requested_at)]
    if counted.opens not in _OF_CLAIMS:
        kinds.append((_LINE, _lines(counted), orders.c.paid_at))
    for what, query, at in kinds:
        bucket = literal(0) if buckets is None else buckets.of(at)
        one = query.add_columns(bucket.label("bucket")).subquery()
        fixed = [one.c[name] for name in alike]
        firsts = (func.min(one.c.at_ms).label("at_ms"), func.min(one.c.case_id).label("case_id"))
        absent = (null().label(name) for name in nothing)
        groups = select(*fixed, *firsts, *absent, func.count().label("number")).group_by(*fixed, one.c.bucket)
        async with counted.database.reading() as connection:
            rows = (await connection.execute(groups)).all()
        for row in rows:
            yield _fact(what, row), row.number


def _fact(what: str, row: Any) -> CauseFact:
    return CauseFact(
        at=time_of(row.at_ms),
        mall=row.mall,
        shop=row.shop,
        case_id=row.case_id,
        what=what,
        product=row.product_name or None,
        product_code=row.product_code or None,
        order_no=row.order_no,
        reference=row.reference,
        kind=row.kind,
        reason=row.reason,
        group=row.found_group or (GROUP_OF_REASON.get(_reason(row.reason)) if row.reason else None),
    )


def _reason(stored: str) -> ClaimReason:
    try:
        return ClaimReason(stored)
    except ValueError:
        return ClaimReason.UNKNOWN


def _product(counted: Counted) -> list[ColumnElement[bool]]:
    return of_cell(counted, product=lines.c.product_name, product_code=lines.c.product_code)


def _lines(counted: Counted, *columns: Any) -> Select[Any]:
    nothing = (null().label(name) for name in ("kind", "reason", "found_group", "case_id"))
    told = (lines.c.product_name, lines.c.product_code, *nothing, *columns)
    return (
        rows_of(counted, lines, *told, at=orders.c.paid_at)
        .join(orders, orders.c.id == lines.c.order_id)
        .where(*counted.within(orders.c.paid_at), ~is_copy(orders.c.id), ~is_rebilled(), *_product(counted))
    )


def _claims(counted: Counted, *columns: Any) -> Select[Any]:
    """Cancels, returns, exchanges and parcels that never came; a purchase that is not confirmed is no claim."""
    found = (
        select(complaint_steps.c.cause_group)
        .where(complaint_steps.c.case_id == cases.c.id, complaint_steps.c.step == "cause")
        .order_by(complaint_steps.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    told = (
        lines.c.product_name,
        lines.c.product_code,
        claims.c.kind,
        claims.c.reason,
        found.label("found_group"),
        cases.c.id.label("case_id"),
        *columns,
    )
    return (
        rows_of(counted, claims, *told, at=claims.c.requested_at)
        .outerjoin(lines, line_of_claim())
        .outerjoin(cases, case_of_claim())
        .where(claims.c.kind != ClaimKind.CONFIRM_HOLD.value, ~is_of_copy(claims))
        .where(*counted.within(claims.c.requested_at), *_product(counted))
    )


def _is_line(fact: CauseFact) -> bool:
    return fact.what == _LINE


def _is_claim(fact: CauseFact) -> bool:
    return fact.what == _CLAIM


def _of_group(group: str | None) -> Any:
    return lambda fact: fact.what == _CLAIM and fact.group == group


CLAIM_CAUSES: Final = FactReport(
    name="claim-causes",
    row=CauseFact,
    read=read_causes,
    read_alike=read_causes_alike,
    dimensions=("product", "product_code", "mall", "shop"),
    default=("product",),
    measures=(
        Measure(name="claims", of=_is_claim),
        Measure(name="paid_lines", of=_is_line),
        Measure(name="claims_per_100", how=How.RATE, of=_is_line, part=_is_claim),
        *(Measure(name=f"{group}_claims", of=_of_group(group)) for group in GROUPS),
        Measure(name="unknown_claims", of=_of_group(None)),
        *(Measure(name=f"{group}_per_100", how=How.RATE, of=_is_line, part=_of_group(group)) for group in GROUPS),
    ),
)
