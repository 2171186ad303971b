"""Shop-nights on one virtual clock: every run is a seed, and a failing seed replays step by step.

A night drives random legal changes at every emulated mall, lets their answers break, stops the worker
at random points, and asks in the end for one thing: that the hub's rows equal the malls' truth.
"""

import asyncio
import gc
import logging
import shutil
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

import structlog
from msgspec import Struct
from sqlalchemy import select

from hub.bootstrap import Hub
from hub.core.contract import Feed
from hub.core.errors import MallError
from hub.core.model import ClaimKind, ClaimState, InquiryState, LineStatus
from hub.desk.access import command_line_actor
from hub.desk.acting.act import act
from hub.desk.acting.action import Action, ActionRequest, UnconfirmedError
from hub.desk.acting.outbox import LOOKS, Outbox
from hub.sandbox.facts import ClaimFact, LineFact
from hub.sandbox.faults import Fault, FaultPlan
from hub.sandbox.live import Customers
from hub.store.tables import actions, inquiries, shops
from tests.simulation.steps import run_stepped
from tests.sync.mall_town import Town, assert_complete, until_complete

#: what may follow a claim's state when somebody acts on it; the seller unless another is named
_NEXT = {
    ClaimKind.CANCEL: {
        ClaimState.REQUESTED: (ClaimState.DONE, ClaimState.REJECTED, ClaimState.WITHDRAWN),
    },
    ClaimKind.RETURN: {
        ClaimState.REQUESTED: (ClaimState.ACCEPTED, ClaimState.REJECTED, ClaimState.WITHDRAWN),
        ClaimState.ACCEPTED: (ClaimState.COLLECTING,),
        ClaimState.COLLECTING: (ClaimState.COLLECTED,),
        ClaimState.COLLECTED: (ClaimState.HOLD, ClaimState.DONE),
        ClaimState.HOLD: (ClaimState.DONE,),
    },
    ClaimKind.EXCHANGE: {
        ClaimState.REQUESTED: (ClaimState.ACCEPTED, ClaimState.REJECTED, ClaimState.WITHDRAWN),
        ClaimState.ACCEPTED: (ClaimState.COLLECTING,),
        ClaimState.COLLECTING: (ClaimState.COLLECTED,),
        ClaimState.COLLECTED: (ClaimState.RESHIPPING,),
        ClaimState.RESHIPPING: (ClaimState.DONE,),
    },
}
_FAULTS = {
    Fault.HTTP_500: 0.15,
    Fault.HTTP_429: 0.08,
    Fault.TIMEOUT: 0.10,
    Fault.LOST_ANSWER: 0.05,
    Fault.TRUNCATED_JSON: 0.08,
    Fault.HTML_200: 0.05,
    Fault.DUPLICATE_ROWS: 0.2,
    Fault.SHIFTING_ROWS: 0.1,
    Fault.BAD_RECORD: 0.05,
}
SHOPS_A_NIGHT = 3
#: younger than a first read goes back, however late in the night it comes
_DAYS = 60


class NotedFaults(FaultPlan):
    """Tells ``note`` of every call to a mall, and what struck it."""

    note: Callable[[str], None]

    def next_fault(self, path: str, *, among_rows: bool) -> Fault | None:
        fault = super().next_fault(path, among_rows=among_rows)
        self.note(f"  {'rows of ' if among_rows else ''}{path} {fault or ''}".rstrip())
        return fault


