"""An emulated TalkTalk account: the sending API at gw.talk.naver.com, and the webhooks that customers cause.

Source: Naver TalkTalk Chat Bot API V1 (events, sending API, result codes); confidence: sure. A person's
id, and which text of a refusal stands for which fault, are made up. Each inquiry of the World is one
person of the chat; the shop's answers in the World are written by people in the partner centre.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec

from hub.core.events import Delivery
from hub.sandbox.asgi import Request, Response, app_of
from hub.sandbox.facts import InquiryFact
from hub.sandbox.kit import Row, SandboxOptions, Truth, inquiry_row
from hub.sandbox.world import World

_PATH = "/chatbot/v1/event"
_ACCOUNT = "wc8b1i"
_SHOP_PAGE = "https://smartstore.naver.com/hubmall/products/"
_LONGEST_TEXT = 10_000
_DOCUMENTED = {"event", "user", "textContent", "imageContent", "compositeContent", "options", "partner"}
_SILENCE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Said:
    """One message. ``number`` is the World's own, 0 for the question itself."""

    at: datetime
    number: int
    is_customer: bool
    text: str
    is_by_api: bool = False


@dataclass(slots=True)
class Memory:
    """``told``: messages that went out as events, by inquiry and message; ``by_api``: answers of the sending API."""

    told: set[tuple[int, int]] = field(default_factory=set)
    by_api: set[int] = field(default_factory=set)


class TalktalkSandbox:
    """``has_echo``: the account has switched the echo event on. ``memory`` belongs to the World: kept with it, each
    event is told once over restarts.
    """

    mall = "talktalk"

    def __init__(self, world: World, *, shop: str, options: SandboxOptions, has_echo: bool = True) -> None:
        self.shop = shop
        self.has_echo = has_echo
        self.app = app_of(self._handle)
        #: bodies that the sending API took, oldest first
        self.sent: list[dict[str, Any]] = []
        self._world = world
        self._key = f"ct_{_ACCOUNT}_" + _digest(f"key {shop} {options.seed}")[:20]
        self.memory = Memory()

    def shop_table(self, base_url_root: str) -> Row:
        return {
            "name": self.shop,
            "mall": self.mall,
            "base_url": base_url_root,
            "credentials": {"authorization": self._key, "account_id": _ACCOUNT},
        }

    # -- the sending API

    def _handle(self, request: Request) -> Response:
        if request.path != _PATH or request.method != "POST":
            return Response(status=404, content={"error": "not found"})
        if request.headers.get("authorization") != self._key:
            return _no("01", "Authorization 정보 오류")
        try:
            body = request.json()
        except msgspec.DecodeError:
            return _no("02", "request json 문자열 파싱 오류")
        wrong = _what_is_wrong(body)
        if wrong is not None:
            return _no("02", wrong)
        text = body["textContent"]["text"]
        if len(text) > _LONGEST_TEXT:
            return _no("99", "텍스트가 너무 깁니다")
        fact = next((fact for fact in self._world.inquiries(self.shop) if user_of(fact) == body["user"]), None)
        if fact is None:
            return _no("99", "존재하지 않는 사용자입니다")
        self.sent.append(body)
        self.memory.by_api.add(self._world.answer(fact, text, "shop").number)
        return Response(content={"success": True, "resultCode": "00"})

    # -- webhooks

    def deliveries(self) -> Iterator[Delivery]:
        """What has happened by now and was not told before, oldest first; each is told once."""
        due = [
            (said.at, fact, said)
            for fact in self._world.inquiries(self.shop)
            for said in self._said(fact)
            if (fact.number, said.number) not in self.memory.told
        ]
        for at, fact, said in sorted(due, key=lambda each: (each[0], each[1].number, each[2].number)):
            self.memory.told.add((fact.number, said.number))
            yield from (_delivery(event, at) for event in self._events(fact, said))

    async def send_events(self, client: httpx.AsyncClient, address: str) -> list[int]:
        """Post them to a webhook's address, as the platform does: once each. Returns the statuses."""
        return [
            (await client.post(address, content=delivery.body, headers=dict(delivery.headers))).status_code
            for delivery in self.deliveries()
        ]

    def _events(self, fact: InquiryFact, said: Said) -> Iterator[dict[str, Any]]:
        user = user_of(fact)
        if not said.is_customer:
            if self.has_echo:
                options = {"mobile": False} if said.is_by_api else {"mobile": False, "managerNickname": "상담사"}
                content = {"text": said.text, "inputType": "typing"}
                yield {
                    "event": "echo", "echoedEvent": "send", "user": user, "partner": _ACCOUNT,
                    "textContent": content, "options": options,
                }  # fmt: skip
            return
        if said.number == 0:
            yield {"event": "open", "user": user, "options": _way_in(fact)}
        content = {"text": said.text, "inputType": "typing"}
        yield {"event": "send", "user": user, "textContent": content, "options": {"mobile": fact.number % 2 == 0}}

    def _said(self, fact: InquiryFact) -> list[Said]:
        """The whole conversation by now, oldest first. A chat has no subject line."""
        answers = [
            Said(
                answer.at,
                answer.number,
                is_customer=False,
                text=answer.text,
                is_by_api=answer.number in self.memory.by_api,
            )
            for answer in self._world.said(fact.answers)
        ]
        more = [
            Said(each.at, each.number, is_customer=True, text=each.text) for each in self._world.said(fact.follow_ups)
        ]
        first = Said(fact.asked_at, 0, is_customer=True, text=fact.text)
        return [first, *sorted((*answers, *more), key=lambda said: (said.at, said.number))]

    # -- truth

    def truth(self) -> Truth:
        rows = [row for fact in self._world.inquiries(self.shop) for row in self._rows(fact)]
        return Truth(lines=(), claims=(), inquiries=tuple(rows))

    def _rows(self, fact: InquiryFact) -> Iterator[Row]:
        """A new inquiry begins with what the customer writes after an answer and a day of silence."""
        stretches: list[list[Said]] = []
        for said in self._said(fact):
            last = stretches[-1][-1] if stretches else None
            is_new = last is None or (said.is_customer and not last.is_customer and said.at - last.at > _SILENCE)
            if is_new:
                stretches.append([])
            stretches[-1].append(said)
        conversation = hashlib.blake2b(user_of(fact).encode(), digest_size=9).hexdigest()
        for index, stretch in enumerate(stretches):
            answers = [said for said in stretch if not said.is_customer]
            question = stretch[: stretch.index(answers[0])] if answers else stretch
            open_state = "in_progress" if answers else "unanswered"
            asked_at = stretch[0].at
            yield inquiry_row(
                shop=self.shop,
                mall=self.mall,
                inquiry_no=f"{conversation}-{asked_at.astimezone(UTC):%Y%m%dT%H%M%S}",
                thread_no=conversation,
                kind="chat",
                state=open_state if stretch[-1].is_customer else "answered",
                product_code=_product(fact) if index == 0 else None,
                asked_at=asked_at,
                answered_at=answers[-1].at if answers else None,
                text="\n".join(said.text for said in question),
                answer=answers[-1].text if answers else None,
            )


