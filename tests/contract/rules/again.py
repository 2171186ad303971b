"""What is kept of a record can be read again without the mall."""

from hub.core.contract import Feed, PreparesRemap
from tests.contract.rules.rule import rule
from tests.contract.street import Street
from tests.contract.subject import Subject


@rule()
async def stored_payload_maps_again(subject: Subject) -> None:
    """Every payload of a full run becomes the same record again, without a call.

    A reading that says it is partial may differ in what it tells, not in what it is about.
    """
    street = Street(subject, orders=60)
    async with street.open() as connector:
        pages = {capability: await street.pages(connector, capability) for capability in street.feeds()}
    sent = len(street.wire.calls)
    async with street.open() as connector:
        # Like another process on another day: what the first one asked for is not remembered.
        await street.deliver(connector)
        if isinstance(connector, PreparesRemap):
            await connector.prepare_remap()
        for capability, read in pages.items():
            feed = next(feed for feed in Feed if subject.manifest.feeds.get(feed) is capability)
            readings = [reading for page in read for reading in page.readings]
            assert readings, f"{capability}: nothing was read"
            for reading in readings:
                again = connector.remap(feed, reading.key, reading.raw)
                assert (again.key, again.raw, again.error) == (reading.key, reading.raw, None)
                assert type(again.record) is type(reading.record)
                assert again.is_partial or again.record == reading.record, f"{feed} {reading.key} maps otherwise"
            whole = sum(not connector.remap(feed, each.key, each.raw).is_partial for each in readings)
            assert whole * 2 > len(readings), f"{feed}: most payloads tell only a part"
            broken = connector.remap(feed, "broken", b'{"broken": [')
            assert broken.record is None
            assert broken.error
    assert len(street.wire.calls) == sent, "reading a stored payload called the mall"
