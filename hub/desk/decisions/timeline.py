"""Kept decisions as entries of a case's timeline."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select

from hub.desk.views import EntryKind, TimelineEntry
from hub.policy.card import Request, Verdict
from hub.store.database import among, time_of
from hub.store.questions import Question
from hub.store.tables import decisions, users


def decision_entries(case_ids: Sequence[int]) -> Question[tuple[TimelineEntry, ...]]:
    """Who decided what by which version of the policy, oldest first; the proof of a refusal stays in its record."""
    return Question(_OF_CASES, {"cases": list(case_ids)}, lambda rows: tuple(_entry(row) for row in rows))


_OF_CASES: Final = (
    select(
        decisions.c.request,
        decisions.c.decision,
        decisions.c.line_no,
        decisions.c.policy_version,
        decisions.c.decided_at,
        users.c.name.label("by"),
    )
    .select_from(decisions.outerjoin(users, users.c.id == decisions.c.decided_by))
    .where(among(decisions.c.case_id, "cases"))
    .order_by(decisions.c.decided_at, decisions.c.id)
)


def _entry(row: Any) -> TimelineEntry:
    # Where a delivery stands is told, not allowed.
    is_told = row.request == Request.DELIVERY_STATUS and row.decision == Verdict.ALLOW
    return TimelineEntry(
        kind=EntryKind.EVENT,
        at=time_of(row.decided_at),
        key="event.decided" if row.policy_version else "event.decided_by_default",
        words=(
            ("request", f"@decision.request.{row.request}"),
            ("verdict", f"@decision.verdict.{'tell' if is_told else row.decision}"),
            ("version", f"{row.policy_version}"),
            ("line", row.line_no),
        ),
        author=row.by,
    )
