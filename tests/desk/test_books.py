"""Books in the desk: drafts, preview, two authors, versions; against a small book of their own."""

import csv
import io
import unicodedata
from datetime import date
from enum import StrEnum
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from hub.core.book_problem import Problem
from hub.core.errors import ConfigurationError
from hub.desk.access import Actor, ForbiddenError, Role
from hub.desk.books.books import (
    DraftChangedError,
    ProblemsError,
    UnfinishedError,
    catch_up,
    discard,
    keep,
    open_book,
    put_in_force,
    read_book,
    read_change,
    read_history,
    start_again_from,
)
from hub.desk.books.changes import Kind, compare, rebase
from hub.desk.books.fields import Field, FieldError, Shape, cell_text, fields_of, read_cell, sections_of
from hub.desk.books.forms import BookForm, read_forms
from hub.desk.books.impact import Outcome, read_impact
from hub.desk.books.rows import (
    RowGoneError,
    RowRefusedError,
    end_row,
    remove_row,
    row_stamp,
    row_type,
    save_row,
)
from hub.desk.books.sheets import read_section, safe_cell, sheet_rows
from hub.desk.cases.case import NotFoundError
from hub.policy.book import PolicyTables
from hub.policy.book_rows import FeeItem, FeeRow
from hub.store.books import BookKind, OvertakenError
from routing.book import RoutingTables
from routing.entries import ContactEntry
from routing.matter import Role as ContactRole
from tests.desk.invented import Rig


class Fruit(StrEnum):
    APPLE = "apple"
    PEAR = "pear"