@dataclass(slots=True)
class Night:
    """One seed. ``steps`` tells what happened, in order; ``journal`` also every call to a mall, for who must
    know whether a replay is the same night.
    """

    seed: int
    home: Path
    database_url: str
    orders: int = 30
    steps: list[str] = field(default_factory=list)
    journal: list[str] = field(default_factory=list)
    #: each text an agent sent, and its action's id; then how many ended how
    answers: dict[str, str] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)

    async def live(self) -> None:
        """Raises: AssertionError naming the difference and every step before it."""
        random = Random(self.seed)
        faults = NotedFaults(seed=self.seed % 1000)
        town = Town(orders=self.orders, seed=self.seed, days=_DAYS, faults=faults)
        faults.note = lambda call: self.journal.append(f"{town.clock.hub_time:%d %H:%M:%S.%f}{call}")
        people = Customers(town.world, seed=self.seed)
        try:
            for _ in range(random.randint(2, 4)):
                self._change(town, people, random)
                await self._bad_hour(town, random)
            await self._quiet_hour(town, random)
        except AssertionError as error:
            story = "\n".join(self.steps)
            what = f"seed {self.seed}: {error}\n{story}"
            raise AssertionError(what) from error

    def _note(self, step: str) -> None:
        self.steps.append(step)
        self.journal.append(step)

    def _change(self, town: Town, people: Customers, random: Random) -> None:
        for _ in range(random.randint(0, 6)):
            did = people.act() if random.random() < 0.5 else _sell(town, random)
            self._note(f"{town.clock.mall_time:%d %H:%M} {did}")
            town.clock.pass_time(timedelta(minutes=random.randint(0, 40)))
        for shop in town.world.shops:
            if (recent := town.world.orders(shop)[-20:]) and random.random() < 0.6:
                order = random.choice(recent)
                town.world.ask(shop, subject="언제 와요?", text="궁금합니다", category="배송", order=order)
                self._note(f"{town.clock.mall_time:%d %H:%M} {shop} is asked about {order.number}")

    async def _answer(self, town: Town, hub: Hub, random: Random) -> None:
        """An agent answers while the lines are bad, and the worker looks after what became of it."""
        async with hub.database.reading() as connection:
            query = (
                select(shops.c.name, inquiries.c.inquiry_no)
                .join_from(inquiries, shops)
                .where(inquiries.c.state == InquiryState.UNANSWERED.value)
                .order_by(inquiries.c.inquiry_no)
            )
            waiting = list(await connection.execute(query))
        for shop, inquiry_no in random.sample(waiting, k=min(len(waiting), random.randint(0, 4))):
            text = f"답변 {len(self.answers)} 드립니다"
            request = ActionRequest(action=Action.ANSWER_INQUIRY, shop=shop, inquiry_no=inquiry_no, text=text)
            try:
                result = await act(hub, command_line_actor(), request)
            except (MallError, UnconfirmedError) as error:
                # Nothing was stored, so nothing may have happened either: the mall could not be asked, or nobody
                # knows yet what became of an earlier answer.
                told = self.answers[text] = type(error).__name__
            else:
                self.answers[text], told = result.action_id, result.outcome
            self._note(f"{town.clock.mall_time:%d %H:%M} answer {shop} {inquiry_no}: {told}")

    async def _check_answers(self, town: Town, hub: Hub) -> None:
        """Every answer stands once at the mall, or not at all, as its outcome says; what is unknown says so."""
        for _ in range(len(LOOKS) + 1):
            for shop in await hub.shops():
                await Outbox(hub, shop).drain()
            town.clock.pass_time(LOOKS[-1])
        said = Counter(
            answer.text
            for shop in town.world.shops
            for inquiry in town.world.inquiries(shop)
            for answer in inquiry.answers
        )
        async with hub.database.reading() as connection:
            outcomes = {str(row.id): row.outcome for row in await connection.execute(select(actions))}
        for text, action_id in self.answers.items():
            outcome = outcomes.get(action_id, "refused")
            allowed = {"done": (1,), "refused": (0,), "unknown": (0, 1)}.get(outcome, ())
            assert said[text] in allowed, f"{text}: {outcome}, and it stands {said[text]} times at the mall"
            self.outcomes[outcome] += 1

    async def _bad_hour(self, town: Town, random: Random) -> None:
        chosen = random.sample(list(_FAULTS), k=random.randint(0, 3))
        town.faults.chances = {fault: _FAULTS[fault] * random.random() for fault in chosen}
        full = random.random() < 0.2
        stops_at = random.randint(1, 60) if random.random() < 0.5 else None
        self._note(f"{town.clock.mall_time:%d %H:%M} sync full={full} stops_at={stops_at} faults={chosen}")
        town.note_truth()
        async with town.hub(self.home, self.database_url) as hub:
            if stops_at is None:
                await hub.sync(full=full)
            else:
                await _stopped(town, hub, full=full, after=stops_at)
            await self._answer(town, hub, random)
        town.faults.chances = {}

    async def _quiet_hour(self, town: Town, random: Random) -> None:
        town.clock.pass_time(timedelta(minutes=random.randint(5, 600)))
        town.note_truth()
        async with town.hub(self.home, self.database_url) as hub:
            await until_complete(hub, runs=3)
            await self._check_answers(town, hub)
            # What slipped off a shifting page is the full run's to find.
            assert_complete(await hub.sync(full=True))
            await town.assert_true(hub)
            again = await hub.sync(full=True)
            assert_complete(again)
            written = {
                (shop.shop, feed.feed): (feed.new, feed.changed, feed.vanished)
                for shop in again.shops
                for feed in shop.feeds
                if feed.new or feed.changed or feed.vanished
            }
            assert not written, f"a second run wrote {written}"


