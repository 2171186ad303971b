from datetime import UTC, datetime, timedelta

import pytest

from hub.core.model import ClaimKind, ClaimReason, ClaimState, LineStatus
from hub.sandbox.world import DEFAULT_SHOPS, World, make_world

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    return make_world(now=clock, orders=1200)


def all_lines(world: World):
    return [(order, line) for shop in world.shops for order in world.orders(shop) for line in order.lines]


def first_line(world: World, status: LineStatus):
    return next(
        line for _, line in all_lines(world) if line.status(world.now()) is status and not world.claims_of(line)
    )


def test_one_seed_and_one_moment_make_one_world(clock: Clock) -> None:
    one, other = make_world(now=clock, orders=300), make_world(now=clock, orders=300)

    for spec in DEFAULT_SHOPS:
        assert list(one.orders(spec.name)) == list(other.orders(spec.name))
        assert list(one.inquiries(spec.name)) == list(other.inquiries(spec.name))


def test_another_seed_makes_another_world(clock: Clock) -> None:
    one, other = make_world(now=clock, orders=300), make_world(now=clock, orders=300, seed=7)

    assert list(one.orders("main-cafe24")) != list(other.orders("main-cafe24"))


def test_about_as_many_orders_as_asked_for_are_visible_and_ascending(world: World) -> None:
    counts = {shop: len(world.orders(shop)) for shop in world.shops}
    times = [order.ordered_at for order in world.orders("main-cafe24")]

    assert 1140 <= sum(counts.values()) <= 1260
    assert counts["main-cafe24"] > counts["main-smartstore"] > counts["main-qoo10"]
    assert times == sorted(times)
    assert times[-1] <= world.now()


def test_orders_and_questions_appear_as_time_goes_on(world: World, clock: Clock) -> None:
    before = [order.number for order in world.orders("main-cafe24")]
    asked = sum(len(world.inquiries(shop)) for shop in world.shops)

    clock.forward(hours=72)
    after = [order.number for order in world.orders("main-cafe24")]

    assert after[: len(before)] == before
    assert len(after) > len(before)
    assert sum(len(world.inquiries(shop)) for shop in world.shops) > asked


def test_an_order_of_the_future_cannot_be_looked_up(world: World, clock: Clock) -> None:
    known = {order.number for shop in world.shops for order in world.orders(shop)}
    number = max(known) + 1

    with pytest.raises(KeyError):
        world.order(number)
    clock.forward(hours=72)

    assert world.order(number).number == number


def test_everything_a_demo_needs_is_there(clock: Clock) -> None:
    world = make_world(now=clock, orders=3000)
    now = world.now()
    statuses = {line.status(now) for _, line in all_lines(world)}
    claims = [claim for _, line in all_lines(world) for claim in world.claims_of(line)]
    states = {(claim.kind, claim.step_at(now).state) for claim in claims}
    unanswered = [
        inquiry for shop in world.shops for inquiry in world.inquiries(shop) if not world.said(inquiry.answers)
    ]

    assert statuses >= set(LineStatus) - {LineStatus.UNKNOWN}
    assert (ClaimKind.CANCEL, ClaimState.REQUESTED) in states
    assert {(ClaimKind.CANCEL, ClaimState.REJECTED), (ClaimKind.CANCEL, ClaimState.WITHDRAWN)} <= states
    assert {ClaimKind.RETURN, ClaimKind.EXCHANGE} <= {kind for kind, _ in states}
    assert any(len(line.claims) > 1 for _, line in all_lines(world))
    assert any(claim.quantity < line.quantity for _, line in all_lines(world) for claim in line.claims)
    assert unanswered


def test_steps_of_lines_and_claims_are_in_order_and_in_whole_seconds(world: World, clock: Clock) -> None:
    clock.forward(days=60)
    for order, line in all_lines(world):
        moments = [step.at for step in line.steps]
        assert moments == sorted(moments), order.number
        for claim in line.claims:
            steps = [step.at for step in claim.steps]
            assert steps == sorted(steps), claim.number
            assert all(at.microsecond == 0 and at.tzinfo is UTC for at in steps)
        requests = [claim.requested_at for claim in line.claims]
        assert requests == sorted(requests)


