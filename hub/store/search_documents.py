"""What can be found by parts of its text, and where it leads: read from the rows themselves, never kept."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.model import Inquiry, MessageAuthor, Party
from hub.store.box import Box
from hub.store.database import Database, among, read_each, read_rows
from hub.store.sealed import (
    CALL_NOTE_PLACE,
    CASE_NOTE_PLACE,
    CLAIM_TEXT_PLACE,
    COMPLAINT_PLACE,
    INQUIRY_PLACE,
    MOVE_NOTE_PLACE,
    ORDER_PLACE,
    unpack_order,
)
from hub.store.search_text import folded_name, folded_text
from hub.store.tables import (
    call_notes,
    case_moves,
    case_notes,
    cases,
    claims,
    complaint_steps,
    inquiries,
    lines,
    orders,
)

_unpack_inquiry = msgspec.msgpack.Decoder(Inquiry).decode
_NOBODY: Final = Party()


class Source(StrEnum):
    """The table a document is made from."""

    ORDER = "order"
    INQUIRY = "inquiry"
    CLAIM = "claim"
    CASE_NOTE = "case_note"
    COMPLAINT_STEP = "complaint_step"
    CASE_MOVE = "case_move"
    CALL_NOTE = "call_note"


TABLES: Final[Mapping[Source, Table]] = {
    Source.ORDER: orders,
    Source.INQUIRY: inquiries,
    Source.CLAIM: claims,
    Source.CASE_NOTE: case_notes,
    Source.COMPLAINT_STEP: complaint_steps,
    Source.CASE_MOVE: case_moves,
    Source.CALL_NOTE: call_notes,
}
#: what most rows of a table leave empty: where it is null the row says nothing
TEXTS: Final[Mapping[Source, Column[Any]]] = {
    Source.CLAIM: claims.c.reason_text_sealed,
    Source.CASE_MOVE: case_moves.c.note_sealed,
    Source.CALL_NOTE: call_notes.c.text_sealed,
}


class Group(StrEnum):
    """What a hit opens. A pair of characters has another token in each group, so that each is found by itself."""

    ORDER = "order"
    CASE = "case"

    @classmethod
    def of(cls, source: Source) -> "Group":
        return cls.ORDER if source is Source.ORDER else cls.CASE


class Document(Struct, frozen=True, kw_only=True):
    """``texts`` are folded. A case is named by its id, by its thread, or by order number and kind of claim.

    A note of a telephone call belongs to no shop and to no case, but to who wrote it (``by_id``).
    """

    source: Source
    row_id: int
    shop_id: int | None
    texts: tuple[str, ...]
    phones: tuple[str, ...] = ()
    case_id: int | None = None
    thread_no: str | None = None
    order_no: str | None = None
    kind: str | None = None
    by_id: int | None = None

    def __repr__(self) -> str:
        return f"Document({self.source} {self.row_id})"


def _never(_: Document) -> bool:
    return False


async def read_documents(
    database: Database,
    connection: AsyncConnection,
    wanted: Mapping[Source, Sequence[int]],
    *,
    is_enough: "Enough" = _never,
) -> dict[Source, dict[int, Document]]:
    """Documents of the ``wanted`` rows by their keys; those of rows that are gone, or say nothing, are left out.

    What stands open in the tables (names of products) is asked first: where ``is_enough`` says so of it alone,
    nothing of that row is unsealed, and its document holds nothing else.
    """
    asked = {source: {"ids": list(row_ids)} for source, row_ids in wanted.items() if row_ids}
    answers = await read_each(connection, [(_READINGS[source].query, ids) for source, ids in asked.items()])
    found: dict[Source, dict[int, Document]] = {source: {} for source in wanted}
    for source, rows in zip(asked, answers, strict=True):
        of_source = _READINGS[source].make(database.box, rows, is_enough)
        found[source] = {document.row_id: document for document in of_source}
    if Source.ORDER in asked:
        of_products = found[Source.ORDER]
        closed = [row_id for row_id in wanted[Source.ORDER] if not _is_told(of_products.get(row_id), is_enough)]
        rows = await read_rows(connection, _ORDERS, ids=closed) if closed else []
        of_products |= {row.id: _with_people(database.box, row, of_products.get(row.id)) for row in rows}
    return {
        source: {row_id: document for row_id, document in of_source.items() if any(document.texts)}
        for source, of_source in found.items()
    }


def _is_told(document: Document | None, is_enough: "Enough") -> bool:
    return document is not None and is_enough(document)


def _orders(_: Box, rows: Sequence[Any], __: "Enough") -> Iterator[Document]:
    """Of their products alone."""
    products: dict[tuple[int, int], list[str]] = defaultdict(list)
    for row in rows:
        products[row.order_id, row.shop_id].append(_folded_product(row.product_name))
    for (order_id, shop_id), names in products.items():
        yield Document(source=Source.ORDER, row_id=order_id, shop_id=shop_id, texts=_once(names))


def _with_people(box: Box, row: Any, of_products: Document | None) -> Document:
    private = unpack_order(box.open(row.sealed, ORDER_PLACE))
    # Mostly they are one person.
    both = (private.buyer,) if private.buyer == private.receiver else (private.buyer, private.receiver)
    people = [person for person in both if person is not None]
    texts = [folded_name(name) for person in people for name in (person.name, person.name_kana)]
    texts += of_products.texts if of_products else ()
    return Document(source=Source.ORDER, row_id=row.id, shop_id=row.shop_id, texts=_once(texts), phones=_phones(people))


@lru_cache(maxsize=8_192)
def _folded_product(name: str) -> str:
    """Many orders are of the same products."""
    return folded_text(name)


def _inquiries(box: Box, rows: Sequence[Any], is_enough: "Enough") -> Iterator[Document]:
    """Answers are left out: most are templates, and would be found by whoever looks for a customer's words."""
    for row in rows:
        of_product = Document(
            source=Source.INQUIRY,
            row_id=row.id,
            shop_id=row.shop_id,
            texts=(_folded_product(row.product_name or ""),),
            thread_no=row.thread_no,
        )
        if is_enough(of_product):
            yield of_product
            continue
        inquiry = _unpack_inquiry(box.open(row.sealed, INQUIRY_PLACE))
        writer = inquiry.writer or _NOBODY
        texts = [folded_name(writer.name), folded_name(writer.name_kana)]
        texts += [folded_text(inquiry.subject), folded_text(inquiry.text), _folded_product(inquiry.product_name or "")]
        texts += [folded_text(each.text) for each in inquiry.messages if each.author is not MessageAuthor.SELLER]
        yield msgspec.structs.replace(of_product, texts=_once(texts), phones=_phones([writer]))


