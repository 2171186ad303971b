"""Numbers as people type them: order, line, tracking, inquiry and case numbers, phones of each country we sell in."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import ColumnElement, CompoundSelect, Select, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.sealed import normal_phone
from hub.store.tables import cases, inquiries, lines, orders, shops

_FEWEST_DIGITS: Final = 8
_INT64: Final = 2**63
_BETWEEN: Final = re.compile(r"[\s\-‐-―−.]+")


class Numbers(Struct, frozen=True, kw_only=True):
    """``spellings``: the text as a number of each shop; ``case_id``: as a case's.

    ``is_one``: it looks like a number and like nothing else.
    """

    spellings: tuple[str, ...]
    phones: tuple[str, ...]
    shop_ids: tuple[int, ...]
    case_id: int | None
    is_one: bool


async def read_numbers(connection: AsyncConnection, text: str) -> Numbers:
    """``text`` in every way in which it can be a number of a shop that is read."""
    samples = (await connection.execute(_SAMPLES)).all()
    plain = unicodedata.normalize("NFKC", text).removeprefix("#")
    bare = _BETWEEN.sub("", plain)
    spellings = [text, plain, bare]
    if bare.isalnum():
        spellings += [_shaped(bare, each) for row in samples for each in (row.order_no, row.line_no) if each]
    return Numbers(
        spellings=tuple(dict.fromkeys(each for each in spellings if each)),
        phones=_phones(text),
        shop_ids=tuple(row.id for row in samples),
        case_id=int(bare) if bare.isdecimal() and bare.isascii() and int(bare) < _INT64 else None,
        is_one=bare.isascii() and any(char.isdigit() for char in bare) and bare.strip("+()#").isalnum(),
    )


def _shaped(bare: str, sample: str) -> str:
    """``bare`` with dashes where the shop's own newest number has them; empty when its length is another."""
    if "-" not in sample or len(bare) != len(sample.replace("-", "")):
        return ""
    left = iter(bare)
    return "".join(char if char == "-" else next(left) for char in sample)


def _phones(text: str) -> tuple[str, ...]:
    """The text as a phone of each country we sell in; only when it is long enough to be one."""
    if sum(char.isdigit() for char in text) < _FEWEST_DIGITS or any(char.isalpha() for char in text):
        return ()
    found = (normal_phone(text, country) for country in ("KR", "JP"))
    return tuple(phone for phone in dict.fromkeys(found) if phone)


def orders_of(numbers: Numbers) -> list[Select[Any]]:
    """Orders with one of the numbers: one index search each. With OR the planner would rather walk all orders."""
    return [
        select(orders.c.id).where(orders.c.order_no.in_(numbers.spellings)),
        select(orders.c.id).where(orders.c.market_order_no.in_(numbers.spellings)),
        select(lines.c.order_id).where(lines.c.shop_id.in_(numbers.shop_ids), lines.c.line_no.in_(numbers.spellings)),
        select(lines.c.order_id).where(lines.c.tracking_no.in_(numbers.spellings)),
    ]


def threads_of(numbers: Numbers, *, phones: Sequence[bytes], names: Sequence[bytes]) -> CompoundSelect[Any]:
    """Shop and thread of inquiries by number or writer."""
    of_shops = inquiries.c.shop_id.in_(numbers.shop_ids)
    matches: list[ColumnElement[bool]] = [of_shops & inquiries.c.inquiry_no.in_(numbers.spellings)]
    if phones:
        matches.append(inquiries.c.writer_phone_idx.in_(phones))
    if names:
        matches.append(inquiries.c.writer_name_idx.in_(names))
    return union(*(select(inquiries.c.shop_id, inquiries.c.thread_no).where(match) for match in matches))


def case_of(numbers: Numbers) -> Select[Any] | None:
    return None if numbers.case_id is None else select(cases.c.id).where(cases.c.id == numbers.case_id)


# A number of each shop: the highest, which its index gives at once.
_SAMPLES: Final = select(
    shops.c.id,
    select(orders.c.order_no)
    .where(orders.c.shop_id == shops.c.id)
    .order_by(orders.c.sub_shop.desc(), orders.c.order_no.desc())
    .limit(1)
    .correlate(shops)
    .scalar_subquery()
    .label("order_no"),
    select(lines.c.line_no)
    .where(lines.c.shop_id == shops.c.id)
    .order_by(lines.c.line_no.desc())
    .limit(1)
    .correlate(shops)
    .scalar_subquery()
    .label("line_no"),
).where(shops.c.is_active)
