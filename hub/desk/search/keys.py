"""Orders and cases by what is known of them as a whole, each search one statement with an index for each sense."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import bindparam, literal_column, select, union, union_all

from hub.desk.cases.person import NEWEST_FIRST
from hub.desk.search.numbers import Numbers
from hub.store.database import among
from hub.store.questions import Question
from hub.store.search_documents import Document
from hub.store.tables import cases, claims, inquiries, lines, orders


class Keys(Struct, frozen=True, kw_only=True):
    """What was typed, as keys of rows: people's data as blind indexes."""

    numbers: Numbers
    phones: tuple[bytes, ...]
    email: bytes | None
    name: bytes | None

    def given(self) -> dict[str, Any]:
        """Values of the statements below. No country's plan makes a third phone of one text."""
        phone, other = (*self.phones, None, None)[:2]
        people = {"phone": phone, "other_phone": other, "email": self.email, "name": self.name}
        return people | {"numbers": list(self.numbers.spellings), "shops": list(self.numbers.shop_ids)}


def orders_by(keys: Keys, *, also: Collection[int], limit: int) -> Question[list[int]]:
    """Ids of orders with one of the keys, and of those in ``also``, newest first."""
    given = keys.given() | {"also": list(also), "limit": limit}
    return Question(_ORDERS, given, lambda rows: [row.id for row in rows])


def cases_by(keys: Keys, *, also: Sequence[Document], limit: int) -> Question[list[int]]:
    """Ids of cases with one of the keys, and of those that ``also`` lead to, open ones first, then newest first.

    Questions often come without an order, so inquiries are found by their writer too.
    """
    by_thread = {(each.shop_id, each.thread_no) for each in also if each.thread_no is not None}
    by_claim = {(each.shop_id, each.order_no, each.kind) for each in also if each.kind is not None}
    ids = [each.case_id for each in also if each.case_id is not None]
    if keys.numbers.case_id is not None:
        ids.append(keys.numbers.case_id)
    given = keys.given() | {
        "threads": sorted({thread_no for _, thread_no in by_thread}),
        "orders": sorted({order_no for _, order_no, _ in by_claim if order_no is not None}),
        "ids": ids,
        "limit": limit,
    }

    def sifted(rows: list[Any]) -> list[int]:
        """Here, because pairs of columns would be a condition for each in the statement."""
        found = {}
        for row in rows:
            is_claimed = row.thread_no is None and (row.shop_id, row.order_no, row.kind) in by_claim
            if row.is_sure or (row.shop_id, row.thread_no) in by_thread or is_claimed:
                found[row.id] = (row.is_open, row.opened_at, row.id)
        return sorted(found, key=found.__getitem__, reverse=True)

    return Question(_CASES, given, sifted)


#: claims by their own number, and by those of the parcels that come back for them or go out again
_CLAIMED: Final = union(
    *(
        select(claims.c.shop_id, claims.c.sub_shop, claims.c.order_no, claims.c.kind).where(among(number, "numbers"))
        for number in (claims.c.claim_no, claims.c.collect_tracking_no, claims.c.reship_tracking_no)
    )
).subquery("claimed")
# Unions of single searches: with OR the planner would rather walk all orders by their date.
_MATCHES: Final = (
    select(orders.c.id).where(among(orders.c.order_no, "numbers")),
    select(orders.c.id).where(among(orders.c.market_order_no, "numbers")),
    select(lines.c.order_id).where(among(lines.c.shop_id, "shops"), among(lines.c.line_no, "numbers")),
    select(lines.c.order_id).where(among(lines.c.tracking_no, "numbers")),
    select(orders.c.id).join(
        _CLAIMED,
        (orders.c.shop_id == _CLAIMED.c.shop_id)
        & (orders.c.order_no == _CLAIMED.c.order_no)
        & (orders.c.sub_shop == _CLAIMED.c.sub_shop),
    ),
    select(orders.c.id).where(orders.c.buyer_phone_idx == bindparam("phone")),
    select(orders.c.id).where(orders.c.receiver_phone_idx == bindparam("phone")),
    select(orders.c.id).where(orders.c.buyer_phone_idx == bindparam("other_phone")),
    select(orders.c.id).where(orders.c.receiver_phone_idx == bindparam("other_phone")),
    select(orders.c.id).where(orders.c.buyer_email_idx == bindparam("email")),
    select(orders.c.id).where(orders.c.buyer_name_idx == bindparam("name")),
    select(orders.c.id).where(orders.c.receiver_name_idx == bindparam("name")),
    select(orders.c.id).where(among(orders.c.id, "also")),
)
_ORDERS: Final[Any] = (
    select(orders.c.id)
    .where(orders.c.id.in_(union(*_MATCHES)), among(orders.c.shop_id, "shops"))
    .order_by(*NEWEST_FIRST)
    .limit(bindparam("limit"))
)
_WRITTEN: Final = (
    select(inquiries.c.id).where(among(inquiries.c.shop_id, "shops"), among(inquiries.c.inquiry_no, "numbers")),
    select(inquiries.c.id).where(inquiries.c.writer_phone_idx == bindparam("phone")),
    select(inquiries.c.id).where(inquiries.c.writer_phone_idx == bindparam("other_phone")),
    select(inquiries.c.id).where(inquiries.c.writer_name_idx == bindparam("name")),
)
_THREADS: Final = (
    select(inquiries.c.shop_id, inquiries.c.thread_no)
    .where(inquiries.c.id.in_(union(*_WRITTEN)))
    .order_by((inquiries.c.asked_at + 0).desc())
    .limit(bindparam("limit"))
    .subquery("written")
)
_SHOWN: Final = (
    cases.c.id,
    cases.c.shop_id,
    cases.c.thread_no,
    cases.c.order_no,
    cases.c.kind,
    cases.c.is_open,
    cases.c.opened_at,
)
_OF_SHOPS: Final = among(cases.c.shop_id, "shops")
_OF_WRITTEN: Final = (cases.c.shop_id == _THREADS.c.shop_id) & (cases.c.thread_no == _THREADS.c.thread_no)
_OF_CLAIMED: Final = (
    (cases.c.shop_id == _CLAIMED.c.shop_id)
    & (cases.c.order_no == _CLAIMED.c.order_no)
    & (cases.c.sub_shop == _CLAIMED.c.sub_shop)
    & (cases.c.kind == _CLAIMED.c.kind)
    & cases.c.thread_no.is_(None)
)
#: what needs no sifting is 1 in its first column
_CASES: Final[Any] = union_all(
    select(literal_column("1").label("is_sure"), *_SHOWN)
    .select_from(_THREADS.join(cases, _OF_WRITTEN))
    .where(_OF_SHOPS),
    select(literal_column("1"), *_SHOWN).select_from(_CLAIMED.join(cases, _OF_CLAIMED)).where(_OF_SHOPS),
    select(literal_column("0"), *_SHOWN).where(_OF_SHOPS, among(cases.c.thread_no, "threads")),
    select(literal_column("0"), *_SHOWN).where(_OF_SHOPS, among(cases.c.order_no, "orders")),
    select(literal_column("1"), *_SHOWN).where(_OF_SHOPS, among(cases.c.id, "ids")),
)
