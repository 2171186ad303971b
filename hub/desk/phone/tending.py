"""Looking after the telephone beside the desk: listening, notes that wait for the exchange, wishes in the records."""

import asyncio
from contextlib import suppress
from typing import Final

import structlog
from sqlalchemy.exc import DBAPIError

from hub.core.errors import ConfigurationError
from hub.desk.phone.callbacks import callbacks_of_records
from hub.desk.phone.exchange import addresses, watch_phones
from hub.desk.phone.flow import current_spec
from hub.desk.phone.notes import send_notes
from hub.desk.services import Services

log = structlog.get_logger(__name__)

#: seconds between two looks for what waits
EVERY: Final = 30.0


async def tend_phones(services: Services) -> None:
    """For ever. Settings that are wrong are said once: the desk works without a telephone."""
    try:
        known = addresses(services.settings)
    except ConfigurationError as error:
        log.warning("phone.misconfigured", error=error.what)
        return
    if not known:
        return
    async with asyncio.TaskGroup() as group:
        group.create_task(watch_phones(services))
        group.create_task(_look(services))


async def _look(services: Services) -> None:
    while True:
        await asyncio.sleep(EVERY)
        try:
            await send_notes(services)
            with suppress(ConfigurationError):
                await callbacks_of_records(services, current_spec(services))
        except DBAPIError as error:
            log.warning("phone.look.failed", error=type(error.orig).__name__)
