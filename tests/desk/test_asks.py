"""Whom an agent asks is told what the answer needs and nobody's data beyond that; once, timed, and not forgotten."""

import asyncio
import re
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import select, update

from hub.core.model import Address, ClaimKind, InquiryKind, Party
from hub.desk.access import Actor, Role
from hub.desk.access_log import read_access_log
from hub.desk.asks import sending as ask_sending
from hub.desk.asks.asking import (
    AskError,
    answer_as_agent,
    answer_by_link,
    find_by_link,
    mark_read,
    send_again,
    withdraw,
)
from hub.desk.asks.contact import contact_card
from hub.desk.asks.panel import read_ask_panel
from hub.desk.asks.sending import MOST_TRIES, shops_with_asks, tend
from hub.desk.asks.text import CHOICES, LANGUAGES, Answer, WrongAnswerError, leaks, prepared_text, read_answer
from hub.desk.asks.views import open_body
from hub.desk.asks.waiting import list_waiting
from hub.desk.cases.case import NotFoundError, read_case
from hub.desk.sending import ChannelError, post_document
from hub.desk.users import create_user
from hub.desk.views import AskView
from hub.desk.worklist.rows import Filters, read_worklist
from hub.store.tables import asks, cases, users
from routing.chain import Matter
from tests.desk.asking import RULES, Mailbox, give_people, put
from tests.desk.invented import BUYER, NOW, Rig, claim, inquiry, line, order

#: 김민지 is the customer of A-2
PRIVATE = ("홍길동", "010-1234-5678", "hong@example.com", "hong1234", "테헤란로", "강남파이낸스센터", "김민지")
_LINK = re.compile(r"https://desk\.example/answers/([\w-]+)")


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    box = Mailbox()
    monkeypatch.setattr(ask_sending, "MailSender", lambda _settings: box)
    return box


@pytest.fixture
async def asked(sample: Rig) -> Rig:
    give_people(sample)
    return sample


@pytest.fixture
async def faulty(asked: Rig) -> int:
    """The case of a faulty wallet that lies at the warehouse firm."""
    return await asked.case_id("alpha-main", order_no="A-2")


async def _asks(rig: Rig, actor: Actor, case_id: int) -> tuple[AskView, ...]:
    return (await read_case(rig, actor=actor, case_id=case_id)).dossier.asks


async def _row(rig: Rig, ask_id: int) -> Any:
    async with rig.database.reading() as connection:
        return (await connection.execute(select(asks).where(asks.c.id == ask_id))).one()


async def _secret(rig: Rig, ask_id: int) -> str:
    secret = open_body(rig.database.box, (await _row(rig, ask_id)).text_sealed).secret
    assert secret is not None
    return secret


async def _answer(rig: Rig, ask_id: int, **answer: Any) -> bool:
    row = await find_by_link(rig, await _secret(rig, ask_id))
    return row is not None and await answer_by_link(rig, row, Answer(**answer))


# What is told.


@pytest.mark.parametrize("order_no", ["A-1", "A-2", "J-1"])
async def test_a_prepared_text_has_what_the_contact_needs_and_nobody_in_it(asked: Rig, agent: Actor, order_no: str):
    """In every language about every matter."""
    shop = "japan-main" if order_no == "J-1" else "alpha-main"
    case = await read_case(asked, actor=agent, case_id=await asked.case_id(shop, order_no=order_no))

    for matter, language in product(Matter, LANGUAGES):
        text = prepared_text(case, matter=matter, language=language, parties=(BUYER,))

        assert order_no in text
        assert {"A-1": "린넨 오버핏", "A-2": "가죽 지갑", "J-1": "保湿化粧水"}[order_no] in text
        assert "SKU-1" in text
        assert ("688012345678" in text) is (order_no == "A-2")
        assert [datum for datum in (*PRIVATE, "山田", "1234") if datum in text.replace("688012345678", "")] == []


async def test_only_the_lines_that_the_case_is_about_are_named(asked: Rig, agent: Actor):
    case = await read_case(asked, actor=agent, case_id=await asked.case_id("alpha-main", order_no="A-1"))

    text = prepared_text(case, matter=Matter.STOCK, language="ko")

    assert "블루 / L" in text
    assert "양말" not in text


