"""One box: order, line and tracking numbers, phones, names, e-mails, products, text. It says what it looked for."""

from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import Actor, Permission, require
from hub.desk.cases.person import NEWEST_FIRST, summarise
from hub.desk.search.calls import CallNoteRow, may_see, read_call_notes
from hub.desk.search.keys import Keys, cases_by, orders_by
from hub.desk.search.numbers import Numbers, read_numbers, read_standing
from hub.desk.search.words import find_changed, find_words, read_words
from hub.desk.services import Services
from hub.desk.views import CaseRow, DueView, OtherOrder
from hub.desk.worklist.rows import case_rows, select_rows
from hub.store.database import among, read_rows
from hub.store.questions import ask_one, asking
from hub.store.sealed import normal_email, normal_name
from hub.store.search_documents import Group
from hub.store.tables import cases, orders, shops

LENGTH: Final = 100


class SearchedBy(StrEnum):
    NUMBER = "number"
    PHONE = "phone"
    EMAIL = "email"
    NAME = "name"
    PRODUCT = "product"
    TEXT = "text"


class Extent(Struct, frozen=True, kw_only=True):
    """How many orders and cases each are shown, and up to how many they are counted."""

    shown: int
    counted: int


#: a page of its own; and the list under the box while somebody types
PAGE: Final = Extent(shown=30, counted=100)
QUICK: Final = Extent(shown=6, counted=20)


class SearchResult(Struct, frozen=True, kw_only=True):
    """``searched`` tells which readings of the text were tried; ``is_cut`` that there is more than shown.

    ``order_count`` and ``case_count`` are exact, or there are more (``many_orders``, ``many_cases``); orders beyond
    those shown may have changed since the index knew them. ``opens``:
    the one order that a number means. ``dues``: deadlines of the orders' open cases by the case's id.
    ``waiting``: rows that parts of words do not find yet. ``calls``: notes of telephone calls, newest first, as many
    as are shown.
    """

    text: str
    searched: tuple[SearchedBy, ...]
    orders: tuple[OtherOrder, ...]
    cases: tuple[CaseRow, ...]
    is_cut: bool
    many_orders: bool = False
    many_cases: bool = False
    order_count: int = 0
    case_count: int = 0
    opens: int | None = None
    dues: dict[int, DueView] = {}
    waiting: int = 0
    calls: tuple[CallNoteRow, ...] = ()


async def search(services: Services, *, actor: Actor, text: str, extent: Extent = PAGE) -> SearchResult:
    """Look the text up in every sense it can have; orders newest first, open cases before closed ones.

    Numbers, phones and e-mails match as a whole, names, products and text in parts of two characters and
    more, every word of them. Raises: ForbiddenError.
    """
    require(actor, Permission.WORK_CASES)
    text = " ".join(text.replace("\0", " ").split())[:LENGTH]
    if not text:
        return SearchResult(text="", searched=(), orders=(), cases=(), is_cut=False)
    database, words = services.database, read_words(text)
    async with database.reading() as connection:
        standing = await read_standing(database, connection)
        keys = _keys(services, read_numbers(text, standing.samples), text)
        hits = await find_words(
            database,
            connection,
            words,
            below=standing.next_number,
            limit=extent.counted,
            may_see=partial(may_see, actor),
        )
        order_hits, case_hits = hits[Group.ORDER], hits[Group.CASE]
        also = [document.row_id for document in order_hits.documents]
        async with asking(connection) as ask:
            by_orders = ask(orders_by(keys, also=also, limit=extent.counted + 1))
            by_cases = ask(cases_by(keys, also=case_hits.documents, limit=extent.counted + 1))
        order_ids, case_ids = by_orders.found, by_cases.found
        unread = set(also) if words.are_pairs else set()
        while changed := await find_changed(database, connection, words, _among(unread, order_ids[: extent.shown])):
            unread -= changed
            order_ids = await ask_one(connection, orders_by(keys, also=unread, limit=extent.counted + 1))
        found_orders = await _orders(services, connection, order_ids[: extent.shown], keys)
        of_orders = [each.open_case_id for each in found_orders if each.open_case_id is not None]
        rows = await _cases(services, connection, [*case_ids[: extent.shown], *of_orders])
        noted = await read_call_notes(services, connection, case_hits.documents, limit=extent.shown)
    result = SearchResult(
        text=text,
        searched=_searched(keys, has_words=bool(words.pairs)),
        orders=found_orders,
        cases=tuple(rows[each] for each in case_ids[: extent.shown] if each in rows),
        dues={each: due for each in of_orders if each in rows and (due := rows[each].due) is not None},
        is_cut=len(order_ids) > extent.shown or len(case_ids) > extent.shown,
        many_orders=order_hits.is_many or len(order_ids) > extent.counted,
        many_cases=case_hits.is_many or len(case_ids) > extent.counted,
        order_count=min(len(order_ids), extent.counted),
        case_count=min(len(case_ids), extent.counted),
        waiting=standing.waiting,
        calls=noted,
    )
    return msgspec.structs.replace(result, opens=_opens(result) if keys.numbers.is_one else None)


def _among(some: set[int], ids: Sequence[int]) -> list[int]:
    return [each for each in ids if each in some]


def _keys(services: Services, numbers: Numbers, text: str) -> Keys:
    blind = services.database.box.blind
    email, name = normal_email(text), normal_name(text)
    return Keys(
        numbers=numbers,
        phones=tuple(blind("phone", phone) for phone in numbers.phones),
        email=blind("email", email) if email else None,
        # Whole names need no index of parts, which follows the runs: whoever was read just now is found too.
        name=blind("name", name) if name else None,
    )


def _searched(keys: Keys, *, has_words: bool) -> tuple[SearchedBy, ...]:
    tried = {
        SearchedBy.NUMBER: True,
        SearchedBy.PHONE: bool(keys.phones),
        SearchedBy.EMAIL: keys.email is not None,
        SearchedBy.NAME: True,
        SearchedBy.PRODUCT: has_words,
        SearchedBy.TEXT: has_words,
    }
    return tuple(by for by, is_tried in tried.items() if is_tried)


def _opens(result: SearchResult) -> int | None:
    """The order, when it is the only one, every case is about it and no note of a call has the number."""
    if len(result.orders) != 1 or result.is_cut or result.calls:
        return None
    only = result.orders[0]
    mine = {(only.shop, only.order_no), *((twin.shop, twin.order_no) for twin in only.twins)}
    return only.order_id if all((case.shop, case.order_no) in mine for case in result.cases) else None


async def _orders(
    services: Services, connection: AsyncConnection, ids: Sequence[int], keys: Keys
) -> tuple[OtherOrder, ...]:
    if not ids:
        return ()
    rows = await read_rows(connection, _ORDERS, ids=list(ids))
    return await summarise(connection, rows, phones=frozenset(keys.phones), malls=services.registry)


async def _cases(services: Services, connection: AsyncConnection, ids: Sequence[int]) -> dict[int, CaseRow]:
    if not ids:
        return {}
    rows = await read_rows(connection, _CASES, ids=sorted(set(ids)))
    shown = await case_rows(connection, rows, malls=services.registry, now=services.now())
    return {row.case_id: row for row in shown}


_ORDERS: Final = (
    select(orders, shops.c.name.label("shop"), shops.c.mall)
    .select_from(orders.join(shops, shops.c.id == orders.c.shop_id))
    .where(among(orders.c.id, "ids"))
    .order_by(*NEWEST_FIRST)
)
_CASES: Final = select_rows().where(among(cases.c.id, "ids"))
