"""Where malls send their webhooks: answered at once, worked on afterwards.

The address is the key: ``/hooks/{shop}/{secret}``. Neither it nor a body ever stands in a log. A
delivery is kept and queued in the database before it is answered; one task per shop then reads again
what it named, and whatever is left when the process ends is read by the worker.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import structlog
from litestar import Request, Response, Router, post
from litestar.datastructures import State
from litestar.exceptions import ClientException
from litestar.params import FromPath

from hub.core.errors import AccessError, ConfigurationError, MalformedResponseError
from hub.core.events import Delivery, Notice, ReceivesEvents, keep_events
from hub.desk.acting.answered import note_answered
from hub.store.inbox import ShopInbox
from hub.store.shops import ShopRow
from hub.store.webhooks import WebhookStore
from hub.sync.rereads import Drained, RereadQueue, Shops, drain_shop

log = structlog.get_logger(__name__)

PATH: Final = "/hooks"
BODY_LIMIT: Final = 1_000_000
#: header that names the peer of the connection: written here, never taken from the caller
PEER: Final = "x-hub-peer"
#: another process works the queue, or a run is under way: looked at again
_BUSY_SECONDS: Final = 1.0
#: what is due later than this is left to the worker
_PATIENCE: Final = timedelta(seconds=30)

HookRequest = Request[Any, Any, State]


class Hooks:
    """The deliveries of one process: takes them in, and has one task per shop read what they name."""

    def __init__(self, hub: Shops, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._hub = hub
        self._sleep = sleep
        self._addresses = WebhookStore(hub.database)
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def shop_at(self, *, name: str, secret: str) -> ShopRow | None:
        return await self._addresses.shop_at(name=name, secret=secret)

    async def take(self, shop: ShopRow, connector: ReceivesEvents, delivery: Delivery) -> Notice:
        """Keep and queue one delivery; it is durable when this returns.

        Raises: AccessError, MalformedResponseError as the connector does; both are counted.
        """
        try:
            notice = connector.receive_events(delivery)
        except (AccessError, MalformedResponseError):
            await self._addresses.note_refused(shop.id, at=delivery.received_at)
            raise
        database = self._hub.database
        # Kept before it is queued: a queued reading must find it.
        await keep_events(ShopInbox(database, shop.id), notice, at=delivery.received_at)
        async with database.writing() as connection:
            asked = await RereadQueue(database, shop.id).ask(connection, notice, now=delivery.received_at)
            await self._addresses.note_received(connection, shop.id, at=delivery.received_at)
        if asked:
            self._work(shop)
        return notice

    def _work(self, shop: ShopRow) -> None:
        task = self._tasks.get(shop.id)
        if task is None or task.done():
            self._tasks[shop.id] = asyncio.create_task(self._drain(shop), name=f"rereads:{shop.name}")

    async def _drain(self, shop: ShopRow) -> None:
        """Work the queue until nothing is due soon. The edge of the task: what breaks it, the worker does."""
        queue = RereadQueue(self._hub.database, shop.id)
        try:
            while (due := await queue.next_due()) is not None and due - self._hub.now() <= _PATIENCE:
                drained = await drain_shop(self._hub, shop)
                if drained.read:
                    await note_answered(self._hub, shop_id=shop.id)
                if _has_nothing_done(drained):
                    await self._sleep(_BUSY_SECONDS)
        except Exception:
            log.exception("web.hook.drain_failed", shop=shop.name)

    async def settled(self) -> None:
        """Return when no task of this process has anything left to read."""
        while running := [task for task in self._tasks.values() if not task.done()]:
            await asyncio.gather(*running)

    async def aclose(self) -> None:
        """Stop reading; what is left stands in the queue."""
        running = list(self._tasks.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _has_nothing_done(drained: Drained) -> bool:
    return drained.is_busy or not drained.read


def create_hooks_router(hub: Shops, *, hooks: Hooks) -> Router:
    """The addresses of all shops, to stand beside pages and API: no session, no form token."""

    @post("/{shop_name:str}/{secret:str}", status_code=200, exclude_from_auth=True, exclude_from_csrf=True, name="hook")
    async def hook(request: HookRequest, shop_name: FromPath[str], secret: FromPath[str]) -> Response[bytes]:
        shop = None
        try:
            shop = await hooks.shop_at(name=shop_name, secret=secret)
            return _empty(404) if shop is None else await _answer(hooks, hub, request, shop)
        except Exception:
            # Answered here: whoever answers elsewhere logs the address, and the address is the key.
            log.exception("web.hook.failed", shop=shop and shop.name)
            return _empty(500)

    return Router(PATH, route_handlers=[hook])


async def _answer(hooks: Hooks, hub: Shops, request: HookRequest, shop: ShopRow) -> Response[bytes]:
    body = await _read_body(request)
    if body is None:
        return _empty(413)
    try:
        connector = await hub.connector(shop.name)
    except ConfigurationError as error:
        log.warning("web.hook.shop_unusable", shop=shop.name, error=error.what)
        return _empty(503)
    if not isinstance(connector, ReceivesEvents):
        return _empty(404)
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers[PEER] = request.client.host if request.client else ""
    try:
        notice = await hooks.take(shop, connector, Delivery(headers=headers, body=body, received_at=hub.now()))
    except AccessError:
        log.info("web.hook.sender_refused", shop=shop.name)
        return _empty(401)
    except MalformedResponseError:
        log.info("web.hook.body_refused", shop=shop.name, size=len(body))
        return _empty(400)
    return Response(notice.reply, status_code=200, media_type="application/json; charset=utf-8")


async def _read_body(request: HookRequest) -> bytes | None:
    """``None`` when it is longer than the limit: no more of it is read then."""
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and int(told) > BODY_LIMIT:
        return None
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > BODY_LIMIT:
                return None
            parts.append(part)
    except ClientException:
        return None
    return b"".join(parts)


def _empty(status: int) -> Response[bytes]:
    return Response(b"", status_code=status, media_type="text/plain")
