"""Writes to the malls, against emulated ones: at most once, read back, and said as the mall says it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select

from hub.bootstrap import Hub
from hub.core.contract import Outcome
from hub.core.errors import MallError, UnsupportedByMallError
from hub.core.model import ClaimKind, ClaimReason, LineStatus
from hub.desk.access import command_line_actor
from hub.desk.acting.act import act
from hub.desk.acting.action import Action, ActionRequest, ActionResult, UnconfirmedError
from hub.desk.export import ExportKind
from hub.store.tables import actions, cases
from tests.sync.mall_town import Town, assert_complete, exported

MALLS = ("cafe24", "smartstore", "qoo10")
#: paths of the calls that answer
_ANSWERS = {"cafe24": "articles", "smartstore": "/answer", "qoo10": "SetInquiryMessage"}


async def an_inquiry(hub: Hub, town: Town, mall: str) -> dict[str, Any]:
    """A question of now, read."""
    shop = f"main-{mall}"
    order = town.world.orders(shop)[-1]
    town.world.ask(shop, subject="배송 문의", text="언제 오나요?", order=order)
    assert_complete(await hub.sync([shop]))
    rows = [row for row in (await exported(hub, ExportKind.INQUIRIES)).values() if row["state"] == "unanswered"]
    return max(rows, key=lambda row: row["asked_at"])


async def a_cancel(
    hub: Hub, town: Town, mall: str, *, statuses: tuple[LineStatus, ...] = (LineStatus.PAID, LineStatus.PREPARING)
) -> dict[str, Any]:
    """A cancel request of now, read."""
    shop, now = f"main-{mall}", town.world.now()
    line = next(
        line
        for order in reversed(town.world.orders(shop))
        for line in order.lines
        if line.status(now) in statuses and not line.claims and line.item.logistics_company is None
    )
    town.world.request_claim(line, ClaimKind.CANCEL, ClaimReason.CHANGE_OF_MIND, "필요 없어졌어요")
    assert_complete(await hub.sync([shop]))
    rows = (await exported(hub, ExportKind.CLAIMS)).values()
    return max(
        (row for row in rows if row["kind"] == "cancel" and row["state"] == "requested"),
        key=lambda row: row["requested_at"] or "",
    )


def answer(row: dict[str, Any], text: str = "확인 후 안내드리겠습니다.", token: str | None = None) -> ActionRequest:
    return ActionRequest(
        action=Action.ANSWER_INQUIRY, shop=row["shop"], inquiry_no=row["inquiry_no"], text=text, token=token
    )


def decide(action: Action, row: dict[str, Any], text: str = "") -> ActionRequest:
    return ActionRequest(
        action=action, shop=row["shop"], order_no=row["order_no"], line_no=row["line_no"], text=text, confirmed=True
    )


def answers_sent(town: Town, mall: str) -> int:
    return sum(method in ("POST", "PUT") and _ANSWERS[mall] in path for method, path in town.lines[mall].calls)


async def case_is_open(hub: Hub, case_key: str) -> bool:
    async with hub.database.reading() as connection:
        return bool(await connection.scalar(select(cases.c.is_open).where(cases.c.case_key == case_key)))


async def stored_actions(hub: Hub) -> int:
    async with hub.database.reading() as connection:
        return await connection.scalar(select(func.count()).select_from(actions)) or 0


async def do(hub: Hub, request: ActionRequest, *, dry_run: bool = False) -> ActionResult:
    return await act(hub, command_line_actor(), request, dry_run=dry_run)


@pytest.fixture
def town() -> Town:
    return Town(orders=400)


@pytest.mark.parametrize("mall", MALLS)
async def test_an_answer_is_seen_at_the_mall_and_closes_the_case(
    town: Town, tmp_path: Path, sqlite_url: str, mall: str
) -> None:
    async with town.hub(tmp_path, sqlite_url) as hub:
        row = await an_inquiry(hub, town, mall)
        key = f"inquiry:{row['thread_no']}"
        assert await case_is_open(hub, key)
        before = answers_sent(town, mall)

        result = await do(hub, answer(row, token="form-1"))
        again = await do(hub, answer(row, token="form-1"))

        assert (result.outcome, again) == (Outcome.DONE, result)
        shown = (await exported(hub, ExportKind.INQUIRIES))[row["shop"], row["inquiry_no"]]
        assert shown["state"] == "answered"
        assert not await case_is_open(hub, key)
        second = await do(hub, answer(row, "다른 답변입니다."))
        assert second.outcome is Outcome.REFUSED
        assert second.lines[0].mall_message
        assert answers_sent(town, mall) - before == 1
        assert_complete(await hub.sync([f"main-{mall}"]))
        for number, truth in town.truth(ExportKind.INQUIRIES).items():
            if number == (row["shop"], row["inquiry_no"]):
                assert truth["state"] == "answered"


@pytest.mark.parametrize("mall", MALLS)
async def test_a_lost_answer_is_read_back_and_never_sent_again(
    town: Town, tmp_path: Path, sqlite_url: str, mall: str
) -> None:
    async with town.hub(tmp_path, sqlite_url) as hub:
        row = await an_inquiry(hub, town, mall)
        before = answers_sent(town, mall)
        town.lines[mall].lost = _ANSWERS[mall]

        result = await do(hub, answer(row))

        assert result.outcome is Outcome.DONE
        shown = (await exported(hub, ExportKind.INQUIRIES))[row["shop"], row["inquiry_no"]]
        assert shown["state"] == "answered"
        assert answers_sent(town, mall) - before == 1


@pytest.mark.parametrize("mall", ["cafe24", "smartstore"])
async def test_an_approved_cancel_leaves_the_requested(town: Town, tmp_path: Path, sqlite_url: str, mall: str) -> None:
    async with town.hub(tmp_path, sqlite_url) as hub:
        row = await a_cancel(hub, town, mall)

        result = await do(hub, decide(Action.APPROVE_CANCEL, row))

        assert result.outcome is Outcome.DONE
        assert [line.line_no for line in result.lines] == [row["line_no"]]
        shown = [
            each
            for each in (await exported(hub, ExportKind.CLAIMS)).values()
            if (each["line_no"], each["kind"]) == (row["line_no"], "cancel")
        ]
        assert "requested" not in {each["state"] for each in shown}
        second = await do(hub, decide(Action.APPROVE_CANCEL, row))
        assert second.outcome is Outcome.REFUSED
        town.clock.pass_time()
        assert_complete(await hub.sync([f"main-{mall}"]))
        truth = [
            each
            for each in town.truth(ExportKind.CLAIMS).values()
            if (each["line_no"], each["kind"], each["shop"]) == (row["line_no"], "cancel", row["shop"])
        ]
        assert "requested" not in {each["state"] for each in truth}


async def test_a_refused_cancel_is_rejected_at_cafe24(town: Town, tmp_path: Path, sqlite_url: str) -> None:
    async with town.hub(tmp_path, sqlite_url) as hub:
        row = await a_cancel(hub, town, "cafe24")

        result = await do(hub, decide(Action.REFUSE_CANCEL, row, "이미 포장이 끝났습니다."))

        assert result.outcome is Outcome.DONE
        shown = [
            each
            for each in (await exported(hub, ExportKind.CLAIMS)).values()
            if (each["line_no"], each["kind"]) == (row["line_no"], "cancel")
        ]
        assert [(each["state"], each["ended_by"]) for each in shown] == [("rejected", "seller")]


async def test_a_refusal_that_dispatches_is_never_one_click(town: Town, tmp_path: Path, sqlite_url: str) -> None:
    async with town.hub(tmp_path, sqlite_url) as hub:
        row = await a_cancel(hub, town, "smartstore", statuses=(LineStatus.PREPARING,))
        calls = len(town.lines["smartstore"].calls)
        request = ActionRequest(
            action=Action.REFUSE_CANCEL, shop=row["shop"], order_no=row["order_no"], line_no=row["line_no"],
            carrier="CJGLS", tracking_no="600012345678",
        )  # fmt: skip

        with pytest.raises(UnconfirmedError) as caught:
            await do(hub, request)

        assert caught.value.warning
        assert caught.value.warning_ko
        assert len(town.lines["smartstore"].calls) == calls
        result = await do(hub, msgspec.structs.replace(request, confirmed=True))
        assert result.outcome is Outcome.DONE
        line = (await exported(hub, ExportKind.LINES))[row["shop"], row["order_no"], row["line_no"]]
        assert (line["status"], line["tracking_no"]) == ("dispatched", "600012345678")


@pytest.mark.parametrize(
    ("mall", "action"),
    [
        ("smartstore", Action.MEMO),
        ("qoo10", Action.REFUSE_CANCEL),
        ("qoo10", Action.APPROVE_CANCEL),
    ],
)
async def test_what_the_mall_cannot_do_is_refused_with_the_way_that_exists(
    town: Town, tmp_path: Path, sqlite_url: str, mall: str, action: Action
) -> None:
    async with town.hub(tmp_path, sqlite_url) as hub:
        request = ActionRequest(action=action, shop=f"main-{mall}", order_no="1", line_no="1", text="no")
        with pytest.raises(UnsupportedByMallError) as caught:
            await do(hub, request)

        assert caught.value.instead
        assert town.lines[mall].calls == []
        assert await stored_actions(hub) == 0


@pytest.mark.parametrize("mall", MALLS)
async def test_a_dry_run_sends_and_stores_nothing(town: Town, tmp_path: Path, sqlite_url: str, mall: str) -> None:
    async with town.hub(tmp_path, sqlite_url) as hub:
        row = await an_inquiry(hub, town, mall)
        calls = len(town.lines[mall].calls)

        result = await do(hub, answer(row), dry_run=True)

        assert (result.outcome, len(town.lines[mall].calls)) == (Outcome.PENDING, calls)
        assert await stored_actions(hub) == 0
        with pytest.raises(MallError):
            await do(hub, answer(row | {"inquiry_no": "no-such"}), dry_run=True)
