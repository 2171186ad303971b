"""People to ask for the desk's and the pages' tests of questions to contacts, and what was sent to them."""

import json
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import httpx

from hub.desk.access import Actor
from hub.desk.asks.asking import AskRequest, ask
from hub.desk.books.routing import RoutingBook
from hub.desk.sending import ChannelError
from hub.settings import Settings
from routing.chain import Matter
from routing.rules_file import read_rules
from tests.desk.invented import Rig

#: A-1 (P1) is consigned, A-2 (P3) lies at the warehouse firm, O-2 (P4) is ours, J-1 (J1) is a Japanese partner's
RULES = """
[[product]]
product_code = "P1"
mode = "consignment"
partner = "한빛유통"
[[product]]
product_code = "P3"
mode = "third_party_logistics"
partner = "다온상사"
logistics = "예시물류"
[[product]]
product_code = "P4"
mode = "direct_purchase"
[[product]]
product_code = "J1"
mode = "consignment"
partner = "東京商事"

[[contact]]
key = "hanul"
name = "윤하늘"
role = "logistics"
organisation = "예시물류"
email = "hanul@example.com"
escalate_minutes = 60
deputy = "byul"
[contact.hours]
weekdays = ["09:00-12:00", "13:00-18:00"]
[[contact]]
key = "byul"
name = "윤별"
role = "logistics"
codes = ["예시물류 대리"]
organisation = "예시물류 야간"
webhook_url = "https://chat.example/hooks/byul"
[contact.hours]
daily = ["00:00-24:00"]
holidays = "open"
[[contact]]
key = "daon"
name = "정다온"
role = "partner"
organisation = "다온상사"
email = "daon@example.com"
[contact.hours]
weekdays = ["09:00-18:00"]
[[contact]]
key = "hanbit"
name = "박지훈"
role = "partner"
organisation = "한빛유통"
phone = "02-000-0201"
[contact.hours]
weekdays = ["09:00-18:00"]
[[contact]]
key = "tokyo"
name = "佐藤 健"
role = "partner"
organisation = "東京商事"
email = "sato@example.com"
timezone = "Asia/Tokyo"
[contact.hours]
weekdays = ["09:00-18:00"]
[[contact]]
key = "minseo"
name = "김민서"
role = "md"
phone = "02-000-0101"
[contact.hours]
weekdays = ["09:00-18:00"]
"""
SETTINGS = Settings(
    smtp_host="127.0.0.1",
    smtp_security="none",
    smtp_from="cs@example.com",
    smtp_to="ops@example.com",
    public_url="https://desk.example",
)


@dataclass
class Mailbox:
    """Stands for the mail server and for the chat tools; ``trouble`` is what it fails with."""

    letters: list[EmailMessage] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    trouble: str | None = None

    async def send(self, letter: EmailMessage) -> None:
        if self.trouble is not None:
            raise ChannelError(self.trouble)
        self.letters.append(letter)

    def take(self, request: httpx.Request) -> httpx.Response:
        if self.trouble is not None:
            return httpx.Response(500)
        self.posts.append({"url": str(request.url), **json.loads(request.content)})
        return httpx.Response(200)

    @property
    def chat(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.take)

    def text(self, number: int = -1) -> str:
        content: str = self.letters[number].get_content()
        return content


def give_people(rig: Rig, rules: str = RULES, settings: Settings = SETTINGS) -> None:
    read = read_rules(rules.encode(), file="test")
    rig.settings = settings
    rig.routing = RoutingBook(table=read.table(()), directory=read.directory(), stamp=(0.0,))


async def put(rig: Rig, actor: Actor, case_id: int, contact: str, **more: Any) -> int:
    """A question as an agent would send it, about a defect and by mail unless told otherwise."""
    given: dict[str, Any] = {"matter": Matter.DEFECT, "way": "mail", "token": f"t-{contact}-{rig.at.isoformat()}"}
    return await ask(rig, actor=actor, case_id=case_id, request=AskRequest(contact_key=contact, **(given | more)))
