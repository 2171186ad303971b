"""The rows that a dossier is made of, as questions; which go together is for :mod:`hub.desk.cases.dossier` to say."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import Text, and_, bindparam, or_, select, union

from hub.desk.views import AdminStep, CaseLink
from hub.store.database import among, from_ms
from hub.store.questions import Question
from hub.store.tables import (
    actions,
    admin_steps,
    callbacks,
    cases,
    claims,
    inquiries,
    lines,
    orders,
    status_changes,
    users,
)

Rows = list[Any]


class Subject(Struct, frozen=True, kw_only=True):
    """What a dossier is about: an order, an inquiry thread, or a thread about an order."""

    shop_id: int
    shop: str
    mall: str
    order_no: str | None = None
    #: '' where it is not told: every order of the number may be meant
    sub_shop: str = ""
    thread_no: str | None = None
    order_id: int | None = None
    #: of a case that is about no order and no inquiry: a callback
    case_id: int | None = None

    @property
    def numbers(self) -> dict[str, Any]:
        """Nothing has the number ``None``: who asks for it finds nothing."""
        return {
            "shop_id": self.shop_id,
            "order_no": self.order_no,
            "sub_shop": self.sub_shop,
            "thread_no": self.thread_no,
        }


def order_of(subject: Subject) -> Question[Any | None]:
    """Its row, ``None`` where the subject is about no order that the hub knows."""
    if subject.order_id is not None:
        return Question(_ORDER, {"order_id": subject.order_id}, _first)
    return Question(_ORDER_OF_NUMBER, subject.numbers, _first)


def lines_of(subject: Subject) -> Question[Rows]:
    if subject.order_id is not None:
        return Question(_LINES, {"order_id": subject.order_id}, list)
    return Question(_LINES_OF_NUMBER, subject.numbers, list)


def claims_of(subject: Subject) -> Question[Rows]:
    return Question(_CLAIMS, subject.numbers, list)


def inquiries_of(subject: Subject) -> Question[Rows]:
    """The thread itself and whatever else was asked about the same order, oldest first."""
    return Question(_INQUIRIES, subject.numbers, list)


def callback_of(subject: Subject) -> Question[Any | None]:
    """Who waits to be called back, of a case that is about nothing else."""
    return Question(_CALLBACK, {"case_id": subject.case_id}, _first)


def cases_of(subject: Subject) -> Question[tuple[CaseLink, ...]]:
    """Open ones first, of these the one that is due first."""
    return Question(_CASES, {**subject.numbers, "case_id": subject.case_id}, _links)


def changes_of(line_rows: Sequence[Any], claim_rows: Sequence[Any]) -> Question[Rows]:
    of = {"lines": [row.id for row in line_rows], "claims": [row.id for row in claim_rows]}
    return Question(_CHANGES, of, list)


def actions_of(subject: Subject, inquiry_nos: Sequence[str]) -> Question[Rows]:
    of = {"shop_id": subject.shop_id, "order_no": subject.order_no, "inquiry_nos": list(inquiry_nos)}
    return Question(_ACTIONS, of, list)


def steps_of(case_ids: Sequence[int]) -> Question[tuple[AdminStep, ...]]:
    """What was ticked off as done in the mall's admin, and what was taken back; oldest first."""
    return Question(_STEPS, {"cases": list(case_ids)}, lambda rows: tuple(_step(row) for row in rows))


def _first(rows: Rows) -> Any | None:
    return rows[0] if rows else None


def _links(rows: Rows) -> tuple[CaseLink, ...]:
    # Sorted here: an ORDER BY would lead the planner to the index of all cases by deadline.
    rows = sorted(rows, key=lambda row: (not row.is_open, row.due_at, row.id))
    return tuple(CaseLink(case_id=row.id, kind=row.kind, state=row.state, is_open=row.is_open) for row in rows)


def _step(row: Any) -> AdminStep:
    return AdminStep(
        step_id=row.id,
        action=row.action,
        line_no=row.line_no,
        done_at=from_ms(row.done_at),
        done_by=row.user_name,
        done_by_id=row.done_by,
        undone_at=from_ms(row.undone_at),
    )


_sub_shop = bindparam("sub_shop", type_=Text)
_of_number = (
    orders.c.shop_id == bindparam("shop_id"),
    orders.c.order_no == bindparam("order_no"),
    _sub_shop.in_(("", orders.c.sub_shop)),
)
_ORDER: Final = select(orders).where(orders.c.id == bindparam("order_id"))
_ORDER_OF_NUMBER: Final = select(orders).where(*_of_number).order_by(orders.c.id).limit(1)
_LINES: Final = select(lines).where(lines.c.order_id == bindparam("order_id")).order_by(lines.c.line_no)
_LINES_OF_NUMBER: Final = (
    select(lines)
    .where(lines.c.order_id == select(orders.c.id).where(*_of_number).order_by(orders.c.id).limit(1).scalar_subquery())
    .order_by(lines.c.line_no)
)
_CLAIMS: Final = (
    select(claims)
    .where(
        claims.c.shop_id == bindparam("shop_id"),
        claims.c.order_no == bindparam("order_no"),
        _sub_shop.in_(("", claims.c.sub_shop)),
    )
    .order_by(claims.c.requested_at, claims.c.id)
)
_INQUIRIES: Final = (
    select(inquiries)
    .where(
        inquiries.c.shop_id == bindparam("shop_id"),
        or_(inquiries.c.order_no == bindparam("order_no"), inquiries.c.thread_no == bindparam("thread_no")),
    )
    .order_by(inquiries.c.asked_at, inquiries.c.id)
)
_CALLBACK: Final = (
    select(callbacks.c.id, callbacks.c.caller_idx).where(callbacks.c.case_id == bindparam("case_id")).limit(1)
)
_CASES: Final = union(
    *(
        select(cases.c.id, cases.c.kind, cases.c.state, cases.c.is_open, cases.c.due_at).where(
            cases.c.shop_id == bindparam("shop_id"), match
        )
        for match in (
            # An inquiry's case does not tell the sub-shop.
            and_(
                cases.c.order_no == bindparam("order_no"),
                or_(_sub_shop.in_(("", cases.c.sub_shop)), cases.c.sub_shop == ""),
            ),
            cases.c.thread_no == bindparam("thread_no"),
            cases.c.id == bindparam("case_id"),
        )
    )
)
_CHANGES: Final = (
    select(status_changes)
    .where(
        or_(
            (status_changes.c.subject == "line") & among(status_changes.c.subject_id, "lines"),
            (status_changes.c.subject == "claim") & among(status_changes.c.subject_id, "claims"),
        )
    )
    .order_by(status_changes.c.id)
)
_ACTIONS: Final = (
    select(actions, users.c.name.label("user_name"))
    .select_from(actions.outerjoin(users, users.c.id == actions.c.user_id))
    .where(
        actions.c.shop_id == bindparam("shop_id"),
        or_(among(actions.c.inquiry_no, "inquiry_nos"), actions.c.order_no == bindparam("order_no")),
    )
    .order_by(actions.c.created_at, actions.c.id)
)
_STEPS: Final = (
    select(admin_steps, users.c.name.label("user_name"))
    .select_from(admin_steps.outerjoin(users, users.c.id == admin_steps.c.done_by))
    .where(among(admin_steps.c.case_id, "cases"))
    .order_by(admin_steps.c.done_at, admin_steps.c.id)
)
