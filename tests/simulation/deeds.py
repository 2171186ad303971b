"""A day of writing on bad lines: every action has one effect at its mall or none, and says which."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from pathlib import Path
from random import Random
from typing import Any

import structlog
from sqlalchemy import select

from hub.bootstrap import Hub
from hub.core.contract import Support
from hub.core.errors import MallError
from hub.core.model import ClaimKind, ClaimReason, LineStatus
from hub.desk.access import command_line_actor
from hub.desk.acting.act import act
from hub.desk.acting.action import Action, ActionRequest
from hub.desk.acting.outbox import LOOKS, Outbox
from hub.desk.export import ExportKind
from hub.sandbox.facts import LineFact, OrderFact
from hub.sandbox.faults import Fault, FaultPlan
from hub.sandbox.world import World
from hub.store.tables import actions
from tests.simulation.steps import run_stepped
from tests.sync.mall_town import NOON, Town, assert_complete, exported

_FAULTS = {
    Fault.HTTP_500: 0.06,
    Fault.HTTP_429: 0.04,
    Fault.TIMEOUT: 0.06,
    Fault.LOST_ANSWER: 0.08,
    Fault.TRUNCATED_JSON: 0.06,
    Fault.HTML_200: 0.04,
}
#: what malls let anybody write
_WRITES = ("answer", "change_answer", "move_claim", "dispatch", "prepare", "set_held", "plan_shipping", "reship",
           "write_memo", "give_points", "request_claim")  # fmt: skip
_AT_ONCE = 6
_ORDERS_AN_ACTION = 2
#: later than any that was planned before: a day that stands already is nothing to write
_SHIP_ON = (NOON + timedelta(days=9)).date()


@dataclass(slots=True)
class Deeds:
    """``effects``: by action, how often each write of it was done to the same thing."""

    effects: dict[str, Counter[tuple[str, int]]] = field(default_factory=lambda: defaultdict(Counter))
    sent: set[str] = field(default_factory=set)
    not_stored: int = 0

    def watch(self, world: World) -> None:
        """Note every write of an action; the mall works in the task that called it."""
        for name in _WRITES:
            setattr(world, name, self._noting(name, getattr(world, name)))

    def _noting(self, name: str, write: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(write)
        def noted(subject: Any, *rest: Any, **more: Any) -> Any:
            if action_id := structlog.contextvars.get_contextvars().get("action_id"):
                self.effects[action_id][name, subject.number] += 1
            return write(subject, *rest, **more)

        return noted


async def act_often(home: Path, database_url: str, *, count: int, seed: int) -> Counter[str]:
    """``count`` actions over all malls while their lines are bad. Returns how many ended how.

    Raises: AssertionError naming the actions whose effect is not what their outcome says.
    """
    dice = Random(seed)
    town = Town(orders=count * _ORDERS_AN_ACTION, seed=seed, days=20, faults=FaultPlan(seed=seed))
    _make_work(town, dice, count=count)
    deeds = Deeds()
    deeds.watch(town.world)
    async with town.hub(home, database_url) as hub:
        assert_complete(await hub.sync())
        wanted = await _wanted(hub, dice, count=count)
        assert len(wanted) == count, f"{len(wanted)} things to do, {count} wanted"
        while wanted:
            town.faults.chances = {fault: chance * dice.random() * 2 for fault, chance in _FAULTS.items()}
            now, wanted = wanted[:_AT_ONCE], wanted[_AT_ONCE:]
            done = await asyncio.gather(*(_one(hub, deeds, request) for request in now), _drain(hub))
            # What was not stored did not happen, and is asked for again.
            wanted += [request for request in done if request is not None]
            town.clock.hub_time += timedelta(seconds=dice.choice((1, 30, 70)))
        town.faults.chances = {}
        for look in (timedelta(), *LOOKS):
            town.clock.hub_time += look
            await _drain(hub)
        return await _check(hub, deeds, count=count)


async def _one(hub: Hub, deeds: Deeds, request: ActionRequest) -> ActionRequest | None:
    try:
        deeds.sent.add((await act(hub, command_line_actor(), request)).action_id)
    except MallError:
        deeds.not_stored += 1
        return request
    return None


async def _drain(hub: Hub) -> None:
    for shop in await hub.shops():
        await Outbox(hub, shop).drain()


async def _check(hub: Hub, deeds: Deeds, *, count: int) -> Counter[str]:
    async with hub.database.reading() as connection:
        rows = (await connection.execute(select(actions))).all()
    assert {str(row.id) for row in rows} == deeds.sent
    assert len(rows) == count
    wrong = [f"{row.action} {row.id}: {what}" for row in rows if (what := wrong_about(row, deeds.effects[str(row.id)]))]
    assert not wrong, f"{len(wrong)} of {count}: {wrong[:8]}"
    return Counter(f"{row.action} {row.outcome}" for row in rows)


def wrong_about(row: Any, effects: Mapping[tuple[str, int], int]) -> str:
    """What an action's outcome says otherwise than the mall; nothing when they agree."""
    if row.outcome not in {"done", "refused"}:
        return f"{row.outcome} in the end ({row.error_message}), {dict(effects)}"
    if any(times > 1 for times in effects.values()):
        return f"done twice: {dict(effects)}"
    if (row.outcome == "done") != bool(effects):
        return f"{row.outcome} ({row.error_message}), {dict(effects)}"
    return ""


