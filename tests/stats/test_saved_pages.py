"""Saved views: kept from the page that shows them, opened for newer days, mailed with the figures of the screen."""

import io
import re
from datetime import date, timedelta
from email.message import EmailMessage
from html import unescape

import httpx
import pytest
from python_calamine import CalamineWorkbook

from hub.bootstrap import Hub
from hub.cli.report_mailing import mail_reports
from hub.desk.access import Role
from hub.desk.reports.schedules import MailState
from hub.stats.report_view import RelativeSpan, days_of, read_view
from tests.api.conftest import SignIn

FRIDAY = date(2026, 11, 20)


class Post:
    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []

    async def send(self, letter: EmailMessage) -> None:
        self.letters.append(letter)


async def send(client: httpx.AsyncClient, page: str, path: str, **fields: str) -> str:
    """A form as it stands on ``page``; the page that follows."""
    token = re.search(r'name="_csrf_token" value="([0-9a-f]+)"', (await client.get(page)).text)
    assert token is not None
    answer = await client.post(path, data={"_csrf_token": token[1], **fields})
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize(
    ("span", "first", "last"),
    [
        ("yesterday", "2026-11-19", "2026-11-19"),
        ("last_7_days", "2026-11-13", "2026-11-19"),
        ("last_week", "2026-11-09", "2026-11-15"),
        ("last_28_days", "2026-10-23", "2026-11-19"),
        ("last_month", "2026-10-01", "2026-10-31"),
        ("last_90_days", "2026-08-22", "2026-11-19"),
    ],
)
def test_days_are_seen_from_the_day_of_opening(span: str, first: str, last: str):
    assert days_of(RelativeSpan(span), today=FRIDAY) == (date.fromisoformat(first), date.fromisoformat(last))
    assert days_of(RelativeSpan.LAST_MONTH, today=date(2026, 1, 31)) == (date(2025, 12, 1), date(2025, 12, 31))
    assert days_of(RelativeSpan.LAST_WEEK, today=FRIDAY + timedelta(days=3))[0] == date(2026, 11, 16)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/cases",
        "//evil.example/stats",
        "https://evil.example/stats",
        "/stats/../cases",
        "/stats/reports/nothing",
        "/stats/reports/replies?by=nothing",
        "/stats/pattern?channel=letter",
        "/stats/lines?within=-1",
        "/stats/lines?within=nan",
        "/stats/lines?formula=none",
        "/stats?" + "mall=a&" * 500,
    ],
)
def test_only_pages_of_figures_are_kept(address: str):
    with pytest.raises(ValueError):
        read_view(address)


def test_days_and_unknown_filters_are_left_out():
    view = read_view("/stats/reports/replies/?first=2026-01-01&last=2026-01-02&mall=cafe24&by=day&x=1&then=")

    assert view.address == "/stats/reports/replies?mall=cafe24&by=day"
    assert view.at(FRIDAY, FRIDAY) == "/stats/reports/replies?first=2026-11-20&last=2026-11-20&mall=cafe24&by=day"
    assert not view.names_people
    assert read_view("/stats/reports/asks?by=contact").names_people


async def test_a_view_is_saved_scheduled_and_mailed_with_the_figures_of_its_page(hub: Hub, sign_in: SignIn):
    supervisor = await sign_in(Role.SUPERVISOR)
    hub.settings = hub.settings.model_copy(
        update={"smtp_host": "127.0.0.1", "smtp_from": "hub.centre.example", "report_recipients": "@centre.example"}
    )
    page = "/stats/reports/replies?first=2026-11-01&last=2026-11-20&by=channel"
    shown = (await supervisor.get(page)).text
    kept_address = re.search(r'name="address" value="([^"]+)"', shown)
    assert kept_address is not None
    kept = await send(
        supervisor,
        page,
        "/stats/saved",
        address=unescape(kept_address[1]),
        name="주간 <응답>",
        span="last_28_days",
        shared="1",
    )
    assert "주간 &lt;응답&gt;" in kept
    report_id = re.search(r'action="/stats/saved/(\d+)/schedule"', kept)
    assert report_id is not None
    timetable = {"every": "weekly", "time": "08:30", "weekday": "0", "monthday": "1", "on_rest": "next"}
    path = f"/stats/saved/{report_id[1]}/schedule"
    assert "허용된 주소" in await send(supervisor, page, path, recipients="a@evil.example", **timetable)
    assert "주기나 시각" in await send(
        supervisor, page, path, recipients="a@centre.example", **timetable | {"time": "8"}
    )
    planned = await send(supervisor, page, path, recipients="a@centre.example", **timetable)
    assert "매주 월 08:30" in planned
    asking = re.search(r'action="(/stats/saved/schedules/\d+/send)".*?name="token" value="([^"]+)"', planned)
    assert asking is not None
    await send(supervisor, page, asking[1], token=asking[2])
    await send(supervisor, page, asking[1], token=asking[2])

    post = Post()
    assert await mail_reports(hub, sender=post) == [MailState.SENT]
    assert await mail_reports(hub, sender=post) == []

    (letter,) = post.letters
    body = letter.get_body()
    assert body is not None
    (file,) = letter.iter_attachments()
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(file.get_content())).get_sheet_by_index(0).to_python()
    export = await supervisor.get("/stats/reports/replies/export?first=2026-10-23&last=2026-11-19&by=channel")
    assert sheet == CalamineWorkbook.from_filelike(io.BytesIO(export.content)).get_sheet_by_index(0).to_python()
    assert len(sheet) > 1
    text = body.get_content()
    assert "2026-10-23 – 2026-11-19" in text
    assert re.search(r"문의 기준: 2026-11-20 14:00 \(한국 시각\)", text)
    assert [f"{int(row[1]):,}" in text for row in sheet[1:]] == [True] * (len(sheet) - 1)
    log = (await supervisor.get("/stats/saved")).text
    assert "a@centre.example" in log.partition("발송 기록")[2]
    assert "주간 &lt;응답&gt;" in (await supervisor.get("/stats")).text


async def test_an_agent_has_no_saved_views(sign_in: SignIn):
    agent = await sign_in(Role.AGENT)

    assert (await agent.get("/stats/saved")).status_code == 403
