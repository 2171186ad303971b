"""Personal data in a text: telephone numbers, addresses, accounts and names, in the spellings people use.

Numbers are looked for with anything between their digits that a reader skips. Every pattern has bounded
repeats only, so that no text takes long. What the mall itself numbers (orders, parcels) is no phone.
"""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import islice
from typing import Final

from msgspec import Struct

from hub.policy.guard_text import View, plain_view, tight_view
from hub.policy.guard_words import Personal


class Datum(StrEnum):
    """What a piece of personal data is; the value is the key of its message."""

    PHONE = "phone"
    LANDLINE = "landline"
    EMAIL = "email"
    MAILBOX = "mailbox"
    ADDRESS = "address"
    PLACE = "place"
    NAME = "name"
    MEMBER_ID = "member_id"
    ORDER_NO = "order_no"
    TRACKING_NO = "tracking_no"
    CUSTOMS_ID = "customs_id"
    ACCOUNT = "account"
    CARD = "card"
    RESIDENT_NO = "resident_no"


class Found(Struct, frozen=True, kw_only=True):
    """``value``: digits of a number, a normal mailbox, or the words; ``start`` and ``end`` in the original."""

    datum: Datum
    value: str
    start: int
    end: int


class Person(Struct, frozen=True, kw_only=True):
    """What is known of the customers of one case, as the mall spells it. Masked values are left out by the caller."""

    names: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    member_ids: tuple[str, ...] = ()
    order_nos: tuple[str, ...] = ()
    tracking_nos: tuple[str, ...] = ()


_S = r"[\s.\-()·_/~,ー—–−‐‑]{0,3}"
_KO_DIGIT = "공영일이삼사오육륙칠팔구"
_D = f"[0-9{_KO_DIGIT}]"
_AS_DIGITS = str.maketrans(dict(zip("공영일이삼사오육륙칠팔구oli", "001234566789011", strict=True)))
#: a mobile number of Korea, its digits perhaps as words, its noughts perhaps as letters
_MOBILE_KR = re.compile(
    rf"(?<!{_D})(?:\+?82{_S}(?:\(?0\)?)?|[0공영]|(?<![a-z])o){_S}[1일li]{_S}[0-9공영일육칠팔구o]{_S}(?:{_D}{_S}){{7,8}}(?!{_D})"
)
_MOBILE_JP = re.compile(rf"(?<!\d)(?:\+?81{_S}|0)[6-9]{_S}0(?:{_S}\d){{8}}(?!\d)")
_LANDLINE = re.compile(r"(?<![\d\-.])\(?0\d{1,3}\)?[\s.\-)]{1,2}\d{2,4}[\s.\-]{1,2}\d{4}(?![\d\-.]?\d)")
#: numbers that whole companies have (1588-1234, 080-123-4567): nobody's personal data
_COMPANY = re.compile(r"(?:1[568]\d{2}|0?80|0120|0570|0800)")
_CUSTOMS = re.compile(rf"(?<![a-z0-9])p{_S}(?:\d{_S}){{11}}\d(?!\d)")
_RESIDENT = re.compile(r"(?<!\d)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[\s\-]{1,3}[1-8]\d{6}(?!\d)")
_CARD = re.compile(r"(?<![\d\-])\d{4}[\s\-]{1,2}\d{4}[\s\-]{1,2}\d{4}[\s\-]{1,2}\d{4}(?![\d\-])")
_ACCOUNT = re.compile(
    r"(?<![\d\-])\d{2,6}[\s\-]{1,2}\d{2,6}(?:[\s\-]{1,2}\d{2,8}){1,2}(?![\d\-])|(?<!\d)\d{10,14}(?!\d)"
)
_LONG_NUMBER = re.compile(rf"\d(?:{_S}\d){{9}}")
_SIGN = re.compile(r"\s?(?:@|\(at\)|\[at\]|골뱅이)\s?(?=[a-z0-9])")
_DOMAIN = re.compile(r"[a-z0-9\-]{1,40}(?:\s?(?:\.|\(dot\)|닷)\s?[a-z0-9\-]{2,20}){1,3}")
_LOCAL_BACKWARDS = re.compile(r"[a-z0-9._+\-]{1,64}")
_HOUSE = re.compile(
    r"[로길]\s{0,2}\d{1,4}(?:-\d{1,4})?(?![\d~]|원|개|일|시|분|번째|%|만|천)|[동읍면리가]\s{0,2}\d{1,4}(?:-\d{1,4}|번지)"
)
_TOWN = re.compile(r"[가-힣](?:시|군|구)\s")
_STREET_BACKWARDS = re.compile(r"[가-힣0-9]{0,12}")
_BLOCK = re.compile(r"\d{1,4}\s{0,2}동\s{0,2}\d{1,4}\s{0,2}호")
_JAPANESE_PLACE = re.compile(
    r"〒\s{0,2}\d{3}-?\d{4}|[一-龠]{2,3}[都道府県][一-龠ぁ-んァ-ヶ]{1,8}[市区町村][一-龠ぁ-んァ-ヶ0-9\-]{0,12}\d"
)
_ORDER_WORD = re.compile(r"주문\s?(?:번호|no)|注文\s?番号|order\s?(?:number|no\b)")
_ORDER_TAIL = re.compile(r"[\s:：#은는이()\[\]=]{0,4}([0-9a-z][0-9a-z\-]{6,30})")
_HONORIFIC = ("님", "고객", "씨", "様", "さま", "さん")
_MASKS = "*•●○＊"
#: a digit, or a word for one that numbers are read out with
_DIGIT = re.compile(r"[0-9공영]")
_MOST_OF_A_KIND: Final = 100
_ADDRESS_REACH: Final = 40
_BANK_REACH: Final = 16