class Basket(Struct, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    fruit: Fruit = Fruit.APPLE
    place: str = "Asia/Seoul"
    pieces: int | None = None
    is_ripe: bool | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    tags: tuple[str, ...] = ()
    body: str = ""


class Shelf(Struct, frozen=True, kw_only=True):
    word: str = ""
    weight: float = 0.0
    facts: dict[str, str] = {}


class Cellar(Struct, frozen=True, kw_only=True):
    baskets: tuple[Basket, ...] = ()
    shelves: tuple[Shelf, ...] = ()
    is_locked: bool = False


def _find_problems(cellar: Cellar) -> tuple[Problem, ...]:
    """No basket twice, none below nothing."""
    found = []
    seen: set[str] = set()
    for place, basket in enumerate(cellar.baskets):
        for column, key, is_wrong in (
            ("name", "twice", basket.name in seen),
            ("pieces", "negative", (basket.pieces or 0) < 0),
        ):
            if is_wrong:
                words = {"reason": key, "reason_ko": key, "fix": key, "fix_ko": key}
                found.append(Problem(section="baskets", row=place, column=column, key=key, **words))
        seen.add(basket.name)
    return tuple(found)


FORM = BookForm(
    kind=BookKind.TEMPLATES,
    tables=Cellar,
    decode=msgspec.json.Decoder(Cellar).decode,
    encode=lambda tables: msgspec.json.encode(tables).decode(),
    find_problems=_find_problems,
    standard=lambda: Cellar(baskets=(Basket(name="shipped"),)),
)


@pytest.fixture
def other() -> Actor:
    return Actor(user_id=13, login="park", name="박슈퍼", role=Role.SUPERVISOR)


async def _save(rig: Rig, actor: Actor, was: Any = None, *, even_so: bool = False, **values: str) -> int:
    stamp = "" if was is None else row_stamp(was)
    return await save_row(rig, FORM, actor=actor, section="baskets", values=values, was=stamp, near=0, even_so=even_so)


async def _force(rig: Rig, actor: Actor, note: str = "why") -> int:
    book = await open_book(rig, FORM, actor=actor)
    return (await put_in_force(rig, FORM, actor=actor, stamp=book.stamp, note=note)).version


async def _names(rig: Rig, actor: Actor) -> list[str]:
    return [basket.name for basket in (await open_book(rig, FORM, actor=actor)).tables.baskets]


# drafts and versions


async def test_nothing_is_in_force_before_it_is_put_there(rig: Rig, supervisor: Actor, agent: Actor):
    await _save(rig, supervisor, name="new", pieces="3")

    assert await _names(rig, supervisor) == ["shipped", "new"]
    assert await _names(rig, agent) == ["shipped"]
    assert (await read_book(rig, FORM, actor=agent)).version == 0
    assert await _force(rig, supervisor) == 1
    assert await _names(rig, agent) == ["shipped", "new"]
    assert not (await open_book(rig, FORM, actor=supervisor)).is_draft


async def test_a_draft_that_changes_nothing_is_none(rig: Rig, supervisor: Actor):
    place = await _save(rig, supervisor, name="new")
    await remove_row(rig, FORM, actor=supervisor, section="baskets", was=row_stamp(Basket(name="new")), near=place)

    assert not (await open_book(rig, FORM, actor=supervisor)).is_draft


async def test_what_was_previewed_is_what_comes_into_force(rig: Rig, supervisor: Actor):
    await _save(rig, supervisor, name="seen")
    seen = await open_book(rig, FORM, actor=supervisor)
    await _save(rig, supervisor, name="unseen")

    with pytest.raises(DraftChangedError):
        await put_in_force(rig, FORM, actor=supervisor, stamp=seen.stamp, note="why")
    with pytest.raises(DraftChangedError):
        await keep(rig, FORM, Cellar(), actor=supervisor, on=seen)

    assert (await read_book(rig, FORM, actor=supervisor)).version == 0


async def test_a_version_needs_a_note_and_no_mistakes(rig: Rig, supervisor: Actor):
    await _save(rig, supervisor, name="bad", pieces="-1", even_so=True)
    stamp = (await open_book(rig, FORM, actor=supervisor)).stamp

    with pytest.raises(ProblemsError) as wrong:
        await put_in_force(rig, FORM, actor=supervisor, stamp=stamp, note="why")
    with pytest.raises(ConfigurationError, match="note"):
        await put_in_force(rig, FORM, actor=supervisor, stamp=stamp, note=" \n\x00")

    assert [problem.key for problem in wrong.value.problems] == ["negative"]


async def test_the_second_author_is_told_and_both_changes_stand(rig: Rig, supervisor: Actor, other: Actor):
    await _save(rig, supervisor, name="mine")
    await _save(rig, other, name="theirs")
    await _force(rig, other)

    overtaken = await open_book(rig, FORM, actor=supervisor)
    assert (overtaken.is_overtaken, overtaken.based_on, overtaken.newest) == (True, 0, 1)
    with pytest.raises(OvertakenError):
        await _force(rig, supervisor)

    assert await catch_up(rig, FORM, actor=supervisor) == ()
    assert await _force(rig, supervisor) == 2
    assert await _names(rig, supervisor) == ["shipped", "mine", "theirs"]


async def test_of_a_row_that_both_changed_mine_is_previewed_against_theirs(rig: Rig, supervisor: Actor, other: Actor):
    shipped = Basket(name="shipped")
    await _save(rig, supervisor, shipped, name="shipped", pieces="1")
    await _save(rig, other, shipped, name="shipped", pieces="2")
    await _force(rig, other)

    (clash,) = await catch_up(rig, FORM, actor=supervisor)

    assert (clash.old.pieces, clash.mine.pieces, clash.theirs.pieces) == (None, 1, 2)
    (change,) = (await open_book(rig, FORM, actor=supervisor)).changes.rows
    assert [(field.field, field.old, field.new) for field in change.fields] == [("pieces", 2, 1)]


async def test_an_older_version_comes_back_as_a_new_one(rig: Rig, supervisor: Actor):
    await _save(rig, supervisor, name="one")
    await _force(rig, supervisor, "first")
    await _save(rig, supervisor, name="two")
    await _force(rig, supervisor, "second")
    await _save(rig, supervisor, name="waiting")
    with pytest.raises(UnfinishedError):
        await start_again_from(rig, FORM, actor=supervisor, version=1)
    await discard(rig, FORM, actor=supervisor)

    await start_again_from(rig, FORM, actor=supervisor, version=1)

    assert await _force(rig, supervisor, "back") == 3
    assert await _names(rig, supervisor) == ["shipped", "one"]
    history = await read_history(rig, FORM.kind, actor=supervisor)
    assert [(head.version, head.note, head.source) for head in history] == [
        (3, "back", "screen"),
        (2, "second", "screen"),
        (1, "first", "screen"),
    ]
    book, changes = await read_change(rig, FORM, actor=supervisor, version=2)
    assert [basket.name for basket in book.tables.baskets] == ["shipped", "one", "two"]
    assert [(change.kind, change.new.name) for change in changes.rows] == [(Kind.ADDED, "two")]


async def test_agents_and_the_command_line_have_no_drafts(rig: Rig, agent: Actor):
    with pytest.raises(ForbiddenError):
        await _save(rig, agent, name="x")
    with pytest.raises(ForbiddenError):
        await put_in_force(rig, FORM, actor=agent, stamp="", note="x")
    nobody = Actor(user_id=None, login="cli", name="cli", role=Role.ADMIN)
    with pytest.raises(ForbiddenError):
        await _save(rig, nobody, name="x")


async def test_a_version_never_written_is_not_found(rig: Rig, supervisor: Actor):
    for version in (1, -1, 10**30):
        with pytest.raises(NotFoundError):
            await read_book(rig, FORM, actor=supervisor, version=version)
    with pytest.raises(NotFoundError):
        await catch_up(rig, FORM, actor=supervisor)


# rows


async def test_a_row_is_placed_moved_changed_and_gone(rig: Rig, supervisor: Actor):
    await save_row(rig, FORM, actor=supervisor, section="baskets", values={"name": "first"}, place=0)
    assert await _names(rig, supervisor) == ["first", "shipped"]
    stamp = row_stamp(Basket(name="first"))
    moved = {"values": {"name": "first"}, "was": stamp, "near": 0, "place": 1}
    await save_row(rig, FORM, actor=supervisor, section="baskets", **moved)  # type: ignore[arg-type]  # by name
    assert await _names(rig, supervisor) == ["shipped", "first"]

    with pytest.raises(RowGoneError):
        await _save(rig, supervisor, Basket(name="never there"), name="x")

    # It is found by what it says, wherever it stands now.
    assert await _save(rig, supervisor, Basket(name="first"), name="changed") == 1


async def test_only_new_mistakes_refuse_a_row(rig: Rig, supervisor: Actor):
    await _save(rig, supervisor, name="bad", pieces="-1", even_so=True)

    assert await _save(rig, supervisor, name="good") == 2
    with pytest.raises(RowRefusedError) as refused:
        await _save(rig, supervisor, name="good")

    assert [problem.key for problem in refused.value.here] == ["twice"]
    assert refused.value.elsewhere == ()


async def test_every_field_that_cannot_be_read_is_named(rig: Rig, supervisor: Actor):
    with pytest.raises(RowRefusedError) as refused:
        await _save(rig, supervisor, name="", fruit="plum", pieces="x", is_ripe="maybe", valid_from="2026-02-30")

    assert [(typed.field, typed.key) for typed in refused.value.typed] == [
        ("name", "missing"),
        ("fruit", "choice"),
        ("pieces", "number"),
        ("is_ripe", "yes_no"),
        ("valid_from", "date"),
    ]


async def test_a_row_ends_on_a_day_and_not_before_it_begins(rig: Rig, supervisor: Actor):
    await _save(rig, supervisor, name="x", valid_from="2026-01-01")
    was = row_stamp(Basket(name="x", valid_from=date(2026, 1, 1)))

    with pytest.raises(RowRefusedError):
        await end_row(rig, FORM, actor=supervisor, section="baskets", was=was, near=1, last_day=date(2025, 12, 31))
    await end_row(rig, FORM, actor=supervisor, section="baskets", was=was, near=1, last_day=date(2026, 1, 1))

    basket = (await open_book(rig, FORM, actor=supervisor)).tables.baskets[1]
    assert basket.valid_to == date(2026, 1, 1)
    with pytest.raises(NotFoundError):
        await end_row(rig, FORM, actor=supervisor, section="shelves", was="", near=0, last_day=date(2026, 1, 1))
    with pytest.raises(NotFoundError):
        row_type(FORM, "attic")


# fields


def test_the_form_is_made_of_the_struct():
    assert list(sections_of(Cellar)) == ["baskets", "shelves"]
    assert [(field.name, field.shape, field.is_required) for field in fields_of(Basket)] == [
        ("name", Shape.TEXT, True),
        ("fruit", Shape.CHOICE, False),
        ("place", Shape.TEXT, False),
        ("pieces", Shape.NUMBER, False),
        ("is_ripe", Shape.YES_NO, False),
        ("valid_from", Shape.DATE, False),
        ("valid_to", Shape.DATE, False),
        ("tags", Shape.LIST, False),
        ("body", Shape.LONG_TEXT, False),
    ]
    assert [field.shape for field in fields_of(Shelf)] == [Shape.TEXT, Shape.DECIMAL, Shape.PAIRS]


async def test_every_book_of_the_hub_can_be_edited(rig: Rig):
    for form in (await read_forms(rig)).values():
        for row in sections_of(form.tables).values():
            assert fields_of(row)
        assert form.decode(form.encode(form.standard()).encode()) == form.standard()
        assert form.find_problems(form.standard()) == ()


def test_a_section_that_is_not_flat_is_refused():
    class Deep(Struct):
        basket: Basket

    with pytest.raises(TypeError, match="not flat"):
        fields_of(Deep)


def _field(name: str, row: type[Struct] = Basket) -> Field:
    return next(field for field in fields_of(row) if field.name == name)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("name", "  한빛\u1112\u1161\u11ab ", "한빛한"),
        ("fruit", "PEAR", Fruit.PEAR),
        ("fruit", "배", Fruit.PEAR),
        ("fruit", "", Fruit.APPLE),
        ("pieces", "１，２３４", 1234),
        ("pieces", "", None),
        ("is_ripe", "예", True),
        ("is_ripe", "FALSE", False),
        ("valid_from", "2026년 1월 5일", date(2026, 1, 5)),
        ("valid_from", "20260105", date(2026, 1, 5)),
        ("tags", 'a, "b, c"\nd,', ("a", "b, c", "d")),
        ("body", "one\r\ntwo\tthree", "one\ntwo\tthree"),
    ],
)
def test_what_people_type_is_read(name: str, text: str, value: object):
    assert read_cell(_field(name), text, meanings={"배": "pear"}) == value


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("name", "", "missing"),
        ("name", "a\nb", "unseen"),
        ("name", "a\x00", "unseen"),
        ("name", "\u2066a", "unseen"),
        ("name", "x" * 501, "too_long"),
        ("body", "x" * 10_001, "too_long"),
        ("pieces", "1.5", "number"),
        ("pieces", "9" * 16, "number"),
        ("valid_from", "05.01.2026", "date"),
        ("tags", ",".join("abcdefghij" * 25), "too_many"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, text: str, key: str):
    with pytest.raises(FieldError) as wrong:
        read_cell(_field(name), text)

    assert wrong.value.key == key