async def test_what_the_customer_wrote_is_told_without_who_wrote_it(asked: Rig, agent: Actor):
    wrote = (
        "저는 홍 길동입니다. 010-1234-5678, hong@example.com 으로 주세요. 강남파이낸스센터 12층이에요. 소매 길이는요?"
    )
    await asked.write(
        "alpha-main", inquiry("Q-9", wrote, kind=InquiryKind.PRODUCT_INQUIRY, product_name="린넨 셔츠", writer=BUYER)
    )
    case = await read_case(asked, actor=agent, case_id=await asked.case_id("alpha-main", thread_no="Q-9"))

    text = prepared_text(case, matter=Matter.PRODUCT_DETAIL, language="ko", parties=(BUYER,))

    assert "소매 길이는요?" in text
    assert leaks(text, (BUYER,)) == ()
    assert "길동" not in text


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("홍길동 고객 건입니다", ("name",)),
        ("홍 길동 님", ("name",)),
        ("01012345678로 전화", ("phone",)),
        ("+82 10-1234-5678", ("phone",)),
        ("０１０－１２３４－５６７８", ("phone",)),
        ("HONG@example.com", ("email",)),
        ("서울특별시 강남구 테헤란로 152 로 보냈습니다", ("address",)),
        ("강남파이낸스센터12층", ("address",)),
        ("주문번호 A-1, 송장 688012345678 확인 부탁드립니다", ()),
    ],
)
async def test_a_text_with_the_customers_data_in_it_is_not_sent(
    asked: Rig, agent: Actor, typed: str, found: tuple[str, ...]
):
    assert leaks(typed, (BUYER,)) == found
    case_id = await asked.case_id("alpha-main", order_no="A-1")
    asking = put(asked, agent, case_id, "hanbit", way="call", text=typed)
    if not found:
        assert await asking
        return
    with pytest.raises(AskError) as raised:
        await asking
    assert (raised.value.key, raised.value.detail) == ("notice.ask_leak", ",".join(found))
    assert await _asks(asked, agent, case_id) == ()


@pytest.mark.parametrize("matter", Matter)
@pytest.mark.parametrize("reason", ["", "배송 확인"], ids=["masked", "in the clear"])
async def test_the_receiver_goes_to_logistics_for_a_missing_parcel_alone(
    asked: Rig, agent: Actor, supervisor: Actor, mailbox: Mailbox, matter: Matter, reason: str
):
    """Every matter and everybody in its chain; also what is stored and what the log says."""
    await asked.write(
        "alpha-main",
        order("A-7", line("A-7-1", name="시계", code="P3"), claims=(claim("A-7", "A-7-1", kind=ClaimKind.RETURN),)),
    )
    case_id = await asked.case_id("alpha-main", order_no="A-7")
    card = await contact_card(asked, actor=agent, case_id=case_id, matter=matter)
    assert card is not None

    for person in card.chain:
        assert person.key is not None
        way = "mail" if person.email else "webhook" if person.key == "byul" else "call"
        await put(asked, agent, case_id, person.key, matter=matter, way=way, reason=reason)
    await tend(asked, transport=mailbox.chat)

    needs = matter is Matter.MISSING_PARCEL
    texts = [str(letter["Subject"]) + letter.get_content() for letter in mailbox.letters]
    texts += [post["text"] for post in mailbox.posts]
    told = {datum for datum in PRIVATE for text in texts if datum in text}
    assert told == ({"홍길동", "010-1234-5678", "테헤란로", "강남파이낸스센터"} if needs and reason else set())
    assert any("홍•동" in text for text in texts) is (needs and not reason)
    log = await read_access_log(asked, actor=supervisor)
    given = [entry.reason for entry in log.entries if entry.action == "ask"]
    assert given == ([reason or "masked"] if needs else [])


async def test_a_japanese_partner_is_asked_in_japanese(asked: Rig, agent: Actor, mailbox: Mailbox):
    case_id = await asked.case_id("japan-main", order_no="J-1")

    await put(asked, agent, case_id, "tokyo", matter=Matter.STOCK)
    await tend(asked)

    (letter,) = mailbox.letters
    assert letter["To"] == "佐藤 健 <sato@example.com>"
    assert "在庫のお問い合わせ J-1" in letter["Subject"]
    assert "下記商品の在庫" in letter.get_content()
    assert "山田" not in letter.get_content()


