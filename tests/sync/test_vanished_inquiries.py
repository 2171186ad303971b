"""A question that a mall shows no more: gone when two readings hours apart and two questions by number say so."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hub.core.contract import CallCounts, Capability, Feed, OpenKeys, Page, Reading, Span
from hub.core.errors import MallError, NotFoundAtMallError, RejectedByMallError, UnavailableError
from hub.core.model import Inquiry, InquiryKind, InquiryState, ShopRef
from hub.policy.due import MallClock
from hub.store.database import Database, to_ms
from hub.store.shops import ShopRow, ShopStore
from hub.store.tables import cases, inquiries
from hub.sync.open_keys import read_open_keys
from hub.sync.replay import Replay, ReplayReport
from hub.sync.run import ShopReport, ShopRun
from hub.sync.sought import APART, APART_WHEN_EMPTY
from tests.desk.invented import inquiry, manifest
from tests.store.shapes import rows

NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SOON = timedelta(minutes=5)
VANISHING = msgspec.structs.replace(
    manifest("alpha", "A"),
    feeds={Feed.INQUIRIES: Capability.READ_INQUIRIES},
    vanishing_feeds=frozenset({Feed.INQUIRIES}),
)
NO_CLOCKS: tuple[MallClock, ...] = ()


class Forgetful:
    """Lists the questions ``shown``, one a page; knows by number those of ``known`` too, or answers with ``refusal``.

    ``fails_at``: the page before which a reading breaks.
    """

    shop = ShopRef(name="main", mall="alpha")

    def __init__(self) -> None:
        self.unknown_codes: dict[str, int] = {}
        self.calls = CallCounts()
        self.now = NOON
        self.shown = ["A", "B", "C"]
        self.known: list[str] = []
        self.states: dict[str, InquiryState] = {}
        self.kinds: dict[str, InquiryKind] = {}
        self.refusal: MallError | None = None
        self.fails_at: int | None = None
        self.asked: list[str] = []
        self.open_keys: tuple[str, ...] = ()

    async def read_inquiries(self, span: Span, *, open_keys: OpenKeys, cursor: str | None) -> AsyncIterator[Page]:
        del span
        self.open_keys = open_keys.inquiries
        for place in range(int(cursor or 0), len(self.shown)):
            if place == self.fails_at:
                message = "down"
                raise UnavailableError(message)
            yield Page(readings=(self._reading(self.shown[place]),), cursor=str(place + 1))

    async def read_inquiry(self, inquiry: Inquiry) -> Reading:
        self.asked.append(inquiry.inquiry_no)
        if self.refusal is not None:
            raise self.refusal
        if inquiry.inquiry_no not in (*self.shown, *self.known):
            message = "no such question"
            raise NotFoundAtMallError(message)
        return self._reading(inquiry.inquiry_no)

    def remap(self, feed: Feed, key: str, raw: bytes) -> Reading:
        """Every stored payload says something else now."""
        del feed, raw
        return self._reading(key, text="다르게 읽은 문의")

    def _reading(self, number: str, *, text: str = "언제 오나요?") -> Reading:
        record = inquiry(
            number,
            text=text,
            state=self.states.get(number, InquiryState.UNANSWERED),
            kind=self.kinds.get(number, InquiryKind.PRODUCT_INQUIRY),
        )
        return Reading(key=number, raw=b"{}", record=record)


class Desk:
    """One shop with its forgetful mall, and runs over it."""

    def __init__(self, database: Database, shop: ShopRow) -> None:
        self.database = database
        self.mall = Forgetful()
        self._shop = shop

    async def run(self, *, after: timedelta = timedelta(), full: bool = False) -> ShopReport:
        """``after``: so much later than the last one."""
        self.mall.now += after
        mall: Any = self.mall
        one = ShopRun(
            self.database,
            shop=self._shop,
            manifest=VANISHING,
            connector=mall,
            clocks=NO_CLOCKS,
            first_read_days=90,
            now=lambda: self.mall.now,
        )
        return await one.run(full=full)

    async def replay(self) -> ReplayReport:
        mall: Any = self.mall
        replay = Replay(
            self.database,
            shop=self._shop,
            manifest=VANISHING,
            connector=mall,
            clocks=NO_CLOCKS,
            now=lambda: self.mall.now,
            is_written=True,
        )
        return await replay.run([Feed.INQUIRIES])

    async def gone(self) -> list[str]:
        return [row["inquiry_no"] for row in await rows(self.database, inquiries) if row["vanished_at"] is not None]

    async def case(self, number: str) -> dict[str, Any]:
        (found,) = [row for row in await rows(self.database, cases) if row["thread_no"] == number]
        return {name: found[name] for name in ("is_open", "state", "closed_at")}

    async def open_keys(self) -> tuple[str, ...]:
        return (await read_open_keys(self.database, self._shop.id, now=self.mall.now)).inquiries


async def opened(database: Database) -> Desk:
    """Everything has been read once."""
    store = ShopStore(database)
    await store.put(name="main", mall="alpha", base_url=None, credentials={}, now=NOON)
    desk = Desk(database, await store.named("main"))
    await desk.run(full=True)
    return desk


@pytest.fixture
async def desk(sqlite_database: Database) -> Desk:
    return await opened(sqlite_database)


@pytest.fixture
async def desk_on_both(database: Database) -> Desk:
    return await opened(database)


@pytest.mark.parametrize("full", [False, True], ids=["changes", "full"])
async def test_what_is_not_there_twice_is_gone_and_its_case_closed(desk_on_both: Desk, full: bool) -> None:
    desk = desk_on_both
    desk.mall.shown = ["A", "C"]

    first = await desk.run(after=SOON, full=full)
    assert (first.complete, first.feeds[0].vanished, await desk.gone()) == (True, 0, [])
    assert (await desk.case("B"))["is_open"]
    second = await desk.run(after=APART, full=full)

    assert (second.complete, second.feeds[0].vanished) == (True, 1)
    assert desk.mall.asked == ["B", "B"]
    assert await desk.gone() == ["B"]
    assert await desk.case("B") == {"is_open": False, "state": "vanished", "closed_at": to_ms(desk.mall.now)}
    assert (await desk.case("A"))["is_open"]
    assert await desk.open_keys() == ("A", "C")


async def test_between_two_questions_the_mall_is_left_alone(desk: Desk) -> None:
    desk.mall.shown = ["A", "C"]
    await desk.run(after=SOON)

    for _ in range(3):
        await desk.run(after=SOON)

    assert desk.mall.asked == ["B"]
    assert desk.mall.open_keys == ("A", "C")
    assert await desk.gone() == []


async def test_what_the_mall_knows_by_its_number_is_not_gone(desk: Desk) -> None:
    desk.mall.shown, desk.mall.known = ["A", "C"], ["B"]
    desk.mall.states["B"] = InquiryState.IN_PROGRESS

    for _ in range(3):
        await desk.run(after=APART)

    assert await desk.gone() == []
    assert (await desk.case("B"))["state"] == "in_progress"
    # Found by number, it must be missed twice again.
    desk.mall.known = []
    assert (await desk.run(after=APART)).feeds[0].vanished == 0
    assert (await desk.run(after=APART)).feeds[0].vanished == 1


async def test_what_is_shown_in_between_must_be_missed_twice_again(desk: Desk) -> None:
    desk.mall.shown = ["A", "C"]
    await desk.run(after=SOON)
    desk.mall.shown = ["A", "B", "C"]
    await desk.run(after=SOON)
    desk.mall.shown = ["A", "C"]

    assert (await desk.run(after=APART)).feeds[0].vanished == 0
    assert await desk.gone() == []


@pytest.mark.parametrize("state", [InquiryState.UNANSWERED, InquiryState.ANSWERED], ids=["as it was", "changed"])
async def test_what_the_mall_shows_again_is_back(desk_on_both: Desk, state: InquiryState) -> None:
    desk = desk_on_both
    desk.mall.shown = ["A", "C"]
    await desk.run(after=SOON)
    await desk.run(after=APART)
    desk.mall.shown = ["A", "B", "C"]
    desk.mall.states["B"] = state

    report = await desk.run(after=SOON)

    assert (report.feeds[0].changed, report.feeds[0].unchanged) == (1, 2)
    assert await desk.gone() == []
    case = await desk.case("B")
    assert (case["is_open"], case["state"]) == (state is InquiryState.UNANSWERED, state.value)
    assert (await desk.run(after=SOON)).feeds[0].changed == 0


async def test_a_payload_that_is_mapped_anew_brings_nothing_back(desk_on_both: Desk) -> None:
    desk = desk_on_both
    desk.mall.shown = ["A", "C"]
    await desk.run(after=SOON)
    await desk.run(after=APART)
    before = await desk.case("B")

    report = await desk.replay()

    assert report.changed == 3
    assert not {"inquiry.sought_at", "inquiry.missing_since", "inquiry.vanished_at"} & report.columns.keys()
    assert await desk.gone() == ["B"]
    assert await desk.case("B") == before


@pytest.mark.parametrize("full", [False, True], ids=["changes", "full"])
@pytest.mark.parametrize("fails_at", [0, 1])
async def test_readings_that_break_off_prove_nothing(desk: Desk, fails_at: int, full: bool) -> None:
    desk.mall.shown, desk.mall.fails_at = ["A", "C"], fails_at

    for _ in range(3):
        assert not (await desk.run(after=APART, full=full)).complete

    assert desk.mall.asked == []
    assert await desk.gone() == []


async def test_a_reading_that_goes_on_where_another_broke_off_knows_not_what_that_one_showed(desk: Desk) -> None:
    desk.mall.fails_at = 2
    await desk.run(after=SOON)
    desk.mall.fails_at = None
    desk.mall.shown = ["A", "B", "C"]

    report = await desk.run(after=APART)

    assert report.complete
    assert desk.mall.asked == []


async def test_a_mall_that_answers_with_nothing_must_do_so_for_days(desk: Desk) -> None:
    desk.mall.shown = []

    await desk.run(after=SOON)
    for _ in range(4):
        await desk.run(after=APART)
    assert await desk.gone() == []
    await desk.run(after=APART_WHEN_EMPTY)

    assert await desk.gone() == ["A", "B", "C"]


async def test_one_list_that_answers_with_nothing_is_not_vouched_for_by_another(desk: Desk) -> None:
    desk.mall.shown = ["A", "B", "C", "D"]
    desk.mall.kinds["D"] = InquiryKind.ORDER_INQUIRY
    await desk.run(after=SOON)
    desk.mall.shown = ["D"]

    await desk.run(after=SOON)
    await desk.run(after=APART)

    assert await desk.gone() == []


@pytest.mark.parametrize("refusal", [UnavailableError("down"), RejectedByMallError("no")], ids=["down", "refused"])
async def test_no_answer_to_the_number_is_no_evidence(desk: Desk, refusal: MallError) -> None:
    desk.mall.shown, desk.mall.refusal = ["A", "C"], refusal

    reports = [await desk.run(after=APART) for _ in range(3)]

    assert [report.complete for report in reports] == [isinstance(refusal, RejectedByMallError)] * 3
    assert desk.mall.asked == ["B"] * 3
    assert await desk.gone() == []


async def test_what_is_answered_is_not_sought(desk: Desk) -> None:
    desk.mall.states["B"] = InquiryState.ANSWERED
    await desk.run(after=SOON)
    desk.mall.shown = ["A", "C"]

    await desk.run(after=APART)

    assert desk.mall.asked == []