def test_a_number_without_end_and_a_pair_without_a_name_are_refused():
    for name, text, key in (("weight", "NaN", "number"), ("weight", "1e999", "number"), ("facts", "=x", "pair")):
        with pytest.raises(FieldError) as wrong:
            read_cell(_field(name, Shelf), text)
        assert wrong.value.key == key, text


_words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
_baskets = st.builds(
    Basket,
    name=_words,
    fruit=st.sampled_from(Fruit),
    pieces=st.none() | st.integers(-(10**9), 10**9),
    is_ripe=st.none() | st.booleans(),
    valid_from=st.none() | st.dates(date(1900, 1, 1), date(2200, 1, 1)),
)
_cellars = st.builds(Cellar, baskets=st.lists(_baskets, max_size=5, unique_by=lambda each: each.name).map(tuple))


@given(_baskets)
def test_a_row_is_read_back_as_it_is_shown(basket: Basket):
    for field in fields_of(Basket):
        value = getattr(basket, field.name)
        shown = unicodedata.normalize("NFC", value) if isinstance(value, str) else value
        assert read_cell(field, cell_text(value)) == shown


# differences


@given(_cellars, _cellars)
def test_the_differences_turn_one_state_into_the_other(old: Cellar, new: Cellar):
    changes = compare(old, new)

    rows = list(old.baskets)
    for change in changes.rows:
        if change.old is not None:
            rows.remove(change.old)
        if change.new is not None:
            rows.append(change.new)
    assert sorted(map(repr, rows)) == sorted(map(repr, new.baskets))
    assert bool(changes) is (old != new)


