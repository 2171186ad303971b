"""Records as no document describes them: codes of tomorrow, broken fields, hostile text."""

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec

from hub.core.contract import Capability
from tests.contract.rules.reading import values_in
from tests.contract.rules.rule import rule
from tests.contract.street import Book, Call, Street, remade
from tests.contract.subject import Subject

Path = tuple[str | int, ...]

NEW_WORD = "ZZZ_NEW"
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_ ()]{0,29}|[0-9]{1,2}")
#: yes and no in any spelling: no table of codes that could grow
_FLAGS = {"T", "F", "Y", "N", "true", "false"}


def lists_in(document: Any) -> Iterator[list[dict[str, Any]]]:
    """The outermost lists of objects."""
    if isinstance(document, dict):
        for value in document.values():
            yield from lists_in(value)
    elif isinstance(document, list) and document and all(isinstance(row, dict) for row in document):
        yield document


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Everything inside a record that is no object: path and value; of a list only the first object."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield from leaves(value[0], (*path, 0))
    elif path:
        yield path, value


def with_leaf(record: Any, path: Path, value: Any) -> None:
    """Set one leaf where the record has it; ``None`` takes it out."""
    for step in path[:-1]:
        try:
            record = record[step]
        except (KeyError, IndexError, TypeError):
            return
    last = path[-1]
    if isinstance(record, dict) and last in record:
        if value is None:
            del record[last]
        else:
            record[last] = value


def _decoded(response: httpx.Response) -> Any:
    try:
        return msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return None


