"""The policy book in force, its older versions, and putting a new one in force from a file."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from hub.core.book_problem import Problem
from hub.core.errors import ConfigurationError
from hub.desk.services import Malls
from hub.policy.book import EMPTY, PolicyTables, decode, encode, find_problems
from hub.store.books import (
    BookKind,
    BookVersion,
    OvertakenError,
    newest_version,
    read_version,
    write_version,
)
from hub.store.database import Database
from hub.sync.recount import recount


class PolicyInForce(Struct, frozen=True, kw_only=True):
    """``version`` 0: no book was written yet, every switch has its default."""

    version: int
    tables: PolicyTables


async def read_policy(database: Database, version: int | None = None) -> PolicyInForce:
    """The newest book, or one version. Raises: ConfigurationError for a version that there is not."""
    found = await read_version(database, BookKind.POLICY, version)
    if found is None and version:
        what = f"there is no version {version} of the policy book"
        newest = await newest_version(database, BookKind.POLICY)
        raise ConfigurationError(what, fix=f"The newest is {newest}." if newest else "None was written yet.")
    return policy_of(found)


def policy_of(found: BookVersion | None) -> PolicyInForce:
    """What a version says; every switch has its default where no book was written yet. Raises: ConfigurationError."""
    if found is None:
        return PolicyInForce(version=0, tables=EMPTY)
    return PolicyInForce(version=found.version, tables=decode(found.body.encode()))


class RefusedBookError(Exception):
    """The book has mistakes: nothing was put in force."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = tuple(problems)


async def put_in_force(
    database: Database,
    tables: PolicyTables,
    *,
    malls: Malls,
    shops: Sequence[str],
    now: datetime,
    note: str | None = None,
) -> BookVersion:
    """Write ``tables`` as the newest version; the same book again writes none.

    Raises: RefusedBookError naming every mistake; ConfigurationError when somebody else wrote meanwhile.
    """
    problems = find_problems(tables, malls=malls.manifests, shops=shops)
    if problems:
        raise RefusedBookError(problems)
    newest = await newest_version(database, BookKind.POLICY)
    try:
        written = await write_version(
            database, BookKind.POLICY, encode(tables), based_on=newest, source="import", now=now, note=note
        )
    except OvertakenError as error:
        what = f"somebody wrote version {error.newest} of the policy book meanwhile"
        raise ConfigurationError(what, fix="Look at it with `hub policy show`, then import again.") from error
    await recount(database, countries={name: each.country for name, each in malls.manifests.items()}, now=now)
    return written
