"""The compiled dialplan and the simulation tell the same steps of the same call."""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from importlib import resources
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.check import load_spec
from ivr.compile.asterisk import FAREWELL_CONTEXT, keys_context, transfer_codes, write_dialplan
from ivr.flow import Flow, StepKind, flow_of
from ivr.simulate import Act, Centre, Do, Stay, queue_log_lines, walk_call
from ivr.spec import notice_of, pbx_queue
from ivr.walk import stay_with
from tests.ivr.interpreter import Pbx, read_dialplan
from tests.ivr.specs import callers, centres, dids, spec_text, specs, starts

SEOUL = ZoneInfo("Asia/Seoul")
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=SEOUL)


def lengths(flow: Flow) -> dict[tuple[str, str], float]:
    """How long each announcement is, as the simulation reckons it."""
    mark = f"v{flow.spec.revision}"
    found = {(f"menu-{name}-{mark}", menu.prompt or ""): menu.seconds for name, menu in flow.spec.menus.items()}
    for name, line in flow.spec.lines.items():
        for word in line.notices:
            notice = notice_of(flow.spec, word)
            if notice and notice.seconds:
                found[f"line-{name.replace('.', '_')}-{mark}", notice.prompt] = notice.seconds
    return found


def stays_of(flow: Flow, centre: Centre) -> Callable[[str, frozenset[str]], Stay]:
    """The stays that are told, then what the centre's agents would do."""
    told = {pbx_queue(name): deque(stays) for name, stays in centre.stays.items()}
    queues = {pbx_queue(name): name for name in flow.spec.queues}

    def next_stay(queue: str, moved_by: frozenset[str]) -> Stay:
        if told.get(queue):
            return told[queue].popleft()
        if queues[queue] in centre.full:
            return Stay(is_full=True)
        if centre.agents is None:
            return Stay()
        return stay_with(flow.spec.queues[queues[queue]], centre.agents, moved_by=moved_by)

    return next_stay


def dialplan_lines(
    flow: Flow, text: str, *, did: str, start: datetime, number: str, acts: list[Act], centre: Centre
) -> list[str]:
    pbx = Pbx(
        read_dialplan(text),
        start=start,
        did=did,
        number=number,
        acts=acts,
        dnd=centre.dnd,
        next_stay=stays_of(flow, centre),
        lengths=lengths(flow),
        keys_contexts={
            pbx_queue(step.name): keys_context(step, f"v{flow.spec.revision}")
            for step in flow.steps.values()
            if step.kind is StepKind.QUEUE
        },
        codes=transfer_codes(flow),
    )
    return pbx.run()


def simulated_lines(
    flow: Flow, *, did: str, start: datetime, number: str, acts: list[Act], centre: Centre
) -> list[str]:
    walk = walk_call(flow, did=did, start=start, acts=acts, number=number, centre=centre)
    lines = queue_log_lines(walk, callid="1795000000.1")
    return [line.partition("|NONE|NONE|IVR|")[2] for line in lines if "|NONE|NONE|IVR|" in line]


def without_place(lines: list[str]) -> list[str]:
    """A hang-up's path begins with mall and line, which the simulation leaves out."""
    *steps, end = lines
    kind, cause, path = end.split("|")
    return [*steps, f"{kind}|{cause}|{path.partition('>')[2]}"]


@pytest.fixture(scope="module")
def demo() -> Flow:
    text = resources.files("ivr").joinpath("demo.yaml").read_text(encoding="utf-8")
    return flow_of(load_spec(text, source="demo.yaml"))


def test_the_steps_of_a_call_are_logged_in_order(demo: Flow) -> None:
    press = [Act(do=Do.PRESS, key=key) for key in "519"]
    lines = dialplan_lines(
        demo, write_dialplan(demo), did="07000001001", start=MONDAY, number="01000001111", acts=press, centre=Centre()
    )

    assert lines == [
        "ENTER|cafe24|order|07000001001|01000001111|cafe24.order.next",
        "INVALID|5||07000001001|01000001111|",
        "KEY|1|order|07000001001|01000001111|cafe24-order.key.1",
        "QUEUE|cafe24_order||07000001001|01000001111|",
        "KEY|9|callback|07000001001|01000001111|cafe24.order.on.key-9",
        "CALLBACK|01000001111||07000001001|01000001111|",
        "HANGUP|16|cafe24/order>ENTER=cafe24>INVALID=5>KEY=1>QUEUE=cafe24_order>KEY=9>CALLBACK=",
    ]