def test_two_claims_are_never_open_on_one_line(world: World, clock: Clock) -> None:
    for _ in range(30):
        for _order, line in all_lines(world):
            open_claims = [claim for claim in world.claims_of(line) if claim.step_at(world.now()).state.is_open]
            assert len(open_claims) <= 1
        clock.forward(hours=11)


def test_an_approved_cancel_ends_its_line_for_good(world: World, clock: Clock) -> None:
    line = first_line(world, LineStatus.PREPARING)
    claim = world.request_claim(line, ClaimKind.CANCEL, ClaimReason.LATE, "늦어요")
    assert line.status(world.now()) is LineStatus.PREPARING

    world.move_claim(line, claim, ClaimState.DONE, "seller")
    clock.forward(days=30)

    assert line.status(world.now()) is LineStatus.CANCELLED
    assert line.remaining(world.now()) == 0
    assert world.line_of_claim(claim.number) is line


def test_a_second_claim_waits_for_the_first(world: World) -> None:
    line = first_line(world, LineStatus.DELIVERED)
    world.request_claim(line, ClaimKind.RETURN, ClaimReason.DEFECT, "불량")

    with pytest.raises(ValueError, match="open claim"):
        world.request_claim(line, ClaimKind.EXCHANGE, ClaimReason.DEFECT, "불량")


def test_more_than_is_left_cannot_be_claimed(world: World) -> None:
    line = first_line(world, LineStatus.DELIVERED)

    with pytest.raises(ValueError, match="cannot claim"):
        world.request_claim(line, ClaimKind.RETURN, ClaimReason.DEFECT, "불량", line.quantity + 1)


def test_a_dispatched_line_arrives(world: World, clock: Clock) -> None:
    line = first_line(world, LineStatus.PAID)

    world.dispatch(line, "CJ대한통운", "123")
    sent = line.status(world.now())
    clock.forward(days=3)

    assert (sent, line.status(world.now())) == (LineStatus.DISPATCHED, LineStatus.DELIVERED)


def test_every_write_to_an_order_is_noted(world: World) -> None:
    order, line = next((order, line) for order, line in all_lines(world) if line.status(world.now()) is LineStatus.PAID)

    world.prepare(line)
    world.set_held(line, is_held=True)

    assert set(world.changed_orders) == {order.number}


def test_an_answer_drops_what_was_still_to_be_said(world: World, clock: Clock) -> None:
    inquiry = world.ask("main-cafe24", subject="문의", text="언제 오나요?", order=world.orders("main-cafe24")[-1])
    clock.forward(minutes=5)

    answer = world.answer(inquiry, "내일 출고됩니다.", "hubmall")
    follow_up = world.follow_up(inquiry, "감사합니다")

    assert world.inquiries("main-cafe24")[-1] is inquiry
    assert (answer.at, follow_up.author) == (START + timedelta(minutes=5), "customer")
    assert [said.text for said in world.said(inquiry.answers)] == ["내일 출고됩니다."]


def test_what_a_customer_deletes_is_shown_no_more_until_it_is_there_again(world: World) -> None:
    shop = "main-cafe24"
    inquiry = world.ask(shop, subject="문의", text="언제 오나요?")

    world.delete(inquiry)

    assert inquiry not in world.inquiries(shop)
    with pytest.raises(KeyError):
        world.inquiry(inquiry.number)
    # Its number is nobody else's.
    assert world.ask(shop, subject="문의", text="또 물어요").number != inquiry.number
    world.restore(inquiry)
    assert world.inquiry(inquiry.number) is inquiry
    assert inquiry in world.inquiries(shop)


def test_a_world_that_was_saved_before_anything_could_be_deleted_wakes(world: World, clock: Clock) -> None:
    state = world.__getstate__()
    del state["_deleted"]
    saved = World.__new__(World)
    saved.__dict__.update(state)

    saved.wake(clock)

    assert list(saved.inquiries("main-cafe24")) == list(world.inquiries("main-cafe24"))
