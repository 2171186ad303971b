"""What colleagues wrote, on cases and of calls, and the numbers of claims: found on both databases."""

import pytest
from sqlalchemy import select

from hub.desk.access import Actor, Role
from hub.desk.cases.notes import add_note
from hub.desk.phone.notes import flag_abuse
from hub.desk.search.box import SearchResult, search
from hub.desk.search.tending import take_all_in
from hub.desk.worklist.moves import Move, record_moves
from hub.store.database import to_ms
from hub.store.sealed import LIVE_CALLER_PLACE
from hub.store.search_index import SearchIndex
from hub.store.tables import calls, live_calls, orders, search_documents, search_queue, users
from tests.desk.invented import NOW, Rig, claim, inquiry, line, order

COLLEAGUE = Actor(user_id=13, login="park", name="박상담", role=Role.AGENT)


async def _call(rig: Rig, actor: Actor, *, phone: str | None = None) -> int:
    """A call that ``actor`` speaks on."""
    box = rig.database.box
    async with rig.database.writing() as connection:
        await connection.execute(
            users.insert().values(
                id=actor.user_id,
                login=actor.login,
                name=actor.name,
                password_hash="x",
                role=actor.role.value,
                locale="ko",
                is_active=True,
                failed_logins=0,
                created_at=0,
            )
        )
        await connection.execute(
            live_calls.insert().values(
                id=actor.user_id,
                pbx="main",
                call_id=f"{actor.user_id}.1",
                member=f"agent{actor.user_id}",
                user_id=actor.user_id,
                state="talking",
                leg="leg",
                queue="alpha_order",
                mall="alpha",
                line="order",
                caller_idx=box.blind("phone", phone) if phone else None,
                caller_sealed=box.seal(b"\x80", LIVE_CALLER_PLACE),
                rang_at=to_ms(NOW),
                updated_at=to_ms(NOW),
            )
        )
    return actor.user_id or 0


async def _search(rig: Rig, actor: Actor, text: str) -> SearchResult:
    return await search(rig, actor=actor, text=text)


async def test_a_note_of_a_call_is_found_by_who_wrote_it_and_by_supervisors(
    rig: Rig, agent: Actor, supervisor: Actor
) -> None:
    call_id = await _call(rig, agent, phone="+821012345678")
    said = "환불을 요구하며 욕설, 010-9876-5432 로 다시 건다고 함"
    await flag_abuse(rig, actor=agent, call_id=call_id, text=said, ends=False)
    await take_all_in(rig)

    for reader in (agent, supervisor):
        (note,) = (await _search(rig, reader, "욕설 환불")).calls
        assert (note.topic, note.agent, note.line, note.at) == ("abuse", "김상담", "order", NOW)
        assert note.mark is not None
        assert note.customer == f"call-{call_id}"
        assert note.text.startswith("환불을 요구하며 욕설")
        assert "9876" not in note.text
    assert (await _search(rig, COLLEAGUE, "욕설 환불")).calls == ()
    assert (await _search(rig, agent, "욕설 칭찬")).calls == ()


async def test_what_a_note_says_last_is_found(rig: Rig, agent: Actor) -> None:
    call_id = await _call(rig, agent)
    await flag_abuse(rig, actor=agent, call_id=call_id, text="욕설을 반복함", ends=False)
    await take_all_in(rig)
    await flag_abuse(rig, actor=agent, call_id=call_id, text="협박을 반복함", ends=False)
    await take_all_in(rig)

    assert (await _search(rig, agent, "욕설")).calls == ()
    (note,) = (await _search(rig, agent, "협박")).calls
    assert note.customer is None, "the caller withheld the number"


async def test_the_call_is_forgotten_and_its_note_leads_to_the_newest_order(rig: Rig, agent: Actor) -> None:
    """Calls in progress are kept for days, their notes and records for years."""
    await rig.write("alpha-main", order("C-1", line("C-1-1")))
    call_id = await _call(rig, agent, phone="+821012345678")
    await flag_abuse(rig, actor=agent, call_id=call_id, text="협박을 반복함", ends=False)
    async with rig.database.writing() as connection:
        row = (await connection.execute(select(orders.c.id, orders.c.buyer_phone_idx))).one()
        await connection.execute(live_calls.delete())
        await connection.execute(
            calls.insert().values(
                call_id=f"{agent.user_id}.1",
                mall="beta",
                line="inquiry",
                entered_at=to_ms(NOW),
                is_short_abandon=False,
                is_transferred=False,
                caller_idx=row.buyer_phone_idx,
                content_hash=b"",
            )
        )
    await take_all_in(rig)

    (note,) = (await _search(rig, agent, "협박")).calls

    assert (note.line, note.customer) == ("inquiry", f"order-{row.id}")


