"""Numbers as people type them: of orders, lines, parcels, claims, inquiries, cases; phones of where we sell."""

import re
import unicodedata
from collections.abc import Iterable
from string import ascii_letters
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Database
from hub.store.sealed import normal_phone
from hub.store.search_index import NEXT_NUMBER, WAITING
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


class Standing(Struct, frozen=True, kw_only=True):
    """What every search asks first. ``samples``: id, order and line number of each shop that is read.

    ``next_number``: of the index; ``waiting``: rows that it does not know yet, see :func:`count_waiting`.
    """

    samples: tuple[tuple[int, str | None, str | None], ...]
    next_number: int
    waiting: int


async def read_standing(database: Database, connection: AsyncConnection) -> Standing:
    rows = await database.fetch(connection, _STANDING, {})
    next_number, waiting = rows[0][3:] if rows else (0, 0)
    return Standing(samples=tuple(row[:3] for row in rows), next_number=next_number or 0, waiting=waiting)


def read_numbers(text: str, samples: Iterable[tuple[int, str | None, str | None]]) -> Numbers:
    """``text`` in every way in which it can be a number of a shop that is read."""
    samples = tuple(samples)
    plain = unicodedata.normalize("NFKC", text).removeprefix("#")
    bare = _BETWEEN.sub("", plain)
    spellings = [text, plain, bare]
    if bare.isalnum():
        # Numbers of claims are often those of orders with a letter before them.
        digits = bare.lstrip(ascii_letters)
        letters = bare.removesuffix(digits)
        for sample in (each for _, *written in samples for each in written if each):
            spellings.append(_shaped(bare, sample))
            spellings.append(letters + shaped if (shaped := _shaped(digits, sample)) else "")
    spellings += [each.upper() for each in spellings]
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
_STANDING: Final[Any] = select(
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
    NEXT_NUMBER.label("next_number"),
    WAITING.label("waiting"),
).where(shops.c.is_active)