async def test_words_and_answers_stand_in_no_column_in_the_clear(
    asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox
):
    ask_id = await put(asked, agent, faulty, "hanul", text="지갑 봉제선이 터졌습니다")
    secret = await _secret(asked, ask_id)
    await _answer(asked, ask_id, choice="refund_ok", text="환불 부탁드려요")

    stored = "".join(str(value) for value in await _row(asked, ask_id))

    assert [word for word in ("봉제선", "환불", "refund_ok", secret) if word in stored] == []


# Once, and only whom the chain names.


async def test_a_form_that_is_sent_twice_asks_once(asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox):
    first, second = await asyncio.gather(*(put(asked, agent, faulty, "hanul", token="same") for _ in range(2)))
    third = await put(asked, agent, faulty, "hanul", token="same")
    await asyncio.gather(*(tend(asked) for _ in range(3)))

    assert first == second == third
    assert len(mailbox.letters) == 1


@pytest.mark.parametrize(
    ("order_no", "contact", "key"),
    [
        ("A-2", "hanbit", "notice.ask_not_in_chain"),
        ("A-2", "nobody", "notice.ask_not_in_chain"),
        ("A-1", "hanbit", "notice.ask_no_way"),
    ],
    ids=["partner of other goods", "nobody", "no e-mail"],
)
async def test_nobody_outside_the_chain_is_asked(asked: Rig, agent: Actor, order_no: str, contact: str, key: str):
    with pytest.raises(AskError) as raised:
        await put(asked, agent, await asked.case_id("alpha-main", order_no=order_no), contact)

    assert raised.value.key == key


async def test_a_partner_is_not_asked_about_goods_of_our_own(asked: Rig, agent: Actor):
    await asked.write(
        "alpha-main",
        order("A-8", line("A-8-1", name="모자", code="P4"), claims=(claim("A-8", "A-8-1"),)),
    )
    case_id = await asked.case_id("alpha-main", order_no="A-8")

    for matter in Matter:
        with pytest.raises(AskError, match="ask_not_in_chain"):
            await put(asked, agent, case_id, "daon", matter=matter)


@pytest.mark.parametrize("text", ["", "  \n ", "가" * 4001], ids=["empty", "blank", "too long"])
async def test_an_empty_or_endless_text_is_refused(asked: Rig, agent: Actor, faulty: int, text: str):
    with pytest.raises(AskError, match="ask_text_length"):
        await put(asked, agent, faulty, "hanul", text=text)


# Sending.


async def test_a_letter_carries_the_question_and_a_link_that_ends(
    asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox
):
    ask_id = await put(asked, agent, faulty, "hanul", text="봉제선이 터졌습니다.\r\n\u202e어떻게 할까요?")

    done = await tend(asked)

    (letter,) = mailbox.letters
    assert (done.sent, done.failed) == (1, 0)
    assert letter["Subject"] == "[alpha-main] 상품 이상 문의 A-2"
    assert letter["Message-ID"] == f"<ask-{ask_id}-question@hub.invalid>"
    assert "봉제선이 터졌습니다.\n 어떻게 할까요?" in letter.get_content()
    assert _LINK.search(letter.get_content())
    assert "2026-11-23 14:00 (한국 시각)" in letter.get_content()
    (sent,) = await _asks(asked, agent, faulty)
    assert (sent.sent_at, sent.next_send_at, sent.send_error) == (NOW, None, None)


async def test_without_a_public_address_there_is_no_link(asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox):
    asked.settings = asked.settings.model_copy(update={"public_url": None})

    ask_id = await put(asked, agent, faulty, "hanul")
    await tend(asked)

    assert "answers/" not in mailbox.text()
    assert "회신" in mailbox.text()
    assert (await _row(asked, ask_id)).link_hash is None


async def test_what_is_not_taken_is_tried_again_later_and_shown(
    asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox
):
    mailbox.trouble = "SMTPServerDisconnected"
    await put(asked, agent, faulty, "hanul")

    assert (await tend(asked)).failed == 1
    assert (await tend(asked)).failed == 0
    (failed,) = await _asks(asked, agent, faulty)
    assert (failed.send_error, failed.next_send_at) == ("SMTPServerDisconnected", NOW + timedelta(minutes=2))
    mailbox.trouble = None
    asked.at = NOW + timedelta(minutes=2)
    assert (await tend(asked)).sent == 1
    (sent,) = await _asks(asked, agent, faulty)
    assert (sent.sent_at, sent.send_error) == (asked.at, None)


