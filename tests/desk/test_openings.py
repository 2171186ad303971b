"""The checklist of a new shop: what the hub finds by itself, ticks, waivers, and when a shop is ready."""

from pathlib import Path

import pytest
from sqlalchemy import select

from hub.core.model import Party
from hub.desk.access import Actor, ForbiddenError
from hub.desk.books.policy import put_in_force
from hub.desk.cases.case import NotFoundError
from hub.desk.shops.cheat_sheets import SheetError, read_sheet, read_sheet_history, write_sheet
from hub.desk.shops.opening_facts import Item
from hub.desk.shops.openings import Answer, OpeningError, opening_status, read_opening, read_openings, reopen, settle
from hub.policy.book import decode_toml
from hub.store.tables import opening_answers
from routing.book import RoutingTables
from routing.compiled import compile_book
from routing.contacts import Contact, Directory, Role
from tests.desk.invented import NOW, Rig, claim, line, order

SHOP = "alpha-main"


class _Routing:
    """A book with these contacts and nothing else."""

    def __init__(self, *contacts: Contact) -> None:
        self.directory = Directory(contacts)
        self.table = compile_book(RoutingTables()).table(())


async def _found(rig: Rig, item: Item) -> bool | None:
    (opening,) = await read_openings(rig, names=[SHOP])
    return next(each.found.is_met for each in opening.items if each.item is item)


async def test_the_hub_finds_what_it_can(rig: Rig, agent: Actor, supervisor: Actor, tmp_path: Path):
    rig.settings = rig.settings.model_copy(update={"home": tmp_path})
    before = await read_opening(rig, actor=agent, shop=SHOP)
    assert {each.item: each.found.is_met for each in before.items} == {
        Item.MANUAL: None,
        Item.CONTACTS: False,
        Item.MODES: None,
        Item.NUMBERS: None,
        Item.POLICY: False,
        Item.TEMPLATES: None,
        Item.TEST_ORDER: False,
    }

    md = Contact(key="md", name="박", role=Role.MD, phone="02-1234-5678")
    rig.routing = _Routing(md)
    assert await _found(rig, Item.CONTACTS) is False
    rig.routing = _Routing(md, Contact(key="l", name="김", role=Role.LOGISTICS, malls=("japan",)))
    assert await _found(rig, Item.CONTACTS) is False
    rig.routing = _Routing(md, Contact(key="l", name="김", role=Role.LOGISTICS))
    assert await _found(rig, Item.CONTACTS) is True

    tables = decode_toml(b'[[switches]]\nshop = "alpha-main"\ndefect_proof = "photo_first"\n')
    await put_in_force(rig.database, tables, malls=rig.registry, shops=[SHOP], now=NOW)
    assert await _found(rig, Item.POLICY) is True
    buyer = Party(name="홍길동", phone="010-1234-5678")
    await rig.write(SHOP, order("A-1", buyer=buyer, receiver=buyer))
    assert await _found(rig, Item.TEST_ORDER) is None
    # Nothing tells the mode of what was sold.
    assert await _found(rig, Item.MODES) is False
    await write_sheet(rig, actor=supervisor, shop=SHOP, locale="ko", body="# 안내", note="처음", based_on=0)
    assert await _found(rig, Item.MANUAL) is True


