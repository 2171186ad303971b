"""The page of counts and checks: what the nightly comparison found, which past days changed, and the recount button."""

from datetime import datetime
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.response import Redirect
from msgspec import Struct
from sqlalchemy import select

from hub.desk.access import Actor, Permission, require
from hub.stats.reason_book import tree_versions
from hub.store.database import time_of, to_ms
from hub.store.rollups import recount
from hub.store.tables import count_changes, count_checks
from hub.web.render import Given, Pages

_MOST: Final = 100


class CheckRow(Struct, frozen=True, kw_only=True):
    at: datetime
    started_by: str
    events: int
    differences: int


class ChangeRow(Struct, frozen=True, kw_only=True):
    """``day``: whose figures changed after they had been whole."""

    at: datetime
    source: str
    day: datetime
    what: str
    change: int


@get("/counts")
async def counts_page(request: Request[Actor, str, State], services: Given, pages: Pages) -> Response[str]:
    require(request.user, Permission.SEE_STATISTICS)
    async with services.database.reading() as connection:
        checks = (
            await connection.execute(
                select(count_checks).order_by(count_checks.c.at.desc(), count_checks.c.id.desc()).limit(_MOST)
            )
        ).all()
        changes = (
            await connection.execute(
                select(count_changes).order_by(count_changes.c.at.desc(), count_changes.c.id.desc()).limit(_MOST)
            )
        ).all()
    return pages.page(
        request,
        "pages/stats_counts.html",
        checks=[
            CheckRow(at=time_of(row.at), started_by=row.started_by, events=row.events, differences=row.differences)
            for row in checks
        ],
        changes=[
            ChangeRow(
                at=time_of(row.at), source=row.source, day=time_of(row.starts_at), what=row.what, change=row.change
            )
            for row in changes
        ],
        trees=await tree_versions(services.database),
    )


@post("/counts")
async def recount_now(request: Request[Actor, str, State], services: Given) -> Redirect:
    """Counts everything anew; the page then shows what was found."""
    require(request.user, Permission.SEE_STATISTICS)
    await recount(services.database, at=to_ms(services.now()) or 0, started_by="hand")
    return Redirect("/stats/counts", status_code=303)


HANDLERS: Final[list[Any]] = [counts_page, recount_now]