async def test_an_agent_may_try_at_once_what_failed(asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox):
    mailbox.trouble = "TimeoutError"
    ask_id = await put(asked, agent, faulty, "hanul")
    await tend(asked)
    mailbox.trouble = None

    await send_again(asked, actor=agent, case_id=faulty, ask_id=ask_id)
    await tend(asked)

    assert len(mailbox.letters) == 1
    with pytest.raises(NotFoundError):
        await send_again(asked, actor=agent, case_id=faulty, ask_id=ask_id)


async def test_who_cannot_be_reached_at_all_is_passed_over(asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox):
    """On a wide-open contact, so that its hours do not pass it on before the tries end."""
    give_people(asked, _endless_patience())
    mailbox.trouble = "SMTPRecipientsRefused"
    ask_id = await put(asked, agent, faulty, "hanul")

    for _ in range(MOST_TRIES):
        await tend(asked)
        row = await _row(asked, ask_id)
        asked.at = datetime.fromtimestamp((row.send_at or row.escalate_at) / 1000, UTC)
    mailbox.trouble = None
    done = await tend(asked, transport=mailbox.chat)

    assert done.passed_on == 1
    assert (await _row(asked, ask_id)).state == "escalated"
    assert [ask.contact_key for ask in await _asks(asked, agent, faulty)] == ["hanul", "byul"]


def _endless_patience() -> str:
    return RULES.replace("escalate_minutes = 60", "escalate_minutes = 9000")


@pytest.mark.parametrize(
    "url",
    ["http://chat.example/h", "https://chat.example/h"],
    ids=["not encrypted", "redirects"],
)
async def test_a_webhook_goes_to_safe_addresses_and_nowhere_else(
    url: str,
):
    seen: list[str] = []

    def redirect(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(302, headers={"location": "http://169.254.169.254/latest"})

    with pytest.raises(ChannelError) as raised:
        await post_document(url, {"text": "hi"}, transport=httpx.MockTransport(redirect))

    assert (raised.value.kind, seen) == (("UnsafeAddress", []) if url.startswith("http:") else ("HTTP302", [url]))
    assert url not in str(raised.value)


# Time: reminders and the next in the chain.


@pytest.mark.parametrize(
    ("asked_at", "reminded_at", "passed_at"),
    [
        ("2026-11-20 10:00", "2026-11-20 10:30", "2026-11-20 11:00"),
        ("2026-11-20 11:50", "2026-11-20 13:20", "2026-11-20 13:50"),
        ("2026-11-20 17:45", "2026-11-23 09:15", "2026-11-23 09:45"),
        ("2026-11-21 12:00", "2026-11-23 09:30", "2026-11-23 10:00"),
        ("2026-12-31 17:30", "2026-12-31 18:00", "2027-01-04 09:30"),
    ],
    ids=["in hours", "over lunch", "over the weekend", "on Saturday", "over New Year"],
)
async def test_a_contact_is_reminded_once_and_then_the_next_is_asked(
    asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox, asked_at: str, reminded_at: str, passed_at: str
):
    def seoul(text: str) -> datetime:
        return datetime.fromisoformat(f"{text}+09:00").astimezone(UTC)

    asked.at = seoul(asked_at)
    await put(asked, agent, faulty, "hanul")
    await tend(asked)

    asked.at = seoul(reminded_at) - timedelta(minutes=1)
    assert (await tend(asked)).reminded == 0
    asked.at = seoul(reminded_at)
    assert [shop.name for shop in await shops_with_asks(asked.database, now=asked.at)] == ["alpha-main"]
    done = await asyncio.gather(*(tend(asked) for _ in range(3)))
    assert sum(each.reminded for each in done) == 1
    assert [str(letter["Subject"])[:7] for letter in mailbox.letters] == ["[alpha-", "[다시 알림]"]
    assert mailbox.letters[0]["Message-ID"] != mailbox.letters[1]["Message-ID"]
    assert _LINK.findall(mailbox.text(0)) == _LINK.findall(mailbox.text(1))

    asked.at = seoul(passed_at) - timedelta(minutes=1)
    assert (await tend(asked)).passed_on == 0
    asked.at = seoul(passed_at)
    done = await asyncio.gather(*(tend(asked) for _ in range(3)))
    assert sum(each.passed_on for each in done) == 1
    first, second = await _asks(asked, agent, faulty)
    assert (first.state, second.state, second.contact_key, second.follows_id) == (
        "escalated",
        "open",
        "daon",
        first.ask_id,
    )
    assert "윤하늘 님께 먼저 여쭈었으나" in mailbox.text()


async def test_it_goes_on_to_the_deputy_and_the_md_and_ends_there(
    asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox
):
    await put(asked, agent, faulty, "hanul")
    for _ in range(200):
        await tend(asked, transport=mailbox.chat)
        asked.at += timedelta(minutes=30)

    found = await _asks(asked, agent, faulty)
    assert [(ask.contact_key, ask.channel, ask.state) for ask in found] == [
        ("hanul", "mail", "escalated"),
        ("daon", "mail", "escalated"),
        ("byul", "webhook", "escalated"),
        ("minseo", "call", "open"),
    ]
    assert await shops_with_asks(asked.database, now=asked.at) == []


async def test_a_deputy_is_asked_where_the_chain_has_nobody_behind(
    asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox
):
    await put(asked, agent, faulty, "hanul", matter=Matter.DISPATCH_DELAY)
    asked.at += timedelta(hours=2)
    await tend(asked, transport=mailbox.chat)

    assert [post["url"] for post in mailbox.posts] == ["https://chat.example/hooks/byul"]
    assert "[답변 대기]" in mailbox.posts[0]["text"]
    assert mailbox.posts[0]["event"] == "ask"


@pytest.mark.parametrize(
    ("more", "asked_of"),
    [
        ({"is_hot_line": True}, {"daon": "mail", "minseo": "call", "hanul": "mail"}),
        ({"is_hot_line": False}, {"daon": "mail"}),
        ({"is_hot_line": True, "way": "call"}, {"daon": "call"}),
        ({"is_hot_line": True, "matter": Matter.DEFECT}, {"daon": "mail"}),
    ],
    ids=["all", "unticked", "by telephone", "no hot line"],
)
async def test_a_hot_line_is_asked_at_once(
    asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox, more: dict[str, Any], asked_of: dict[str, str]
):
    asked.at = datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("Asia/Seoul"))
    for _ in range(2):  # the same form, sent twice
        await put(asked, agent, faulty, "daon", **({"matter": Matter.HARD_CASE} | more))
    async with asked.database.reading() as connection:
        rows = (await connection.execute(select(asks))).all()

    assert {row.contact_key: row.channel for row in rows} == asked_of
    assert len(rows) == len(asked_of)
    assert (await tend(asked)).sent == [*asked_of.values()].count("mail") == len(mailbox.letters)


