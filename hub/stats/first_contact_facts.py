"""First-contact resolution: did a customer who was answered once have to come back?

Contacts of one customer, order or thread within seven days of the answer belong together, by whatever way they came:
written inquiries meet by their thread, their order and the writer's (or buyer's) telephone number, calls by the
caller's. The first of them counts, as resolved when none followed. Two variants: whatever the later ones were about, or
only for the same reason of the tree. Contacts are read in the order of their time, and only a week or two of them is
held at once.
"""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import heappop, heappush
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Select, null, select

from hub.stats.asked import case_of_thread
from hub.stats.facts import TIMES, Counted, Fact, FactReport, How, Measure, rows_of, stream
from hub.stats.reason_book import tree_in_force
from hub.stats.reason_tree import ReasonTree
from hub.stats.sold import is_of_copy
from hub.store.database import time_of, to_ms
from hub.store.tables import calls, inquiries, orders

FOLLOW_DAYS: Final = 7
#: how long before a span a contact may have been that still reaches into it: answered late
LOOKED_BACK: Final = timedelta(days=40)
_FOLLOW_MS: Final = FOLLOW_DAYS * 86_400_000
_QUARTER_MS: Final = 900_000
INQUIRY, CALL = "inquiry", "call"


class Resolution(StrEnum):
    """``LATER``: itself came after another. ``OPEN``: its week is not over. ``NOBODY``: no number, no order, no thread
    tells whose contact it was.
    """

    RESOLVED = "resolved"
    FOLLOWED = "followed"
    LATER = "later"
    OPEN = "open"
    UNANSWERED = "unanswered"
    NOBODY = "nobody"


class ContactFact(Fact, frozen=True, kw_only=True):
    """One written inquiry or call, on the day it came. ``outcome`` is a :class:`Resolution`.

    ``same_reason``: of a first contact, whether one followed for the same reason; ``None`` where no reason is known.
    """

    source: str
    channel: str
    reference: str
    order_no: str | None
    reason: str | None
    answered_at: datetime | None
    followed_at: datetime | None
    outcome: str
    same_reason: bool | None


class _Contact(Struct, kw_only=True):
    """While its week runs. Times in milliseconds; ``reach``: up to when another one belongs to it."""

    at: int
    closed: int | None
    reach: int
    keys: tuple[Any, ...]
    source: str
    channel: str
    reference: str
    mall: str | None
    shop: str | None
    case_id: int | None
    order_no: str | None
    reason: str | None
    is_later: bool = False
    followed: int | None = None
    is_same_reason: bool = False
    is_reason_in_doubt: bool = False
    #: which contact it met last: two that share two keys meet once
    met: int = 0

    def meet(self, later: "_Contact", number: int) -> None:
        self.met = number
        later.is_later = True
        self.followed = later.at if self.followed is None else self.followed
        if later.reason is None:
            self.is_reason_in_doubt = True
        elif later.reason == self.reason:
            self.is_same_reason = True


async def read_first_contacts(counted: Counted) -> AsyncIterator[ContactFact]:
    now = to_ms(counted.now) or 0
    async for contact in _settled(counted):
        yield _fact(contact, now)


async def read_first_contacts_alike(counted: Counted, names: frozenset[str]) -> AsyncIterator[tuple[ContactFact, int]]:
    """Those of a quarter of an hour at once, or of the whole span where nobody asks for their time."""
    now, has_time = to_ms(counted.now) or 0, not names.isdisjoint(TIMES)
    first: dict[tuple[Any, ...], _Contact] = {}
    numbers: Counter[tuple[Any, ...]] = Counter()
    async for contact in _settled(counted):
        key = (
            contact.at // _QUARTER_MS if has_time else 0,
            contact.mall,
            contact.shop,
            contact.channel,
            _outcome(contact, now),
            contact.reason is None,
            contact.is_same_reason,
            contact.is_reason_in_doubt,
        )
        numbers[key] += 1
        first.setdefault(key, contact)
    for key, number in numbers.items():
        yield _fact(first[key], now), number


