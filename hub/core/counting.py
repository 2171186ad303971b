"""Malls that count: how many orders they have, apart from listing them."""

from datetime import datetime
from typing import Protocol, runtime_checkable


@runtime_checkable
class CountsOrders(Protocol):
    """Optional beside ReadsOrders: the night's comparison asks it for each day."""

    async def count_orders(self, since: datetime, until: datetime) -> int:
        """Orders placed in the half-open span, at whole seconds, over all the shop reads. Raises: MallError."""
        ...
