"""Whatever spec passes the check and whoever calls: the call ends, once, and its records tell the same."""

from collections import Counter

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from ivr.calls import Call, CallResult, derive_calls
from ivr.check import load_spec
from ivr.counts import count_calls
from ivr.event import Kind
from ivr.flow import flow_of
from ivr.legs import HANGUP_SECONDS
from ivr.records import Tally, read_records
from ivr.simulate import queue_log_lines, walk_call
from ivr.spec import Spec, routes_from_spec
from ivr.walk import Walk
from tests.ivr.specs import callers, centres, dids, spec_text, specs, starts

SPECS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
MOST_CALLS = 6


def draw_walks(data: st.DataObject, spec: Spec) -> list[Walk]:
    flow = flow_of(spec)
    return [
        walk_call(
            flow,
            did=data.draw(dids(spec), "did"),
            start=data.draw(starts(spec), "start"),
            acts=data.draw(callers(), "acts"),
            number=data.draw(st.sampled_from(["", "01000001111"]), "number"),
            centre=data.draw(centres(flow), "centre"),
        )
        for _ in range(data.draw(st.integers(1, MOST_CALLS), "calls"))
    ]


def read_back(spec: Spec, walks: list[Walk]) -> list[Call]:
    """The walks' lines as one file, ordered as a PBX would have written them."""
    logs = [[*queue_log_lines(walk, callid=f"1790000000.{index:03d}")] for index, walk in enumerate(walks)]
    lines = sorted((line for log in logs for line in log), key=lambda line: line.partition("|")[0])
    tally = Tally()
    events = list(read_records(lines, zone=routes_from_spec(spec).zone, tally=tally))
    assert (tally.unreadable, tally.ignored) == (0, 0)
    # A moment after the last line, so that no call is given up for lost.
    calls = derive_calls(events, routes_from_spec(spec), as_of=min(event.at for event in events))
    return sorted(calls, key=lambda call: call.call_id)


def told_result(spec: Spec, walk: Walk) -> tuple[CallResult, str | None]:
    """What queue_log can tell: a hang-up in a notice's last second looks like one in the menu."""
    lasts = walk.happenings[-1].at
    place = routes_from_spec(spec).place_of_did(walk.did)
    if walk.result is CallResult.ABANDONED_NOTICE and place and lasts >= place.notice_seconds - HANGUP_SECONDS:
        return CallResult.ABANDONED_MENU, None
    return walk.result, walk.reason


def same_second_reasons(walk: Walk) -> set[str]:
    """Records are a set of lines with whole seconds: of two refusals in one second nobody knows which was the last."""
    ends = [each for each in walk.happenings if each.kind in (Kind.QUEUE_RESULT, Kind.LEAVE)]
    last = [each for each in ends if int(each.at) == int(ends[-1].at)]
    return {each.extra.lower() if each.kind is Kind.QUEUE_RESULT else each.detail for each in last}


@SPECS
@given(specs())
def test_a_drawn_spec_passes_its_check(spec: Spec) -> None:
    assert load_spec(spec_text(spec), source="ivr.yaml") == spec


@SPECS
@given(specs(), st.data())
def test_records_of_walks_count_to_the_same_calls(spec: Spec, data: st.DataObject) -> None:
    walks = draw_walks(data, spec)
    calls = read_back(spec, walks)

    assert len(calls) == len(walks)
    for walk, call in zip(walks, calls, strict=True):
        event(walk.result)
        result, reason = told_result(spec, walk)
        assert call.result == result
        assert call.reason == reason or call.reason in same_second_reasons(walk)
        assert call.is_short_abandon == walk.is_short_abandon
        assert call.did == walk.did
        assert call.wait_seconds == _waited(walk)


@SPECS
@given(specs(), st.data())
def test_counts_of_walks_add_up_to_calls(spec: Spec, data: st.DataObject) -> None:
    walks = draw_walks(data, spec)
    rows = count_calls(read_back(spec, walks), zone=routes_from_spec(spec).zone)

    results = Counter(told_result(spec, walk)[0] for walk in walks)
    assert sum(row.offered for row in rows) == len(walks)
    assert Counter({result: sum(getattr(row, result) for row in rows) for result in CallResult}) == results


@SPECS
@given(specs(), st.data())
def test_a_walk_is_one_orderly_story(spec: Spec, data: st.DataObject) -> None:
    flow = flow_of(spec)
    ways = {way.id for step in flow.steps.values() for way in step.ways}
    for walk in draw_walks(data, spec):
        times = [each.at for each in walk.happenings]
        kinds = [each.kind for each in walk.happenings]
        assert times == sorted(times)
        assert kinds[0] is Kind.ENTER
        assert kinds.count(Kind.HANGUP) == 1
        assert kinds[-1] is Kind.HANGUP
        assert ways.issuperset(walk.ways)


@SPECS
@given(specs(), st.data())
def test_the_same_call_walks_the_same_way(spec: Spec, data: st.DataObject) -> None:
    did, start, acts = data.draw(dids(spec)), data.draw(starts(spec)), data.draw(callers())
    centre = data.draw(centres(flow_of(spec)))
    first, second = (walk_call(flow_of(spec), did=did, start=start, acts=acts, centre=centre) for _ in range(2))

    assert first == second


def _waited(walk: Walk) -> float | None:
    """Seconds in queues until the first agent spoke; none where no queue let the caller in."""
    total, is_in = 0.0, False
    for each in walk.happenings:
        if each.kind in (Kind.CONNECT, Kind.ABANDON, Kind.LEAVE):
            total, is_in = total + each.wait, True
        if each.kind is Kind.CONNECT:
            break
    if is_in:
        return total
    is_refused = any(each.kind is Kind.QUEUE_RESULT for each in walk.happenings)
    return 0.0 if is_refused or walk.result is CallResult.NOT_JOINED else None
