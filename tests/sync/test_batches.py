"""Small pages are written together without losing a record, a cursor or an order of events."""

from collections.abc import AsyncIterator, Sequence

import pytest

from hub.core.contract import Page, Reading
from hub.core.errors import UnavailableError
from hub.sync.batches import MOST_READINGS, gathered


def _page(number: int, *keys: str) -> Page:
    readings = tuple(Reading(key=key, raw=b"{}", error="unread") for key in keys)
    return Page(readings=readings, cursor=str(number), progress=number / 1000)


async def _pages(pages: Sequence[Page], *, error: Exception | None = None) -> AsyncIterator[Page]:
    for page in pages:
        yield page
    if error is not None:
        raise error


def _keys(pages: Sequence[Page]) -> list[str]:
    return [reading.key for page in pages for reading in page.readings]


async def test_every_reading_comes_once_in_order_and_the_last_cursor_last() -> None:
    pages = [_page(number, *(f"{number}-{place}" for place in range(7))) for number in range(300)]

    written = [page async for page in gathered(_pages(pages))]

    assert _keys(written) == _keys(pages)
    assert len(written) < len(pages) / 3
    assert written[-1].cursor == "299"
    ends = {page.cursor: sum(len(each.readings) for each in pages[: number + 1]) for number, page in enumerate(pages)}
    so_far = 0
    for page in written:
        so_far += len(page.readings)
        assert so_far == ends[page.cursor]


async def test_the_first_pages_are_written_at_once() -> None:
    written = [page async for page in gathered(_pages([_page(number, str(number)) for number in range(10)]))]

    assert [page.cursor for page in written] == [str(number) for number in range(10)]


async def test_no_more_than_a_tenth_of_the_pages_waits() -> None:
    written = 0
    waiting: list[int] = []

    async def counted() -> AsyncIterator[Page]:
        for number in range(500):
            waiting.append(number - written)
            yield _page(number)

    async for page in gathered(counted()):
        written = int(page.cursor) + 1

    assert written == 500
    assert all(count <= number / 10 for number, count in enumerate(waiting))
    assert max(waiting) > 20


async def test_pages_do_not_grow_beyond_their_measure() -> None:
    pages = [_page(number, *(f"{number}-{place}" for place in range(300))) for number in range(100)]
    large = _page(100, *(f"100-{place}" for place in range(MOST_READINGS * 3)))

    sizes = [len(page.readings) async for page in gathered(_pages([*pages, large]))]

    assert max(sizes[:-1]) <= MOST_READINGS
    assert sizes[-1] == MOST_READINGS * 3


async def test_a_record_that_comes_again_starts_a_new_page() -> None:
    pages = [_page(number, f"first-{number}") for number in range(40)]
    pages += [_page(40 + number, "again") for number in range(4)]

    written = [page async for page in gathered(_pages(pages))]

    assert [_keys([page]).count("again") for page in written if "again" in _keys([page])] == [1, 1, 1, 1]


async def test_what_was_read_before_a_failure_is_written() -> None:
    pages = [_page(number, str(number)) for number in range(35)]
    written: list[Page] = []

    with pytest.raises(UnavailableError):
        async for page in gathered(_pages(pages, error=UnavailableError("down"))):
            written.append(page)  # noqa: PERF401  what came before the error counts

    assert _keys(written) == _keys(pages)
    assert written[-1].cursor == "34"
