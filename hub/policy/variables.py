"""The gaps of an answer's text: ``{order_no}`` and the like. Plain substitution, nothing is ever evaluated."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from hub.policy.book_rows import Language


class Variable(Struct, frozen=True, kw_only=True):
    """One gap. ``is_personal``: filled only when it is sent, so that no screen shows what is masked elsewhere."""

    name: str
    ko: str
    ja: str
    en: str
    is_personal: bool = False

    def label(self, language: str) -> str:
        return {Language.JA: self.ja, Language.EN: self.en}.get(Language(language), self.ko)


def _variable(name: str, ko: str, ja: str, en: str, *, is_personal: bool = False) -> Variable:
    return Variable(name=name, ko=ko, ja=ja, en=en, is_personal=is_personal)


#: every gap there is; those that the hub cannot know are filled by the agent
VARIABLES: Final[Mapping[str, Variable]] = {
    each.name: each
    for each in (
        _variable("customer_name", "고객 이름", "お客様のお名前", "customer's name", is_personal=True),
        _variable("order_no", "주문번호", "注文番号", "order number"),
        _variable("product_name", "상품명", "商品名", "product"),
        _variable("option", "옵션", "オプション", "option"),
        _variable("quantity", "수량", "数量", "quantity"),
        _variable("amount", "결제 금액", "お支払い金額", "amount paid"),
        _variable("carrier", "택배사", "配送会社", "carrier"),
        _variable("tracking_no", "송장번호", "追跡番号", "tracking number"),
        _variable("tracking_url", "배송 조회 주소", "追跡URL", "tracking link"),
        _variable("position", "현재 위치", "現在の位置", "where it is now"),
        _variable("planned_ship_date", "발송 예정일", "発送予定日", "planned ship date"),
        _variable("eta_range", "도착 예상 시기", "到着の目安", "expected arrival"),
        _variable("promise_time", "연락 약속 시각", "ご連絡の時刻", "time of the promised call"),
        _variable("return_cost", "반품 비용", "返品費用", "return cost"),
        _variable("return_cost_items", "반품 비용 내역", "返品費用の内訳", "items of the return cost"),
        _variable("refund_amount", "환불 금액", "返金額", "refund"),
        _variable("reason", "사유", "理由", "reason"),
        _variable("alternative", "대안", "代わりのご提案", "alternative"),
        _variable("answer", "답변 내용", "回答内容", "the answer itself"),
        _variable("agent_name", "상담사 이름", "担当者名", "agent's name"),
        _variable("mall_name", "쇼핑몰 이름", "モール名", "mall"),
    )
}
PERSONAL: Final = frozenset(name for name, each in VARIABLES.items() if each.is_personal)

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}\n]{0,60})\}|[{}]")
#: how a gap without a value looks in the text: it cannot be overlooked, and the guard stops it
_MARKS: Final = ("⟦", "⟧")
_NOT_IN_VALUES = str.maketrans({"{": "(", "}": ")", "⟦": "[", "⟧": "]"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_OPEN_GAP = re.compile(r"⟦[^⟦⟧\n]{0,80}⟧|\{(" + "|".join(VARIABLES) + r")\}")


class Piece(Struct, frozen=True):
    """Literal ``text``, or the name of a gap; ``is_wrong`` for a brace that is neither."""

    text: str
    is_gap: bool = False
    is_wrong: bool = False


class Filled(Struct, frozen=True, kw_only=True):
    """``missing``: gaps that had no value, in order; ``text`` shows each as ``⟦its label⟧``."""

    text: str
    missing: tuple[str, ...]


class Gap(Struct, frozen=True, kw_only=True):
    """An unfilled gap in a text: its place, and the variable where it is still named."""

    start: int
    end: int
    name: str | None


def pieces(body: str) -> Iterator[Piece]:
    """A template's text taken apart. ``{{`` and ``}}`` are braces; any other lone brace is a mistake."""
    at = 0
    for found in _TOKEN.finditer(body):
        if found.start() > at:
            yield Piece(body[at : found.start()])
        at = found.end()
        token = found.group()
        if token in ("{{", "}}"):
            yield Piece(token[0])
        elif found[1] is not None:
            yield Piece(found[1], is_gap=True)
        else:
            yield Piece(token, is_wrong=True)
    if at < len(body):
        yield Piece(body[at:])


def fill(body: str, values: Mapping[str, str | None], *, language: str) -> Filled:
    """A template with its values. Personal gaps stay named: :func:`fill_personal` fills them when it is sent.

    Values are inserted as they are, once: a gap in a value is no gap. What the book should have refused
    (an unknown name, a lone brace) stays as it was written.
    """
    text: list[str] = []
    missing: list[str] = []
    for piece in pieces(body):
        if not piece.is_gap:
            text.append(piece.text)
            continue
        variable = VARIABLES.get(piece.text)
        if variable is None or variable.is_personal:
            text.append(f"{{{piece.text}}}")
        elif value := _plain(values.get(piece.text)):
            text.append(value)
        else:
            missing.append(piece.text)
            text.append(f"{_MARKS[0]}{variable.label(language)}{_MARKS[1]}")
    return Filled(text="".join(text), missing=tuple(dict.fromkeys(missing)))


def fill_personal(text: str, values: Mapping[str, str | None]) -> str:
    """What goes to the mall: an agent's text with its personal gaps filled. One without a value stays named."""

    def value_of(found: re.Match[str]) -> str:
        name = found[1]
        return (_plain(values.get(name)) if name in PERSONAL else None) or found.group()

    return _OPEN_GAP.sub(value_of, text)


def open_gaps(text: str, *, filled_later: frozenset[str] = frozenset()) -> Iterator[Gap]:
    """Gaps that nobody has filled; ``filled_later`` are those with a value when it is sent."""
    for found in _OPEN_GAP.finditer(text):
        if found[1] is None or found[1] not in filled_later:
            yield Gap(start=found.start(), end=found.end(), name=found[1])


def _plain(value: str | None) -> str:
    """A value on one line that can neither be nor look like a gap."""
    return _CONTROL.sub(" ", value or "").translate(_NOT_IN_VALUES).strip()
