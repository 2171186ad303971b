"""The carriers a shop can send with, asked of the mall once a day."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

import structlog

from hub.core.contract import Carrier, Connector, ListsCarriers
from hub.core.errors import ConfigurationError, MallError
from hub.desk.services import Services

log = structlog.get_logger(__name__)

#: how long a list holds, and how long a mall that gave none is left alone
_GOOD_FOR: Final = timedelta(days=1)
_QUIET_FOR: Final = timedelta(minutes=5)
#: a page waits no longer than this for a list
_PATIENCE_SECONDS: Final = 3.0


class CarrierBook:
    """What the malls said, by shop."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[datetime, tuple[Carrier, ...]]] = {}

    async def of(self, services: Services, shop_name: str) -> tuple[Carrier, ...]:
        """The carriers of one shop, the usual ones first; empty where the mall lists none or does not answer now."""
        now = services.now()
        until, carriers = self._kept.get(shop_name, (now, ()))
        if now < until:
            return carriers
        try:
            connector = await services.connector(shop_name)
        except ConfigurationError:
            # Wrong credentials must not hide the case.
            return ()
        found = await _ask(connector, shop_name)
        # A list that was good yesterday is better than none.
        kept = carriers if found is None else found
        self._kept[shop_name] = (now + (_QUIET_FOR if found is None else _GOOD_FOR), kept)
        return kept


async def _ask(connector: Connector, shop_name: str) -> tuple[Carrier, ...] | None:
    """``None`` when the mall did not say."""
    if not isinstance(connector, ListsCarriers):
        return ()
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await connector.list_carriers()
    except (MallError, TimeoutError) as error:
        log.info("desk.carriers.failed", shop=shop_name, error=type(error).__name__)
        return None
