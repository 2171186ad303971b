"""What the form of a customer's mark offers, on a case and on the customer's own page."""

from typing import Any

from hub.desk.customers.marks import LONGEST_DAYS, USUAL_DAYS
from hub.desk.customers.views import MarkKind


def mark_values() -> dict[str, Any]:
    return {"mark_kinds": tuple(MarkKind), "mark_days": USUAL_DAYS, "mark_longest": LONGEST_DAYS}
