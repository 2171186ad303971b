"""What moves on an open case is read again in its parts: state, owner, promises, offers and timeline."""

import re

import pytest

from tests.web.conftest import Browser


@pytest.fixture
def returned(agent: Browser) -> str:
    return f"/cases/{agent.case_id('alpha-main', order_no='A-2')}"


def part(page: str, name: str) -> str:
    found = re.search(
        rf'<(div|span) id="case-{name}" hx-swap-oob="innerHTML">(.*?)(?=<(?:div|span) id="case-|\Z)', page, re.DOTALL
    )
    assert found is not None
    return found[2]


def test_the_news_bring_state_owner_promises_and_offers(agent: Browser, returned: str) -> None:
    before = agent.get(f"{returned}/news").text
    agent.post(
        f"{returned}/promises", due="+30m", what="색을 알려 드림", to_whom="customer", channel="call", token="t1"
    )
    agent.post(f"{returned}/take")

    news = agent.get(f"{returned}/news").text

    assert news.lstrip().startswith('<section class="timeline"')
    assert 'class="state state-' in part(news, "state")
    assert "색을 알려 드림" not in part(before, "promises")
    assert "색을 알려 드림" in part(news, "promises")
    assert f'action="{returned}/take' in part(before, "owner")
    assert f'action="{returned}/release' in part(news, "owner")
    assert f'action="{returned}/act' in part(news, "offers")


def test_every_part_of_the_news_has_its_place_on_the_page(agent: Browser, returned: str) -> None:
    names = re.findall(r'id="(case-[a-z]+)" hx-swap-oob', agent.get(f"{returned}/news").text)
    page = agent.get(returned).text

    assert len(names) == 4
    assert [name for name in names if f'id="{name}" class="moving"' not in page] == []
