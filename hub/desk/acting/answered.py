"""What follows when a mall has answered outside of a run: it is there, and it may have told of something new."""

from hub.desk.shops.incidents import Watched, evaluate_incidents
from hub.sync.breaker import Breaker


async def note_answered(hub: Watched, *, shop_id: int) -> None:
    """Close the shop's breaker, so that the schedule reads it again at once, and look for incidents."""
    await Breaker(hub.database, shop_id, now=hub.now).succeeded()
    await evaluate_incidents(hub)