async def test_of_a_hot_line_nobody_is_asked_twice_and_unmasked_data_go_to_one(asked: Rig, agent: Actor, faulty: int):
    asked.at = datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("Asia/Seoul"))
    await put(asked, agent, faulty, "daon", matter=Matter.HARD_CASE)
    ask_id = await put(asked, agent, faulty, "hanul", matter=Matter.HARD_CASE, is_hot_line=True, reason="수령지 확인")
    async with asked.database.reading() as connection:
        rows = (await connection.execute(select(asks))).all()
    bodies = {row.contact_key: open_body(asked.database.box, row.text_sealed) for row in rows}

    assert sorted(bodies) == ["daon", "hanul", "minseo"]
    assert len(rows) == 3
    assert (await _row(asked, ask_id)).contact_key == "hanul"
    assert [key for key, body in bodies.items() if not body.is_masked] == ["hanul"]


async def test_unmasked_data_are_not_passed_on(asked: Rig, agent: Actor, mailbox: Mailbox):
    await asked.write(
        "alpha-main",
        order("A-7", line("A-7-1", name="시계", code="P3"), claims=(claim("A-7", "A-7-1", kind=ClaimKind.RETURN),)),
    )
    case_id = await asked.case_id("alpha-main", order_no="A-7")
    await put(asked, agent, case_id, "hanul", matter=Matter.MISSING_PARCEL, reason="배송 확인")
    asked.at += timedelta(hours=2)
    await tend(asked, transport=mailbox.chat)

    (post,) = mailbox.posts
    assert [datum for datum in PRIVATE if datum in post["text"]] == []
    assert "홍•동" in post["text"]


async def test_a_closed_case_asks_nobody_any_more(asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox):
    await put(asked, agent, faulty, "hanul")
    async with asked.database.writing() as connection:
        await connection.execute(update(cases).where(cases.c.id == faulty).values(is_open=False))
    asked.at += timedelta(days=3)

    assert await shops_with_asks(asked.database, now=asked.at) == []
    assert (await tend(asked)).sent == 0


# Answers.