async def test_ready_when_all_is_found_ticked_or_waived(rig: Rig, agent: Actor, supervisor: Actor, tmp_path: Path):
    rig.settings = rig.settings.model_copy(update={"home": tmp_path})
    with pytest.raises(ForbiddenError):
        await settle(rig, actor=agent, shop=SHOP, item=Item.MANUAL, answer=Answer.TICKED)
    with pytest.raises(NotFoundError):
        await settle(rig, actor=supervisor, shop="nowhere", item=Item.MANUAL, answer=Answer.TICKED)
    with pytest.raises(OpeningError, match="missing"):
        await settle(rig, actor=supervisor, shop=SHOP, item=Item.CONTACTS, answer=Answer.TICKED)
    with pytest.raises(OpeningError, match="reason_missing"):
        await settle(rig, actor=supervisor, shop=SHOP, item=Item.CONTACTS, answer=Answer.WAIVED, reason="\n ")

    for item in (Item.MANUAL, Item.MODES, Item.NUMBERS, Item.TEMPLATES):
        await settle(rig, actor=supervisor, shop=SHOP, item=item, answer=Answer.TICKED)
    for item in (Item.CONTACTS, Item.POLICY, Item.TEST_ORDER):
        await settle(rig, actor=supervisor, shop=SHOP, item=item, answer=Answer.WAIVED, reason="1인 매장")

    ready = await read_opening(rig, actor=agent, shop=SHOP)
    assert ready.is_ready
    others = [each for each in await read_openings(rig) if each.shop != SHOP]
    assert not any(each.is_ready for each in others)
    await reopen(rig, actor=supervisor, shop=SHOP, item=Item.MODES)
    await settle(rig, actor=supervisor, shop=SHOP, item=Item.MODES, answer=Answer.WAIVED, reason="단일 상품")
    await reopen(rig, actor=supervisor, shop=SHOP, item=Item.MODES)
    again = opening_status(await read_opening(rig, actor=agent, shop=SHOP))
    assert (again.ready, again.missing) == (False, ["modes"])
    async with rig.database.reading() as connection:
        kept = (await connection.execute(select(opening_answers).where(opening_answers.c.item == "modes"))).all()
    assert [(row.answer, row.undone_by) for row in kept] == [("ticked", 12), ("waived", 12)]


async def test_a_tick_counts_no_more_when_the_hub_knows_better(
    rig: Rig, agent: Actor, supervisor: Actor, tmp_path: Path
):
    rig.settings = rig.settings.model_copy(update={"home": tmp_path})
    rig.routing = _Routing()
    await settle(rig, actor=supervisor, shop=SHOP, item=Item.MODES, answer=Answer.TICKED)
    await rig.write(SHOP, order("A-1"))

    opening = await read_opening(rig, actor=agent, shop=SHOP)

    assert Item.MODES in opening.missing


async def test_a_sheet_has_versions_and_goes_back_to_what_the_hub_knows(rig: Rig, agent: Actor, supervisor: Actor):
    with pytest.raises(ForbiddenError):
        await write_sheet(rig, actor=agent, shop=SHOP, locale="ko", body="x", note="y", based_on=0)
    with pytest.raises(SheetError, match="note_missing"):
        await write_sheet(rig, actor=supervisor, shop=SHOP, locale="ko", body="x", note=" ", based_on=0)
    with pytest.raises(SheetError, match="long"):
        await write_sheet(rig, actor=supervisor, shop=SHOP, locale="ko", body="가" * 50_001, note="y", based_on=0)

    for body, based_on in (("첫째", 0), ("첫째", 0), ("둘째\r\n줄", 1), ("", 2)):
        await write_sheet(rig, actor=supervisor, shop=SHOP, locale="ko", body=body, note="고침", based_on=based_on)
    with pytest.raises(SheetError, match="overtaken"):
        await write_sheet(rig, actor=supervisor, shop=SHOP, locale="ko", body="셋째", note="고침", based_on=2)

    now = await read_sheet(rig, actor=agent, shop=SHOP, locale="ko")
    assert (now.body, now.newest) == (None, 3)
    assert (await read_sheet(rig, actor=agent, shop=SHOP, locale="ko", version=2)).body == "둘째\n줄"
    assert (await read_sheet(rig, actor=agent, shop=SHOP, locale="en")).newest == 0
    heads = await read_sheet_history(rig, actor=agent, shop=SHOP, locale="ko")
    assert [(head.version, head.is_empty) for head in heads] == [(3, True), (2, False), (1, False)]
    for version in (0, 4, 2**40):
        with pytest.raises(NotFoundError):
            await read_sheet(rig, actor=agent, shop=SHOP, locale="ko", version=version)


async def test_the_hub_knows_what_a_mall_calls_things_and_cannot_do(rig: Rig, agent: Actor):
    await rig.write("japan-main", order("J-1", line("J-1-1", raw_status="配送要請"), claims=(claim("J-1", "J-1-1"),)))

    facts = (await read_sheet(rig, actor=agent, shop="japan-main", locale="en")).facts

    assert facts.terms == {("line", "preparing"): ("配送要請",), ("state", "requested"): ("REQUESTED",)}
    assert [(each.name_key, each.state.instead) for each in facts.missing] == [
        ("action.refuse-cancel", "관리자 화면 > 취소 관리")
    ]
