"""Customers over all malls: found by what they told, joined, marked; as the desk's screens, with the same rights."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from litestar import Response, get
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Struct

from hub.api.desk import ApiRequest, Given, answer, answers, does, row_id
from hub.api.errors import BadQueryError
from hub.desk.care.views import GiftView
from hub.desk.cases.case import NotFoundError
from hub.desk.customers.find import CustomersFound, FindError, find_customers
from hub.desk.customers.history import Entry, read_place
from hub.desk.customers.identity import RecordRef, Standing, read_ref
from hub.desk.customers.links import Verdict, decide, undo
from hub.desk.customers.marks import LONGEST_DAYS, MarkList, PastMark, clear, list_marks, mark
from hub.desk.customers.page import CustomerPage, read_customer_page, unmask_customer
from hub.desk.customers.views import GiftSum, HistoryKind, IdentityView, LinkView, MarkKind, MarkView

_LONGEST_REASON: Final = 1_000


class Wanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Either or both. Never part of an address."""

    phone: str | None = None
    email: str | None = None


class Reason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: str


class Decision(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``one`` and ``other`` are refs of records."""

    one: str
    other: str
    verdict: Verdict


class NewMark(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``days`` absent: until it is cleared, which abuse may not be."""

    kind: MarkKind
    reason: str
    days: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_DAYS)] | None = None


class Done(Struct, frozen=True, kw_only=True):
    done: bool = True


class State(Struct, frozen=True, kw_only=True):
    """``what`` tells of what the code is: line, kind, state, …"""

    what: str
    code: str


class HistoryEntry(Struct, frozen=True, kw_only=True):
    """One order, claim, inquiry or call. ``standing``: how sure it is that it is the same person's."""

    kind: HistoryKind
    at: datetime
    standing: Standing
    mall: str
    shop: str
    what: str
    number: str | None
    states: tuple[State, ...]
    order_id: int | None
    open_case_id: int | None
    ref: str | None
    seconds: float | None


class GiftGiven(Struct, frozen=True, kw_only=True):
    gift: GiftView
    standing: Standing


class Customer(Struct, frozen=True, kw_only=True):
    """``identities``: the customer's own first. ``history`` continues with after=next_after until it is null.

    ``is_shared``: many names use the number, so that it joins nobody by itself.
    """

    ref: str
    identities: tuple[IdentityView, ...]
    marks: tuple[MarkView, ...]
    past_marks: tuple[PastMark, ...]
    links: tuple[LinkView, ...]
    history: tuple[HistoryEntry, ...]
    next_after: str | None
    gifts: tuple[GiftGiven, ...]
    sums: tuple[GiftSum, ...]
    is_shared: bool
    is_unmasked: bool


@does("/customers/find", CustomersFound, "Who came under it.", tag="customers")
async def find(request: ApiRequest, services: Given, data: JSONBody[Wanted]) -> Response[bytes]:
    """Find customers over all malls by telephone number or e-mail address; personal data masked."""
    try:
        return answer(await find_customers(services, actor=request.user, phone=data.phone, email=data.email))
    except FindError as error:
        raise BadQueryError(str(error)) from error


@get("/customers/marks", responses=answers(MarkList, "One page of marks, newest first."), tags=["customers"])
async def marks(request: ApiRequest, services: Given, before: FromQuery[str | None] = None) -> Response[bytes]:
    """List the marks of all customers, over ones too; before=next_before continues."""
    return answer(await list_marks(services, actor=request.user, before=row_id(before) if before is not None else None))


@get("/customers/{ref:str}", responses=answers(Customer, "Everything about one customer."), tags=["customers"])
async def one_customer(
    request: ApiRequest,
    services: Given,
    ref: FromPath[str],
    after: FromQuery[str | None] = None,
    kind: FromQuery[HistoryKind | None] = None,
) -> Response[bytes]:
    """Read a customer by a record of theirs (order-12, inquiry-34, or a ref of an answer); personal data masked."""
    try:
        place = read_place(after) if after else None
    except ValueError as error:
        message = f"after: {error}"
        raise BadQueryError(message) from error
    found = await read_customer_page(services, actor=request.user, ref=_ref(ref), after=place, kind=kind)
    return answer(_customer(found))


