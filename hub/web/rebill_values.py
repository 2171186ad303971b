"""What a case's page shows of re-billing."""

from typing import Any

from hub.desk.access import Actor
from hub.desk.rebill import RebillReason, read_rebills
from hub.desk.services import Services
from hub.desk.views import CaseView


async def rebill_values(services: Services, actor: Actor, *, case: CaseView) -> dict[str, Any]:
    """One query; none for a case without an order."""
    if case.row.order_no is None or case.dossier.order is None:
        return {"rebills": (), "rebill_reasons": ()}
    found = await read_rebills(services, actor=actor, shop=case.row.shop, order_no=case.row.order_no)
    return {"rebills": found, "rebill_reasons": tuple(RebillReason)}