async def _settled(counted: Counted) -> AsyncIterator[_Contact]:
    """The contacts that are counted, each when no later one can belong to it any more."""
    since = None if counted.since is None else to_ms(counted.since)
    until = None if counted.until is None else to_ms(counted.until)
    waiting: list[tuple[int, int, _Contact]] = []
    by_key: dict[Any, dict[int, _Contact]] = {}
    number = unsettled = 0
    async for contact in _contacts(counted):
        while waiting and waiting[0][0] < contact.at:
            _, place, over = heappop(waiting)
            _forget(by_key, place, over)
            unsettled -= until is None or over.at < until
            if _is_wanted(over, counted, since, until):
                yield over
        if until is not None and contact.at >= until and not unsettled:
            break
        number += 1
        unsettled += until is None or contact.at < until
        for key in contact.keys:
            for earlier in by_key.setdefault(key, {}).values():
                if earlier.met != number:
                    earlier.meet(contact, number)
        for key in contact.keys:
            by_key[key][number] = contact
        heappush(waiting, (contact.reach, number, contact))
    for _, _, over in sorted(waiting, key=lambda each: each[:2]):
        if _is_wanted(over, counted, since, until):
            yield over


def _forget(by_key: dict[Any, dict[int, _Contact]], place: int, contact: _Contact) -> None:
    for key in contact.keys:
        del by_key[key][place]
        if not by_key[key]:
            del by_key[key]


def _is_wanted(contact: _Contact, counted: Counted, since: int | None, until: int | None) -> bool:
    return (
        (since is None or contact.at >= since)
        and (until is None or contact.at < until)
        and counted.mall in (None, contact.mall)
        and counted.shop in (None, contact.shop)
    )


def _fact(contact: _Contact, now: int) -> ContactFact:
    outcome = _outcome(contact, now)
    is_counted = outcome in (Resolution.RESOLVED, Resolution.FOLLOWED)
    is_known = contact.reason is not None and (contact.is_same_reason or not contact.is_reason_in_doubt)
    return ContactFact(
        at=time_of(contact.at),
        mall=contact.mall,
        shop=contact.shop,
        case_id=contact.case_id,
        source=contact.source,
        channel=contact.channel,
        reference=contact.reference,
        order_no=contact.order_no,
        reason=contact.reason,
        answered_at=None if contact.closed is None else time_of(contact.closed),
        followed_at=None if contact.followed is None else time_of(contact.followed),
        outcome=outcome,
        same_reason=contact.is_same_reason if is_counted and is_known else None,
    )


def _outcome(contact: _Contact, now: int) -> Resolution:
    if not contact.keys:
        return Resolution.NOBODY
    if contact.is_later:
        return Resolution.LATER
    if contact.closed is None:
        return Resolution.UNANSWERED
    if contact.reach >= now:
        return Resolution.OPEN
    return Resolution.RESOLVED if contact.followed is None else Resolution.FOLLOWED


async def _contacts(counted: Counted) -> AsyncIterator[_Contact]:
    """All of every mall from some weeks before the span on, oldest first: a customer does not keep to one mall."""
    tree = await tree_in_force(counted.database)
    since = counted.since and counted.since - LOOKED_BACK
    around = replace(counted, since=since, until=None, mall=None, shop=None, where={})
    written, called = _written(around, tree), _called(around, tree)
    inquiry, call = await anext(written, None), await anext(called, None)
    while inquiry is not None or call is not None:
        if call is None or (inquiry is not None and inquiry.at <= call.at):
            if inquiry is not None:
                yield inquiry
            inquiry = await anext(written, None)
        else:
            yield call
            call = await anext(called, None)


async def _written(counted: Counted, tree: ReasonTree) -> AsyncIterator[_Contact]:
    reasons: dict[tuple[str | None, str], str | None] = {}
    async for row in stream(counted, _inquiries(counted), at=inquiries.c.asked_at, row_id=inquiries.c.id):
        told = (row.category, row.kind)
        if told in reasons:
            reason = reasons[told]
        else:
            reason = reasons[told] = tree.of_inquiry(category=row.category, kind=row.kind)
        keys: list[Any] = [("thread", row.shop_id, row.thread_no)]
        keys += [("order", row.shop_id, row.order_no)] if row.order_no else []
        keys += [bytes(phone) for phone in (row.writer_phone_idx, row.buyer_phone_idx) if phone]
        yield _Contact(
            at=row.at_ms,
            closed=row.answered_at,
            reach=max(row.answered_at or 0, row.at_ms) + _FOLLOW_MS,
            keys=tuple(dict.fromkeys(keys)),
            source=INQUIRY,
            channel=row.kind,
            reference=row.inquiry_no,
            mall=row.mall,
            shop=row.shop,
            case_id=row.case_id,
            order_no=row.order_no,
            reason=reason,
        )


