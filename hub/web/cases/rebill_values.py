"""What a case's page shows of re-billing."""

from collections.abc import Sequence
from typing import Any

from hub.desk.acting.rebill import RebillReason, RebillView
from hub.desk.views import CaseView


def rebill_values(found: Sequence[RebillView], *, case: CaseView) -> dict[str, Any]:
    """None for a case without an order."""
    return {"rebills": found, "rebill_reasons": tuple(RebillReason) if case.dossier.order is not None else ()}
