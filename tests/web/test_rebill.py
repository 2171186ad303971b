"""Re-billing without shipment on the page of a case; the forms work without a script."""

import re

import pytest

from hub.desk.books.policy import put_in_force
from hub.policy.book import PolicyTables
from hub.policy.book_rows import Rebilling, SwitchRow
from tests.desk.invented import NOW
from tests.web.conftest import Browser

_LINK = {"line_no": "A-2-1", "new_order_no": "A-1", "new_line_no": "A-1-1", "reason": "goods_kept"}


@pytest.fixture
def old(browser: Browser) -> str:
    rig = browser.rig
    tables = PolicyTables(switches=(SwitchRow(rebill_without_shipment=Rebilling.WITH_APPROVAL),))

    async def put() -> None:
        await put_in_force(rig.database, tables, malls=rig.registry, shops=tuple(rig.shops), now=NOW)

    browser.client.blocking_portal.call(put)
    return f"/cases/{browser.case_id('alpha-main', order_no='A-2')}"


def _path(page: str, verb: str) -> str:
    found = re.search(rf'action="(/cases/\d+/rebills/\d+/{verb})', page)
    assert found is not None
    return found[1]


def test_an_agent_links_a_supervisor_approves_and_takes_back(browser: Browser, old: str) -> None:
    new = f"/cases/{browser.case_id('alpha-main', order_no='A-1')}"
    agent = browser.sign_in("kim")
    assert agent.post(f"{old}/rebills", **_LINK).headers["location"] == f"{old}?notice=rebill_asked"
    page = agent.get(new).text
    assert "승인 대기" in page
    assert "출고 금지" in page
    assert "/approve" not in page
    held = agent.post(f"{new}/act", swap=True, action="confirm", line_no="A-1-1")
    assert "출고할 수 없습니다" in held.text

    supervisor = browser.sign_in("lee")
    supervisor.post(_path(supervisor.get(new).text, "approve"))
    assert "승인됨" in supervisor.get(old).text
    supervisor.post(_path(supervisor.get(old).text, "undo"))

    assert "출고 금지" not in supervisor.get(new).text


def test_an_agent_can_neither_approve_nor_undo(browser: Browser, old: str) -> None:
    browser.sign_in("kim").post(f"{old}/rebills", **_LINK)
    page = browser.sign_in("lee").get(old).text
    agent = browser.sign_in("kim")

    assert agent.post(_path(page, "approve")).status_code == 403
    assert agent.post(_path(page, "undo")).status_code == 403


def test_a_link_of_another_case_is_not_there(browser: Browser, old: str) -> None:
    browser.sign_in("lee").post(f"{old}/rebills", **_LINK)
    path = _path(browser.get(old).text, "undo")
    other = browser.case_id("japan-main", order_no="J-1")

    assert browser.post(re.sub(r"/cases/\d+", f"/cases/{other}", path)).status_code == 404


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"new_order_no": "없는 번호"}, "찾지 못했거나"),
        ({"new_order_no": "A-1", "new_line_no": ""}, "찾지 못했거나"),
        ({"reason": "because"}, "찾지 못했거나"),
        ({"new_order_no": "A-2", "new_line_no": "A-2-1"}, "같은 주문상품"),
    ],
)
def test_what_cannot_be_linked_is_said(agent: Browser, old: str, changed: dict[str, str], said: str) -> None:
    assert said in agent.post(f"{old}/rebills", swap=True, **_LINK | changed).text
