"""The tree of reasons changed on the screen: each change for itself, from a day on, told before, never two at once."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from hub.bootstrap import Hub
from hub.desk.access import Role
from hub.stats.facts import Counted, tabulate
from hub.stats.reason_book import (
    OvertakenError,
    TreeHistory,
    newest_tree,
    tree_history,
    tree_in_force,
    tree_text,
    tree_versions,
    write_tree,
)
from hub.stats.reason_edit import Edit, EditError, Op, edited
from hub.stats.reason_effects import effect_of
from hub.stats.reason_facts import REASONS, read_reasons
from hub.stats.reason_tree import ReasonTree, read_tree, standard_tree, tree_text_of
from hub.store.tables import access_log
from tests.api.conftest import NOW, SignIn
from tests.desk.invented import Rig, fill_sample, open_rig

GROUPS = standard_tree().groups


@pytest.fixture
async def rig(tmp_path: Path, database_url: str) -> AsyncIterator[Rig]:
    """On either kind of database."""
    rig = await open_rig(tmp_path, database_url)
    yield rig
    await rig.database.aclose()


def after(*edits: Edit) -> ReasonTree:
    groups = GROUPS
    for edit in edits:
        groups = edited(groups, edit)
    return read_tree(tree_text_of(groups))


def test_a_tree_is_written_as_it_is_read():
    odd = edited(GROUPS, Edit(op=Op.MAP, code="product.defect", field="categories", word='a"b\\cé'))

    assert read_tree(tree_text_of(GROUPS)).groups == GROUPS
    assert read_tree(tree_text_of(odd)).groups == odd


def test_each_change_does_what_it_says():
    tree = after(
        Edit(op=Op.RENAME, code="product.defect", ko="하자", en="Fault"),
        Edit(op=Op.ADD_GROUP, code="praise", ko="칭찬", en="Praise"),
        Edit(op=Op.ADD_REASON, code="praise", to="agent", ko="상담사", en="Agent"),
        Edit(op=Op.MOVE, code="product.stock", to="delivery"),
        Edit(op=Op.MAP, code="praise.agent", field="categories", word="상품 문의"),
        Edit(op=Op.UNMAP, field="categories", word="배송 문의"),
        Edit(op=Op.REMOVE, code="product.missing_part"),
    )

    assert tree.title("product.defect", "ko") == "하자"
    assert tree.of_claim("out_of_stock") == "delivery.stock"
    assert tree.of_inquiry(category="상품문의", kind="") == "praise.agent"
    assert tree.of_inquiry(category="배송문의", kind="") is None
    assert tree.of_claim("missing_part") is None


@pytest.mark.parametrize(
    ("edit", "key"),
    [
        (Edit(op=Op.RENAME, code="product.nothing", ko="a", en="b"), "no_such"),
        (Edit(op=Op.RENAME, code="product", ko="", en="b"), "form"),
        (Edit(op=Op.RENAME, code="product", ko="a\u202e", en="b"), "form"),
        (Edit(op=Op.ADD_GROUP, code="product", ko="a", en="b"), "twice"),
        (Edit(op=Op.ADD_GROUP, code="Product!", ko="a", en="b"), "form"),
        (Edit(op=Op.ADD_REASON, code="product", to="defect", ko="a", en="b"), "twice"),
        (Edit(op=Op.ADD_REASON, code="product", to="a.b", ko="a", en="b"), "form"),
        (Edit(op=Op.MOVE, code="product.defect", to="product"), "same"),
        (Edit(op=Op.MOVE, code="product.defect", to="nowhere"), "no_such"),
        (Edit(op=Op.MAP, code="product.defect", field="code", word="a"), "word"),
        (Edit(op=Op.MAP, code="product.defect", field="claims", word=" "), "word"),
        (Edit(op=Op.UNMAP, field="claims", word="nothing"), "word"),
        (Edit(op=Op.REMOVE, code="product"), "not_empty"),
    ],
)
def test_what_makes_no_tree_is_refused(edit: Edit, key: str):
    with pytest.raises(EditError, match=f"^{key}$"):
        edited(GROUPS, edit)


def test_each_time_is_named_by_the_newest_version_that_had_begun():
    def day(number: int) -> datetime:
        return datetime(2026, 11, number, tzinfo=UTC)

    old, mid, new = (after(Edit(op=Op.ADD_GROUP, code=code, ko="a", en="b")) for code in ("old", "mid", "new"))
    history = TreeHistory([(day(20), new), (day(10), mid), (None, old)])

    assert [history.at(day(number)) for number in (9, 10, 19, 20)] == [old, mid, mid, new]
    assert [(each.since, each.until, each.tree) for each in history.stretches(day(5), day(25))] == [
        (day(5), day(10), old),
        (day(10), day(20), mid),
        (day(20), day(25), new),
    ]
    assert [each.tree for each in history.stretches(day(10), day(20))] == [mid]
    assert [each.tree for each in history.stretches(day(21), None)] == [new]
    assert [each.tree for each in history.stretches(None, None)] == [old, mid, new]
    assert history.newest.title("mid", "ko") == "a"


async def test_a_version_counts_from_its_day_on_and_its_effect_was_told(rig: Rig):
    await fill_sample(rig)
    bounds = {"database": rig.database, "zone": rig.settings.zone, "now": rig.now()}
    before = [fact async for fact in read_reasons(Counted(**bounds))]
    known = sorted(fact.at for fact in before if fact.reason is not None and fact.source == "claim")
    turn = known[len(known) // 2]
    group = next(each for each in before if each.at == turn and each.source == "claim").reason
    assert group is not None
    tree = read_tree(tree_text_of(edited(GROUPS, Edit(op=Op.REMOVE, code=group))))

    told = await effect_of(rig.database, tree, valid_from=turn, now=rig.now(), zone=rig.settings.zone)
    everything = await effect_of(rig.database, tree, valid_from=None, now=rig.now(), zone=rig.settings.zone)
    await write_tree(rig.database, tree_text_of(tree.groups), now=rig.now(), valid_from=turn)
    now = [fact async for fact in read_reasons(Counted(**bounds))]

    def named(facts: list) -> dict:
        return {(fact.source, fact.reference, fact.kind, fact.at): fact.reason for fact in facts}

    changed = {key for key, reason in named(now).items() if reason != named(before)[key]}
    assert len(changed) == told.total > 0
    assert all(at >= turn for *_, at in changed)
    assert everything.of == len(before)
    assert everything.total >= told.total
    rows = await tabulate(REASONS, Counted(**bounds), by=("reason",))
    assert sum(row["matters"] for row in rows if row["reason"] == group) == sum(
        1 for fact in now if fact.reason == group
    )
    assert (await tree_in_force(rig.database)).title(group, "ko") != group, "the past keeps its title"


async def test_of_two_editors_at_once_the_second_is_told(rig: Rig):
    texts = [
        tree_text_of(edited(GROUPS, Edit(op=Op.ADD_GROUP, code=code, ko="a", en="b"))) for code in ("first", "second")
    ]

    both = await asyncio.gather(
        *(write_tree(rig.database, text, now=rig.now(), based_on=0) for text in texts), return_exceptions=True
    )

    assert sorted(map(type, both), key=str) == [OvertakenError, int]
    with pytest.raises(OvertakenError):
        await write_tree(rig.database, texts[0], now=rig.now(), based_on=0)
    assert len(await tree_versions(rig.database)) == 1
    assert (await tree_history(rig.database)).at(rig.now()).groups == read_tree(await tree_text(rig.database)).groups


async def post(client: httpx.AsyncClient, path: str, fields: dict[str, str]) -> httpx.Response:
    token = re.search(r'name="_csrf_token" value="([0-9a-f]+)"', (await client.get("/stats/reasons")).text)
    assert token is not None
    return await client.post(path, data={**fields, "_csrf_token": token[1]})


async def test_a_supervisor_maps_a_category_after_seeing_what_changes(hub: Hub, sign_in: SignIn):
    supervisor = await sign_in(Role.SUPERVISOR)
    day = (NOW - timedelta(days=400)).date().isoformat()
    asked = {"op": "unmap", "field": "kinds", "word": "product_inquiry", "base": "0", "valid_from": day, "note": "<b>"}

    shown = await post(supervisor, "/stats/reasons/preview", asked)
    told = re.search(r'data-changed="(\d+)"', shown.text)
    assert told is not None
    assert int(told[1]) > 0
    assert (await newest_tree(hub.database))[0] == 0, "looking changes nothing"
    fields = {
        name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown.text)
    }
    fields["note"] = "<b>"
    assert {name: fields[name] for name in asked} == asked
    done = await post(supervisor, "/stats/reasons", fields)
    again = await post(supervisor, "/stats/reasons", fields)

    assert done.status_code == 200
    assert "&lt;b&gt;" in done.text
    assert again.status_code == 409
    assert (await newest_tree(hub.database))[0] == 1
    async with hub.database.reading() as connection:
        logged = (await connection.execute(select(access_log).where(access_log.c.action == "reasons"))).all()
    assert [row.subject for row in logged] == ["reasons version 1"]


async def test_a_wrong_form_says_so_and_changes_nothing(hub: Hub, sign_in: SignIn):
    supervisor, agent = await sign_in(Role.SUPERVISOR), await sign_in(Role.AGENT)
    named = {"op": "rename", "code": "product", "base": "0", "ko": "a", "en": "b"}
    wrong = [({"op": "explode"}, 422), ({"base": "x"}, 422), ({"valid_from": "soon"}, 422), ({"base": "7"}, 409)]

    answers = [await post(supervisor, "/stats/reasons/preview", {**named, **fields}) for fields, _ in wrong]

    assert [answer.status_code for answer in answers] == [status for _, status in wrong]
    assert (await newest_tree(hub.database))[0] == 0
    assert (await agent.get("/stats/reasons")).status_code == 403