def build(world: World, *, shop: str, options: SandboxOptions) -> TalktalkSandbox:
    return TalktalkSandbox(world, shop=shop, options=options)


def user_of(fact: InquiryFact) -> str:
    """The opaque id of the person who wrote."""
    return "al-" + _digest(f"{fact.shop} {fact.number}")[:19]


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def _product(fact: InquiryFact) -> str | None:
    return str(70_000_000 + fact.item.number) if fact.item else None


def _way_in(fact: InquiryFact) -> dict[str, Any]:
    """By a product's button, or out of the list of chats."""
    product = _product(fact)
    flags = {"friend": False, "under14": False, "under19": False}
    if product is None:
        return {"inflow": "list", "referer": "https://talk.naver.com/", **flags}
    return {"inflow": "button", "referer": _SHOP_PAGE + product, "from": product, **flags}


def _delivery(event: dict[str, Any], at: datetime) -> Delivery:
    headers = {"content-type": "application/json;charset=UTF-8", "accept": "application/json"}
    return Delivery(headers=headers, body=msgspec.json.encode(event), received_at=at)


def _what_is_wrong(body: Any) -> str | None:
    if not isinstance(body, dict) or not body.keys() <= _DOCUMENTED:
        return "request json 문자열 파싱 오류"
    if body.get("event") != "send":
        return "지원하지 않는 event입니다"
    content = body.get("textContent")
    is_text = isinstance(content, dict) and isinstance(content.get("text"), str) and bool(content["text"])
    if not isinstance(body.get("user"), str) or not body["user"] or not is_text:
        return "필수값이 없습니다"
    options = body.get("options", {})
    if not isinstance(options, dict) or not isinstance(options.get("notification", False), bool):
        return "options가 올바르지 않습니다"
    return None


def _no(code: str, words: str) -> Response:
    return Response(content={"success": False, "resultCode": code, "resultMessage": words})
