"""Writes to a mall: one path for the desk, the API and the command line.

An action is stored before anything is sent, sent at most once per line, read back, and its outcome
stored: done, refused (with the mall's words), pending or unknown (with the reason). What a mall's API
cannot do is refused before anything is stored, with the way that exists.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from hub.core.contract import (
    PROTOCOLS,
    Answer,
    CapabilityState,
    Connector,
    Feed,
    HoldReason,
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
from hub.core.model import Line
from hub.desk.access import Actor, Permission, require
from hub.desk.action import (
    IRREVERSIBLE,
    ONE_LINE,
    Action,
    ActionRequest,
    ActionResult,
    UnconfirmedError,
    WrongRequestError,
    is_going_on,
    must_confirm,
    needs_of,
    worst,
)
from hub.desk.services import Services
from hub.policy.clock_file import standard_clocks
from hub.store.database import to_ms
from hub.store.ids import new_id
from hub.store.one import find_claims, find_inquiry, find_line
from hub.store.sealed import ACTION_PLACE
from hub.store.shops import ShopRow, ShopStore
from hub.store.tables import actions
from hub.sync.ingest import Ingest

__all__ = ["IRREVERSIBLE", "Action", "ActionRequest", "ActionResult", "WrongRequestError", "act"]

log = structlog.get_logger(__name__)


async def act(services: Services, actor: Actor, request: ActionRequest, *, dry_run: bool = False) -> ActionResult:
    """Do one thing at a mall, once for each line.

    ``dry_run`` checks everything up to the sending and answers PENDING without storing anything.
    Raises: ForbiddenError; WrongRequestError, UnconfirmedError; ConfigurationError for an unknown shop;
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
    _require_fields(request, stated)
    steps = await _prepare(services, shop, manifest, request)
    if dry_run:
        return ActionResult(outcome=Outcome.PENDING, lines=(), action_id="", message="dry run: nothing was sent")
    if must_confirm(request.action, stated) and not request.confirmed:
        raise UnconfirmedError(request.action, warning=stated.warning, warning_ko=stated.warning_ko)
    action_id, earlier = await _begin(services, actor, shop, request)
    if earlier is not None:
        return earlier
    connector = await services.connector(shop.name)
    # A page that is left while the mall works must not cut the write off between sending and reading back.
    return await asyncio.shield(_Work(services, shop, manifest, action_id, request).carry_out(connector, steps))


class _Step(Struct, frozen=True):
    """One write that is due: at one line, or at one inquiry. Sent when ``send`` is awaited, not before."""

    line_no: str | None
    send: Callable[[Connector], Awaitable[WriteResult]]


def _require_fields(request: ActionRequest, stated: CapabilityState) -> None:
    """Raises: WrongRequestError naming what is missing or makes no sense, before anything is looked up."""
    action = request.action
    wanted = ("inquiry_no",) if action.is_about_inquiry else ("order_no",)
    missing = [name for name in (*wanted, *needs_of(action, stated)) if not _is_given(getattr(request, name))]
    if not action.is_about_inquiry and not request.lines:
        missing.insert(1 if "order_no" in missing else 0, "line_no")
    if missing:
        message = f"{action.value} needs {' and '.join(missing)}"
        raise WrongRequestError(message, field=missing[0], is_missing=True)
    if request.points is not None and request.points < 1:
        message = f"points {request.points} is not a whole number of 1 or more"
        raise WrongRequestError(message, field="points")
    if len(request.lines) > 1:
        if action in ONE_LINE:
            message = f"{action.value} goes to one line at a time: line_no is given more than once"
            raise WrongRequestError(message, field="line_no")
        if request.quantity is not None:
            message = "quantity can be given for one line at a time"
            raise WrongRequestError(message, field="quantity")