async def _called(counted: Counted, tree: ReasonTree) -> AsyncIterator[_Contact]:
    """A call that nobody took is no answer, but a customer who came back."""
    query = select(
        calls.c.entered_at.label("at_ms"),
        calls.c.call_id.label("row_id"),
        calls.c.mall,
        calls.c.line,
        calls.c.topic,
        calls.c.result,
        calls.c.wait_seconds,
        calls.c.talk_seconds,
        calls.c.caller_idx,
    ).where(calls.c.result.is_not(None))
    async for row in stream(counted, query, at=calls.c.entered_at, row_id=calls.c.call_id):
        ended = row.at_ms + round(((row.wait_seconds or 0.0) + (row.talk_seconds or 0.0)) * 1000)
        is_answered = row.result == "answered"
        yield _Contact(
            at=row.at_ms,
            closed=ended if is_answered else None,
            reach=(ended if is_answered else row.at_ms) + _FOLLOW_MS,
            keys=(bytes(row.caller_idx),) if row.caller_idx else (),
            source=CALL,
            channel=f"call_{row.line}" if row.line in ("order", "inquiry") else "call_other",
            reference=row.row_id,
            mall=row.mall,
            shop=None,
            case_id=None,
            order_no=None,
            reason=tree.of_topic(row.topic),
        )


def _inquiries(counted: Counted) -> Select[Any]:
    """With their cases where somebody is going to look at them."""
    case_id = null() if counted.opens is None else case_of_thread()
    buyer = (
        select(orders.c.buyer_phone_idx)
        .where(orders.c.shop_id == inquiries.c.shop_id, orders.c.order_no == inquiries.c.order_no)
        .order_by(orders.c.id)
        .limit(1)
        .scalar_subquery()
    )
    return rows_of(
        counted,
        inquiries,
        inquiries.c.thread_no,
        inquiries.c.order_no,
        inquiries.c.inquiry_no,
        inquiries.c.kind,
        inquiries.c.category,
        inquiries.c.answered_at,
        inquiries.c.writer_phone_idx,
        buyer.label("buyer_phone_idx"),
        case_id.label("case_id"),
        at=inquiries.c.asked_at,
    ).where(~is_of_copy(inquiries))


def _is(*outcomes: Resolution) -> Any:
    return lambda fact: fact.outcome in outcomes


FIRST_CONTACT: Final = FactReport(
    name="first-contact",
    row=ContactFact,
    read=read_first_contacts,
    read_alike=read_first_contacts_alike,
    dimensions=("mall", "shop", "source", "channel", "outcome"),
    default=("mall", "source"),
    measures=(
        Measure(name="contacts"),
        Measure(name="first", of=_is(Resolution.RESOLVED, Resolution.FOLLOWED)),
        Measure(name="resolved", of=_is(Resolution.RESOLVED)),
        Measure(name="followed", of=_is(Resolution.FOLLOWED)),
        Measure(
            name="resolved_share",
            how=How.SHARE,
            of=_is(Resolution.RESOLVED, Resolution.FOLLOWED),
            part=_is(Resolution.RESOLVED),
        ),
        Measure(
            name="same_reason_share",
            how=How.SHARE,
            of=lambda fact: fact.same_reason is not None,
            part=lambda fact: not fact.same_reason,
        ),
        Measure(name="later", of=_is(Resolution.LATER)),
        Measure(name="open", of=_is(Resolution.OPEN)),
        Measure(name="unanswered", of=_is(Resolution.UNANSWERED)),
        Measure(name="nobody", of=_is(Resolution.NOBODY)),
    ),
)
