"""What Cafe24 sends by itself: which event asks for what to be read again.

An event is a hint only. It may come twice, late, in another order or never: what it names is read from
the mall, and the schedule finds the rest. The summary inside an event (names, phones) is not looked at.
Source: Cafe24 webhook reference, events 90023 to 90162; confidence: sure for the numbers, likely for
the header X-API-Key and the comma-joined order numbers of bulk events.
"""

import hmac
import re
from collections import Counter

import msgspec
import structlog
from msgspec import Struct

from connectors.cafe24.settings import Cafe24Credentials
from connectors.cafe24.values import Value, code, whole
from hub.core.errors import AccessError, MalformedResponseError
from hub.core.events import Delivery, Kept, Notice

log = structlog.get_logger(__name__)

#: created, shipping, payment, cancel, return, exchange, refund, item added, receiver, tracking number,
#: return completed, order form deleted; and in bulk: shipping, cancel, refund, return
ORDER_EVENTS = frozenset(
    {90023, 90024, 90025, 90026, 90027, 90028, 90029, 90031, 90064, 90070, 90160, 90162, 90071, 90072, 90073, 90074}
)
#: posts, comments and urgent inquiries: most name no post, so the boards are listed again
BOARD_EVENTS = frozenset({90033, 90034, 90035, 90036, 90037, 90038, 90039})
#: the app was deleted from the mall, or its use has expired
LOST_EVENTS = frozenset({90077, 90078})
#: memos (the hub keeps none of the mall's) and suppliers (the catalogue is read at night)
QUIET_EVENTS = frozenset({90066, 90068, 90069, 90090, 90091, 90092, 90093})
#: most orders asked for by number; a longer list asks for all changes instead
MOST_ORDERS = 100
#: inbox subject of the events that end a consent
CONSENT_SUBJECT = "consent"
_ORDER_NO = re.compile(r"\d{8}-\d{1,12}", re.ASCII)
_LONGEST_LIST = 20_000


class _Resource(Struct):
    mall_id: Value = None
    event_shop_no: Value = None
    order_id: str | int | float | list[str | int | float | None] | None = None


class _Event(Struct):
    event_no: Value = None
    resource: _Resource | list[_Resource] | None = None


_decoder = msgspec.json.Decoder(_Event, strict=False)


class EventReader:
    def __init__(self, credentials: Cafe24Credentials, *, codes: Counter[str]) -> None:
        self._credentials = credentials
        self._codes = codes

    def read(self, delivery: Delivery) -> Notice:
        """Raises: AccessError without the app's key, or for another mall; MalformedResponseError."""
        self._check_key(delivery.headers.get("x-api-key", ""))
        event_no, resources = _event(delivery.body)
        if any(not self._is_ours(resource) for resource in resources):
            raise AccessError("the event is about another mall: its address belongs to that mall's shop")
        if event_no in ORDER_EVENTS:
            return self._orders([one for one in resources if self._is_read(one)], is_about_us=bool(resources))
        if event_no in BOARD_EVENTS:
            return Notice(reads_inquiries=True)
        if event_no in LOST_EVENTS:
            return _lost(event_no, delivery)
        if event_no not in QUIET_EVENTS:
            self._codes[f"event_no:{event_no}"] += 1
        return Notice()

    def _check_key(self, given: str) -> None:
        key = self._credentials.webhook_key
        if key is None:
            raise AccessError("the shop has no webhook_key: put the key of the app's webhook settings into it")
        if not hmac.compare_digest(given.strip().encode(), key.get_secret_value().encode()):
            raise AccessError("the event does not carry the app's X-API-Key")

    def _is_ours(self, resource: _Resource) -> bool:
        mall_id = code(resource.mall_id)
        return mall_id is None or mall_id.lower() == self._credentials.mall_id.lower()

    def _is_read(self, resource: _Resource) -> bool:
        """Whether the shop number is one that the hub reads; one that is not told may be."""
        number = code(resource.event_shop_no)
        return number is None or number in {str(shop_no) for shop_no in self._credentials.shop_no}

    def _orders(self, resources: list[_Resource], *, is_about_us: bool) -> Notice:
        if is_about_us and not resources:
            return Notice()
        named = [number for resource in resources for number in _numbers(resource)]
        orders = tuple(dict.fromkeys(number for number in named if _ORDER_NO.fullmatch(number)))
        if any(not _ORDER_NO.fullmatch(number) for number in named):
            self._codes["event.order_id"] += 1
        return Notice(orders=orders[:MOST_ORDERS], reads_orders=not orders or len(orders) > MOST_ORDERS)


def _event(body: bytes) -> tuple[int, list[_Resource]]:
    try:
        event = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedResponseError("the event is not of the documented shape", path="$") from error
    number = whole(event.event_no, path="event_no")
    if number is None:
        raise MalformedResponseError("an event without its number", path="event_no")
    resources = event.resource or []
    return number, [resources] if isinstance(resources, _Resource) else resources


def _numbers(resource: _Resource) -> list[str]:
    """Order numbers of one resource: one, several joined by commas, or a list."""
    values = resource.order_id if isinstance(resource.order_id, list) else [resource.order_id]
    joined = ",".join(found for value in values if (found := code(value)) is not None)[:_LONGEST_LIST]
    return [number for part in joined.split(",") if (number := part.strip())]


def _lost(event_no: int, delivery: Delivery) -> Notice:
    """The mall ended the app's access: kept, so that every process sees it; nothing is read."""
    log.warning("consent.lost", event_no=event_no)
    key = f"{event_no}:{delivery.received_at:%Y%m%d%H%M}"
    body = msgspec.json.encode({"event_no": event_no})
    return Notice(kept=(Kept(key=key, subject=CONSENT_SUBJECT, body=body),))