def find_personal(plain: View, tight: View, person: Person, words: Personal) -> list[Found]:
    """Everything personal in a text, or that may be; what it means to whom is for the caller to judge."""
    ways = [_known(tight, person), _mails(plain, words), _known_places(tight, person)]
    if _DIGIT.search(plain.text):
        numbers = {_digits(number) for number in (*person.order_nos, *person.tracking_nos)}
        ways += [_order_numbers(plain), _places(plain, words), _strict_numbers(plain, words), _phones(plain, numbers)]
    return _without_overlaps([each for way in ways for each in islice(way, _MOST_OF_A_KIND)])


def _without_overlaps(found: Sequence[Found]) -> list[Found]:
    """The first of those that share characters: the list goes from the surest to the least sure."""
    taken = bytearray(max((each.end for each in found), default=0))
    kept: list[Found] = []
    for each in found:
        if not any(taken[each.start : each.end]):
            taken[each.start : each.end] = b"\1" * (each.end - each.start)
            kept.append(each)
    return sorted(kept, key=lambda each: each.start)


def _found(view: View, datum: Datum, value: str, start: int, end: int) -> Found:
    first, last = view.span(start, end)
    return Found(datum=datum, value=value, start=first, end=last)


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdecimal())


def _phones(plain: View, numbers: set[str]) -> Iterator[Found]:
    for pattern, datum in ((_MOBILE_KR, Datum.PHONE), (_MOBILE_JP, Datum.PHONE), (_LANDLINE, Datum.LANDLINE)):
        for match in pattern.finditer(plain.text):
            value = _digits(match.group().translate(_AS_DIGITS))
            if any(value in number for number in numbers) or _COMPANY.match(value) or _is_date(match.group()):
                continue
            yield _found(plain, datum, value, match.start(), match.start() + len(match.group().rstrip(" .-()·_/~,\n")))


_DATE = re.compile(r"0?\d{1,2}[.\-\s]{1,2}\d{1,2}[.\-\s]{1,2}20\d\d\Z")


def _is_date(text: str) -> bool:
    return _DATE.match(text) is not None


def _strict_numbers(plain: View, words: Personal) -> Iterator[Found]:
    if _LONG_NUMBER.search(plain.text) is None:
        return
    for match in _CUSTOMS.finditer(plain.text):
        yield _found(plain, Datum.CUSTOMS_ID, _digits(match.group()), *match.span())
    for match in _RESIDENT.finditer(plain.text):
        yield _found(plain, Datum.RESIDENT_NO, _digits(match.group()), *match.span())
    for match in _CARD.finditer(plain.text):
        if _is_card(_digits(match.group())):
            yield _found(plain, Datum.CARD, _digits(match.group()), *match.span())
    for match in _ACCOUNT.finditer(plain.text):
        before = plain.text[max(0, match.start() - _BANK_REACH) : match.start()]
        is_mobile = _digits(match.group()).startswith("01")
        if not is_mobile and any(bank in before for bank in words.banks):
            yield _found(plain, Datum.ACCOUNT, _digits(match.group()), *match.span())


