"""``GET /metrics``: how the hub runs, for Prometheus and whatever reads its format. No id stands in a label."""

import hmac
import ipaddress
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from hub.desk.shops.running import RunCounts, Running, RunningBook
from hub.desk.shops.status import FeedStatus
from hub.settings import Settings
from hub.web.render import Given
from hub.web.service.exposition import CONTENT_TYPE, Family, Kind, Sample, Times, exposed

#: what a proxy adds: a request that it passed on is not from this machine, whoever connects
_PASSED_ON: Final = ("forwarded", "x-forwarded-for", "x-real-ip")


class RequestTimes(ASGIMiddleware):
    """Notes how long each answer took to begin, by the pattern of its route."""

    def __init__(self) -> None:
        self.times = Times(name="hub_http_request_seconds", text="Seconds until the answer to a request began.")

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        begun = time.perf_counter()

        def note(status: int) -> None:
            route = scope.get("path_template") or "other"
            method = str(scope.get("method", ""))
            self.times.note(time.perf_counter() - begun, route=route, method=method, status=f"{status // 100}xx")

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                note(message["status"])
            await send(message)

        try:
            await next_app(scope, receive, sent)
        except Exception as error:
            # Its page is made further out.
            note(getattr(error, "status_code", 500))
            raise


@get("/metrics", exclude_from_auth=True)
async def metrics(request: Request[Any, Any, State], services: Given) -> Response[str]:
    if (refusal := _refusal(request, services.settings)) is not None:
        return refusal
    times: Times = request.app.state.request_times
    book: RunningBook = request.app.state.running
    body = exposed([*_families(await book.read(services)), times.family()])
    return Response(body, headers={"content-type": CONTENT_TYPE})


def _refusal(request: Request[Any, Any, State], settings: Settings) -> Response[str] | None:
    if settings.metrics_token is None:
        return None if _is_from_here(request) else Response("", status_code=403, media_type="text/plain")
    wanted = f"Bearer {settings.metrics_token.get_secret_value()}"
    given = request.headers.get("authorization", "")
    if hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode()):
        return None
    return Response("", status_code=401, media_type="text/plain", headers={"www-authenticate": "Bearer"})


def _is_from_here(request: Request[Any, Any, State]) -> bool:
    if request.client is None or any(name in request.headers for name in _PASSED_ON):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _families(running: Running) -> Iterator[Family]:
    yield from _feeds(running)
    yield _gauge(
        "hub_actions",
        "Writes to malls by outcome.",
        [({"shop": shop, "outcome": outcome}, count) for (shop, outcome), count in sorted(running.outbox.items())],
    )
    yield _gauge(
        "hub_rereads_waiting",
        "Things told by webhook that are still to be read.",
        [({"shop": shop.shop}, running.rereads.get(shop.shop, 0)) for shop in running.status.shops],
    )
    yield _gauge("hub_workers", "Workers seen alive.", [({}, running.workers)])
    yield _gauge(
        "hub_alerts",
        "Alerts that stand.",
        [({"severity": severity.value}, count) for severity, count in running.alerts.items()],
    )
    yield _gauge("hub_call_events", "Telephone records imported.", [({}, running.call_events)])
    yield _gauge(
        "hub_calls",
        "Telephone calls that ended, by result.",
        [({"result": result}, count) for result, count in sorted(running.calls.items())],
    )


def _feeds(running: Running) -> Iterator[Family]:
    rows = [(shop.shop, feed) for shop in running.status.shops for feed in shop.feeds]

    def labels(shop: str, feed: FeedStatus) -> dict[str, str]:
        return {"shop": shop, "feed": feed.feed.value}

    # Never read has no age: absent, not zero.
    ages = [
        (labels(shop, feed), (running.status.at - feed.data_as_of).total_seconds())
        for shop, feed in rows
        if feed.data_as_of is not None
    ]
    yield _gauge("hub_feed_data_age_seconds", "Seconds since the data of a feed was whole.", ages)
    figures: dict[str, tuple[str, Callable[[FeedStatus], float]]] = {
        "complete": ("1 when the newest run of the feed was whole.", lambda feed: feed.complete),
        "known": ("Records that stand in the hub.", lambda feed: feed.known),
        "missing": ("Records that the mall has and the hub does not.", lambda feed: feed.lacking),
        "quarantined": ("Records that could not be read.", lambda feed: feed.quarantined),
    }
    for name, (text, read) in figures.items():
        yield _gauge(f"hub_feed_{name}", text, [(labels(shop, feed), read(feed)) for shop, feed in rows])
    listed = [(labels(shop, feed), feed.listed) for shop, feed in rows if feed.listed is not None]
    yield _gauge("hub_feed_listed", "Records that the mall named in the newest whole full run.", list(listed))
    counted: dict[str, tuple[str, Callable[[RunCounts], float]]] = {
        "calls": ("Calls of the newest whole run.", lambda run: run.calls),
        "throttled": ("Calls of it that the mall's limit refused.", lambda run: run.throttled),
        "seconds": ("Seconds that it took.", lambda run: run.seconds),
    }
    runs = [({"shop": shop, "feed": feed.value}, run) for (shop, feed), run in sorted(running.runs.items())]
    for name, (text, count) in counted.items():
        yield _gauge(f"hub_run_{name}", text, [(of, count(run)) for of, run in runs])


def _gauge(name: str, text: str, samples: list[tuple[dict[str, str], float]]) -> Family:
    return Family(
        name=name,
        kind=Kind.GAUGE,
        text=text,
        samples=tuple(Sample(labels=labels, value=value) for labels, value in samples),
    )
