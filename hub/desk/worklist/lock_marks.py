"""What a list says of each case: who works on it now, and whether the reader has a draft there."""

from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Row, false, select

from hub.desk.views import LockMark
from hub.store.database import time_of, to_ms
from hub.store.tables import case_locks, cases, reply_drafts, users


def mark_columns(user_id: int | BindParameter[int] | None) -> tuple[ColumnElement[Any], ...]:
    """Columns for a query over cases, each found by a key: for :func:`lock_mark`, and ``has_draft`` of ``user_id``."""

    def of_lock(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
        return select(column).where(case_locks.c.case_id == cases.c.id).correlate(cases).scalar_subquery().label(name)

    holder = select(users.c.name).where(users.c.id == case_locks.c.user_id).correlate(case_locks).scalar_subquery()
    has_draft: ColumnElement[bool] = false()
    if user_id is not None:
        own = (reply_drafts.c.case_id == cases.c.id, reply_drafts.c.user_id == user_id)
        has_draft = select(reply_drafts.c.id).where(*own).correlate(cases).exists()
    return (
        of_lock(case_locks.c.user_id, "lock_user_id"),
        of_lock(case_locks.c.until_at, "lock_until"),
        of_lock(holder, "lock_name"),
        has_draft.label("has_draft"),
    )


def lock_mark(row: Row[Any], now: datetime) -> LockMark | None:
    """Who works on the case of ``row`` now, if anybody does."""
    if row.lock_until is None or row.lock_until <= (to_ms(now) or 0):
        return None
    return LockMark(user_id=row.lock_user_id, name=row.lock_name or "?", until=time_of(row.lock_until))