def _claims(box: Box, rows: Sequence[Any], _: "Enough") -> Iterator[Document]:
    for row in rows:
        yield Document(
            source=Source.CLAIM,
            row_id=row.id,
            shop_id=row.shop_id,
            texts=_text(box, row.reason_text_sealed, CLAIM_TEXT_PLACE),
            order_no=row.order_no,
            kind=row.kind,
        )


def _written(source: Source, place: bytes, sealed: Column[Any]) -> "_Reading":
    """What colleagues wrote on a case."""
    table = TABLES[source]
    query = (
        select(table.c.id, cases.c.shop_id, table.c.case_id, sealed.label("sealed"))
        .select_from(table.join(cases, cases.c.id == table.c.case_id))
        .where(among(table.c.id, "ids"))
    )

    def make(box: Box, rows: Sequence[Any], _: Enough) -> Iterator[Document]:
        for row in rows:
            texts = _text(box, row.sealed, place)
            yield Document(source=source, row_id=row.id, shop_id=row.shop_id, texts=texts, case_id=row.case_id)

    return _Reading(query=query, make=make)


def _call_notes(box: Box, rows: Sequence[Any], _: "Enough") -> Iterator[Document]:
    for row in rows:
        texts = _text(box, row.text_sealed, CALL_NOTE_PLACE)
        yield Document(source=Source.CALL_NOTE, row_id=row.id, shop_id=None, texts=texts, by_id=row.user_id)


def _text(box: Box, sealed: bytes | None, place: bytes) -> tuple[str, ...]:
    return () if sealed is None else (folded_text(box.open(sealed, place).decode()),)


def _once(texts: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def _phones(people: Sequence[Party]) -> tuple[str, ...]:
    return tuple(phone for person in people for phone in (person.phone, person.phone_second) if phone)


Enough = Callable[[Document], bool]


class _Reading(Struct, frozen=True, kw_only=True):
    """How the documents of a source are read: a query by ``ids``, and what its rows make."""

    query: Any
    make: Callable[[Box, Sequence[Any], Enough], Iterator[Document]]


_ORDERS: Any = select(orders.c.id, orders.c.shop_id, orders.c.sealed).where(among(orders.c.id, "ids"))
_PRODUCTS: Any = select(lines.c.order_id, lines.c.shop_id, lines.c.product_name).where(among(lines.c.order_id, "ids"))
_INQUIRIES: Any = select(
    inquiries.c.id, inquiries.c.shop_id, inquiries.c.thread_no, inquiries.c.product_name, inquiries.c.sealed
).where(among(inquiries.c.id, "ids"))
_CLAIMS: Any = select(
    claims.c.id, claims.c.shop_id, claims.c.order_no, claims.c.kind, claims.c.reason_text_sealed
).where(among(claims.c.id, "ids"))
_CALL_NOTES: Any = select(call_notes.c.id, call_notes.c.user_id, call_notes.c.text_sealed).where(
    among(call_notes.c.id, "ids")
)
_READINGS: Final[Mapping[Source, _Reading]] = {
    Source.ORDER: _Reading(query=_PRODUCTS, make=_orders),
    Source.INQUIRY: _Reading(query=_INQUIRIES, make=_inquiries),
    Source.CLAIM: _Reading(query=_CLAIMS, make=_claims),
    Source.CASE_NOTE: _written(Source.CASE_NOTE, CASE_NOTE_PLACE, case_notes.c.text_sealed),
    Source.COMPLAINT_STEP: _written(Source.COMPLAINT_STEP, COMPLAINT_PLACE, complaint_steps.c.text_sealed),
    Source.CASE_MOVE: _written(Source.CASE_MOVE, MOVE_NOTE_PLACE, case_moves.c.note_sealed),
    Source.CALL_NOTE: _Reading(query=_CALL_NOTES, make=_call_notes),
}
