"""The stream of news to open screens (Server-Sent Events): what changed, never the data itself."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec
from litestar import Request, get
from litestar.datastructures import State
from litestar.response import ServerSentEvent, ServerSentEventMessage

from hub.desk.access import Actor, Permission, require
from hub.desk.live import LiveFeed, MissedError
from hub.desk.presence import SIGN, tell_present
from hub.store.live import Topic
from hub.web.render import Given

#: seconds of silence after which a comment keeps proxies from closing the stream
HEARTBEAT: Final = 15.0
#: A stream ends then and is opened again by the browser: so an ended session ends its stream, too.
LONGEST: Final = timedelta(minutes=10)
_RETRY_MILLISECONDS: Final = 1_000
#: told to the screens of one user only
_PERSONAL: Final = frozenset({Topic.CALL, Topic.MENTION})


def _for_screens(body: Mapping[str, Any]) -> dict[str, Any]:
    """Row ids as text: a script's numbers hold 53 bits, the ids have more."""

    def told(value: Any) -> Any:
        if isinstance(value, list):
            return [told(each) for each in value]
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    return {name: told(value) for name, value in body.items()}


@get("/live")
async def live(request: Request[Actor, str, State], services: Given) -> ServerSentEvent:
    """News from now on, or from behind ``Last-Event-ID``; ``reset`` tells a screen to read its page again."""
    require(request.user, Permission.WORK_CASES)
    told = request.headers.get("last-event-id", "")
    after = int(told) if told.isascii() and told.isdigit() and len(told) < 20 else None
    feed: LiveFeed = request.app.state.live
    until = services.now() + LONGEST

    async def news() -> AsyncIterator[ServerSentEventMessage]:
        yield ServerSentEventMessage(data="{}", event="hello", retry=_RETRY_MILLISECONDS)
        try:
            async with feed.listening(after=after) as listener:
                told_at = None
                while services.now() < until:
                    now = services.now()
                    if request.user.user_id is not None and (told_at is None or now - told_at >= SIGN):
                        await tell_present(services.database, user_id=request.user.user_id, at=now)
                        told_at = now
                    event = await listener.next(patience=HEARTBEAT)
                    if event is None:
                        yield ServerSentEventMessage(data=None, comment="still here")
                        continue
                    if event.topic in _PERSONAL and event.body.get("user_id") != request.user.user_id:
                        continue  # a call is told to the agent at whose phone it is
                    data = msgspec.json.encode(_for_screens(event.body)).decode()
                    yield ServerSentEventMessage(data=data, event=event.topic.value, id=event.id)
        except MissedError:
            yield ServerSentEventMessage(data="{}", event="reset")

    # Buffering proxies would hold the news back.
    headers: dict[str, Any] = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return ServerSentEvent(news(), headers=headers)
