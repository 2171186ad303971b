"""The steps of a purchase abroad, told by other systems."""

from typing import Final

from litestar import Response, get
from litestar.params import FromQuery, JSONBody
from msgspec import Struct

from hub.api.desk import ApiRequest, Given, answer, answers, does
from hub.api.errors import BadQueryError
from hub.desk.access import Permission, require
from hub.desk.decisions.fact_sheet import MOST_ROWS
from hub.desk.decisions.facts_told import FactGiven, FactSource, FactState, Moment, read_moment
from hub.desk.decisions.line_facts import FactsResult, LineFactsView, read_line_facts, set_facts
from hub.desk.services import Services
from hub.policy.stage import StageFact


class FactRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fact. Without ``line_no`` it is of every line of the order.

    ``at``: ISO 8601; without an offset it is the centre's zone, a bare day is a day. It is given for
    ``happened`` alone, which is what a row with ``at`` means when ``state`` is absent.
    """

    shop: str
    fact: StageFact
    order_no: str | None = None
    line_no: str | None = None
    state: FactState | None = None
    at: str | None = None
    reference: str | None = None


class FactRows(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``is_trial`` only says what would become of it."""

    rows: tuple[FactRow, ...]
    is_trial: bool = False


class LineFactsList(Struct, frozen=True, kw_only=True):
    lines: tuple[LineFactsView, ...]


@does("/line-facts", FactsResult, "What became of it.", tag="desk")
async def tell_facts(request: ApiRequest, services: Given, data: JSONBody[FactRows]) -> Response[bytes]:
    """Tell steps of purchases abroad. Rows with a mistake are named by their number from 1, the others are stored.

    The same rows again write nothing.
    """
    require(request.user, Permission.WORK_CASES)
    if len(data.rows) > MOST_ROWS:
        message = f"rows: more than {MOST_ROWS:,}; send them in parts"
        raise BadQueryError(message)
    given = [_given(services, place, row) for place, row in enumerate(data.rows, 1)]
    result = await set_facts(services, actor=request.user, given=given, source=FactSource.API, is_trial=data.is_trial)
    return answer(result)


@get("/line-facts", responses=answers(LineFactsList, "The lines of one order."), tags=["desk"])
async def one_orders_facts(
    request: ApiRequest, services: Given, shop: FromQuery[str], order_no: FromQuery[str]
) -> Response[bytes]:
    """Read the steps of a purchase abroad: stage, what counts, and every telling, newest first."""
    return answer(
        LineFactsList(lines=await read_line_facts(services, actor=request.user, shop=shop, order_no=order_no))
    )


def _given(services: Services, place: int, row: FactRow) -> FactGiven:
    """Raises: BadQueryError for a time that is none."""
    moment = Moment(state=row.state or FactState.HAPPENED)
    if row.at is not None:
        found = read_moment(row.at, zone=services.settings.zone)
        if found is None or found.at is None:
            message = f"rows[{place}].at: {row.at[:60]!r} is no time; write 2026-11-20T14:30:00+09:00 or 2026-11-20"
            raise BadQueryError(message)
        moment = Moment(state=moment.state, at=found.at, is_day=found.is_day)
    elif row.state is None:
        message = f"rows[{place}]: neither at nor state"
        raise BadQueryError(message)
    return FactGiven(
        place=place,
        shop=row.shop,
        order_no=row.order_no,
        line_no=row.line_no,
        fact=row.fact,
        moment=moment,
        reference=row.reference or None,
    )


HANDLERS: Final = [tell_facts, one_orders_facts]
