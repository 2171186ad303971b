"""Replies that are being written: kept on the server while somebody types, so that nothing of it is lost.

A draft belongs to one person, case and page (``screen``): two pages of one person never overwrite each other,
the newest is what the case opens with, and the others are offered beside it. Sending removes them, in the
transaction that stores the answer. The texts are personal data and sealed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services
from hub.store.box import Box
from hub.store.database import time_of, to_ms
from hub.store.ids import new_id
from hub.store.questions import Question, ask_one
from hub.store.sealed import ACTION_PLACE, DRAFT_PLACE
from hub.store.tables import actions, case_locks, reply_drafts

#: characters; no mall takes as many
TEXT_LIMIT: Final = 100_000
#: after so long nobody comes back to it
KEPT_FOR: Final = timedelta(days=30)
#: pages of one person and case whose drafts are kept
_MOST: Final = 5
_LONGEST_WORD: Final = 200


class DraftView(Struct, frozen=True, kw_only=True):
    """``text`` as it was typed."""

    draft_id: int
    text: str
    saved_at: datetime
    screen: str
    template_id: str = ""


class DraftTooLongError(ValueError):
    """Longer than :data:`TEXT_LIMIT`; what was saved before stays."""


async def read_drafts(services: Services, *, actor: Actor, case_id: int) -> tuple[DraftView, ...]:
    """One's own drafts of a case, the newest first; of two that say the same only the newer."""
    require(actor, Permission.WORK_CASES)
    async with services.database.reading() as connection:
        return await ask_one(connection, drafts_of(case_id, actor=actor, box=services.database.box))


def drafts_of(case_id: int, *, actor: Actor, box: Box) -> Question[tuple[DraftView, ...]]:
    """As :func:`read_drafts`."""
    return Question(_OWN, {"case_id": case_id, "user_id": actor.user_id}, lambda rows: _views(rows, box))


def _views(rows: list[Any], box: Box) -> tuple[DraftView, ...]:
    by_text: dict[str, DraftView] = {}
    for row in rows:
        text = box.open(row.text_sealed, DRAFT_PLACE).decode()
        view = DraftView(
            draft_id=row.id,
            text=text,
            saved_at=time_of(row.saved_at),
            screen=row.screen,
            template_id=row.template_id or "",
        )
        by_text.setdefault(text, view)
    return tuple(by_text.values())


_OWN: Final = (
    select(reply_drafts)
    .where(reply_drafts.c.case_id == bindparam("case_id"), reply_drafts.c.user_id == bindparam("user_id"))
    .order_by(reply_drafts.c.saved_at.desc(), reply_drafts.c.id.desc())
    .limit(_MOST)
)


async def save_draft(
    services: Services,
    *,
    actor: Actor,
    case_id: int,
    screen: str,
    text: str,
    template_id: str = "",
    token: str = "",
    replaces: int | None = None,
) -> datetime | None:
    """Keep what stands in the reply box of one page; when it was kept, or ``None`` where nothing is left to keep.

    ``token`` is that of the reply's form: what comes late, after the same form was sent, is not kept again.
    ``replaces``: the draft that the page began with. Raises: ForbiddenError, NotFoundError, DraftTooLongError.
    """
    require(actor, Permission.WORK_CASES)
    text = text.replace("\r\n", "\n")
    if len(text) > TEXT_LIMIT:
        raise DraftTooLongError
    now, screen = services.now(), screen[:_LONGEST_WORD]
    own = (reply_drafts.c.case_id == case_id, reply_drafts.c.user_id == actor.user_id)
    async with services.database.writing() as connection:
        # An answer that is being stored holds this row: the draft waits until it can see it.
        await connection.execute(select(case_locks.c.case_id).where(case_locks.c.case_id == case_id).with_for_update())
        is_over = not text.strip() or await _was_sent(services, connection, token=token, text=text)
        if is_over:
            await connection.execute(delete(reply_drafts).where(*own, reply_drafts.c.screen == screen))
        else:
            await _put(
                services,
                connection,
                actor=actor,
                case_id=case_id,
                screen=screen,
                text=text,
                at=now,
                template_id=template_id,
            )
        if replaces is not None:
            beside = (*own, reply_drafts.c.id == replaces, reply_drafts.c.screen != screen)
            await connection.execute(delete(reply_drafts).where(*beside))
        await _forget_old(connection, actor=actor, case_id=case_id, now=now)
    return None if is_over else now


async def clear_drafts(connection: AsyncConnection, *, case_ids: Sequence[int], user_id: int | None) -> None:
    """In the transaction of ``connection``: what this person wrote for these cases is on its way."""
    is_theirs = (reply_drafts.c.case_id.in_(case_ids), reply_drafts.c.user_id == user_id)
    await connection.execute(delete(reply_drafts).where(*is_theirs))


async def _put(
    services: Services,
    connection: AsyncConnection,
    *,
    actor: Actor,
    case_id: int,
    screen: str,
    text: str,
    at: datetime,
    template_id: str,
) -> None:
    insert = sqlite.insert(reply_drafts) if services.database.is_sqlite else postgresql.insert(reply_drafts)
    values = {
        "text_sealed": services.database.box.seal(text.encode(), DRAFT_PLACE),
        "template_id": template_id[:_LONGEST_WORD] or None,
        "saved_at": to_ms(at),
    }
    key = {"case_id": case_id, "user_id": actor.user_id, "screen": screen}
    statement = insert.values(id=new_id(), **key, **values).on_conflict_do_update(index_elements=list(key), set_=values)
    try:
        await connection.execute(statement)
    except IntegrityError as error:
        raise NotFoundError from error


async def _was_sent(services: Services, connection: AsyncConnection, *, token: str, text: str) -> bool:
    """Whether the form of ``token`` was sent with this text, or with more of it. A refused one is written again."""
    if not token:
        return False
    query = select(actions.c.payload_sealed).where(actions.c.token == token, actions.c.outcome != "refused")
    sealed = await connection.scalar(query)
    if sealed is None:
        return False
    return services.database.box.open(sealed, ACTION_PLACE).decode().startswith(text.strip())


async def _forget_old(connection: AsyncConnection, *, actor: Actor, case_id: int, now: datetime) -> None:
    own = reply_drafts.c.user_id == actor.user_id
    too_old = reply_drafts.c.saved_at < to_ms(now - KEPT_FOR)
    await connection.execute(delete(reply_drafts).where(own, too_old))
    newest = (
        select(reply_drafts.c.id)
        .where(own, reply_drafts.c.case_id == case_id)
        .order_by(reply_drafts.c.saved_at.desc(), reply_drafts.c.id.desc())
    )
    if more := (await connection.scalars(newest)).all()[_MOST:]:
        await connection.execute(delete(reply_drafts).where(reply_drafts.c.id.in_(more)))