@given(_cellars, _cellars, _cellars)
def test_what_only_one_of_two_authors_did_is_kept(base: Cellar, mine: Cellar, theirs: Cellar):
    merged, clashes = rebase(base=base, mine=mine, theirs=theirs)

    assert rebase(base=base, mine=base, theirs=theirs) == (theirs, ())
    assert rebase(base=base, mine=mine, theirs=base) == (mine, ())
    there = [repr(basket) for basket in merged.baskets]  # type: ignore[attr-defined]  # a Cellar
    clashed = {repr(row) for clash in clashes for row in (clash.mine, clash.theirs)}
    before = {repr(basket) for basket in base.baskets}
    for author in (mine, theirs):
        for basket in author.baskets:
            if repr(basket) not in before | clashed:
                assert repr(basket) in there


async def test_a_default_that_is_typed_is_no_change(rig: Rig, supervisor: Actor):
    # Equal to the default, and another object.
    typed = bytes("Asia/Seoul", "ascii").decode()

    await _save(rig, supervisor, Basket(name="shipped"), name="shipped", place=typed, fruit="apple")

    assert not (await open_book(rig, FORM, actor=supervisor)).is_draft
    assert not compare(Cellar(baskets=(Basket(name="a", place=typed),)), Cellar(baskets=(Basket(name="a"),)))