async def test_notes_on_a_case_and_words_at_its_hand_over_find_it(rig: Rig, agent: Actor) -> None:
    await rig.write("alpha-main", inquiry("N-1", "문의"), inquiry("N-2", "문의"))
    noted, handed = [await rig.case_id("alpha-main", thread_no=number) for number in ("N-1", "N-2")]
    await add_note(rig, actor=agent, case_id=noted, text="창고에 재고 확인 부탁")
    async with rig.database.writing() as connection:
        await record_moves(rig, connection, [handed], Move.HANDED, by_id=11, to_id=12, note="사진 기다리는 중")
        await record_moves(rig, connection, [noted], Move.TAKEN, by_id=11)
    async with rig.database.reading() as connection:
        queued = set(await connection.scalars(select(search_queue.c.source)))
    await take_all_in(rig)

    assert queued == {"inquiry", "case_note", "case_move"}
    assert [row.case_id for row in (await _search(rig, agent, "재고 확인")).cases] == [noted]
    assert [row.case_id for row in (await _search(rig, agent, "사진 기다")).cases] == [handed]


async def test_an_index_made_anew_knows_notes_and_queues_no_silent_rows(rig: Rig, agent: Actor) -> None:
    await rig.write("alpha-main", inquiry("N-1", "문의"))
    case_id = await rig.case_id("alpha-main", thread_no="N-1")
    async with rig.database.writing() as connection:
        await record_moves(rig, connection, [case_id], Move.TAKEN, by_id=11)
        await record_moves(rig, connection, [case_id], Move.HANDED, by_id=11, to_id=12, note="사진 기다리는 중")
    await flag_abuse(rig, actor=agent, call_id=await _call(rig, agent), text="욕설을 반복함", ends=False)

    await SearchIndex(rig.database).start_again(at=0)

    assert await take_all_in(rig) == 3
    async with rig.database.reading() as connection:
        sources = set(await connection.scalars(select(search_documents.c.source)))
    assert sources == {"inquiry", "case_move", "call_note"}
    assert len((await _search(rig, agent, "욕설")).calls) == 1


_NUMBERS = {"claim_no": "C20261120-0001", "collect_tracking_no": "688011112222", "reship_tracking_no": "688033334444"}


@pytest.mark.parametrize("what", _NUMBERS)
async def test_a_claim_is_found_by_its_number_and_by_its_parcels(rig: Rig, agent: Actor, what: str) -> None:
    await rig.write(
        "alpha-main",
        order("C-1", line("C-1-1"), claims=(claim("C-1", "C-1-1", **_NUMBERS),)),
        order("C-2", line("C-2-1"), claims=(claim("C-2", "C-2-1", claim_no="C20261120-0002"),)),
        inquiry("N-1", "문의", order_no="C-1"),
    )
    case_id = await rig.case_id("alpha-main", order_no="C-1")

    found = await _search(rig, agent, f" {_NUMBERS[what]} ")

    assert [each.order_no for each in found.orders] == ["C-1"]
    assert [row.case_id for row in found.cases] == [case_id]
    assert found.opens == found.orders[0].order_id


async def test_hostile_text_in_a_note_is_text(rig: Rig, agent: Actor) -> None:
    call_id = await _call(rig, agent)
    hostile = "<script>alert(1)</script>\u202e\u200b' OR 1=1 -- %_ " + "가" * 5_000
    await flag_abuse(rig, actor=agent, call_id=call_id, text=hostile, ends=False)
    await take_all_in(rig)

    assert len((await _search(rig, agent, "alert script")).calls) == 1
    for text in ("%", "' OR 2=2 --", "\u202e", "_", "나가" * 60):
        assert (await _search(rig, agent, text)).calls == (), text