class Spoiler:
    """Changes rows of lists on their way, and notes which lists went by."""

    def __init__(self, street: Street) -> None:
        self.street = street
        self.biggest: tuple[int, tuple[str, str, bytes]] = (0, ("", "", b""))
        self.leaves: dict[Path, Any] = {}
        self.row: dict[str, Any] = {}
        self._fields = 0
        street.wire.after = self._note

    def _note(self, call: Call, response: httpx.Response) -> httpx.Response:
        for rows in lists_in(_decoded(response)):
            for row in rows:
                self.leaves.update((path, value) for path, value in leaves(row) if value not in ("", None))
            fields = sum(1 for row in rows for _ in leaves(row))
            if len(rows) >= self.biggest[0] and fields >= self._fields:
                self.biggest = (len(rows), call.request)
                self.row = rows[0]
                self._fields = fields
        return response

    def spoil_all(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Every row of every list."""

        def after(_call: Call, response: httpx.Response) -> httpx.Response:
            document = _decoded(response)
            rows = [row for rows in lists_in(document) for row in rows]
            for row in rows:
                change(row)
            return remade(response, msgspec.json.encode(document)) if rows else response

        self.street.wire.after = after

    def spoil_first(self, change: Callable[[dict[str, Any]], Any]) -> None:
        """The first row of the biggest list; the change's return replaces it, ``None`` keeps the changed row."""

        def after(call: Call, response: httpx.Response) -> httpx.Response:
            if call.request != self.biggest[1]:
                return response
            document = _decoded(response)
            for rows in lists_in(document):
                replaced = change(rows[0])
                if replaced is not None:
                    rows[0] = replaced
                return remade(response, msgspec.json.encode(document))
            return response

        self.street.wire.after = after


@rule(Capability.READ_ORDERS)
async def unknown_code_stays_unknown(subject: Subject) -> None:
    """A word no table holds becomes UNKNOWN with the word kept and counted, never a known state by guess."""
    street = Street(subject, orders=25)
    met: set[str] = set()
    for capability in street.feeds():
        spoiler = Spoiler(street)
        await _records(street, capability)
        for path in [path for path, value in spoiler.leaves.items() if _is_code(value)]:
            spoiler.spoil_all(lambda row, path=path: _new_word(row, path))
            async with street.open() as connector:
                book = Book()
                book.take(await street.pages(connector, capability))
                counted = [code for code in connector.unknown_codes if NEW_WORD in code]
            for name, raw, value in _coded(book):
                if NEW_WORD in (raw or ""):
                    assert value == "unknown", f"{path} = {NEW_WORD} was read as {name} {value}"
                    assert counted, f"{path} = {NEW_WORD} was not counted"
                    met.add(name)
    assert "status" in met, "no field of an order's record makes its status unknown"


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and value not in _FLAGS and _CODE.fullmatch(value) is not None


def _new_word(row: dict[str, Any], path: Path) -> None:
    for found, value in leaves(row):
        if found == path and _is_code(value):
            with_leaf(row, path, NEW_WORD)


def _coded(book: Book) -> Iterator[tuple[str, str | None, str]]:
    """Every word that the connector translated: what it means, the mall's own word, the hub's."""
    for line in book.lines.values():
        yield "status", line.raw_status, line.status.value
    for claim in book.claims.values():
        yield "state", claim.raw_state, claim.state.value
    for inquiry in book.inquiries.values():
        yield "inquiry", inquiry.raw_state, inquiry.state.value


@rule(Capability.READ_ORDERS)
async def bad_record_is_set_aside_alone(subject: Subject) -> None:
    """Any field gone or of another type: the run goes on and no more than that record is lost."""
    street = Street(subject, orders=20)
    for capability in street.feeds():
        spoiler = Spoiler(street)
        good = await _records(street, capability)
        paths = [path for path, _ in leaves(spoiler.row)]
        assert paths
        for path in paths:
            for value in (None, {"x": [1]}, -1):
                spoiler.spoil_first(lambda row, path=path, value=value: with_leaf(row, path, value))
                await _assert_most_are_read(street, capability, good, f"{path} = {value!r}")
        for row in ({}, [], "text", 7):
            spoiler.spoil_first(lambda _, row=row: row)
            await _assert_most_are_read(street, capability, good, f"row {row!r}")


async def _assert_most_are_read(street: Street, capability: Capability, good: dict[Any, Any], what: str) -> None:
    try:
        found = await _records(street, capability)
    except Exception as error:
        message = f"{capability}: {what} ended the run: {type(error).__name__}"
        raise AssertionError(message) from error
    lost = [key for key, record in good.items() if found.get(key) != record]
    # One bad row may belong to two records: a question and its answer are rows of their own at some malls.
    assert len(lost) <= 2, f"{capability}: {what} lost {lost}"


async def _records(street: Street, capability: Capability) -> dict[Any, Any]:
    async with street.open() as connector:
        book = Book()
        book.take(await street.pages(connector, capability))
    assert all(reading.raw is not None for reading in book.readings)
    assert all((reading.record is None) != (reading.error is None) for reading in book.readings)
    return book.records()


@rule(Capability.READ_ORDERS)
async def repeated_rows_do_no_harm(subject: Subject) -> None:
    """Rows that a mall tells twice, in one answer or on two pages, end as one record each."""
    street = Street(subject, orders=40)
    for capability in street.feeds():
        street.wire.after = lambda _, response: response
        good = await _records(street, capability)
        street.wire.after = _with_rows_twice
        assert await _records(street, capability) == good


def _with_rows_twice(_call: Call, response: httpx.Response) -> httpx.Response:
    document = _decoded(response)
    lists = list(lists_in(document))
    for rows in lists:
        rows += [rows[0], rows[-1]]
    return remade(response, msgspec.json.encode(document)) if lists else response


HOSTILE = {
    "script": "<script>alert(1)</script>\"'&",
    "nul": "a\x00b\ufffe\x1b[31m",
    "long": "가" * 300_000,
    "right to left": "\u202egnirts\u202c",
}


@rule(Capability.READ_ORDERS)
async def hostile_text_does_no_harm(subject: Subject) -> None:
    """Markup, NUL, a megabyte, reversed text in every text of a record: read or set aside, never a crash, no NUL left."""
    street = Street(subject, orders=20)
    for capability in street.feeds():
        spoiler = Spoiler(street)
        good = await _records(street, capability)
        for name, text in HOSTILE.items():
            spoiler.spoil_first(lambda row, text=text: _fill(row, text))
            await _assert_most_are_read(street, capability, good, name)
        for path, value in leaves(copy.deepcopy(spoiler.row)):
            if not isinstance(value, str):
                continue
            for text in (HOSTILE["nul"], f"{value}\x00"):
                spoiler.spoil_first(lambda row, path=path, text=text: with_leaf(row, path, text))
                for record in (await _records(street, capability)).values():
                    texts = [inner for inner in values_in(record) if isinstance(inner, str)]
                    assert not any("\x00" in inner for inner in texts), f"NUL is left of {path}"


def _fill(row: dict[str, Any], text: str) -> None:
    for path, value in leaves(copy.deepcopy(row)):
        if isinstance(value, str):
            with_leaf(row, path, text)
