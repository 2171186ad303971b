"""The captured half hour of Asterisk 22.10.1 gives exactly the truth measured at the callers' end."""

import json
import random
import re
from collections import Counter
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ivr.calls import Call, derive_calls
from ivr.counts import count_calls
from ivr.event import Event, Kind, Source, identity
from ivr.groups import learn_links
from ivr.records import Tally, read_records
from ivr.routes import routes_from_map

FOLDER = Path(__file__).parents[1] / "data" / "asterisk-22.10.1"
ROUTES = routes_from_map((FOLDER / "rig_map.json").read_bytes())
SEOUL = ZoneInfo("Asia/Seoul")
TRUTH = json.loads((FOLDER / "truth.json").read_text(encoding="utf-8"))
WORDS = {
    "closed_hours": "closed",
    "closed_holiday": "closed",
    "closed_dnd": "closed",
    "queue_full": "not_joined",
    "join_empty": "not_joined",
    "queue_timeout": "left_queue",
    "leave_empty": "left_queue",
}
LOG, CEL, AMI, CDR = "queue_log", "cel.jsonl", "ami_events.jsonl", "cdr.csv"


def read(*names: str) -> list[Event]:
    events: list[Event] = []
    for name in names:
        tally = Tally()
        with (FOLDER / name).open(encoding="utf-8") as lines:
            events += read_records(lines, zone=SEOUL, tally=tally)
        assert tally.unreadable == 0
        assert tally.lines == tally.events + tally.ignored
    return events


def calls_of(*names: str) -> dict[str, Call]:
    calls = derive_calls(read(*names), ROUTES)
    assert len({call.call_id for call in calls}) == len(calls)
    return {call.call_id: call for call in calls}


def true_result(truth: dict, *, knows_notice: bool) -> str:
    word = WORDS.get(truth["result"], truth["result"])
    return "abandoned_notice" if knows_notice and truth.get("abandoned_in") == "notice" else word


SETS = {
    "queue_log": (LOG,),
    "queue_log and CEL": (LOG, CEL),
    "queue_log and CDR": (LOG, CDR),
    "AMI": (AMI,),
    "CEL": (CEL,),
    "all four": (LOG, CEL, AMI, CDR),
}


@pytest.mark.parametrize("names", SETS.values(), ids=SETS)
def test_every_call_is_as_it_truly_was(names):
    calls = calls_of(*names)

    assert set(calls) == {truth["pbx_uniqueid"] for truth in TRUTH["calls"]}
    for truth in TRUTH["calls"]:
        call = calls[truth["pbx_uniqueid"]]
        knows_notice = names not in (SETS["queue_log"], SETS["queue_log and CDR"])
        assert (call.result, call.did, call.mall, call.line, call.chosen_line, call.handling_line) == (
            true_result(truth, knows_notice=knows_notice),
            truth["did"],
            truth["mall"],
            truth["entered_line"],
            truth["chosen_line"],
            truth["handling_line"],
        ), truth["id"]
        assert call.caller == (truth["caller"] or "")
        assert list(call.agents) == truth.get("agents_answered", [])
        assert call.agent == (truth.get("agents_answered") or [None])[-1]
        assert call.is_short_abandon is truth.get("short_abandon", False)
        assert call.is_transferred_out is ("transfer" in truth)
        assert call.topic == (truth.get("agent_disposition_logged") if LOG in names else None)


@pytest.mark.parametrize("names", SETS.values(), ids=SETS)
def test_times_are_within_a_second_of_the_stopwatch(names):
    calls = calls_of(*names)

    for truth in TRUTH["calls"]:
        call = calls[truth["pbx_uniqueid"]]
        assert call.entered_at == pytest.approx(truth["started"], abs=1)
        for told, true in ((call.wait_seconds, truth.get("wait_s")), (call.talk_seconds, truth.get("talk_s"))):
            assert (told is None) is (true is None), truth["id"]
            assert told is None or told == pytest.approx(true, abs=1), truth["id"]


def test_reasons_tell_closed_and_refused_calls_apart():
    reasons = Counter(call.reason for call in calls_of(LOG).values() if call.reason)

    assert reasons == {
        "hours": 1,
        "holiday": 1,
        "dnd": 1,
        "full": 1,
        "joinempty": 1,
        "timeout": 1,
        "empty": 1,
    }


