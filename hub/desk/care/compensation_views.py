"""Compensations as they are read: on their case, and in the ledger of a month."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, or_, select

from hub.core.contract import Outcome
from hub.core.model import Money
from hub.desk.care.views import GiftState, GiftView
from hub.desk.record_views import Curtain
from hub.store.box import Box
from hub.store.database import among, time_of
from hub.store.questions import Question
from hub.store.sealed import COMPENSATION_PLACE
from hub.store.tables import actions, compensations, shops, users

_OF_OUTCOME: Final = {Outcome.DONE.value: GiftState.GIVEN, Outcome.REFUSED.value: GiftState.NOT_GIVEN}
_giver, _approver, _undone = users.alias("giver"), users.alias("approver"), compensations.alias("undone")


def counted() -> ColumnElement[bool]:
    """Rows of :func:`select_gifts` that were really given."""
    is_done = and_(compensations.c.state == GiftState.SENDING.value, actions.c.outcome == Outcome.DONE.value)
    return or_(compensations.c.state == GiftState.GIVEN.value, is_done)


def joined_gifts() -> Any:
    """Ledger rows with their shop, people and action."""
    return (
        compensations.join(shops, shops.c.id == compensations.c.shop_id)
        .outerjoin(actions, actions.c.id == compensations.c.action_id)
        .outerjoin(_giver, _giver.c.id == compensations.c.given_by)
        .outerjoin(_approver, _approver.c.id == compensations.c.approved_by)
        .outerjoin(_undone, _undone.c.reverses_id == compensations.c.id)
    )


def select_gifts() -> Select[Any]:
    """All that :func:`gift_view` needs."""
    return select(
        compensations,
        shops.c.name.label("shop"),
        shops.c.mall,
        actions.c.outcome,
        actions.c.error_message,
        _giver.c.name.label("giver"),
        _approver.c.name.label("approver"),
        _undone.c.id.label("undone_id"),
    ).select_from(joined_gifts())


def gift_view(row: Any, *, box: Box, curtain: Curtain) -> GiftView:
    state = GiftState(row.state)
    if state is GiftState.SENDING:
        state = _OF_OUTCOME.get(row.outcome, state)
    note = box.open(row.note_sealed, COMPENSATION_PLACE).decode() if row.note_sealed else ""
    return GiftView(
        gift_id=row.id,
        case_id=row.case_id,
        shop=row.shop,
        mall=row.mall,
        order_no=row.order_no,
        line_no=row.line_no,
        kind=row.kind,
        state=state,
        is_at_mall=row.is_at_mall,
        amount=Money(minor=row.amount_minor, currency=row.currency),
        partner=row.partner,
        partner_share=Money(minor=row.partner_minor, currency=row.currency),
        reason=row.reason,
        note=curtain.text(note) or "",
        policy_version=row.policy_version,
        given_by=row.giver,
        given_by_id=row.given_by,
        approved_by=row.approver,
        given_at=time_of(row.given_at),
        action_id=row.action_id,
        mall_message=row.error_message,
        reverses_id=row.reverses_id,
        is_reversed=row.undone_id is not None,
    )


def gifts_of(case_ids: Sequence[int], *, box: Box, curtain: Curtain) -> Question[tuple[GiftView, ...]]:
    """All rows of these cases, oldest first."""

    def views(rows: list[Any]) -> tuple[GiftView, ...]:
        return tuple(gift_view(row, box=box, curtain=curtain) for row in rows)

    return Question(_OF_CASES, {"cases": list(case_ids)}, views)


_OF_CASES: Final = (
    select_gifts().where(among(compensations.c.case_id, "cases")).order_by(compensations.c.given_at, compensations.c.id)
)
