from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from hub.desk.access import Actor
from hub.desk.cases.case import NotFoundError, read_case
from hub.desk.phone.callbacks import callbacks_of_records, due_after, take_callback, tell_reached
from hub.desk.phone.calls import PhoneCalls
from hub.desk.phone.dialling import dial_case, owned_caller_id
from hub.desk.phone.notes import NoteError
from hub.settings import Settings
from hub.store.database import to_ms
from hub.store.sealed import CALLER_PLACE
from hub.store.tables import callbacks, calls, cases, dials
from ivr.check import load_spec
from ivr.hours import Calendar
from ivr.phone import LiveEvent, LiveKind
from ivr.spec import Spec
from tests.desk.invented import NOW, Rig
from tests.desk.test_phone_calls import told, with_phone
from tests.telephony.fake_ami import SECRET, USER, FakeAmi

SEOUL = ZoneInfo("Asia/Seoul")
WEEK = Calendar(weekly={"mon-fri": ("09:00-12:00", "13:00-18:00")})
NUMBER = "01099990000"


def demo_text() -> str:
    """The demo's spec, its first mall named as the invented one."""
    return Path("ivr/demo.yaml").read_text(encoding="utf-8").replace("cafe24", "alpha")


@pytest.fixture(scope="module")
def spec() -> Spec:
    return load_spec(demo_text(), source="demo")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "ivr.yaml").write_text(demo_text(), encoding="utf-8")
    return tmp_path


@pytest.fixture
async def pbx() -> AsyncIterator[FakeAmi]:
    async with FakeAmi() as fake:
        yield fake


def wish(call_id: str = "1.1", *, caller: str = NUMBER) -> LiveEvent:
    return told(LiveKind.CALLBACK, "", call_id=call_id, caller=caller)


async def open_cases(rig: Rig) -> list[int]:
    async with rig.database.reading() as connection:
        return list(await connection.scalars(select(cases.c.id).where(cases.c.kind == "call", cases.c.is_open)))


@pytest.mark.parametrize(
    ("asked", "minutes", "due"),
    [
        ("2026-11-20T14:00", 60, "2026-11-20T15:00"),
        ("2026-11-20T11:30", 60, "2026-11-20T13:30"),  # over lunch
        ("2026-11-20T17:30", 60, "2026-11-23T09:30"),  # over the week's end
        ("2026-11-21T10:00", 60, "2026-11-23T10:00"),
        ("2026-11-20T06:00", 180, "2026-11-20T12:00"),
        ("2026-11-20T09:00", 600, "2026-11-23T11:00"),
    ],
)
def test_only_opening_time_counts(asked: str, minutes: int, due: str) -> None:
    at = datetime.fromisoformat(asked).replace(tzinfo=SEOUL)
    assert due_after(WEEK, at, minutes=minutes, zone=SEOUL) == datetime.fromisoformat(due).replace(tzinfo=SEOUL)


def test_a_calendar_that_never_opens_ends_the_waiting() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    assert due_after(Calendar(weekly={}), at, minutes=60, zone=SEOUL) == at + timedelta(minutes=60)


async def test_a_wish_becomes_a_case_with_a_due_time(rig: Rig, agent: Actor, spec: Spec) -> None:
    await take_callback(rig, spec, wish())
    (case_id,) = await open_cases(rig)
    view = await read_case(rig, actor=agent, case_id=case_id)
    assert (view.row.kind, view.row.mark.mall) == ("call", "alpha")
    assert view.row.due is not None
    assert view.row.due.at > NOW
    assert NUMBER not in repr(view)


async def test_one_number_waits_once(rig: Rig, agent: Actor, spec: Spec) -> None:
    for call_id, number in (("1.1", NUMBER), ("1.1", NUMBER), ("1.2", "82" + NUMBER[1:]), ("1.3", "01011112222")):
        await take_callback(rig, spec, wish(call_id, caller=number))
    assert len(await open_cases(rig)) == 2
    async with rig.database.reading() as connection:
        assert sorted(await connection.scalars(select(callbacks.c.asked))) == [1, 2]
    await tell_reached(rig, actor=agent, case_id=(await open_cases(rig))[0], is_reached=True)
    await take_callback(rig, spec, wish("1.4"))
    assert len(await open_cases(rig)) == 2, "a new wish after the old one was met"


async def test_a_wish_without_a_number_is_no_case(rig: Rig, spec: Spec) -> None:
    await take_callback(rig, spec, wish(caller=""))
    assert await open_cases(rig) == []


