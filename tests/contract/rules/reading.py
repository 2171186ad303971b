"""Reading: whole, true, the same twice, resumable."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from hub.core.contract import Capability
from hub.core.model import ClaimKind, ClaimReason, LineStatus, Money
from tests.contract.rules.rule import rule
from tests.contract.street import Book, Street
from tests.contract.subject import Subject

_GONE = {LineStatus.CANCELLED, LineStatus.RETURNED, LineStatus.EXCHANGED}


async def assert_true(street: Street, connector: Any, book: Book) -> None:
    """The book holds every record of the mall's truth and no other, with status, money and times.

    A mall whose list drops ended lines is asked for those by number; its ended claims may be gone.
    """
    truth = street.mall.truth()
    manifest = street.subject.manifest
    vanishes = manifest.drops_orders
    lines = {row["line_no"]: row for row in truth.lines}
    claims = {_claim_id(row["line_no"], row["kind"], row["requested_at"]): row for row in truth.claims}
    inquiries = {row["inquiry_no"]: row for row in truth.inquiries}
    assert not book.errors
    for line_no in lines.keys() - book.lines.keys():
        row = lines[line_no]
        assert vanishes, f"line {line_no} was not read"
        assert LineStatus(row["status"]) in _GONE, f"line {line_no} was not read"
        book.take_readings(await connector.read_order(row["order_no"], (line_no,)))
    assert book.lines.keys() == lines.keys()
    for line_no, line in book.lines.items():
        row, order = lines[line_no], book.order_of[line_no]
        assert order.order_no == row["order_no"]
        assert (line.status, line.raw_status, line.quantity) == (row["status"], row["raw_status"], row["quantity"])
        assert (order.ordered_at, order.paid_at) == (row["ordered_at"], row["paid_at"])
        assert line.amount == Money(minor=row["amount_minor"], currency=row["currency"])
    found = {_claim_id(claim.line_no, claim.kind, claim.requested_at): claim for claim in book.claims.values()}
    assert len(found) == len(book.claims)
    assert found.keys() <= claims.keys()
    assert vanishes or found.keys() == claims.keys()
    for key, claim in found.items():
        assert (claim.state, claim.quantity) == (claims[key]["state"], claims[key]["quantity"])
    assert book.inquiries.keys() == inquiries.keys()
    for number, inquiry in book.inquiries.items():
        row = inquiries[number]
        told = (inquiry.state, inquiry.kind, inquiry.asked_at, inquiry.text)
        assert told == (row["state"], row["kind"], row["asked_at"], row["text"])


def _claim_id(line_no: str, kind: str, requested_at: datetime | None) -> tuple[str, str, datetime | None]:
    return line_no, str(kind), requested_at


@rule(Capability.READ_ORDERS)
async def full_run_reads_the_truth(subject: Subject) -> None:
    """After one full run over every feed the hub knows what is true at the mall."""
    street = Street(subject, orders=60)
    async with street.open() as connector:
        await assert_true(street, connector, await street.read(connector))


@rule(Capability.READ_ORDERS)
async def pages_are_complete(subject: Subject) -> None:
    """At no order, one, exactly one page, one more and one less, and many: nothing is missing."""
    many = Street(subject, orders=620, days=80)
    async with many.open() as connector:
        book = await many.read(connector)
        await assert_true(many, connector, book)
    page = max(len(page.readings) for page in book.pages)
    for visible in {0, 1, *(size for size in (page - 1, page, page + 1, 2 * page) if size < 600)}:
        street = Street(subject, orders=620, days=80, visible=visible)
        async with street.open() as connector:
            await assert_true(street, connector, await street.read(connector))


@rule(Capability.READ_ORDERS)
async def identity_is_unique_and_stable(subject: Subject) -> None:
    """Every record has a key of its own, the same in every run and whatever happens to the record."""
    street = Street(subject)
    async with street.open() as connector:
        before = await street.read(connector)
    street.clock.pass_time(timedelta(hours=20))
    async with street.open() as connector:
        after = await street.read(connector)
    for book in (before, after):
        assert all(reading.key for reading in book.readings)
        for page in book.pages:
            twice = [key for key, count in Counter(_kinds_and_keys(page.readings)).items() if count > 1]
            assert not twice
        assert len(book.lines) == sum(len(order.lines) for order in _newest_parts(book))
    requested = {(claim.line_no, claim.kind, claim.requested_at): key for key, claim in before.claims.items()}
    for key, claim in after.claims.items():
        assert requested.get((claim.line_no, claim.kind, claim.requested_at), key) == key
    if not subject.manifest.vanishing_feeds:
        assert before.records().keys() <= after.records().keys()


def _kinds_and_keys(readings: Any) -> Iterator[tuple[str, str]]:
    return ((type(reading.record).__name__, reading.key) for reading in readings)


def _newest_parts(book: Book) -> list[Any]:
    return [record for (kind, _), record in book.records().items() if kind == "Order"]


@rule(Capability.READ_ORDERS)
async def second_run_reads_the_same(subject: Subject) -> None:
    """Where nothing happened, nothing differs, to the last field."""
    street = Street(subject)
    first, second = await street.read_new(), await street.read_new()
    assert first.records() == second.records()


@rule(Capability.READ_ORDERS)
async def times_are_utc_and_money_is_whole(subject: Subject) -> None:
    """Aware UTC times, integer minor units with a currency, in every record and on every level."""
    book = await Street(subject).read_new()
    found: Counter[type] = Counter()
    for record in book.records().values():
        for value in values_in(record):
            found[type(value)] += 1
            if isinstance(value, datetime):
                assert value.tzinfo is not None
                assert value.utcoffset() == timedelta(0)
            elif isinstance(value, Money):
                assert type(value.minor) is int
                assert len(value.currency) == 3
            assert not isinstance(value, float)
    assert found[datetime]
    assert found[Money]


def values_in(value: Any) -> Iterator[Any]:
    """The value and everything inside it."""
    yield value
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from values_in(getattr(value, name))
    elif isinstance(value, tuple | list):
        for part in value:
            yield from values_in(part)


@rule(Capability.READ_ORDERS)
async def progress_moves(subject: Subject) -> None:
    """Progress stays in 0..1, never goes back and has moved by the end."""
    street = Street(subject, orders=200)
    async with street.open() as connector:
        for capability in street.feeds():
            told = [page.progress for page in await street.pages(connector, capability)]
            assert told
            assert all(0.0 <= progress <= 1.0 for progress in told)
            assert told == sorted(told)
            assert told[-1] > 0.0


@rule(Capability.READ_ORDERS)
async def killed_run_resumes(subject: Subject) -> None:
    """From the cursor of any page another process reads on: together it is an unbroken run, and shorter each time."""
    street = Street(subject, orders=200)
    for capability in street.feeds():
        span = street.span()
        async with street.open() as connector:
            pages = await street.pages(connector, capability, span=span)
        whole = Book()
        whole.take(pages)
        for index in sorted({0, 1, len(pages) // 2, len(pages) - 2, len(pages) - 1} & set(range(len(pages)))):
            joined, rest = Book(), Book()
            async with street.open() as connector:
                rest.take(await street.pages(connector, capability, span=span, cursor=pages[index].cursor))
            joined.take(pages[: index + 1])
            joined.take_readings(rest.readings)
            assert joined.records() == whole.records(), f"{capability}: page {index}"
        assert len(rest.records()) < len(whole.records()), f"{capability}: the last cursor starts all over"


@rule(Capability.READ_ORDERS)
async def late_change_is_seen(subject: Subject) -> None:
    """A return of goods that were delivered long ago shows in the next change run."""
    street = Street(subject, orders=60)
    before = await street.read_new()
    since = street.clock.now()
    line = next(
        line
        for order in street.world.orders(street.shop)
        for line in order.lines
        if line.plain_status(street.clock.mall_time) is LineStatus.DELIVERED and not line.claims
    )
    street.clock.pass_time(timedelta(hours=1))
    street.world.request_claim(line, ClaimKind.RETURN, ClaimReason.DEFECT, "부서져서 왔어요")
    requested_at = street.world.now()
    street.clock.pass_time(timedelta(hours=1))

    async with street.open() as connector:
        after = await street.read(connector, since=since, keys=before.open_keys())

    found = [claim for claim in after.claims.values() if claim.requested_at == requested_at]
    assert [claim.kind for claim in found] == [ClaimKind.RETURN]
    states = {row["requested_at"]: row["state"] for row in street.mall.truth().claims}
    assert found[0].state == states[requested_at]


@rule(Capability.READ_ORDERS)
async def shops_do_not_mix(subject: Subject) -> None:
    """Two shops of one mall, read at once in one process, each get their own records and nothing else."""
    streets = [Street(subject, seed=seed, shop=shop) for seed, shop in ((5, "first"), (6, "second"))]
    books = await asyncio.gather(*(street.read_new() for street in streets))
    for street, book in zip(streets, books, strict=True):
        async with street.open() as connector:
            await assert_true(street, connector, book)
