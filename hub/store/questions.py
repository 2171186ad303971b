"""Several questions to the database in one go.

A page asks some forty, and most of them are answered in less time than it takes to hand one over: on SQLite to the
driver's thread, on PostgreSQL to the server and back. Those that need nothing of each other go together.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar, cast

from msgspec import Struct
from sqlalchemy import CompoundSelect, Select
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import _compiled, _driver

T = TypeVar("T")
#: queries whose row makers are kept, the ones used last the longest
_KEPT: Final = 4_096
Query = Select[Any] | CompoundSelect[Any]


class Question(Struct, Generic[T], frozen=True):
    """A query that lives as long as the program, its values (lists belong to :func:`hub.store.database.among`), and
    what is made of its rows, which are named tuples.
    """

    query: Query
    values: Mapping[str, Any]
    read: Callable[[list[Any]], T]


class Answer(Generic[T]):
    """``found`` is there once all questions of its block are answered."""

    found: T


class Asking:
    """Collects questions."""

    def __init__(self) -> None:
        self.asked: list[tuple[Question[Any], Answer[Any]]] = []

    def __call__(self, question: Question[T]) -> Answer[T]:
        answer: Answer[T] = Answer()
        self.asked.append((question, answer))
        return answer


@asynccontextmanager
async def asking(connection: AsyncConnection) -> AsyncIterator[Asking]:
    """What is asked inside is answered at its end, in the order in which it was asked, over ``connection``.

    ``async with asking(connection) as ask: lines = ask(lines_of(7))``, and below it ``lines.found``.
    """
    ask = Asking()
    yield ask
    questions = [question for question, _ in ask.asked]
    for (question, answer), rows in zip(ask.asked, await _rows(connection, questions), strict=True):
        answer.found = question.read(rows)


async def found(connection: AsyncConnection, question: Question[T]) -> T:
    """The answer to one question."""
    ((rows),) = await _rows(connection, [question])
    return question.read(rows)


async def _rows(connection: AsyncConnection, questions: Sequence[Question[Any]]) -> list[list[Any]]:
    if not questions:
        return []
    is_sqlite = connection.dialect.name == "sqlite"
    told = [_told(question, is_sqlite=is_sqlite) for question in questions]
    driver = await _driver(connection)
    if is_sqlite:
        answers = await driver._execute(_ask_sqlite, driver._conn, told)  # noqa: SLF001
    else:
        answers = await _ask_postgresql(driver, told)
    makers = [_row_of(question.query, is_sqlite=is_sqlite) for question in questions]
    return [[make(row) for row in rows] for make, rows in zip(makers, answers, strict=True)]


def _told(question: Question[Any], *, is_sqlite: bool) -> tuple[str, tuple[Any, ...]]:
    """The question in the words of the driver."""
    compiled = _compiled(question.query, is_sqlite=is_sqlite)
    given = {**compiled.fixed, **question.values}
    values = [given[name] for name in compiled.names]
    if is_sqlite:
        values = [json.dumps(value) if isinstance(value, list) else value for value in values]
    return compiled.text, tuple(values)


def _ask_sqlite(connection: Any, told: Sequence[tuple[str, tuple[Any, ...]]]) -> list[list[Any]]:
    """One turn of the driver's thread."""
    return [connection.execute(text, values).fetchall() for text, values in told]


async def _ask_postgresql(driver: Any, told: Sequence[tuple[str, tuple[Any, ...]]]) -> list[list[Any]]:
    """One way to the server and back."""
    if len(told) == 1:
        return [await (await driver.execute(*told[0])).fetchall()]
    async with driver.pipeline():
        cursors = [await driver.execute(text, values) for text, values in told]
    return [await cursor.fetchall() for cursor in cursors]


@lru_cache(maxsize=_KEPT)
def _row_of(query: Query, *, is_sqlite: bool) -> Callable[[Sequence[Any]], Any]:
    """Makes a row of what the driver gives. SQLite has no columns of yes and no."""
    compiled = _compiled(query, is_sqlite=is_sqlite)
    if not compiled.truths:
        return cast("Callable[[Sequence[Any]], Any]", compiled.row)

    def make(row: Sequence[Any]) -> Any:
        values = list(row)
        for at in compiled.truths:
            values[at] = None if values[at] is None else bool(values[at])
        return compiled.row(values)

    return make
