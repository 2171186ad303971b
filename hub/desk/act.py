"""Writes to a mall: one path for the desk, the API and the command line.

An action is stored before anything is sent, sent at most once, read back, and its outcome stored:
done, refused (with the mall's words) or unknown (with the reason). What a mall's API cannot do is
refused before anything is stored, with the way that exists.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from enum import StrEnum
from typing import Any

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from hub.core.contract import (
    PROTOCOLS,
    Answer,
    AnswersInquiries,
    Capability,
    Connector,
    Feed,
    LineAction,
    LineOutcome,
    Manifest,
    Outcome,
    Support,
    WriteResult,
)
from hub.core.errors import (
    MallError,
    NotFoundAtMallError,
    OutcomeUnknownError,
    RejectedByMallError,
    UnsupportedByMallError,
)
from hub.core.model import ClaimKind, ClaimReason, ClaimState, InquiryKind
from hub.desk.access import Actor, Permission, require
from hub.desk.services import Services
from hub.policy.clock_file import standard_clocks
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.one import find_claims, find_inquiry, find_line
from hub.store.sealed import ACTION_PLACE
from hub.store.shops import ShopRow, ShopStore
from hub.store.tables import actions
from hub.sync.ingest import Ingest

log = structlog.get_logger(__name__)


class Action(StrEnum):
    """What an agent can ask of a mall; the value is the command line's word."""

    ANSWER_INQUIRY = "answer-inquiry"
    CONFIRM = "confirm"
    DISPATCH = "dispatch"
    DELAY = "delay"
    SELLER_CANCEL = "seller-cancel"
    APPROVE_CANCEL = "approve-cancel"
    REFUSE_CANCEL = "refuse-cancel"
    ACCEPT_RETURN = "accept-return"
    COLLECT_RETURN = "collect-return"
    HOLD_RETURN = "hold-return"
    RELEASE_RETURN = "release-return"
    REFUSE_RETURN = "refuse-return"
    COMPLETE_RETURN = "complete-return"
    ACCEPT_EXCHANGE = "accept-exchange"
    COLLECT_EXCHANGE = "collect-exchange"
    HOLD_EXCHANGE = "hold-exchange"
    RELEASE_EXCHANGE = "release-exchange"
    REFUSE_EXCHANGE = "refuse-exchange"
    REDELIVER_EXCHANGE = "redeliver-exchange"
    COMPLETE_EXCHANGE = "complete-exchange"
    MEMO = "memo"

    @property
    def capability(self) -> Capability:
        return Capability(self.value.replace("-", "_"))

    @property
    def claim_kind(self) -> ClaimKind | None:
        """The kind of claim it decides; ``None`` for what needs no claim."""
        if self is Action.SELLER_CANCEL:
            return None
        kind = self.value.rpartition("-")[2]
        return ClaimKind(kind) if kind in {"cancel", "return", "exchange"} else None


#: cannot be taken back at the mall
IRREVERSIBLE = frozenset(
    {
        Action.DISPATCH,
        Action.SELLER_CANCEL,
        Action.APPROVE_CANCEL,
        Action.REFUSE_CANCEL,
        Action.REFUSE_RETURN,
        Action.COMPLETE_RETURN,
        Action.REFUSE_EXCHANGE,
        Action.REDELIVER_EXCHANGE,
        Action.COMPLETE_EXCHANGE,
    }
)
#: fields of the request without which an action makes no sense
_NEEDS: dict[Action, tuple[str, ...]] = {
    Action.ANSWER_INQUIRY: ("inquiry_no", "text"),
    Action.DISPATCH: ("carrier", "tracking_no"),
    Action.DELAY: ("ship_on",),
    Action.SELLER_CANCEL: ("reason",),
    Action.REFUSE_CANCEL: ("text",),
    Action.HOLD_RETURN: ("text",),
    Action.REFUSE_RETURN: ("text",),
    Action.HOLD_EXCHANGE: ("text",),
    Action.REFUSE_EXCHANGE: ("text",),
    Action.REDELIVER_EXCHANGE: ("carrier", "tracking_no"),
    Action.MEMO: ("text",),
}


class ActionRequest(Struct, frozen=True, kw_only=True):
    """``inquiry_no`` for answers, ``order_no`` and ``line_no`` for the rest. ``text`` is told to the customer.

    The other fields are those of :class:`hub.core.contract.LineAction`. ``token``: chosen by a form
    once; the same token again returns the first outcome and sends nothing.
    """

    action: Action
    shop: str
    order_no: str | None = None
    line_no: str | None = None
    inquiry_no: str | None = None
    text: str = ""
    reason: ClaimReason | None = None
    quantity: int | None = None
    carrier: str | None = None
    tracking_no: str | None = None
    ship_on: date | None = None
    token: str | None = None


class ActionResult(Struct, frozen=True, kw_only=True):
    """What `hub act --json` prints. ``message`` says why when nothing was done."""

    outcome: Outcome
    lines: tuple[LineOutcome, ...]
    action_id: str
    message: str | None = None


