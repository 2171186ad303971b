"""Customers who keep coming: what makes a demo live. Seeded, so that a test can follow it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

from hub.core.model import ClaimKind, ClaimReason, InventoryMode, LineStatus
from hub.sandbox.facts import InquiryFact, LineFact, OrderFact
from hub.sandbox.world import World

_RECENT = 400
_SAYS = {
    "KR": {
        ClaimKind.CANCEL: ("사이즈를 잘못 골랐어요. 취소 부탁드립니다.", "다른 곳에서 샀어요 ㅠㅠ 취소해 주세요"),
        ClaimKind.RETURN: ("화면과 색이 달라요. 반품할게요.", "받아 보니 박음질이 터져 있어요 😢"),
        ClaimKind.EXCHANGE: ("한 치수 큰 걸로 교환하고 싶어요.",),
        "ask": (
            ("배송", "언제 도착하나요?", "내일 꼭 필요해서요. 오늘 출고되나요? 🙏"),
            ("상품", "재질이 궁금해요", "세탁기에 돌려도 되나요?"),
            ("기타", "현금영수증", "현금영수증 신청을 깜빡했어요. 지금도 될까요?"),
        ),
    },
    "JP": {
        ClaimKind.CANCEL: ("注文間違い", "他の店で買いました"),
        ClaimKind.RETURN: ("サイズが合わない", "商品が破損していた"),
        ClaimKind.EXCHANGE: ("サイズを交換してほしい",),
        "ask": (
            ("配送", "いつ届きますか？", "明後日までに必要です。間に合いますか🙏"),
            ("商品", "素材について", "洗濯機で洗えますか？"),
        ),
    },
}
_OPEN_TO = {
    ClaimKind.CANCEL: (LineStatus.PAID, LineStatus.PREPARING),
    ClaimKind.RETURN: (LineStatus.DELIVERED,),
    ClaimKind.EXCHANGE: (LineStatus.DELIVERED,),
}
#: what makes goods to order, and what their buyer says who wants them no longer
ENGRAVED = {"KR": "각인=S.K", "JP": "名入れ:S.K"}
_NOT_ENGRAVED = {
    "KR": "각인 문구를 잘못 적었어요. 취소하고 다시 주문할게요.",
    "JP": "名入れの文字を間違えました。キャンセルしたいです。",
}
_BROKEN = {"KR": "받아 보니 바느질이 터져 있어요.", "JP": "届いた商品が不良品でした。"}


def open_day(world: World) -> None:
    """What has just happened when the doors open: in each shop somebody takes back an order made for them, and
    a defect comes back of goods that a warehouse firm keeps, where any were delivered.
    """
    for spec in world.shops.values():
        _take_back(world, spec.name, spec.country)
    for spec in world.shops.values():
        kept = [
            line
            for order in world.orders(spec.name)[-_RECENT:]
            for line in order.lines
            if line.item.mode is InventoryMode.THIRD_PARTY_LOGISTICS
            and line.status(world.now()) is LineStatus.DELIVERED
            and not world.claims_of(line)
        ]
        if kept:
            world.request_claim(kept[-1], ClaimKind.RETURN, ClaimReason.DEFECT, _BROKEN[spec.country])
            return


def _take_back(world: World, shop: str, country: str) -> None:
    orders = iter(lambda: world.place_order(shop), None)
    order = next(order for order in orders if world.was_paid(order) and len(order.lines) == 1)
    line = order.lines[0]
    line.item = replace(line.item, option=ENGRAVED[country])
    world.prepare(line)
    world.request_claim(line, ClaimKind.CANCEL, ClaimReason.CHANGE_OF_MIND, _NOT_ENGRAVED[country])


class Customers:
    """Each :meth:`act` lets one thing happen now: an order, a question or a claim."""

    def __init__(self, world: World, *, seed: int) -> None:
        self._world = world
        self._random = Random(seed)

    def act(self) -> str:
        """Returns what happened: "order", "question", or the kind of the claim."""
        spec = self._random.choice(list(self._world.shops.values()))
        recent = self._world.orders(spec.name)[-_RECENT:]
        chance = self._random.random()
        if chance < 0.45 or not recent:
            self._world.place_order(spec.name)
            return "order"
        if chance < 0.75:
            category, subject, text = self._random.choice(_SAYS[spec.country]["ask"])
            self._world.ask(spec.name, subject=subject, text=text, category=category, order=self._random.choice(recent))
            return "question"
        return self._claim(recent, spec.country)

    def _claim(self, recent: Sequence[OrderFact], country: str) -> str:
        kind = self._random.choices(list(_OPEN_TO), (0.6, 0.25, 0.15))[0]
        lines = [line for order in recent for line in order.lines if self._may_claim(line, kind)]
        if not lines:
            return "nothing"
        text = self._random.choice(_SAYS[country][kind])
        self._world.request_claim(self._random.choice(lines), kind, ClaimReason.CHANGE_OF_MIND, str(text))
        return kind.value

    def _may_claim(self, line: LineFact, kind: ClaimKind) -> bool:
        now = self._world.now()
        if line.status(now) not in _OPEN_TO[kind] or not line.remaining(now):
            return False
        return self._world.open_claim(line) is None


_CHATS = {
    "KR": (
        "안녕하세요, 이 상품 오늘 주문하면 언제 받을 수 있나요?",
        "어제 주문했는데 배송지 변경 가능할까요? 🙏",
        "사이즈가 고민이에요. 165에 55면 M이 맞을까요?",
        "받았는데 색이 화면이랑 달라요 ㅠㅠ 교환되나요",
        "환불은 언제 들어오나요?",
    ),
    "JP": ("在庫はありますか？", "いつ届きますか？🙏"),
}
_REPLIES = {
    "KR": ("네 감사합니다 😊", "아 그럼 내일까지는 받을 수 있는 거죠?", "알겠습니다. 하나만 더요, 선물 포장도 되나요?"),
    "JP": ("ありがとうございます😊", "明日までに届きますか？"),
}
#: who was answered longer ago has left the chat
_STAYS = timedelta(minutes=15)


class Talkers:
    """People of a chat. Each :meth:`act`: somebody who was just answered goes on, or somebody new writes."""

    def __init__(self, world: World, *, shop: str, seed: int) -> None:
        self._world = world
        self._shop = shop
        self._country = world.shops[shop].country
        self._random = Random(seed)

    def act(self) -> str:
        """Returns what happened: "reply" or "chat"."""
        answered = [chat for chat in self._world.inquiries(self._shop) if self._was_just_answered(chat)]
        if answered and self._random.random() < 0.7:
            self._world.follow_up(self._random.choice(answered), self._random.choice(_REPLIES[self._country]))
            return "reply"
        item = self._random.choice(self._world.goods(self._shop))
        self._world.ask(self._shop, subject="", text=self._random.choice(_CHATS[self._country]), item=item)
        return "chat"

    def _was_just_answered(self, chat: InquiryFact) -> bool:
        """Whether the last word is the shop's, of a moment ago; only the first two answers are replied to."""
        answers, replies = self._world.said(chat.answers), self._world.said(chat.follow_ups)
        if not 1 <= len(answers) <= _MOST_REPLIES:
            return False
        is_last = not replies or replies[-1].at < answers[-1].at
        return is_last and self._world.now() - answers[-1].at < _STAYS


_MOST_REPLIES = 2


async def keep_coming(customers: Customers, *, every_seconds: float, after: Callable[[], None] = lambda: None) -> None:
    """Let customers act until cancelled; ``after`` is called after each."""
    while True:
        await asyncio.sleep(every_seconds)
        customers.act()
        after()
