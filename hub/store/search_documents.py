"""What can be found by parts of its text, and where it leads: read from the rows themselves, never kept."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.core.model import Inquiry, MessageAuthor, Party
from hub.store.database import Database, among
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
    source: Source,
    row_ids: Sequence[int],
    *,
    is_enough: "Enough" = _never,
) -> dict[int, Document]:
    """Documents by the key of their row; those of rows that are gone, or say nothing, are left out.

    What stands open in the tables (names of products) is asked first: where ``is_enough`` says so of it alone,
    nothing of that row is unsealed, and its document holds nothing else.
    """
    if not row_ids:
        return {}
    found = await _READERS[source](database, connection, list(row_ids), is_enough)
    return {document.row_id: document for document in found if any(document.texts)}


async def _orders(
    database: Database, connection: AsyncConnection, ids: list[int], is_enough: "Enough"
) -> list[Document]:
    products: dict[tuple[int, int], list[str]] = defaultdict(list)
    for order_id, shop_id, name in await database.fetch(connection, _PRODUCTS, {"ids": ids}):
        products[order_id, shop_id].append(_folded_product(name))
    found = [
        document
        for (order_id, shop_id), names in products.items()
        if is_enough(document := Document(source=Source.ORDER, row_id=order_id, shop_id=shop_id, texts=_once(names)))
    ]
    ids = sorted(set(ids) - {document.row_id for document in found})
    if not ids:
        return found
    for order_id, shop_id, sealed in await database.fetch(connection, _ORDERS, {"ids": ids}):
        private = unpack_order(database.box.open(sealed, ORDER_PLACE))
        people = [person for person in (private.buyer, private.receiver) if person is not None]
        texts = [folded_name(name) for person in people for name in (person.name, person.name_kana)]
        texts += products[order_id, shop_id]
        found.append(
            Document(source=Source.ORDER, row_id=order_id, shop_id=shop_id, texts=_once(texts), phones=_phones(people))
        )
    return found


@lru_cache(maxsize=8_192)
def _folded_product(name: str) -> str:
    """Many orders are of the same products."""
    return folded_text(name)


async def _inquiries(
    database: Database, connection: AsyncConnection, ids: list[int], is_enough: "Enough"
) -> list[Document]:
    """Answers are left out: most are templates, and would be found by whoever looks for a customer's words."""
    found = []
    for row_id, shop_id, thread_no, product, sealed in await database.fetch(connection, _INQUIRIES, {"ids": ids}):
        of_product = Document(
            source=Source.INQUIRY,
            row_id=row_id,
            shop_id=shop_id,
            texts=(_folded_product(product or ""),),
            thread_no=thread_no,
        )
        if is_enough(of_product):
            found.append(of_product)
            continue
        inquiry = _unpack_inquiry(database.box.open(sealed, INQUIRY_PLACE))
        writer = inquiry.writer or _NOBODY
        texts = [folded_name(writer.name), folded_name(writer.name_kana)]
        texts += [folded_text(text) for text in (inquiry.subject, inquiry.text, inquiry.product_name)]
        texts += [folded_text(each.text) for each in inquiry.messages if each.author is not MessageAuthor.SELLER]
        found.append(
            Document(
                source=Source.INQUIRY,
                row_id=row_id,
                shop_id=shop_id,
                texts=_once(texts),
                phones=_phones([writer]),
                thread_no=thread_no,
            )
        )
    return found


async def _claims(database: Database, connection: AsyncConnection, ids: list[int], _: "Enough") -> list[Document]:
    rows = await database.fetch(connection, _CLAIMS, {"ids": ids})
    return [
        Document(
            source=Source.CLAIM,
            row_id=row_id,
            shop_id=shop_id,
            texts=_text(database, sealed, CLAIM_TEXT_PLACE),
            order_no=order_no,
            kind=kind,
        )
        for row_id, shop_id, order_no, kind, sealed in rows
    ]


def _written(source: Source, place: bytes, sealed: Column[Any]) -> "Reader":
    """Reads what colleagues wrote on a case."""
    table = TABLES[source]
    query = (
        select(table.c.id, cases.c.shop_id, table.c.case_id, sealed)
        .select_from(table.join(cases, cases.c.id == table.c.case_id))
        .where(among(table.c.id, "ids"))
    )

    async def read(database: Database, connection: AsyncConnection, ids: list[int], _: Enough) -> list[Document]:
        rows = await database.fetch(connection, query, {"ids": ids})
        return [
            Document(
                source=source, row_id=row_id, shop_id=shop_id, texts=_text(database, sealed, place), case_id=case_id
            )
            for row_id, shop_id, case_id, sealed in rows
        ]

    return read


async def _call_notes(database: Database, connection: AsyncConnection, ids: list[int], _: "Enough") -> list[Document]:
    return [
        Document(
            source=Source.CALL_NOTE,
            row_id=row_id,
            shop_id=None,
            texts=_text(database, sealed, CALL_NOTE_PLACE),
            by_id=user_id,
        )
        for row_id, user_id, sealed in await database.fetch(connection, _CALL_NOTES, {"ids": ids})
    ]


def _text(database: Database, sealed: bytes | None, place: bytes) -> tuple[str, ...]:
    return () if sealed is None else (folded_text(database.box.open(sealed, place).decode()),)


def _once(texts: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def _phones(people: Sequence[Party]) -> tuple[str, ...]:
    return tuple(phone for person in people for phone in (person.phone, person.phone_second) if phone)


Enough = Callable[[Document], bool]
Reader = Callable[[Database, AsyncConnection, list[int], Enough], Awaitable[list[Document]]]

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
_READERS: Final[Mapping[Source, Reader]] = {
    Source.ORDER: _orders,
    Source.INQUIRY: _inquiries,
    Source.CLAIM: _claims,
    Source.CASE_NOTE: _written(Source.CASE_NOTE, CASE_NOTE_PLACE, case_notes.c.text_sealed),
    Source.COMPLAINT_STEP: _written(Source.COMPLAINT_STEP, COMPLAINT_PLACE, complaint_steps.c.text_sealed),
    Source.CASE_MOVE: _written(Source.CASE_MOVE, MOVE_NOTE_PLACE, case_moves.c.note_sealed),
    Source.CALL_NOTE: _call_notes,
}