def _is_card(digits: str) -> bool:
    """The check digit of payment cards (Luhn)."""
    doubled = [int(char) * (2 - place % 2) for place, char in enumerate(digits, start=len(digits) % 2)]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _mails(plain: View, words: Personal) -> Iterator[Found]:
    for sign in _SIGN.finditer(plain.text):
        domain = _DOMAIN.match(plain.text, sign.end())
        before = plain.text[max(0, sign.start() - 64) : sign.start()][::-1]
        local = _LOCAL_BACKWARDS.match(before)
        if domain is None or local is None:
            continue
        name = local.group()[::-1]
        host = re.sub(r"\s", "", domain.group()).replace("(dot)", ".").replace("닷", ".")
        datum = Datum.MAILBOX if name in words.role_mailboxes else Datum.EMAIL
        yield _found(plain, datum, f"{name}@{host}", sign.start() - len(name), domain.end())


def _order_numbers(plain: View) -> Iterator[Found]:
    for word in _ORDER_WORD.finditer(plain.text):
        tail = _ORDER_TAIL.match(plain.text, word.end())
        if tail and sum(char.isdecimal() for char in tail[1]) >= 6:
            yield _found(plain, Datum.ORDER_NO, tail[1], *tail.span(1))


def _known_places(tight: View, person: Person) -> Iterator[Found]:
    for value in person.addresses:
        yield from _occurrences(tight, Datum.ADDRESS, value, shortest=6)


def _places(plain: View, words: Personal) -> Iterator[Found]:
    for match in _BLOCK.finditer(plain.text):
        yield _found(plain, Datum.ADDRESS, match.group(), *match.span())
    for match in _HOUSE.finditer(plain.text):
        before = plain.text[max(0, match.start() - _ADDRESS_REACH) : match.start()]
        if any(region in before for region in words.regions) or _TOWN.search(before):
            street = _STREET_BACKWARDS.match(before[::-1])
            start = match.start() - (street.end() if street else 0)
            yield _found(plain, Datum.PLACE, plain.text[start : match.end()], start, match.end())
    for match in _JAPANESE_PLACE.finditer(plain.text):
        yield _found(plain, Datum.PLACE, match.group(), *match.span())


def _known(tight: View, person: Person) -> Iterator[Found]:
    """What is known of this customer, wherever it stands."""
    for values, datum, shortest in (
        (person.order_nos, Datum.ORDER_NO, 5),
        (person.tracking_nos, Datum.TRACKING_NO, 8),
        (person.member_ids, Datum.MEMBER_ID, 4),
    ):
        for value in values:
            yield from _occurrences(tight, datum, value, shortest=shortest, is_word=True)
    for value in person.names:
        yield from _occurrences(tight, Datum.NAME, value, shortest=2, is_name=True)


def _tight(value: str) -> str:
    return tight_view(plain_view(value)).text


def _occurrences(
    tight: View, datum: Datum, value: str, *, shortest: int, is_word: bool = False, is_name: bool = False
) -> Iterator[Found]:
    """``is_word``: not inside a longer run of ASCII letters or digits. ``is_name``: one of two characters
    is a name only before a form of address, else it is a part of any word.
    """
    key = _tight(value)
    if len(key) < shortest or any(mask in value for mask in _MASKS):
        return
    follows = _HONORIFIC if is_name and len(key) == 2 else ()
    at = tight.text.find(key)
    while at >= 0:
        end = at + len(key)
        is_inside = is_word and (_is_ascii_word(tight.text, at - 1) or _is_ascii_word(tight.text, end))
        if not is_inside and (not follows or tight.text.startswith(follows, end)):
            yield _found(tight, datum, key, at, end)
        at = tight.text.find(key, end)


def _is_ascii_word(text: str, at: int) -> bool:
    return 0 <= at < len(text) and text[at].isascii() and text[at].isalnum()


def national(number: str) -> str:
    """A telephone number's digits as dialled at home; empty for a masked one, or what is too short to be one."""
    digits = _digits(number)
    for code in ("82", "81"):
        if digits.startswith(code) and len(digits) > 10:
            digits = "0" + digits.removeprefix(code).removeprefix("0")
    return "" if len(digits) < 9 or any(mask in number for mask in _MASKS) else digits