@does("/customers/{ref:str}/unmask", Customer, "The customer with personal data in the clear.", tag="customers")
async def unmask(request: ApiRequest, services: Given, ref: FromPath[str], data: JSONBody[Reason]) -> Response[bytes]:
    """Read a customer with personal data in the clear, this once; who, whom and why stand in the access log."""
    found = await unmask_customer(services, actor=request.user, ref=_ref(ref), reason=given_reason(data))
    return answer(_customer(found))


@does("/customers/decisions", Done, "It is decided.", tag="customers")
async def decide_customers(request: ApiRequest, services: Given, data: JSONBody[Decision]) -> Response[bytes]:
    """Say of the people of two records that they are one, or that they are not. Said again, nothing changes."""
    await decide(services, actor=request.user, one=_ref(data.one), other=_ref(data.other), verdict=data.verdict)
    return answer(Done())


@does("/customers/decisions/{link_id:str}/undo", Done, "It is taken back.", tag="customers")
async def undo_decision(request: ApiRequest, services: Given, link_id: FromPath[str]) -> Response[bytes]:
    """Take a decision back (``link_id`` of a customer's links); it stays to be seen."""
    await undo(services, actor=request.user, link_id=row_id(link_id))
    return answer(Done())


@does("/customers/{ref:str}/marks", Done, "It is marked.", tag="customers")
async def mark_customer(
    request: ApiRequest, services: Given, ref: FromPath[str], data: JSONBody[NewMark]
) -> Response[bytes]:
    """Mark a customer as a hard case or for abuse; the same mark again takes the place of the one before."""
    await mark(
        services,
        actor=request.user,
        ref=_ref(ref),
        kind=data.kind,
        reason=data.reason[:_LONGEST_REASON],
        days=data.days,
    )
    return answer(Done())


@does("/customers/marks/{mark_id:str}/clear", Done, "It is cleared.", tag="customers")
async def clear_mark(
    request: ApiRequest, services: Given, mark_id: FromPath[str], data: JSONBody[Reason]
) -> Response[bytes]:
    """Clear a mark before its end: abuse by who set it, or by a supervisor."""
    await clear(services, actor=request.user, mark_id=row_id(mark_id), reason=data.reason[:_LONGEST_REASON])
    return answer(Done())


def given_reason(data: Reason) -> str:
    """Raises: BadQueryError where there is none."""
    if not data.reason.strip():
        message = "reason: personal data is shown only with a reason"
        raise BadQueryError(message)
    return data.reason[:_LONGEST_REASON]


def _ref(text: str) -> RecordRef:
    """Raises: NotFoundError for what names no record."""
    found = read_ref(text)
    if found is None:
        raise NotFoundError
    return found


def _customer(page: CustomerPage) -> Customer:
    """Without the blind indexes that the page keeps beside its entries."""
    return Customer(
        ref=page.ref,
        identities=page.identities,
        marks=page.marks,
        past_marks=page.past_marks,
        links=page.links,
        history=tuple(_entry(entry, standing) for entry, standing in page.entries),
        next_after=page.next_place,
        gifts=tuple(GiftGiven(gift=gift, standing=standing) for gift, standing in page.gifts),
        sums=page.sums,
        is_shared=page.is_shared,
        is_unmasked=page.is_unmasked,
    )


def _entry(entry: Entry, standing: Standing) -> HistoryEntry:
    return HistoryEntry(
        kind=entry.kind,
        at=entry.at,
        standing=standing,
        mall=entry.mark.mall,
        shop=entry.shop,
        what=entry.what,
        number=entry.number,
        states=tuple(State(what=what, code=code) for what, code in entry.states),
        order_id=entry.order_id,
        open_case_id=entry.open_case_id,
        ref=str(entry.ref) if entry.ref else None,
        seconds=entry.seconds,
    )


HANDLERS: Final = [
    find,
    marks,
    one_customer,
    unmask,
    decide_customers,
    undo_decision,
    mark_customer,
    clear_mark,
]