async def test_an_answer_by_link_is_timed_by_opening_hours_and_unread_until_the_owner_looks(
    asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox
):
    asked.at = datetime(2026, 11, 20, 2, 50, tzinfo=UTC)  # 11:50 in Seoul
    ask_id = await put(asked, agent, faulty, "hanul")
    await tend(asked)
    asked.at += timedelta(minutes=85)  # 13:15: ten minutes before lunch and fifteen after it

    assert await _answer(asked, ask_id, choice="refund_ok", text="검수 결과 불량입니다")

    case = await read_case(asked, actor=agent, case_id=faulty)
    (told,) = case.dossier.asks
    assert (told.choice, told.answer, told.answer_minutes, told.is_unread) == (
        "refund_ok",
        "검수 결과 불량입니다",
        25,
        True,
    )
    rows = (await read_worklist(asked, actor=agent, filters=Filters())).rows
    mark = next(row.ask for row in rows if row.case_id == faulty)
    assert mark is not None
    assert (mark.role, mark.is_answered) == ("logistics", True)
    await mark_read(asked, actor=agent, case=case)
    assert not (await _asks(asked, agent, faulty))[0].is_unread
    entries = [entry.key for entry in case.dossier.timeline if entry.key.startswith("event.ask")]
    assert entries == ["event.ask_mail", "event.ask_answered_link"]


async def test_the_answer_changes_until_it_was_read(asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox):
    ask_id = await put(asked, agent, faulty, "hanul")
    await tend(asked)
    asked.at += timedelta(minutes=5)
    assert await _answer(asked, ask_id, choice="refund_ok")
    seen = await read_case(asked, actor=agent, case_id=faulty)
    asked.at += timedelta(minutes=5)
    assert await _answer(asked, ask_id, choice="exchange_ok")

    # What the agent has on screen is not the newest: it stays unread.
    await mark_read(asked, actor=agent, case=seen)
    assert (await _asks(asked, agent, faulty))[0].is_unread
    await mark_read(asked, actor=agent, case=await read_case(asked, actor=agent, case_id=faulty))

    assert not await _answer(asked, ask_id, choice="not_defect")
    (told,) = await _asks(asked, agent, faulty)
    assert (told.choice, told.answer_minutes) == ("exchange_ok", 5)


async def test_a_colleague_who_looks_does_not_read_for_the_owner(
    asked: Rig, agent: Actor, supervisor: Actor, faulty: int, mailbox: Mailbox
):
    await create_user(asked.database, login="own", name="담당", role=Role.AGENT, password="correct horse", at=NOW)
    owner = select(users.c.id).where(users.c.login == "own").scalar_subquery()
    ask_id = await put(asked, agent, faulty, "hanul")
    async with asked.database.writing() as connection:
        await connection.execute(update(cases).where(cases.c.id == faulty).values(assignee_id=owner))
    await _answer(asked, ask_id, choice="refund_ok")

    await mark_read(asked, actor=supervisor, case=await read_case(asked, actor=supervisor, case_id=faulty))

    assert (await _asks(asked, agent, faulty))[0].is_unread


@pytest.mark.parametrize("how", ["forged", "expired", "withdrawn"])
async def test_a_link_that_is_not_valid_finds_nothing(
    asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox, how: str
):
    ask_id = await put(asked, agent, faulty, "hanul")
    secret = await _secret(asked, ask_id)
    assert await find_by_link(asked, secret) is not None
    if how == "forged":
        secret = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    elif how == "expired":
        asked.at = NOW + timedelta(hours=72)
    else:
        await withdraw(asked, actor=agent, case_id=faulty, ask_id=ask_id)

    assert await find_by_link(asked, secret) is None


async def test_a_link_answers_its_own_question_alone(asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox):
    one = await put(asked, agent, faulty, "hanul")
    other = await put(asked, agent, faulty, "daon")

    await _answer(asked, one, choice="refund_ok")

    assert [(ask.ask_id, ask.state) for ask in await _asks(asked, agent, faulty)] == [
        (one, "answered"),
        (other, "open"),
    ]


async def test_a_late_answer_to_a_question_that_was_passed_on_is_taken(
    asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox
):
    ask_id = await put(asked, agent, faulty, "hanul")
    asked.at += timedelta(hours=2)
    await tend(asked)

    assert await _answer(asked, ask_id, text="늦어서 죄송합니다")
    assert [ask.state for ask in await _asks(asked, agent, faulty)] == ["answered", "open"]


