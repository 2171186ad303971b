"""What is done for the lists while people work: queues filled and dealt out, screens told of what is back."""

from datetime import datetime, timedelta
from typing import Final

from hub.desk.services import Services
from hub.desk.worklist.snooze import tell_came_back
from hub.desk.worklist.teams import tend_teams

#: how far the first round looks back: a process that was started anew tells once more
_FIRST: Final = timedelta(minutes=1)


class Tending:
    """Rounds of one process. Two processes make the same plan, and what is given already stays."""

    def __init__(self) -> None:
        self._told_until: datetime | None = None

    async def round(self, services: Services) -> None:
        now = services.now()
        await tend_teams(services)
        await tell_came_back(services, since=self._told_until or now - _FIRST)
        self._told_until = now