async def _stopped(town: Town, hub: Hub, *, full: bool, after: int) -> None:
    """Stop the run at its ``after``-th step: a call to a mall, or a page just written."""
    left = after
    run: asyncio.Task[object] | None = None

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0 and run is not None:
            run.cancel()

    def progress(_shop: str, _feed: Feed, _share: float, _read: int) -> None:
        count()

    town.on_call = count
    run = asyncio.create_task(hub.sync(full=full, on_progress=progress))
    with suppress(asyncio.CancelledError):
        await run
    town.on_call = lambda: None
    with warnings.catch_warnings():
        # A connection that was just being opened is dropped open, as a killed process drops it.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _sell(town: Town, random: Random) -> str:
    """One legal step of a seller, or of a customer who thinks again."""
    shop = random.choice(list(town.world.shops))
    lines = [line for order in town.world.orders(shop)[-60:] for line in order.lines]
    random.shuffle(lines)
    acts: list[Callable[[Town, LineFact, Random], str | None]] = [_move_claim, _move_claim, _send]
    act = random.choice(acts)
    for line in lines:
        if did := act(town, line, random):
            return f"{shop} {did}"
    return f"{shop} nothing"


def _move_claim(town: Town, line: LineFact, random: Random) -> str | None:
    now = town.world.now()
    for claim in reversed(town.world.claims_of(line)):
        following = _following(claim, now)
        if following:
            state = random.choice(following)
            by = "customer" if state is ClaimState.WITHDRAWN else "seller"
            town.world.move_claim(line, claim, state, by)
            return f"line {line.number} {claim.kind} {claim.number} -> {state}"
    return None


def _following(claim: ClaimFact, now: object) -> tuple[ClaimState, ...]:
    step = claim.step_at(now)  # type: ignore[arg-type]
    return () if step is None else _NEXT.get(claim.kind, {}).get(step.state, ())


def _send(town: Town, line: LineFact, random: Random) -> str | None:
    if line.status(town.world.now()) is not LineStatus.PREPARING or town.world.open_claim(line) is not None:
        return None
    number = f"6{random.randrange(10**11):011d}"
    town.world.dispatch(line, line.carrier or "CJ대한통운", number)
    return f"line {line.number} dispatched"


class Lived(Struct, frozen=True):
    """``story``: what went wrong, with every step; empty when nothing did."""

    story: str
    journal: tuple[str, ...]


def live_alone(seed: int, folder: Path, template: Path, url: str) -> Lived:
    """One night in a process of its own; an SQLite file copied from ``template`` unless ``url`` is given."""
    # What goes wrong here goes wrong on purpose.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    home = folder / f"night-{seed}"
    home.mkdir()
    if not url:
        shutil.copyfile(template, home / "hub.db")
    night = Night(seed=seed, home=home, database_url=url or f"sqlite:///{home / 'hub.db'}")
    try:
        if url:
            asyncio.run(night.live())
        else:
            run_stepped(night.live(), seed=seed)
    except AssertionError as error:
        return Lived(str(error) or repr(error), tuple(night.journal))
    except Exception:  # noqa: BLE001  not every one can be sent to another process, and one that cannot ends them all
        steps = "\n".join(night.steps)
        return Lived(f"seed {seed}: {traceback.format_exc()}\n{steps}", tuple(night.journal))
    finally:
        shutil.rmtree(home)
    return Lived("", tuple(night.journal))