class ActionChoice(Struct, frozen=True, kw_only=True):
    """One action as a screen offers it; a greyed one says why (``why_not`` is a text key) and where else."""

    action: Action
    is_allowed: bool
    why_not: str | None = None
    instead: str = ""
    instead_ko: str = ""


class WrongRequestError(ValueError):
    """The request itself is incomplete: nothing was stored or sent."""


_ACTIONS_OF_KIND = {
    **{
        kind.value: tuple(action for action in Action if action.claim_kind is kind)
        for kind in (ClaimKind.CANCEL, ClaimKind.RETURN, ClaimKind.EXCHANGE)
    },
    **{kind.value: (Action.ANSWER_INQUIRY,) for kind in InquiryKind},
}


def allowed_actions(manifest: Manifest, *, case_kind: str, state: str, actor: Actor) -> tuple[ActionChoice, ...]:
    """Every action that a case of this kind could have, the impossible ones with the reason.

    ``state`` is the claim's or inquiry's. What the hub cannot do yet, and knows no other way for, is left out.
    """
    choices = []
    for action in _ACTIONS_OF_KIND.get(case_kind, ()):
        stated = manifest.capabilities.get(action.capability)
        if stated is None or (stated.state is Support.PLANNED and not stated.instead):
            continue
        why_not = None
        if stated.state is not Support.YES:
            why_not = "action.mall_cannot"
        elif not actor.may(Permission.WORK_CASES):
            why_not = "action.no_right"
        elif action in _DECIDES_REQUEST and state != ClaimState.REQUESTED.value:
            why_not = "action.not_requested"
        choices.append(
            ActionChoice(
                action=action,
                is_allowed=why_not is None,
                why_not=why_not,
                instead=stated.instead,
                instead_ko=stated.instead_ko,
            )
        )
    return tuple(choices)


#: makes sense only while the customer's request waits for the seller
_DECIDES_REQUEST = frozenset(
    {Action.APPROVE_CANCEL, Action.REFUSE_CANCEL, Action.ACCEPT_RETURN, Action.ACCEPT_EXCHANGE}
)


async def act(services: Services, actor: Actor, request: ActionRequest, *, dry_run: bool = False) -> ActionResult:
    """Do one thing at a mall, once.

    ``dry_run`` checks everything up to the sending and answers PENDING without storing anything.
    Raises: ForbiddenError; WrongRequestError; ConfigurationError for an unknown shop;
    NotFoundAtMallError when the hub knows no such line or inquiry; UnsupportedByMallError when the
    mall's API cannot do it.
    """
    require(actor, Permission.WORK_CASES)
    shop = await ShopStore(services.database).named(request.shop)
    manifest = services.registry.manifest(shop.mall)
    stated = manifest.capabilities.get(request.action.capability)
    if stated is None or stated.state is not Support.YES:
        message = f"{manifest.title}: the API cannot {request.action.value.replace('-', ' ')}"
        raise UnsupportedByMallError(message, instead=stated.instead if stated else None, shop=shop.name)
    send = await _prepare(services, shop, manifest, request)
    if dry_run:
        return ActionResult(outcome=Outcome.PENDING, lines=(), action_id="", message="dry run: nothing was sent")
    action_id, earlier = await _begin(services, actor, shop, request)
    if earlier is not None:
        return earlier
    connector = await services.connector(shop.name)
    # A page that is left while the mall works must not cut the write off between sending and reading back.
    return await asyncio.shield(_carry_out(services, shop, manifest, action_id, request, send(connector)))


_Send = Callable[[Connector], Awaitable[WriteResult]]


async def _prepare(services: Services, shop: ShopRow, manifest: Manifest, request: ActionRequest) -> _Send:
    """Everything the connector needs, from what the hub knows; nothing is sent yet."""
    missing = [name for name in _NEEDS.get(request.action, ()) if not _stated(getattr(request, name))]
    if request.action is not Action.ANSWER_INQUIRY:
        missing += [name for name in ("order_no", "line_no") if not getattr(request, name)]
    if missing:
        message = f"{request.action.value} needs {' and '.join(missing)}"
        raise WrongRequestError(message)
    if request.action is Action.ANSWER_INQUIRY:
        return await _prepare_answer(services, shop, manifest, request)
    return await _prepare_line_action(services, shop, request)