@pytest.mark.parametrize("names", SETS.values(), ids=SETS)
def test_totals_per_line_and_hour(names):
    rows = count_calls(calls_of(*names).values(), zone=SEOUL)

    assert {f"{row.hour[:13]} {row.mall}/{row.line}": row.offered for row in rows} == TRUTH["offered_by_hour_and_line"]
    assert {row.hour for row in rows} == {"2026-11-22T10:00:00+09:00"}
    for row in rows:
        expected = Counter()
        for word, number in TRUTH["totals_by_entered_line"][f"{row.mall}/{row.line}"].items():
            expected[WORDS.get(word, word)] += number
        assert row.ended == row.offered
        for word in (
            "answered",
            "abandoned_queue",
            "left_queue",
            "not_joined",
            "closed",
            "ivr_giveup",
            "callback_requested",
        ):
            assert getattr(row, word) == expected[word], (row.mall, row.line, word)
        assert row.abandoned_notice + row.abandoned_menu == expected["abandoned_menu"]
    assert sum(row.abandoned_short for row in rows) == TRUTH["totals"]["short_abandons_in_queue"]
    assert sum(row.transferred_out for row in rows) == TRUTH["totals"]["transferred"]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("names", SETS.values(), ids=SETS)
def test_the_order_of_the_events_does_not_matter(names, seed):
    events = read(*names)
    shuffled = events.copy()
    random.Random(seed).shuffle(shuffled)

    assert derive_calls(shuffled, ROUTES) == derive_calls(events, ROUTES)


def test_the_same_file_twice_gives_the_same_events():
    once, again = read(LOG, CEL, AMI, CDR), read(CDR, AMI, CEL, LOG)

    assert {identity(event) for event in once} == {identity(event) for event in again}
    assert len({identity(event) for event in once if event.kind is not Kind.PRESENCE}) >= 0.99 * sum(
        event.kind is not Kind.PRESENCE for event in once
    )


def kept(*names: str) -> list[Event]:
    return list({identity(event): event for event in read(*names)}.values())


def test_events_kept_once_by_identity_give_the_same_calls():
    assert derive_calls(kept(LOG, LOG, CEL), ROUTES) == derive_calls(read(LOG, CEL), ROUTES)
    assert derive_calls(kept(AMI, AMI), ROUTES) == derive_calls(read(AMI), ROUTES)


@pytest.mark.parametrize("cut", range(10, 244, 13))
def test_halves_give_the_whole(cut):
    lines = (FOLDER / LOG).read_text(encoding="utf-8").splitlines(keepends=True)
    stored: dict[str, Event] = {}
    for part in (lines[cut:], lines[:cut]):
        for event in read_records(part, zone=SEOUL, tally=Tally()):
            stored[identity(event)] = event

    assert derive_calls(stored.values(), ROUTES) == derive_calls(read(LOG), ROUTES)


def test_no_call_of_a_first_half_is_guessed():
    lines = (FOLDER / LOG).read_text(encoding="utf-8").splitlines(keepends=True)
    whole = calls_of(LOG)
    for cut in range(2, len(lines)):
        for call in derive_calls(read_records(lines[:cut], zone=SEOUL, tally=Tally()), ROUTES):
            final = whole.get(call.call_id)
            if final is None:  # the consultation, before the dialplan says whose it is
                continue
            assert call.result in (None, final.result, "left_queue"), (cut, call.call_id)


@pytest.mark.parametrize("lost", ['"usereventname":"IVR_QUEUE"', '"appname":"AppQueue"'], ids=["step", "agent"])
def test_cel_tells_an_answer_without_the_line_that_says_it_best(lost):
    """Of two lines that tell the answer one may be lost: the step into the queue, or the agent in the bridge."""
    spoken = re.compile(lost.replace(":", ": ?"))
    with (FOLDER / CEL).open(encoding="utf-8") as lines:
        every = list(lines)
    kept = [line for line in every if not spoken.search(line)]
    assert len(every) - len(kept) >= 10
    calls = {call.call_id: call for call in derive_calls(read_records(kept, zone=SEOUL, tally=Tally()), ROUTES)}

    for truth in TRUTH["calls"]:
        if truth["result"] == "answered":
            call = calls[truth["pbx_uniqueid"]]
            assert (call.result, call.line) == ("answered", truth["entered_line"])


def test_the_consultation_belongs_to_its_call():
    links = learn_links(read(CEL))

    assert links["1795311092.112"] == "1795311079.109"
    assert learn_links(read(AMI))["1795311092.112"] == "1795311079.109"


def test_no_number_of_a_caller_stands_outside_its_field():
    numbers = {truth["caller"] for truth in TRUTH["calls"]} - {None}
    for event in read(LOG, CEL, AMI, CDR):
        told = f"{event!r}{event.detail}{event.extra}{event.did}{event.queue}{event.agent}{event.callid}"
        assert not any(number in told for number in numbers), event.source
    assert not any(number in repr(list(calls_of(LOG).values())) for number in numbers)


def test_each_source_is_told_by_its_content():
    told = {}
    for name in (LOG, CEL, AMI, CDR):
        tally = Tally()
        with (FOLDER / name).open(encoding="utf-8") as lines:
            next(read_records(lines, zone=SEOUL, tally=tally))
        told[name] = tally.source
    assert told == {LOG: Source.QUEUE_LOG, CEL: Source.CEL, AMI: Source.AMI, CDR: Source.CDR}
