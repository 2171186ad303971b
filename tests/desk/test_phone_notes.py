from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from hub.desk.access import Actor
from hub.desk.cases.case import NotFoundError
from hub.desk.phone.calls import PhoneCalls
from hub.desk.phone.notes import NoteError, end_rest, flag_abuse, note_topic, read_rest, send_notes
from hub.desk.phone.pop import read_pop
from hub.desk.phone.topics import TOPICS, is_topic
from hub.settings import Settings
from hub.store.tables import call_notes, live_calls
from ivr.phone import LiveKind
from ivr.topics import ASSIST_TOPICS, line_of_topic
from tests.desk.invented import Rig
from tests.desk.test_phone_calls import ROUTES, told, with_phone
from tests.telephony.fake_ami import SECRET, USER, FakeAmi


@pytest.fixture
async def pbx() -> AsyncIterator[FakeAmi]:
    async with FakeAmi() as fake:
        yield fake


@pytest.fixture
async def call_id(rig: Rig, agent: Actor, pbx: FakeAmi) -> int:
    """A call that the agent speaks on."""
    rig.settings = Settings(
        ami_host="127.0.0.1",
        ami_port=pbx.port,
        ami_user=USER,
        ami_secret=SecretStr(SECRET),
        ami_name="main",
        ami_phone="IAX2/{member}",
    )
    await with_phone(rig, agent)
    calls = PhoneCalls(rig, pbx="main", routes=ROUTES)
    await calls.apply(told(LiveKind.RINGING, queue="cafe24_order"))
    await calls.apply(told(LiveKind.ANSWERED, queue="cafe24_order"))
    async with rig.database.reading() as connection:
        return int(await connection.scalar(select(live_calls.c.id)) or 0)


async def end(rig: Rig) -> None:
    await PhoneCalls(rig, pbx="main", routes=ROUTES).apply(told(LiveKind.ENDED))


async def note_of(rig: Rig) -> Any:
    async with rig.database.reading() as connection:
        return (await connection.execute(select(call_notes))).one()


def test_the_tree_is_two_digits_deep_and_counts_as_the_lines_do() -> None:
    assert len(TOPICS) <= 9
    assert all(0 < len(reasons) <= 9 for reasons in TOPICS.values())
    topics = [f"{matter}.{reason}" for matter, reasons in TOPICS.items() for reason in reasons]
    assert all(is_topic(topic) for topic in topics)
    assert {topic for topic in topics if line_of_topic(topic) == "order"} >= {
        topic for topic in ASSIST_TOPICS if topic.startswith("order_help.")
    }


async def test_a_topic_is_kept_and_told_to_the_exchange(rig: Rig, agent: Actor, pbx: FakeAmi, call_id: int) -> None:
    await end(rig)
    await note_topic(rig, actor=agent, call_id=call_id, topic="order_help.web_error")
    (written,) = pbx.orders("QueueLog")
    assert (written["UniqueID"], written["Queue"], written["Event"]) == ("100.1", "cafe24_order", "DISPOSITION")
    assert (written["Interface"], written["Message"]) == ("agent1001", "order_help.web_error")
    assert (await note_of(rig)).sent_at is not None
    assert await read_pop(rig, actor=agent) is None, "nothing more is asked of this call"


async def test_a_topic_noted_while_talking_leaves_the_call_on_the_screen(rig: Rig, agent: Actor, call_id: int) -> None:
    await note_topic(rig, actor=agent, call_id=call_id, topic="delivery.late")
    pop = await read_pop(rig, actor=agent)
    assert pop is not None
    assert pop.call.state == "talking"
    await end(rig)
    assert await read_pop(rig, actor=agent) is None, "nobody is asked twice"


async def test_an_exchange_that_is_away_is_told_later(rig: Rig, agent: Actor, pbx: FakeAmi, call_id: int) -> None:
    pbx.refused.add("QueueLog")
    await note_topic(rig, actor=agent, call_id=call_id, topic="delivery.late")
    assert (await note_of(rig)).sent_at is None
    assert await send_notes(rig) == 0
    pbx.refused.clear()
    assert await send_notes(rig) == 1
    assert await send_notes(rig) == 0
    assert (await note_of(rig)).topic == "delivery.late"


async def test_the_last_word_counts(rig: Rig, agent: Actor, call_id: int) -> None:
    for topic in ("delivery.late", "cancel.asks_cancel"):
        await note_topic(rig, actor=agent, call_id=call_id, topic=topic)
    assert (await note_of(rig)).topic == "cancel.asks_cancel"


@pytest.mark.parametrize("topic", ["", "delivery", "delivery.web_error", "x|y.z", "delivery.late\nEvent: X"])
async def test_only_topics_of_the_tree_are_noted(rig: Rig, agent: Actor, call_id: int, topic: str) -> None:
    with pytest.raises(NoteError):
        await note_topic(rig, actor=agent, call_id=call_id, topic=topic)


async def test_nobody_notes_the_call_of_another(rig: Rig, supervisor: Actor, call_id: int) -> None:
    with pytest.raises(NotFoundError):
        await note_topic(rig, actor=supervisor, call_id=call_id, topic="delivery.late")
    with pytest.raises(NotFoundError):
        await flag_abuse(rig, actor=supervisor, call_id=call_id, text="", ends=True)


async def test_abuse_ends_the_call_keeps_evidence_and_gives_a_rest(
    rig: Rig, agent: Actor, pbx: FakeAmi, call_id: int
) -> None:
    await flag_abuse(rig, actor=agent, call_id=call_id, text="욕설을 반복함", ends=True)
    assert pbx.orders("Hangup")[0]["Channel"] == "IAX2/trunk-1"
    assert pbx.orders("QueuePause")[0]["Reason"] == "rest-after-abuse"
    note = await note_of(rig)
    assert (note.is_abuse, note.topic) == (True, "abuse")
    assert line_of_topic(note.topic) is None, "it counts for neither line"
    assert "욕설".encode() not in note.text_sealed
    assert await read_rest(rig, actor=agent) is not None
    await end_rest(rig, actor=agent)
    assert await read_rest(rig, actor=agent) is None
    assert pbx.orders("QueuePause")[-1]["Paused"] == "false"


async def test_the_mark_stands_though_the_exchange_fails(rig: Rig, agent: Actor, pbx: FakeAmi, call_id: int) -> None:
    await pbx.stop()
    with pytest.raises(NoteError, match="not_ended"):
        await flag_abuse(rig, actor=agent, call_id=call_id, text="", ends=True)
    assert (await note_of(rig)).is_abuse
    await pbx.start()