# -- something to do


def _make_work(town: Town, dice: Random, *, count: int) -> None:
    """Lines that wait for the seller, cancels that wait for an answer, and as many questions; nothing lies ahead."""
    world = town.world
    for shop in world.shops:
        orders = [order for order in world.orders(shop) if world.was_paid(order)]
        for order in orders:
            for line in order.lines:
                _halt(world, order, line, dice.choice((LineStatus.PAID, LineStatus.PREPARING, LineStatus.PREPARING)))
        lines = [line for order in orders for line in order.lines]
        for line in dice.sample(lines, k=min(len(lines), count // 10)):
            world.request_claim(line, ClaimKind.CANCEL, ClaimReason.CHANGE_OF_MIND, "취소해 주세요")
        for order in dice.sample(orders, k=min(len(orders), count // 6)):
            world.ask(shop, subject="언제 와요?", text="궁금합니다", category="배송", order=order)


def _halt(world: World, order: OrderFact, line: LineFact, status: LineStatus) -> None:
    reached = line.at_of(status, world.now())
    line.claims.clear()
    if reached is not None:
        line.steps[:] = [step for step in line.steps if step.at <= reached]
    world.changed_orders.append(order.number)


async def _wanted(hub: Hub, dice: Random, *, count: int) -> list[ActionRequest]:
    found = [*_answers(await exported(hub, ExportKind.INQUIRIES)), *await _line_deeds(hub, dice)]
    able = [request for request in found if _is_able(hub, request)]
    dice.shuffle(able)
    return able[:count]


def _answers(rows: Mapping[Any, Mapping[str, Any]]) -> Iterator[ActionRequest]:
    for number, row in enumerate(rows.values()):
        if row["state"] == "unanswered":
            text = f"답변 {number} 드립니다"
            yield ActionRequest(action=Action.ANSWER_INQUIRY, shop=row["shop"], inquiry_no=row["inquiry_no"], text=text)


async def _line_deeds(hub: Hub, dice: Random) -> list[ActionRequest]:
    claims = await exported(hub, ExportKind.CLAIMS)
    cancels = {(row["shop"], row["line_no"]) for row in claims.values() if row["state"] == "requested"}
    carriers = {shop.name: (await hub.carriers.of(hub, shop.name))[0].code for shop in await hub.shops()}
    requests = []
    for number, row in enumerate((await exported(hub, ExportKind.LINES)).values()):
        if (row["shop"], row["line_no"]) in cancels:
            action = dice.choice((Action.APPROVE_CANCEL, Action.REFUSE_CANCEL))
        elif row["status"] == "paid":
            action = dice.choice((Action.CONFIRM, Action.MEMO))
        elif row["status"] == "preparing":
            action = dice.choice((Action.DISPATCH, Action.DISPATCH, Action.DELAY, Action.MEMO))
        else:
            continue
        requests.append(_request(action, row, number, carrier=carriers[row["shop"]]))
    return requests


def _request(action: Action, row: Mapping[str, Any], number: int, *, carrier: str) -> ActionRequest:
    sends = action in {Action.DISPATCH, Action.REFUSE_CANCEL}
    return ActionRequest(
        action=action,
        shop=row["shop"],
        order_no=row["order_no"],
        line_no=row["line_no"],
        text=f"메모 {number}",
        carrier=carrier if sends else None,
        tracking_no=f"6{number:011d}" if sends else None,
        reason=ClaimReason.OUT_OF_STOCK if action is Action.DELAY else None,
        ship_on=_SHIP_ON if action is Action.DELAY else None,
        confirmed=True,
    )


def _is_able(hub: Hub, request: ActionRequest) -> bool:
    mall = request.shop.removeprefix("main-")
    stated = hub.registry.manifest(mall).capabilities.get(request.action.capability)
    return stated is not None and stated.state is Support.YES


def act_alone(folder: Path, *, count: int, seed: int) -> Counter[str]:
    """:func:`act_often` step by step in a new folder, over SQLite. Raises: AssertionError."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    found: Counter[str] = Counter()

    async def work() -> None:
        found.update(await act_often(folder, f"sqlite:///{folder / 'hub.db'}", count=count, seed=seed))

    folder.mkdir()
    run_stepped(work(), seed=seed)
    return found


def tell_actions(folder: Path, *, count: int, seed: int) -> str:
    """:func:`act_alone` in words. Raises: AssertionError naming what was done twice, or not as it was said."""
    outcomes = act_alone(folder, count=count, seed=seed)
    told = ", ".join(f"{what} {times}" for what, times in sorted(outcomes.items()))
    return f"{sum(outcomes.values())}, none twice, none lost, none unknown ({told})"
