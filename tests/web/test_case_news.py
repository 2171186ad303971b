"""What moves on an open case is read again in its parts: question, state, owner, promises, offers and timeline."""

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

    assert len(names) == 5
    assert [name for name in names if f'id="{name}" class="moving"' not in page] == []


def test_what_the_customer_said_last_stands_before_what_is_to_be_decided(agent: Browser) -> None:
    address = f"/cases/{agent.case_id('alpha-main', thread_no='Q-1')}"

    page, news = agent.get(address).text, agent.get(f"{address}/news").text

    asked = re.search(r'<p class="asked-text">(.+?)</p>', page, re.DOTALL)
    assert asked is not None
    assert f'<p class="asked-text">{asked[1]}</p>' in part(news, "asked")
    assert page.index('class="asked-text"') < page.index('id="decision"')
    assert page.index('class="asked-text"') < page.index('class="message-text"')


def test_a_request_without_a_question_shows_none(agent: Browser, returned: str) -> None:
    assert 'class="asked-text"' not in agent.get(returned).text
