"""What a person did in the mall's own admin, because its API cannot: ticked off, so that nobody does it twice."""

from collections.abc import Sequence

from sqlalchemy import select, update

from hub.desk.access import Actor, Permission, require
from hub.desk.acting.action import Action
from hub.desk.cases.case import NotFoundError
from hub.desk.decisions.steps import require_steps_done
from hub.desk.services import Services
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.tables import admin_steps, cases


async def tick(services: Services, *, actor: Actor, case_id: int, action: Action, line_nos: Sequence[str]) -> None:
    """Note that ``action`` was done in the admin, on these lines or, without lines, on the case as a whole.

    What is ticked already stays as it is. Raises: ForbiddenError; NotFoundError for a case that is not there;
    StepsOpenError while the decision on these lines has steps that come first.
    """
    require(actor, Permission.WORK_CASES)
    await require_steps_done(services, actor=actor, case_id=case_id, action=action, line_nos=line_nos)
    async with services.database.writing() as connection:
        if await connection.scalar(select(cases.c.id).where(cases.c.id == case_id)) is None:
            raise NotFoundError
        standing = select(admin_steps.c.line_no).where(
            admin_steps.c.case_id == case_id,
            admin_steps.c.action == action.value,
            admin_steps.c.undone_at.is_(None),
        )
        ticked = set(await connection.scalars(standing))
        for line_no in set(line_nos or (None,)) - ticked:
            await connection.execute(
                admin_steps.insert().values(
                    id=new_id(),
                    case_id=case_id,
                    action=action.value,
                    line_no=line_no,
                    done_at=to_ms(services.now()),
                    done_by=actor.user_id,
                )
            )


async def untick(services: Services, *, actor: Actor, case_id: int, step_id: int) -> None:
    """Take a tick back; the timeline keeps both. One's own, or with the right to assign anybody's.

    Raises: ForbiddenError; NotFoundError when there is no such step that still stands.
    """
    require(actor, Permission.WORK_CASES)
    which = (admin_steps.c.id == step_id, admin_steps.c.case_id == case_id, admin_steps.c.undone_at.is_(None))
    async with services.database.writing() as connection:
        row = (await connection.execute(select(admin_steps.c.done_by).where(*which))).one_or_none()
        if row is None:
            raise NotFoundError
        if row.done_by != actor.user_id:
            require(actor, Permission.ASSIGN_OTHERS)
        await connection.execute(update(admin_steps).where(*which).values(undone_at=to_ms(services.now())))