def test_a_number_from_abroad_is_written_without_its_plus(demo: Flow) -> None:
    lines = dialplan_lines(
        demo, write_dialplan(demo), did="+07000001001", start=MONDAY, number="", acts=[], centre=Centre()
    )

    assert lines[0] == "ENTER|cafe24|order|07000001001||cafe24.order.next"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), spec=specs())
def test_dialplan_and_simulation_tell_the_same(data: st.DataObject, spec: object) -> None:
    text = spec_text(spec)  # type: ignore[arg-type]
    flow = flow_of(load_spec(text, source="random.yaml"))
    dialplan = write_dialplan(flow)
    did, start = data.draw(dids(flow.spec)), data.draw(starts(flow.spec))
    acts, centre, number = (
        data.draw(callers()),
        data.draw(centres(flow)),
        data.draw(st.sampled_from(["", "01000001111"])),
    )
    call = {"did": did, "start": start, "number": number, "acts": acts, "centre": centre}

    assert write_dialplan(flow_of(load_spec(text, source="again.yaml"))) == dialplan
    assert without_place(dialplan_lines(flow, dialplan, **call)) == simulated_lines(flow, **call)  # type: ignore[arg-type]


def test_a_caller_who_leaves_in_the_closed_announcement_took_its_way(demo: Flow) -> None:
    leaves = [Act(do=Do.HANG_UP, after=1.0, is_early=True)]
    night = {"did": "07000001001", "start": MONDAY.replace(hour=3), "number": "", "acts": leaves, "centre": Centre()}

    steps = simulated_lines(demo, **night)  # type: ignore[arg-type]

    assert steps[1] == "CLOSED|hours||07000001001||cafe24.order.closed.hours.next"
    assert without_place(dialplan_lines(demo, write_dialplan(demo), **night)) == steps  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("keyed", "noted"),
    [
        (["01000002222"], "01000002222"),
        (["021234567"], "021234567"),
        (["01000002222999"], "01000002222"),  # what is more than a number is not waited for
        (["12345", "01000002222"], "01000002222"),
        (["0600001111", "01000002222"], "01000002222"),
        (["12345", "99999999999"], ""),
        (["02123456", "0600001111", "01000002222"], ""),  # two tries
        ([], ""),
    ],
)
def test_a_withheld_caller_keys_a_number_that_can_be_called(demo: Flow, keyed: list[str], noted: str) -> None:
    acts = [Act(do=Do.PRESS, key=key) for key in ("9", *keyed)]
    call = {"did": "07000001001", "start": MONDAY, "number": "", "acts": acts, "centre": Centre()}

    steps = simulated_lines(demo, **call)  # type: ignore[arg-type]

    wish = [f"CALLBACK|{noted}||07000001001||"] if noted else []
    assert [step for step in steps if step.startswith("CALLBACK")] == wish
    assert without_place(dialplan_lines(demo, write_dialplan(demo), **call)) == steps  # type: ignore[arg-type]


def test_an_abusive_call_is_ended_with_the_farewell_whatever_the_revision(demo: Flow) -> None:
    extension = read_dialplan(write_dialplan(demo)).contexts[FAREWELL_CONTEXT]["s"]

    assert extension.applications == ["Playback(prompts/abuse-farewell)", "Hangup(16)"]
    silent = flow_of(msgspec.structs.replace(demo.spec, revision=9, abuse_farewell_prompt=None))
    assert read_dialplan(write_dialplan(silent)).contexts[FAREWELL_CONTEXT]["s"].applications == ["Hangup(16)"]
