"""The routing book of a hub: routing.toml becomes versions, screens write others, a wrong file changes nothing."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import update

from hub.core.model import InventoryMode, Product
from hub.desk.access import Actor
from hub.desk.asks.contact import contact_card
from hub.desk.books.mode_rows import import_modes
from hub.desk.books.routing import RoutingBook, read_book, read_stamp
from hub.store.books import BookKind, list_versions, newest_version, read_version, write_version
from hub.store.database import Database, to_ms
from hub.store.tables import cases
from routing.book import RoutingTables, decode, encode, standard_tables
from routing.chain import Matter
from routing.matter import Role
from routing.modes import resolve_mode
from tests.desk.invented import Rig

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
CONSIGNED = '[[default]]\nmode = "consignment"\n'
PURCHASED = '[[default]]\nmode = "direct_purchase"\n'
WRONG = '[[contact]]\nname = "김민서"\nrole = "md"\n'
MALLS = ("malla", "mallb")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def save(home: Path, text: str, *, at: datetime = NOW) -> None:
    """Write routing.toml as if at that time."""
    path = home / "routing.toml"
    path.write_text(text, encoding="utf-8")
    os.utime(path, (at.timestamp(), at.timestamp()))


async def read(database: Database, home: Path, *, now: datetime = NOW) -> RoutingBook:
    return await read_book(database, home, now=now, malls=MALLS)


def mode_by(book: RoutingBook) -> InventoryMode:
    return resolve_mode(Product(name="x"), shop="main", mall="malla", on=NOW.date(), table=book.table).mode


async def write_on_screen(database: Database, tables: RoutingTables) -> None:
    newest = await newest_version(database, BookKind.ROUTING)
    await write_version(database, BookKind.ROUTING, encode(tables), based_on=newest, source="screen", now=NOW)


async def test_without_a_file_and_a_version_the_shipped_rules_hold(database: Database, home: Path) -> None:
    book = await read(database, home)

    assert (book.version, book.source, book.problem, book.directory.contacts) == (0, None, None, ())
    assert mode_by(book) is InventoryMode.UNKNOWN


async def test_a_file_becomes_a_version_once(database: Database, home: Path) -> None:
    save(home, CONSIGNED)

    first = await read(database, home)
    again = await read(database, home)

    assert (first.version, first.source, mode_by(first)) == (1, "file", InventoryMode.CONSIGNMENT)
    assert (again.version, again.stamp) == (1, first.stamp)
    written = await read_version(database, BookKind.ROUTING)
    assert written is not None
    # The version shows the whole chain table that was in force with it.
    assert decode(written.body.encode()).chain == standard_tables().chain


async def test_a_file_that_says_the_same_in_other_words_is_no_new_version(database: Database, home: Path) -> None:
    save(home, CONSIGNED)
    await read(database, home)
    save(home, "# a note\n" + CONSIGNED.replace("consignment", "위탁"), at=NOW + timedelta(hours=1))

    assert (await read(database, home)).version == 1


async def test_a_changed_file_and_one_changed_back_are_new_versions(database: Database, home: Path) -> None:
    save(home, CONSIGNED)
    await read(database, home)
    save(home, PURCHASED, at=NOW + timedelta(hours=1))
    second = await read(database, home, now=NOW + timedelta(hours=1))
    save(home, CONSIGNED, at=NOW + timedelta(hours=2))
    third = await read(database, home, now=NOW + timedelta(hours=2))

    assert (second.version, mode_by(second)) == (2, InventoryMode.DIRECT_PURCHASE)
    assert (third.version, mode_by(third)) == (3, InventoryMode.CONSIGNMENT)


async def test_an_old_copy_of_the_file_on_another_machine_changes_nothing(database: Database, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    save(here, CONSIGNED)
    save(there, CONSIGNED)
    await read(database, here)
    save(here, PURCHASED, at=NOW + timedelta(hours=1))
    await read(database, here, now=NOW + timedelta(hours=1))

    found = await read(database, there, now=NOW + timedelta(hours=2))

    assert (found.version, mode_by(found)) == (2, InventoryMode.DIRECT_PURCHASE)


async def test_what_a_supervisor_wrote_stays_while_the_file_stays(database: Database, home: Path) -> None:
    save(home, CONSIGNED)
    await read(database, home)
    newest = await read_version(database, BookKind.ROUTING)
    assert newest is not None
    tables = decode(newest.body.encode())
    purchased = msgspec.structs.replace(tables.shop_defaults[0], mode=InventoryMode.DIRECT_PURCHASE)

    await write_on_screen(database, msgspec.structs.replace(tables, shop_defaults=(purchased,)))
    book = await read(database, home)

    assert (book.version, book.source, mode_by(book)) == (2, "screen", InventoryMode.DIRECT_PURCHASE)


async def test_an_old_version_put_in_force_again_is_not_undone_by_the_file(database: Database, home: Path) -> None:
    save(home, CONSIGNED)
    await read(database, home)
    save(home, PURCHASED, at=NOW + timedelta(hours=1))
    await read(database, home, now=NOW + timedelta(hours=1))
    first = await read_version(database, BookKind.ROUTING, 1)
    assert first is not None
    await write_version(database, BookKind.ROUTING, first.body, based_on=2, source="screen", now=NOW)

    book = await read(database, home)

    assert (book.version, mode_by(book)) == (3, InventoryMode.CONSIGNMENT)


async def test_a_screen_change_copied_into_the_file_survives_the_next_screen_change(
    database: Database, home: Path
) -> None:
    save(home, CONSIGNED)
    await read(database, home)
    save(home, PURCHASED, at=NOW + timedelta(hours=1))
    tables = RoutingTables(shop_defaults=decode(b'{"shop_defaults":[{"mode":"direct_purchase"}]}').shop_defaults)
    await write_on_screen(database, tables)
    await read(database, home)
    await write_on_screen(database, RoutingTables())

    book = await read(database, home)

    assert (book.source, mode_by(book)) == ("screen", InventoryMode.UNKNOWN)


async def test_a_wrong_file_leaves_the_last_good_version_in_force_and_is_told(database: Database, home: Path) -> None:
    save(home, CONSIGNED)
    await read(database, home)
    save(home, CONSIGNED + WRONG, at=NOW + timedelta(hours=1))

    book = await read(database, home)

    assert (book.version, mode_by(book)) == (1, InventoryMode.CONSIGNMENT)
    assert book.problem is not None
    assert "contact 1, phone: a contact with no way to reach it. Add phone" in book.problem.told("en")
    assert "연락할 방법이 없는 담당자입니다. 전화," in book.problem.told("ko")


@pytest.mark.parametrize("text", ["[[rule]", '[[rule]]\nname="a"\nmode="위탁"\nmall="coupang"', "x = 1"])
async def test_a_file_that_was_never_right_leaves_the_shipped_rules(database: Database, home: Path, text: str) -> None:
    save(home, text)

    book = await read(database, home)

    assert book.version == 0
    assert book.problem is not None
    assert str(home / "routing.toml") in book.problem.what
    assert await list_versions(database, BookKind.ROUTING) == []


async def test_a_file_put_right_again_has_no_problem(database: Database, home: Path) -> None:
    save(home, WRONG)
    await read(database, home)
    save(home, CONSIGNED, at=NOW + timedelta(hours=1))

    book = await read(database, home)

    assert (book.version, book.problem) == (1, None)


async def test_a_version_that_a_newer_program_wrote_is_passed_over_and_told(database: Database, home: Path) -> None:
    await write_on_screen(database, decode(b'{"shop_defaults":[{"mode":"consignment"}]}'))
    await write_version(
        database, BookKind.ROUTING, '{"moods":[]}', based_on=1, source="screen", now=NOW + timedelta(hours=1)
    )

    book = await read(database, home)

    assert (book.version, mode_by(book)) == (1, InventoryMode.CONSIGNMENT)
    assert book.problem is not None
    assert "moods" in book.problem.what


async def test_the_stamp_changes_with_file_book_and_imported_modes(database: Database, home: Path) -> None:
    stamps = [await read_stamp(database, home)]
    save(home, CONSIGNED)
    stamps.append(await read_stamp(database, home))
    book = await read(database, home)
    stamps.append(await read_stamp(database, home))
    await import_modes(database, "판매자상품코드,재고형태\nA,위탁\n".encode(), now=NOW)
    stamps.append(await read_stamp(database, home))

    assert len(set(stamps)) == 4
    assert book.stamp == stamps[2]


async def test_the_card_tells_its_steps_and_people_in_the_language_of_the_agent(
    sample: Rig, agent: Actor, home: Path
) -> None:
    save(
        home,
        '[[default]]\nmode = "consignment"\npartner = "한빛유통"\n'
        '[[contact]]\nname = "박지훈"\nrole = "partner"\norganisation = "한빛유통"\nphone = "02-1"\n'
        'hours = "daily 00:00-24:00"\nholidays = "open"\nescalate_minutes = 7\nlanguages = ["ko"]\n',
    )
    sample.routing = await read(sample.database, home)
    case_id = await sample.case_id("alpha-main", order_no="A-1")

    korean = await contact_card(sample, actor=agent, case_id=case_id, matter=Matter.STOCK)
    english = await contact_card(
        sample, actor=msgspec.structs.replace(agent, locale="en"), case_id=case_id, matter=Matter.STOCK
    )

    assert korean is not None
    assert english is not None
    assert korean.steps[0] == "적용된 라우팅 규칙은 1번째 판입니다(routing.toml 파일)."
    assert english.steps[0] == "Version 1 of the routing book is in force (the file routing.toml)."
    assert (korean.steps[-1], english.steps[-1]) == (
        "협력사 박지훈: 지금 연락 가능.",
        "partner 박지훈: open now.",
    )
    (person,) = korean.chain
    assert (person.role, person.is_open, person.escalate_minutes, person.languages) == (Role.PARTNER, True, 7, ("ko",))
    assert (korean.version, korean.problem) == (1, None)


async def test_the_card_tells_that_the_mode_changed_since_the_case_began(sample: Rig, agent: Actor, home: Path) -> None:
    began = datetime(2026, 11, 10, 23, tzinfo=UTC)  # the 11th in Seoul
    save(
        home,
        '[[default]]\nmode = "consignment"\nvalid_to = 2026-11-11\n'
        '[[default]]\nmode = "direct_purchase"\nvalid_from = 2026-11-12\n',
    )
    sample.routing = await read(sample.database, home)
    case_id = await sample.case_id("alpha-main", order_no="A-1")
    told = []
    for opened_at in (began, began + timedelta(days=1)):
        async with sample.database.writing() as connection:
            await connection.execute(update(cases).where(cases.c.id == case_id).values(opened_at=to_ms(opened_at)))
        card = await contact_card(
            sample, actor=msgspec.structs.replace(agent, locale="en"), case_id=case_id, matter=Matter.STOCK
        )
        assert card is not None
        assert card.mode == "direct_purchase"
        told.append([step.partition(";")[0] for step in card.steps if step.startswith("On 2026-11-1")])

    assert told == [["On 2026-11-11, when this matter began, the mode was consignment"], []]
