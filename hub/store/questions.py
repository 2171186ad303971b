"""Several questions to the database in one go.

A page asks some forty, and most of them are answered in less time than it takes to hand one over: on SQLite to the
driver's thread, on PostgreSQL to the server and back. Those that need nothing of each other go together.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.store.database import Query, read_each, read_rows

T = TypeVar("T")


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
    answers = await read_each(connection, [(question.query, question.values) for question, _ in ask.asked])
    for (question, answer), rows in zip(ask.asked, answers, strict=True):
        answer.found = question.read(rows)


async def ask_one(connection: AsyncConnection, question: Question[T]) -> T:
    """The answer to one question."""
    return question.read(await read_rows(connection, question.query, **question.values))