def _is_given(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None


async def _prepare(services: Services, shop: ShopRow, manifest: Manifest, request: ActionRequest) -> list[_Step]:
    """Everything the connector needs, from what the hub knows; nothing is sent yet."""
    if request.action.is_about_inquiry:
        return [await _answer_step(services, shop, manifest, request)]
    lines = [await _known_line(services, shop, request, line_no) for line_no in request.lines]
    return [await _line_step(services, shop, request, line) for line in lines]


async def _answer_step(services: Services, shop: ShopRow, manifest: Manifest, request: ActionRequest) -> _Step:
    text = request.text.strip()
    if len(text) > manifest.answer_limit:
        message = f"the answer has {len(text)} characters; {manifest.title} takes {manifest.answer_limit}"
        raise WrongRequestError(message, field="text")
    inquiry = await find_inquiry(services.database, shop.id, request.inquiry_no or "")
    if inquiry is None:
        message = f"the hub knows no inquiry {request.inquiry_no!r} of shop {shop.name!r}"
        raise NotFoundAtMallError(message, shop=shop.name)
    return _Step(None, _sender(request.action, Answer(inquiry=inquiry, text=text)))


async def _known_line(services: Services, shop: ShopRow, request: ActionRequest, line_no: str) -> Line:
    line = await find_line(services.database, shop.id, request.order_no or "", line_no)
    if line is None:
        message = f"the hub knows no line {line_no!r} of order {request.order_no!r} in shop {shop.name!r}"
        raise NotFoundAtMallError(message, shop=shop.name)
    if request.quantity is not None and not 1 <= request.quantity <= line.quantity:
        message = f"quantity {request.quantity} is not within 1 to {line.quantity}"
        raise WrongRequestError(message, field="quantity")
    return line


async def _line_step(services: Services, shop: ShopRow, request: ActionRequest, line: Line) -> _Step:
    claims = await find_claims(services.database, shop.id, line.line_no)
    kind = request.action.claim_kind
    going_on = [claim for claim in claims if claim.kind is kind and is_going_on(claim.state)]
    action = LineAction(
        order_no=request.order_no or "",
        line=line,
        claim=next((claim for claim in going_on if claim.state.is_open), next(iter(going_on), None)),
        quantity=request.quantity,
        reason=request.reason,
        text=request.text.strip(),
        carrier=_word(request.carrier),
        tracking_no=_word(request.tracking_no),
        ship_on=request.ship_on,
        hold_reason=request.hold_reason or HoldReason.OTHER,
        option_code=_word(request.option_code),
        points=request.points,
    )
    return _Step(line.line_no, _sender(request.action, action))


def _word(text: str | None) -> str | None:
    """Without blanks around it; nothing but blanks is nothing."""
    return (text or "").strip() or None


def _sender(action: Action, about: Answer | LineAction) -> Callable[[Connector], Awaitable[WriteResult]]:
    capability = action.capability

    async def send(connector: Connector) -> WriteResult:
        if not isinstance(connector, PROTOCOLS[capability]):
            raise UnsupportedByMallError("declared but not implemented", shop=connector.shop.name)
        # A Protocol's one method bears its capability's name (tests/contract).
        result: WriteResult = await getattr(connector, capability.value)(about)
        return result

    return send


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
        "line_no": request.lines[0] if len(request.lines) == 1 else None,
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


class _Work:
    """One stored action on its way: each line is sent, read back and stored before the next."""

    def __init__(
        self, services: Services, shop: ShopRow, manifest: Manifest, action_id: int, request: ActionRequest
    ) -> None:
        self._services = services
        self._shop = shop
        self._action_id = action_id
        self._request = request
        self._ingest = Ingest(services.database, shop=shop, manifest=manifest, clocks=standard_clocks())
        self._lines: list[LineOutcome] = []
        self._outcomes: list[Outcome] = []
        self._message: str | None = None

    async def carry_out(self, connector: Connector, steps: Sequence[_Step]) -> ActionResult:
        for number, step in enumerate(steps, start=1):
            await self._take(step, connector, is_last=number == len(steps))
        return ActionResult(
            outcome=worst(self._outcomes),
            lines=tuple(self._lines),
            action_id=str(self._action_id),
            message=self._message,
        )

    async def _take(self, step: _Step, connector: Connector, *, is_last: bool) -> None:
        message = None
        try:
            result = await step.send(connector)
        except MallError as error:
            message = error.mall_message or error.message
            result = _failed(error, step.line_no)
            action = self._request.action.value
            log.info("desk.action.failed", shop=self._shop.name, action=action, error=type(error).__name__)
        else:
            message = next((line.mall_message for line in result.lines if line.mall_message), None)
        self._outcomes.append(result.outcome)
        self._lines += result.lines or (LineOutcome(line_no=step.line_no, outcome=result.outcome),)
        self._message = self._message or message
        await self._store(result, is_last=is_last)

    async def _store(self, result: WriteResult, *, is_last: bool) -> None:
        now = self._services.now()
        feed = Feed.INQUIRIES if self._request.action.is_about_inquiry else Feed.ORDERS
        # While lines are left the action is not over, whatever became of the first ones.
        outcome = worst(self._outcomes) if is_last else Outcome.PENDING
        async with self._services.database.writing() as connection:
            # What the mall now shows and the action's outcome appear together.
            await self._ingest.page(connection, result.readings, feed=feed, now=now)
            await connection.execute(
                actions.update()
                .where(actions.c.id == self._action_id)
                .values(
                    outcome=outcome.value,
                    lines=msgspec.json.encode(self._lines).decode(),
                    error_message=self._message,
                    finished_at=to_ms(now) if is_last else None,
                )
            )


def _failed(error: MallError, line_no: str | None) -> WriteResult:
    """Only a lost answer is unknown; everything else means that the mall did not do it."""
    outcome = Outcome.UNKNOWN if isinstance(error, OutcomeUnknownError) else Outcome.REFUSED
    words = error.mall_message if isinstance(error, RejectedByMallError) else None
    return WriteResult(
        outcome=outcome,
        lines=(LineOutcome(line_no=line_no, outcome=outcome, mall_message=words or error.message),),
    )
