"""Numbers as people type them: order, line, tracking, inquiry and case numbers, phones of each country we sell in."""

import re
import unicodedata
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database
from hub.store.sealed import normal_phone
from hub.store.tables import lines, orders, shops

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


async def read_numbers(database: Database, connection: AsyncConnection, text: str) -> Numbers:
    """``text`` in every way in which it can be a number of a shop that is read."""
    samples = await database.fetch(connection, _SAMPLES, {})
    plain = unicodedata.normalize("NFKC", text).removeprefix("#")
    bare = _BETWEEN.sub("", plain)
    spellings = [text, plain, bare]
    if bare.isalnum():
        spellings += [_shaped(bare, each) for _, *written in samples for each in written if each]
    return Numbers(
        spellings=tuple(dict.fromkeys(each for each in spellings if each)),
        phones=_phones(text),
        shop_ids=tuple(row[0] for row in samples),
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


# A number of each shop: the highest, which its index gives at once.
_SAMPLES: Final[Any] = select(
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
