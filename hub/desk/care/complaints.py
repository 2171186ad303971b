"""A complaint as five steps on a case: intake, cause, solution, compensation, prevention; and the mark of a hard case.

Rows are only added; the newest of a step counts. The order is asked for, not forced: a step before its
time is stored when the agent says so twice. Prevention is a promise to ourselves, with an owner and an hour.
"""

from datetime import datetime
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.care.promises import NewPromise, make_promise
from hub.desk.care.views import CLEARED, GROUP_OF, MARKED, STEPS, Channel, ComplaintStep, ToWhom
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.live import Topic, publish
from hub.store.sealed import COMPLAINT_PLACE
from hub.store.search_documents import Source
from hub.store.search_index import queue_for_search
from hub.store.tables import cases, complaint_steps

__all__ = ["ComplaintError", "StepGiven", "mark_hard", "record_step"]

TEXT_LIMIT: Final = 2_000


class StepGiven(Struct, frozen=True, kw_only=True):
    """One step as an agent writes it down. ``cause`` is wanted by the step cause, ``due_at`` and ``owner_id`` (absent:
    whoever writes) by prevention. ``is_early``: said twice that an earlier step is left out.
    """

    step: ComplaintStep
    text: str = ""
    cause: str = ""
    due_at: datetime | None = None
    owner_id: int | None = None
    is_early: bool = False
    token: str | None = None


class ComplaintError(Exception):
    """Nothing was stored. ``key`` is a message key; ``missing`` the earlier step that was not taken."""

    def __init__(self, key: str, *, missing: ComplaintStep | None = None) -> None:
        super().__init__(key)
        self.key = f"notice.complaint_{key}"
        self.missing = missing


async def record_step(services: Services, *, actor: Actor, case_id: int, given: StepGiven) -> None:
    """Take a step of a complaint; the first one opens it. Raises: ForbiddenError; NotFoundError; ComplaintError;
    PromiseError for an hour or owner of prevention that cannot be.
    """
    require(actor, Permission.WORK_CASES)
    row = _checked(services, actor, case_id, given)
    async with services.database.reading() as connection:
        await _require_case(connection, case_id)
        taken = set(
            await connection.scalars(select(complaint_steps.c.step).where(complaint_steps.c.case_id == case_id))
        )
    missing = next((step for step in STEPS[: STEPS.index(given.step)] if step not in taken), None)
    if missing is not None and not given.is_early:
        raise ComplaintError("early", missing=missing)
    if given.due_at is not None:
        promised = NewPromise(
            due_at=given.due_at,
            what=given.text[:500],
            to_whom=ToWhom.US,
            channel=Channel.NONE,
            owner_id=given.owner_id,
            token=given.token,
        )
        # First: prevention that nobody owns is not stored at all.
        await make_promise(services, actor=actor, case_id=case_id, given=promised)
    async with services.database.writing() as connection:
        if not await _is_same(services, connection, row, given):
            await _insert(services, connection, row)


def _checked(services: Services, actor: Actor, case_id: int, given: StepGiven) -> dict[str, Any]:
    if given.step not in STEPS:
        raise ComplaintError("wrong")
    if given.step is ComplaintStep.CAUSE and given.cause not in GROUP_OF:
        raise ComplaintError("cause_missing")
    if given.step is ComplaintStep.PREVENTION and given.due_at is None:
        raise ComplaintError("due_missing")
    if given.step is not ComplaintStep.PREVENTION and given.due_at is not None:
        raise ComplaintError("wrong")
    is_cause = given.step is ComplaintStep.CAUSE
    if not is_cause and not given.text.strip():
        raise ComplaintError("text_missing")
    return _row(
        services,
        actor,
        case_id=case_id,
        step=given.step,
        text=given.text,
        cause=given.cause if is_cause else None,
        cause_group=GROUP_OF[given.cause].value if is_cause else None,
    )


def _row(
    services: Services, actor: Actor, *, case_id: int, step: ComplaintStep, text: str, **cause: str | None
) -> dict[str, Any]:
    text = text.replace("\r\n", "\n").strip()
    if len(text) > TEXT_LIMIT:
        raise ComplaintError("text_long")
    return {
        "id": new_id(),
        "case_id": case_id,
        "step": step.value,
        "text_sealed": services.database.box.seal(text.encode(), COMPLAINT_PLACE) if text else None,
        "done_by": actor.user_id,
        "done_at": to_ms(services.now()),
        **cause,
    }


async def _require_case(connection: AsyncConnection, case_id: int) -> None:
    if await connection.scalar(select(cases.c.id).where(cases.c.id == case_id)) is None:
        raise NotFoundError


async def _is_same(services: Services, connection: AsyncConnection, row: dict[str, Any], given: StepGiven) -> bool:
    """Whether the newest row of the step says just this: a form that was sent twice adds nothing."""
    query = (
        select(complaint_steps)
        .where(complaint_steps.c.case_id == row["case_id"], complaint_steps.c.step == row["step"])
        .order_by(complaint_steps.c.done_at.desc(), complaint_steps.c.id.desc())
        .limit(1)
    )
    found = (await connection.execute(query)).one_or_none()
    if found is None or found.cause != row.get("cause"):
        return False
    text = services.database.box.open(found.text_sealed, COMPLAINT_PLACE).decode() if found.text_sealed else ""
    return text == given.text.replace("\r\n", "\n").strip()


async def _insert(services: Services, connection: AsyncConnection, row: dict[str, Any]) -> None:
    await connection.execute(complaint_steps.insert().values(**row))
    await queue_for_search(services.database, connection, Source.COMPLAINT_STEP, [row["id"]], at=row["done_at"])
    await publish(connection, Topic.CASE, id=row["case_id"])


async def mark_hard(services: Services, *, actor: Actor, case_id: int, text: str, is_hard: bool = True) -> None:
    """Mark a case as a hard one, which opens its hot line of contacts, or take the mark back; always with a reason.

    Raises: ForbiddenError; NotFoundError; ComplaintError.
    """
    require(actor, Permission.WORK_CASES)
    if not text.strip():
        raise ComplaintError("text_missing")
    cause = MARKED if is_hard else CLEARED
    row = _row(services, actor, case_id=case_id, step=ComplaintStep.HARD_CASE, text=text, cause=cause)
    async with services.database.writing() as connection:
        await _require_case(connection, case_id)
        await _insert(services, connection, row)
