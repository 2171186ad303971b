"""Which cases belong to an open incident: for lists, before anything else is known of it."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select

from hub.desk.views import IncidentMark
from hub.store.database import among
from hub.store.questions import Question
from hub.store.tables import incident_cases, incidents


def marks_of(case_ids: Sequence[int]) -> Question[dict[int, IncidentMark]]:
    """The open incident of each of these cases, the largest where there are several."""
    return Question(_MARKS, {"cases": list(case_ids)}, _views)


def _views(rows: list[Any]) -> dict[int, IncidentMark]:
    return {row.case_id: IncidentMark(incident_id=row.id, count=row.many, reason=row.reason) for row in rows}


_MARKS: Final = (
    select(incident_cases.c.case_id, incidents.c.id, incidents.c.count.label("many"), incidents.c.reason)
    .join_from(incident_cases, incidents, incidents.c.id == incident_cases.c.incident_id)
    .where(among(incident_cases.c.case_id, "cases"), incidents.c.closed_at.is_(None))
    .order_by(incidents.c.count, incidents.c.id)
)
