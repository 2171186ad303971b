"""Promises as they are read: on their case, in its timeline and in lists."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace
from sqlalchemy import Select, select

from hub.desk.care.views import OPEN, PromiseMove, PromiseView
from hub.desk.record_views import Curtain
from hub.store.box import Box
from hub.store.database import among, from_ms, time_of
from hub.store.questions import Question
from hub.store.sealed import PROMISE_BROKEN_PLACE, PROMISE_KEPT_PLACE, PROMISE_PLACE
from hub.store.tables import promise_moves, promises, users


def select_promises() -> Select[Any]:
    """All that :func:`promise_view` needs."""
    owner, maker, after = users.alias("owner"), users.alias("maker"), promises.alias("after")
    before = promises.alias("before")
    return select(
        promises,
        owner.c.name.label("owner"),
        owner.c.is_active.label("owner_is_active"),
        maker.c.name.label("maker"),
        after.c.due_at.label("after_due_at"),
        before.c.due_at.label("before_due_at"),
    ).select_from(
        promises.outerjoin(owner, owner.c.id == promises.c.owner_id)
        .outerjoin(maker, maker.c.id == promises.c.made_by)
        .outerjoin(after, after.c.id == promises.c.changed_to_id)
        .outerjoin(before, before.c.changed_to_id == promises.c.id)
    )


_OF_CASES: Final = (
    select_promises().where(among(promises.c.case_id, "cases")).order_by(promises.c.due_at, promises.c.id)
)


def promise_view(row: Any, *, box: Box, curtain: Curtain, now: datetime) -> PromiseView:
    due_at = time_of(row.due_at)
    return PromiseView(
        promise_id=row.id,
        case_id=row.case_id,
        what=_text(row.what_sealed, PROMISE_PLACE, box, curtain),
        to_whom=row.to_whom,
        channel=row.channel,
        due_at=due_at,
        state=row.state,
        is_late=row.state == OPEN and due_at < now,
        owner_id=row.owner_id,
        owner=row.owner,
        owner_is_gone=not row.owner_is_active,
        made_by=row.maker,
        made_at=time_of(row.made_at),
        ask_id=row.ask_id,
        reminded_at=from_ms(row.reminded_at),
        kept_by=row.kept_by.partition(" ")[0] if row.kept_by else None,
        kept_at=from_ms(row.kept_at),
        kept_with=_text(row.kept_with_sealed, PROMISE_KEPT_PLACE, box, curtain),
        broken_at=from_ms(row.broken_at),
        broken_reason=row.broken_reason,
        broken_text=_text(row.broken_text_sealed, PROMISE_BROKEN_PLACE, box, curtain),
        changed_to=from_ms(row.after_due_at),
        changed_from=from_ms(row.before_due_at),
    )


def _text(sealed: bytes | None, place: bytes, box: Box, curtain: Curtain) -> str:
    return curtain.text(box.open(sealed, place).decode()) or "" if sealed else ""


def promises_of(
    case_ids: Sequence[int], *, box: Box, curtain: Curtain, now: datetime
) -> Question[tuple[PromiseView, ...]]:
    """All promises of these cases, the earliest due first; who moved them to whom is :func:`promise_moves_of`."""

    def views(rows: list[Any]) -> tuple[PromiseView, ...]:
        return tuple(promise_view(row, box=box, curtain=curtain, now=now) for row in rows)

    return Question(_OF_CASES, {"cases": list(case_ids)}, views)


def promise_moves_of(case_ids: Sequence[int]) -> Question[dict[int, tuple[PromiseMove, ...]]]:
    """How promises of these cases went from one to another, by promise, oldest first."""
    return Question(_MOVES_OF_CASES, {"cases": list(case_ids)}, _moves)


def with_moves(views: Sequence[PromiseView], moves: Mapping[int, tuple[PromiseMove, ...]]) -> tuple[PromiseView, ...]:
    return tuple(replace(view, moves=moves.get(view.promise_id, ())) for view in views)


def _moves(rows: list[Any]) -> dict[int, tuple[PromiseMove, ...]]:
    moves: dict[int, tuple[PromiseMove, ...]] = defaultdict(tuple)
    for row in rows:
        moves[row.promise_id] += (
            PromiseMove(from_name=row.giver, to_name=row.taker, by=row.mover, at=time_of(row.moved_at)),
        )
    return moves


_giver, _taker, _mover = users.alias("giver"), users.alias("taker"), users.alias("mover")
_MOVES_OF_CASES: Final = (
    select(
        promise_moves.c.promise_id,
        promise_moves.c.moved_at,
        _giver.c.name.label("giver"),
        _taker.c.name.label("taker"),
        _mover.c.name.label("mover"),
    )
    .select_from(
        promise_moves.join(promises, promises.c.id == promise_moves.c.promise_id)
        .outerjoin(_giver, _giver.c.id == promise_moves.c.from_id)
        .outerjoin(_taker, _taker.c.id == promise_moves.c.to_id)
        .outerjoin(_mover, _mover.c.id == promise_moves.c.moved_by)
    )
    .where(among(promises.c.case_id, "cases"))
    .order_by(promise_moves.c.moved_at, promise_moves.c.id)
)
