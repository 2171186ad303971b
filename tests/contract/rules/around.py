"""What stands around reading and acting: carriers, catalogue, events, consent."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from hub.core.catalogue import CatalogueReading
from hub.core.contract import Capability
from hub.core.errors import AccessError, MalformedResponseError, MallError
from hub.core.events import Delivery, keep_events
from tests.contract.rules.rule import rule
from tests.contract.street import Street
from tests.contract.subject import Subject

_RETURN_TO = "https://hub.example/consent/first/callback"


@rule(Capability.LIST_CARRIERS)
async def carriers_are_listed(subject: Subject) -> None:
    """Some carriers, each with a code and a name of its own; an address for tracking is one."""
    street = Street(subject, orders=5)
    async with street.open() as connector:
        carriers = await connector.list_carriers()
    assert carriers
    assert all(carrier.code.strip() and carrier.name.strip() for carrier in carriers)
    assert len({carrier.code for carrier in carriers}) == len(carriers)
    for carrier in carriers:
        if carrier.tracking_url is not None:
            assert carrier.tracking_url.startswith(("https://", "http://")), carrier.code


@rule(Capability.READ_CATALOGUE)
async def catalogue_is_complete(subject: Subject) -> None:
    """Everything that the shop sells is read, the same in every run, and from any page's cursor on."""
    street = Street(subject, orders=5)
    async with street.open() as connector:
        pages = [page async for page in connector.read_catalogue(cursor=None)]
        again = [page async for page in connector.read_catalogue(cursor=None)]
    readings = [reading for page in pages for reading in page.readings]
    assert readings
    assert all((reading.record is None) != (reading.error is None) for reading in readings)
    assert not [reading.error for reading in readings if reading.error]
    assert _by_key(readings) == _by_key([reading for page in again for reading in page.readings])
    assert len(_by_key(readings)) == len(readings), "two records share a key"
    names = {reading.record.name for reading in readings if reading.record is not None}
    for item in street.world.goods(street.shop):
        assert item.name in names, f"{item.number} is not in the catalogue"
    async with street.open() as connector:
        for index, page in enumerate(pages):
            rest = [found async for found in connector.read_catalogue(cursor=page.cursor)]
            left = _by_key([reading for found in rest for reading in found.readings])
            following = _by_key([reading for later in pages[index + 1 :] for reading in later.readings])
            assert following.items() <= left.items(), f"page {index}: its cursor skips something"


def _by_key(readings: list[CatalogueReading]) -> dict[tuple[str, str], CatalogueReading]:
    return {(type(reading.record).__name__, reading.key): reading for reading in readings}


@rule(Capability.RECEIVE_EVENTS)
async def event_of_a_stranger_is_refused(subject: Subject) -> None:
    """An event without proof of its sender, or with a wrong one, is refused, whatever it says; no call is made for it."""
    delivery, street, credentials = _genuine(subject)
    unproved = [{}, {name: f"x{value}" for name, value in delivery.headers.items()}]
    async with street.open(credentials=credentials) as connector:
        for headers in unproved:
            for body in (delivery.body, b"{}", b"", b"\x00"):
                stranger = Delivery(headers=headers, body=body, received_at=delivery.received_at)
                assert isinstance(_error(connector, stranger), AccessError), f"listened to {body[:40]!r}"
    assert not street.wire.calls


@rule(Capability.RECEIVE_EVENTS)
async def repeated_event_is_harmless(subject: Subject) -> None:
    """The same event again asks for the same and is kept once; one that makes no sense is an error of its own kind."""
    delivery, street, credentials = _genuine(subject)
    async with street.open(credentials=credentials) as connector:
        first, second = connector.receive_events(delivery), connector.receive_events(delivery)
        assert first == second
        kept = await keep_events(street.inbox, first, at=delivery.received_at)
        assert kept == len(first.kept)
        assert await keep_events(street.inbox, second, at=delivery.received_at) == 0
        for body in (b"", b"\x00", b"[1]", b'"text"', b"{" * 5000, delivery.body[: len(delivery.body) // 2]):
            broken = Delivery(headers=delivery.headers, body=body, received_at=delivery.received_at)
            assert isinstance(_error(connector, broken), MalformedResponseError), f"understood {body[:40]!r}"
    assert not street.wire.calls


def _error(connector: Any, delivery: Delivery) -> MallError | None:
    try:
        connector.receive_events(delivery)
    except MallError as error:
        return error
    return None


def _genuine(subject: Subject) -> tuple[Delivery, Street, dict[str, Any] | None]:
    """An event that the mall sent: of the emulated mall, else the recorded one with the shop it belongs to."""
    street = Street(subject, orders=20)
    sent = getattr(street.mall, "deliveries", None)
    if sent is not None:
        return next(iter(sent())), street, None
    assert subject.event is not None, "neither the sandbox has deliveries() nor replay.py an EVENT"
    return subject.event, street, subject.credentials


@rule(Capability.CONSENT)
async def consent_code_is_redeemed_once(subject: Subject) -> None:
    """The owner is sent to the mall with our state and comes back with a code; a code of nobody gives nothing."""
    street = Street(subject, orders=5)
    async with street.open() as connector:
        url = connector.consent_url(state="a state &/?", redirect_uri=_RETURN_TO)
        assert not street.wire.calls
        query = parse_qs(urlsplit(url).query)
        assert query.get("state") == ["a state &/?"]
        assert query.get("redirect_uri") == [_RETURN_TO]
        stored = dict(street.secrets.values)
        street.wire.calls.clear()
        try:
            await connector.redeem_consent(code="a-code-of-nobody", redirect_uri=_RETURN_TO)
        except MallError as error:
            refusal = error
        else:
            refusal = None
        assert isinstance(refusal, AccessError)
        tried = [call for call in street.wire.calls if b"a-code-of-nobody" in call.body or "nobody" in call.url]
        assert len(tried) == 1, f"the code was sent {len(tried)} times"
        assert "a-code-of-nobody" not in tried[0].url
        assert stored.items() <= street.secrets.values.items(), "a code of nobody ended what was stored"