def test_the_order_and_the_settings_of_a_book_count():
    one, two = Basket(name="one"), Basket(name="two")

    changes = compare(Cellar(baskets=(one, two)), Cellar(baskets=(two, one), is_locked=True))

    assert (changes.rows, changes.reordered) == ((), ("baskets",))
    assert [(each.field, each.new) for each in changes.settings] == [("is_locked", True)]


# sheets


def _csv(text: str) -> bytes:
    return text.encode()


@given(st.lists(_baskets, min_size=1, max_size=5))
def test_a_section_is_read_back_from_its_own_file(baskets: list[Basket]):
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, [field.name for field in fields_of(Basket)])
    writer.writeheader()
    for row in sheet_rows(baskets, Basket):
        writer.writerow({name: safe_cell(text) for name, text in row.items()})

    read = read_section(file.getvalue().encode("utf-8-sig"), Basket, headings={}, meanings={})

    names = [unicodedata.normalize("NFC", basket.name) for basket in baskets]
    assert [basket.name for basket in read.rows] == names
    assert [basket.pieces for basket in read.rows] == [basket.pieces for basket in baskets]


def test_every_wrong_cell_of_a_file_is_named_with_its_row():
    data = _csv("메모,이름,pieces,fruit\n,a,1,apple\n,,x,plum\n,,,\n,b,2,\n")

    read = read_section(data, Basket, headings={"이름": "name"}, meanings={})

    assert (read.rows, read.total, read.ignored) == ((), 3, ("메모",))
    assert [(each.row, each.typed.field) for each in read.errors] == [(3, "name"), (3, "fruit"), (3, "pieces")]


@pytest.mark.parametrize(
    ("text", "safe"),
    [("=1+1", "'=1+1"), ("+cmd", "'+cmd"), ("@x", "'@x"), ("-1", "-1"), ("+82", "+82"), ("-1+2", "'-1+2"), ("a", "a")],
)
def test_no_cell_is_a_formula(text: str, safe: str):
    assert safe_cell(text) == safe


# what a change touches


async def test_a_switch_touches_the_cases_of_its_shop(sample: Rig, supervisor: Actor):
    form = (await read_forms(sample))[BookKind.POLICY]
    row = FeeRow(
        shop="alpha-main", item=FeeItem.RETURN_SHIPPING, amount_minor=3000, disclosed=True, disclosed_where="page"
    )

    impact = await read_impact(sample, form, actor=supervisor, old=PolicyTables(), new=PolicyTables(fees=(row,)))

    assert 0 < impact.touched < impact.checked == impact.open
    assert {case.shop for case in impact.examples} == {"alpha-main"}
    same = await read_impact(sample, form, actor=supervisor, old=PolicyTables(), new=PolicyTables())
    assert (same.touched, same.checked) == (0, impact.checked)


async def test_a_contact_touches_the_cases_that_would_ask_it(sample: Rig, supervisor: Actor):
    form = (await read_forms(sample))[BookKind.ROUTING]
    contact = ContactEntry(name="박엠디", role=ContactRole.MD, phone="02-000-0000", shops=("alpha-main",))

    impact = await read_impact(
        sample, form, actor=supervisor, old=RoutingTables(), new=RoutingTables(contacts=(contact,))
    )

    assert 0 < impact.touched < impact.checked
    assert {case.shop for case in impact.examples} == {"alpha-main"}


async def test_templates_decide_nothing(sample: Rig, supervisor: Actor, agent: Actor):
    form = (await read_forms(sample))[BookKind.TEMPLATES]

    impact = await read_impact(sample, form, actor=supervisor, old=form.standard(), new=form.standard())

    assert impact.outcome is Outcome.DECIDES_NOTHING
    with pytest.raises(ForbiddenError):
        await read_impact(sample, form, actor=agent, old=form.standard(), new=form.standard())
