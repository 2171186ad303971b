"""Read what a case is about again now, at its mall: what the agent sees is then the mall's truth of this moment."""

import asyncio
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select

from hub.core.contract import Capability, Support
from hub.core.errors import MallTimeoutError
from hub.core.http import urgently
from hub.core.model import InquiryState
from hub.desk.access import Actor, Permission, require
from hub.desk.acting.answered import note_answered
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services
from hub.desk.views import CaseView
from hub.store.shops import ShopStore
from hub.store.tables import cases, inquiries, shops
from hub.sync.resync import read_again

#: a person waits for it
_PATIENCE_SECONDS: Final = 20.0
#: newest of a thread, those that wait first
_MOST_INQUIRIES: Final = 3


def can_read_again(services: Services, case: CaseView) -> bool:
    """Whether the mall gives the case's order or inquiry by its number."""
    return _reads_order(services, case.row.mark.mall, case.row.order_no) or _reads_inquiry(
        services, case.row.mark.mall, case.thread_no
    )


async def read_case_again(services: Services, *, actor: Actor, case_id: int) -> datetime:
    """Read the order and the newest inquiries of one case, and store them. Returns when the mall was asked.

    Raises: ForbiddenError, NotFoundError; MallError with what is stored left as it was.
    """
    require(actor, Permission.WORK_CASES)
    query = (
        select(cases.c.shop_id, cases.c.order_no, cases.c.thread_no, shops.c.name, shops.c.mall)
        .join_from(cases, shops)
        .where(cases.c.id == case_id)
    )
    async with services.database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError
    asked_at = services.now()
    try:
        with urgently():
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await _read(services, row)
    except TimeoutError as error:
        raise MallTimeoutError("the mall did not answer in time", shop=row.name) from error
    await note_answered(services, shop_id=row.shop_id)
    return asked_at


async def _read(services: Services, row: Any) -> None:
    shop = await ShopStore(services.database).named(row.name)
    if _reads_inquiry(services, row.mall, row.thread_no):
        for inquiry_no in await _newest_inquiries(services, row):
            await read_again(services, shop, inquiry_no=inquiry_no)
    if _reads_order(services, row.mall, row.order_no):
        await read_again(services, shop, order_no=row.order_no)


async def _newest_inquiries(services: Services, row: Any) -> list[str]:
    query = (
        select(inquiries.c.inquiry_no)
        .where(inquiries.c.shop_id == row.shop_id, inquiries.c.thread_no == row.thread_no)
        .order_by(inquiries.c.state == InquiryState.ANSWERED.value, inquiries.c.asked_at.desc())
        .limit(_MOST_INQUIRIES)
    )
    async with services.database.reading() as connection:
        return list(await connection.scalars(query))


def _reads_order(services: Services, mall: str, order_no: str | None) -> bool:
    return order_no is not None and _can(services, mall, Capability.READ_ONE_ORDER)


def _reads_inquiry(services: Services, mall: str, thread_no: str | None) -> bool:
    return thread_no is not None and _can(services, mall, Capability.READ_ONE_INQUIRY)


def _can(services: Services, mall: str, capability: Capability) -> bool:
    manifest = services.registry.manifests.get(mall)
    stated = manifest.capabilities.get(capability) if manifest else None
    return stated is not None and stated.state is Support.YES