async def record(rig: Rig, call_id: str, *, result: str = "callback_requested", mall: str = "alpha") -> None:
    """A wish as the records tell it."""
    sealed = rig.database.box.seal(NUMBER.encode(), CALLER_PLACE)
    row = {"call_id": call_id, "mall": mall, "line": "order", "result": result, "callback_at": to_ms(NOW)}
    rest = {"entered_at": to_ms(NOW), "is_short_abandon": False, "is_transferred": False, "content_hash": b"x"}
    async with rig.database.writing() as connection:
        await connection.execute(calls.insert().values(**row, **rest, caller_sealed=sealed))


async def asked(rig: Rig) -> list[int]:
    async with rig.database.reading() as connection:
        return list(await connection.scalars(select(callbacks.c.asked)))


@pytest.mark.parametrize("result", ["callback_requested", "left_queue", "answered"])
async def test_wishes_in_the_records_are_found_once(rig: Rig, spec: Spec, result: str) -> None:
    await record(rig, "5.1", result=result)
    assert await callbacks_of_records(rig, spec) == 1
    assert await callbacks_of_records(rig, spec) == 0
    await take_callback(rig, spec, wish("5.1"))
    assert await asked(rig) == [1], "told live and recorded: one wish"


async def test_a_call_that_the_records_know_under_its_exchange_s_name_is_the_same(rig: Rig, spec: Spec) -> None:
    await take_callback(rig, spec, wish("5.1"))
    await record(rig, "seoul-5.1")
    await record(rig, "seoul-6.1")
    assert await callbacks_of_records(rig, spec) == 1, "of the second call"
    await take_callback(rig, spec, wish("6.1"))
    await take_callback(rig, spec, wish("7.1"))
    await record(rig, "seoul-7.1")
    assert await callbacks_of_records(rig, spec) == 0
    assert await asked(rig) == [3]


async def test_a_mall_of_another_spec_stops_no_other_wish(rig: Rig, spec: Spec) -> None:
    await record(rig, "8.1", mall="nobody")
    await record(rig, "9.1")
    assert await callbacks_of_records(rig, spec) == 1


async def test_tries_are_counted(rig: Rig, agent: Actor, spec: Spec) -> None:
    await take_callback(rig, spec, wish())
    (case_id,) = await open_cases(rig)
    await tell_reached(rig, actor=agent, case_id=case_id, is_reached=False)
    assert await open_cases(rig) == [case_id]
    await tell_reached(rig, actor=agent, case_id=case_id, is_reached=True)
    assert await open_cases(rig) == []
    async with rig.database.reading() as connection:
        row = (await connection.execute(select(callbacks))).one()
    assert (row.tries, row.first_tried_at, row.reached_at) == (2, to_ms(NOW), to_ms(NOW))
    with pytest.raises(NotFoundError):
        await tell_reached(rig, actor=agent, case_id=case_id, is_reached=True)


async def test_the_customer_is_called_under_the_malls_number(
    rig: Rig, agent: Actor, spec: Spec, pbx: FakeAmi, home: Path
) -> None:
    rig.settings = Settings(
        home=home, ami_host="127.0.0.1", ami_port=pbx.port, ami_user=USER, ami_secret=SecretStr(SECRET)
    )
    await with_phone(rig, agent)
    await take_callback(rig, spec, wish())
    (case_id,) = await open_cases(rig)
    dial_id = await dial_case(rig, actor=agent, case_id=case_id)
    (asked,) = pbx.orders("Originate")
    assert (asked["Channel"], asked["Exten"]) == ("PJSIP/agent1001", NUMBER)
    assert asked["CallerID"] in {"15880101", "15880102"}
    with pytest.raises(NoteError, match="foreign"):
        await dial_case(rig, actor=agent, case_id=case_id, caller_id="021112222")
    assert len(pbx.orders("Originate")) == 1, "nothing is dialled under another's number"
    done = LiveEvent(kind=LiveKind.DIALLED, at=0.0, reference=f"hub-{dial_id}", detail="answered")
    await PhoneCalls(rig, pbx="pbx", routes=None).apply(done)
    async with rig.database.reading() as connection:
        assert await connection.scalar(select(dials.c.state)) == "answered"


@pytest.mark.parametrize("number", ["15880201", "07000003001", "021112222", "", "x"])
def test_only_the_malls_own_numbers_are_shown(spec: Spec, number: str) -> None:
    with pytest.raises(NoteError):
        owned_caller_id(spec, "alpha", number)
