"""What the editors must know of each kind of book: its sections, its JSON and what is wrong in it."""

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any, Final

from msgspec import Struct
from sqlalchemy import select

from hub.core.book_problem import Problem
from hub.desk.books.fields import sections_of
from hub.desk.services import Services
from hub.policy import book as policy
from hub.policy import templates
from hub.store.books import BookKind
from hub.store.tables import shops
from routing import book as routing


class BookForm(Struct, frozen=True, kw_only=True):
    """``tables`` is a Struct of sections (tuples of flat Structs). ``standard`` is what holds before anybody writes.

    ``decode`` raises ConfigurationError or msgspec.MsgspecError for what is no such book; ``encode``
    gives its one canonical JSON. ``shops`` and ``malls`` are the names that may stand in it.
    """

    kind: BookKind
    tables: type[Struct]
    decode: Callable[[bytes], Any]
    encode: Callable[[Any], str]
    find_problems: Callable[[Any], tuple[Problem, ...]]
    standard: Callable[[], Any]
    shops: tuple[str, ...] = ()
    malls: tuple[str, ...] = ()


async def read_forms(services: Services) -> dict[BookKind, BookForm]:
    """All kinds of books, with the names of this hub's shops and malls."""
    async with services.database.reading() as connection:
        known = tuple(await connection.scalars(select(shops.c.name).order_by(shops.c.name)))
    malls = tuple(sorted(services.registry.manifests))
    forms = (_routing(known, malls), _policy(known, malls), _templates(known, malls))
    return {form.kind: form for form in forms}


def _routing(known: tuple[str, ...], malls: tuple[str, ...]) -> BookForm:
    return BookForm(
        kind=BookKind.ROUTING,
        tables=routing.RoutingTables,
        decode=routing.decode,
        encode=routing.encode,
        find_problems=partial(routing.find_problems, malls=malls, shops=known),
        standard=routing.standard_tables,
        shops=known,
        malls=malls,
    )


def _policy(known: tuple[str, ...], malls: tuple[str, ...]) -> BookForm:
    return BookForm(
        kind=BookKind.POLICY,
        tables=policy.PolicyTables,
        decode=policy.decode,
        encode=policy.encode,
        find_problems=partial(policy.find_problems, malls=malls, shops=known),
        standard=policy.PolicyTables,
        shops=known,
        malls=malls,
    )


def _templates(known: tuple[str, ...], malls: tuple[str, ...]) -> BookForm:
    def find_problems(tables: templates.TemplateTables) -> tuple[Problem, ...]:
        return (*templates.find_problems(tables), *_unknown_names(tables, shops=known, malls=malls))

    return BookForm(
        kind=BookKind.TEMPLATES,
        tables=templates.TemplateTables,
        decode=templates.decode,
        encode=templates.encode,
        find_problems=find_problems,
        standard=templates.standard_templates,
        shops=known,
        malls=malls,
    )


_NAMED: Final = {"shop": "샵", "mall": "몰"}


def _unknown_names(tables: Struct, *, shops: Collection[str], malls: Collection[str]) -> Iterator[Problem]:
    """Rows for a shop or mall that this hub does not have: they would hold for nothing."""
    known = {"shop": shops, "mall": malls}
    for section in sections_of(type(tables)):
        for place, row in enumerate(getattr(tables, section)):
            for column, names in known.items():
                name = getattr(row, column, None)
                if name is None or not names or name in names:
                    continue
                there = ", ".join(names)
                yield Problem(
                    section=section,
                    row=place,
                    column=column,
                    key=f"unknown_{column}",
                    reason=f"There is no {column} named {name}.",
                    reason_ko=f"‘{name}’(이)라는 {_NAMED[column]}이 없습니다.",
                    fix=f"Write one of: {there}.",
                    fix_ko=f"다음 중 하나를 쓰세요: {there}.",
                )
