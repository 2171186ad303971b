"""The carriers that a Cafe24 mall has registered: what a dispatch names, and where a parcel is followed."""

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

import structlog

from connectors.cafe24.client import Cafe24Client
from connectors.cafe24.decoding import decode
from connectors.cafe24.values import code, text
from connectors.cafe24.wire import CarrierWire, carrier_decoder
from hub.core.contract import Carrier
from hub.core.errors import AccessError, MalformedResponseError

log = structlog.get_logger(__name__)

SCOPE = "mall.read_shipping"
#: where the number goes, in the spellings in use: {…}, [송장번호], %s (confidence: guess)
_GAP = re.compile(r"\{[^{}]*\}|\[[^\[\]]*\]|%s")
_NUMBER = "{tracking_no}"


async def list_carriers(client: Cafe24Client, *, shop_nos: Sequence[int]) -> tuple[Carrier, ...]:
    """Every carrier once, the mall's default first, else in the mall's order.

    ``code`` is shipping_carrier_code, the word that shipments take and show.
    Raises: AccessError naming the scope when it was not granted.
    Source: Cafe24 Admin API, version 2026-03-01, GET /carriers; confidence: sure for code and name.
    """
    found: dict[str, tuple[bool, Carrier]] = {}
    for shop_no in shop_nos:
        try:
            page = await client.carriers(shop_no=shop_no)
        except AccessError as error:
            error.message = f"{error.message}; carriers need the scope {SCOPE}"
            raise
        for wire in readable(page.rows):
            carrier = _carrier(wire)
            if carrier is not None and carrier.code not in found:
                found[carrier.code] = (code(wire.default_shipping_carrier) == "T", carrier)
    return tuple(carrier for _, carrier in sorted(found.values(), key=lambda entry: not entry[0]))


def readable(rows: Iterable[bytes]) -> Iterator[CarrierWire]:
    """Those that can be read: one that cannot is told, and keeps nobody from choosing another."""
    for row in rows:
        try:
            yield decode(carrier_decoder, row)
        except MalformedResponseError as error:
            log.warning("carrier.unreadable", problem=str(error))


def _carrier(wire: CarrierWire) -> Carrier | None:
    number = code(wire.shipping_carrier_code)
    if number is None:
        return None  # no shipment can name it
    return Carrier(code=number, name=text(wire.shipping_carrier) or number, tracking_url=_address(wire))


def _address(wire: CarrierWire) -> str | None:
    """The mall's address with the place of the number; ``None`` where it cannot be told without guessing."""
    address = (text(wire.track_shipment_url) or "").strip()
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    if _GAP.search(address):
        return _GAP.sub(_NUMBER, address, count=1)
    return address + _NUMBER if address.endswith("=") else None
