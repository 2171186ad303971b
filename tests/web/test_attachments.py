"""Files of a customer's message stand as links; an answer that cannot carry any says why."""

import html
import re

from hub.core.model import Attachment, Message, MessageAuthor
from tests.desk.invented import NOW, inquiry
from tests.web.conftest import Browser


def test_files_are_links_that_tell_where_they_lead_and_nothing_is_loaded(agent: Browser) -> None:
    files = (
        Attachment(name="<b>상자</b>.png", url="https://files.example/a.png?x=1&y=2"),
        Attachment(name="old.png", url="javascript:alert(1)"),
        Attachment(name="영수증.pdf"),
    )
    asked = Message(
        message_no="1", author=MessageAuthor.CUSTOMER, text="상자가 찢어졌어요", sent_at=NOW, attachments=files
    )
    agent.client.blocking_portal.call(
        agent.rig.write, "alpha-main", inquiry("Q-90", "상자가 찢어졌어요", messages=(asked,))
    )

    page = agent.get(f"/cases/{agent.case_id('alpha-main', thread_no='Q-90')}", swap=True).text

    shown = re.search(r'<ul class="attachments".*?</ul>', page, re.DOTALL)
    assert shown is not None
    first, second, third = re.findall(r"<li>(.*?)</li>", shown[0], re.DOTALL)
    assert 'href="https://files.example/a.png?x=1&amp;y=2" target="_blank" rel="noopener noreferrer"' in first
    assert "&lt;b&gt;상자&lt;/b&gt;.png" in first
    assert "files.example</span>" in first
    assert "<a" not in second + third
    assert "<img" not in page
    assert "javascript:" not in page


def test_where_an_answer_carries_no_files_the_page_tells_the_way(agent: Browser) -> None:
    page = agent.get(f"/cases/{agent.case_id('alpha-main', thread_no='Q-1')}", swap=True).text

    assert re.search(r'<details class="attach-off">.*?관리자 화면', page, re.DOTALL)


def test_of_a_very_long_message_the_rest_is_folded_and_nothing_is_lost(agent: Browser) -> None:
    text = "가나다라 <b>" * 12_500 + "끝"
    agent.client.blocking_portal.call(agent.rig.write, "alpha-main", inquiry("Q-91", text))

    page = agent.get(f"/cases/{agent.case_id('alpha-main', thread_no='Q-91')}", swap=True).text
    timeline = page[page.index('id="timeline"') :]
    begin, rest = re.findall(r'<div class="message-text">(.*?)</div>', timeline, re.DOTALL)

    assert html.unescape(begin).removesuffix("…") + html.unescape(rest) == text
    assert '<details class="message-rest"><summary>나머지 보기 (전체 100,001자)</summary>' in timeline
