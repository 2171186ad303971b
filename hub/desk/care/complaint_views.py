"""Complaints as they are read: their steps on a case, and what the timeline tells of them."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select

from hub.desk.care.views import MARKED, ComplaintStep, ComplaintView, StepView
from hub.desk.record_views import Curtain
from hub.store.box import Box
from hub.store.database import among, time_of
from hub.store.questions import Question
from hub.store.sealed import COMPLAINT_PLACE
from hub.store.tables import complaint_steps, users


def complaint_steps_of(case_ids: Sequence[int], *, box: Box, curtain: Curtain) -> Question[tuple[StepView, ...]]:
    """All rows of these cases, oldest first."""

    def views(rows: list[Any]) -> tuple[StepView, ...]:
        return tuple(_view(row, box, curtain) for row in rows)

    return Question(_OF_CASES, {"cases": list(case_ids)}, views)


_OF_CASES: Final = (
    select(complaint_steps, users.c.name.label("by"))
    .select_from(complaint_steps.outerjoin(users, users.c.id == complaint_steps.c.done_by))
    .where(among(complaint_steps.c.case_id, "cases"))
    .order_by(complaint_steps.c.done_at, complaint_steps.c.id)
)


def _view(row: Any, box: Box, curtain: Curtain) -> StepView:
    text = box.open(row.text_sealed, COMPLAINT_PLACE).decode() if row.text_sealed else ""
    return StepView(
        case_id=row.case_id,
        step=row.step,
        text=curtain.text(text) or "",
        cause_group=row.cause_group,
        cause=row.cause,
        by=row.by,
        at=time_of(row.done_at),
    )


def complaint_of(steps: Sequence[StepView], case_id: int) -> ComplaintView | None:
    """``None`` for a case about which nobody complained."""
    newest = {step.step: step for step in steps if step.case_id == case_id}
    mark = newest.pop(ComplaintStep.HARD_CASE.value, None)
    is_hard = mark is not None and mark.cause == MARKED
    return ComplaintView(steps=newest, is_hard=is_hard) if newest or is_hard else None