def _stated(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None


async def _prepare_answer(services: Services, shop: ShopRow, manifest: Manifest, request: ActionRequest) -> _Send:
    text = request.text.strip()
    if len(text) > manifest.answer_limit:
        message = f"the answer has {len(text)} characters; {manifest.title} takes {manifest.answer_limit}"
        raise WrongRequestError(message)
    inquiry = await find_inquiry(services.database, shop.id, request.inquiry_no or "")
    if inquiry is None:
        message = f"the hub knows no inquiry {request.inquiry_no!r} of shop {shop.name!r}"
        raise NotFoundAtMallError(message, shop=shop.name)

    async def send(connector: Connector) -> WriteResult:
        if not isinstance(connector, AnswersInquiries):
            raise _not_implemented(connector)
        return await connector.answer_inquiry(Answer(inquiry=inquiry, text=text))

    return send


async def _prepare_line_action(services: Services, shop: ShopRow, request: ActionRequest) -> _Send:
    line = await find_line(services.database, shop.id, request.order_no or "", request.line_no or "")
    if line is None:
        message = f"the hub knows no line {request.line_no!r} of order {request.order_no!r} in shop {shop.name!r}"
        raise NotFoundAtMallError(message, shop=shop.name)
    if request.quantity is not None and not 1 <= request.quantity <= line.quantity:
        message = f"quantity {request.quantity} is not within 1 to {line.quantity}"
        raise WrongRequestError(message)
    claims = await find_claims(services.database, shop.id, line.line_no)
    kind = request.action.claim_kind
    action = LineAction(
        order_no=request.order_no or "",
        line=line,
        claim=next((claim for claim in claims if claim.kind is kind and claim.state.is_open), None),
        quantity=request.quantity,
        reason=request.reason,
        text=request.text.strip(),
        carrier=request.carrier,
        tracking_no=request.tracking_no,
        ship_on=request.ship_on,
    )
    capability = request.action.capability

    async def send(connector: Connector) -> WriteResult:
        if not isinstance(connector, PROTOCOLS[capability]):
            raise _not_implemented(connector)
        # A Protocol's one method bears its capability's name (tests/contract).
        result: WriteResult = await getattr(connector, capability.value)(action)
        return result

    return send


def _not_implemented(connector: Connector) -> UnsupportedByMallError:
    return UnsupportedByMallError("declared but not implemented", shop=connector.shop.name)


async def _begin(
    services: Services, actor: Actor, shop: ShopRow, request: ActionRequest
) -> tuple[int, ActionResult | None]:
    """Store the action as pending. With a token that was used before: its outcome instead."""
    action_id = new_id()
    row = {
        "id": action_id,
        "shop_id": shop.id,
        "action": request.action.value,
        "order_no": request.order_no,
        "line_no": request.line_no,
        "inquiry_no": request.inquiry_no,
        "payload_sealed": services.database.box.seal(request.text.encode(), ACTION_PLACE),
        "outcome": Outcome.PENDING.value,
        "lines": "[]",
        "user_id": actor.user_id,
        "token": request.token,
        "created_at": to_ms(services.now()),
    }
    try:
        async with services.database.writing() as connection:
            await connection.execute(actions.insert(), [row])
    except IntegrityError:
        async with services.database.reading() as connection:
            stored = (await connection.execute(select(actions).where(actions.c.token == request.token))).one()
        return stored.id, _result_of(stored)
    return action_id, None


def _result_of(row: Any) -> ActionResult:
    return ActionResult(
        outcome=Outcome(row.outcome),
        lines=msgspec.json.decode(row.lines, type=tuple[LineOutcome, ...]),
        action_id=str(row.id),
        message=row.error_message,
    )


async def _carry_out(
    services: Services,
    shop: ShopRow,
    manifest: Manifest,
    action_id: int,
    request: ActionRequest,
    sending: Awaitable[WriteResult],
) -> ActionResult:
    message = None
    try:
        result = await sending
    except MallError as error:
        message = error.mall_message or error.message
        result = _failed(error, request.line_no)
        log.info("desk.action.failed", shop=shop.name, action=request.action.value, error=type(error).__name__)
    else:
        message = next((line.mall_message for line in result.lines if line.mall_message), None)
    now = services.now()
    ingest = Ingest(services.database, shop=shop, manifest=manifest, clocks=standard_clocks())
    feed = Feed.INQUIRIES if request.action is Action.ANSWER_INQUIRY else Feed.ORDERS
    async with services.database.writing() as connection:
        # What the mall now shows and the action's outcome appear together.
        await ingest.page(connection, result.readings, feed=feed, now=now)
        await connection.execute(
            actions.update()
            .where(actions.c.id == action_id)
            .values(
                outcome=result.outcome.value,
                lines=msgspec.json.encode(result.lines).decode(),
                error_message=message,
                finished_at=to_ms(now),
            )
        )
    return ActionResult(outcome=result.outcome, lines=result.lines, action_id=str(action_id), message=message)


def _failed(error: MallError, line_no: str | None) -> WriteResult:
    """Only a lost answer is unknown; everything else means that the mall did not do it."""
    outcome = Outcome.UNKNOWN if isinstance(error, OutcomeUnknownError) else Outcome.REFUSED
    words = error.mall_message if isinstance(error, RejectedByMallError) else None
    return WriteResult(
        outcome=outcome,
        lines=(LineOutcome(line_no=line_no, outcome=outcome, mall_message=words or error.message),),
    )