async def test_a_call_is_noted_with_its_answer_or_stays_open(asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox):
    await put(asked, agent, faulty, "hanul", way="call", answer="내일 검수한대요")
    open_id = await put(asked, agent, faulty, "daon", way="call")
    await tend(asked)
    assert mailbox.letters == []
    asked.at += timedelta(minutes=40)

    done, waiting = await _asks(asked, agent, faulty)
    assert (done.answer, done.state, done.is_unread) == ("내일 검수한대요", "answered", False)
    assert waiting.is_waiting
    await answer_as_agent(asked, actor=agent, case_id=faulty, ask_id=open_id, values={"text": "교환 가능"})
    told = (await _asks(asked, agent, faulty))[1]
    assert (told.answer, told.answered_via, told.answer_minutes) == ("교환 가능", "agent", 40)


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({}, "wrong_empty"),
        ({"choice": "refund_ok"}, "wrong_empty"),
        ({"text": " \u200b\n"}, "wrong_empty"),
        ({"choice": "ships_on"}, "wrong_date"),
        ({"choice": "ships_on", "on": "tomorrow"}, "wrong_date"),
        ({"choice": "ships_on", "on": "2026-11-19"}, "wrong_past"),
        ({"text": "가" * 2001}, "wrong_long"),
    ],
)
def test_an_answer_that_says_nothing_is_refused(values: dict[str, str], wrong: str):
    with pytest.raises(WrongAnswerError) as raised:
        read_answer(values, matter=Matter.DISPATCH_DELAY, today=date(2026, 11, 20))

    assert raised.value.key == wrong


def test_an_answer_has_its_choice_day_and_words():
    read = read_answer(
        {"choice": "ships_on", "on": "2026-11-20", "text": "오후에요"},
        matter=Matter.DISPATCH_DELAY,
        today=date(2026, 11, 20),
    )

    assert read == Answer(choice="ships_on", on=date(2026, 11, 20), text="오후에요")
    assert set(CHOICES) == set(Matter)


# Lists.


async def test_the_list_says_whom_a_case_waits_for_since_the_first_question(
    asked: Rig, agent: Actor, faulty: int, mailbox: Mailbox
):
    await put(asked, agent, faulty, "hanul")
    asked.at += timedelta(hours=2)
    await tend(asked)

    rows = (await read_worklist(asked, actor=agent, filters=Filters())).rows

    marks = {row.case_id: row.ask for row in rows if row.ask is not None}
    assert {case_id: (mark.role, mark.since, mark.is_answered) for case_id, mark in marks.items()} == {
        faulty: ("partner", NOW, False)
    }
    (line_,) = [each for each in await list_waiting(asked, actor=agent) if each.state == "open"]
    assert (line_.contact, line_.order_no, line_.shop) == ("정다온", "A-2", "alpha-main")


async def test_the_panel_offers_each_contact_its_ways_and_its_language(asked: Rig, agent: Actor, faulty: int):
    case = await read_case(asked, actor=agent, case_id=faulty)
    card = await contact_card(asked, actor=agent, case_id=faulty, matter=Matter.DEFECT)

    panel = await read_ask_panel(asked, actor=agent, case=case, card=card, matter=Matter.DEFECT)

    assert {key: (offer.ways, offer.language) for key, offer in panel.offers.items()} == {
        "hanul": (("mail", "call"), "ko"),
        "daon": (("mail", "call"), "ko"),
    }
    assert all(leaks(offer.text, (BUYER,)) == () for offer in panel.offers.values())
    assert "송장: CJ대한통운 688012345678" in panel.offers["hanul"].text


def test_a_name_in_another_spelling_is_still_a_name():
    party = Party(name="Kim Minji", address=Address(base="서울 중구 세종대로 110", detail="101동 1203호"))

    assert leaks("KIM  MINJI", (party,)) == ("name",)
    assert leaks("101동1203호", (party,)) == ("address",)
    assert leaks("아무것도 없음", (Party(name="•", phone="010-••••-5678"),)) == ()


async def test_reasons_are_told_in_the_contacts_words(asked: Rig, agent: Actor, faulty: int):
    case = await read_case(asked, actor=agent, case_id=faulty)

    assert "접수 사유: 불량" in prepared_text(case, matter=Matter.DEFECT, language="ko")
    assert "Reason given: Defective" in prepared_text(case, matter=Matter.DEFECT, language="en")
