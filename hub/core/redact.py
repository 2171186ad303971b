"""Nothing personal and nothing secret leaves by a log, an error or an unauthorised screen."""

import re
import unicodedata
from collections.abc import Mapping, MutableMapping
from typing import Any

from hub.core.model import Address, Party

MASK = "•"

# Keys whose values never reach a log, in any nesting.
_SECRET_KEY = re.compile(
    r"(token|secret|password|passwd|pwd|authorization|certification|api_?key|seller_?key|cookie|signature|sign$)",
    re.IGNORECASE,
)
_PERSONAL_KEY = re.compile(
    r"(phone|mobile|cellphone|^tel|tel$|e?mail|address|addr|zip|^name$|buyer|receiver|writer|customer|caller|"
    r"content|text|question|answer$|customs)",
    re.IGNORECASE,
)
_PHONE_IN_TEXT = re.compile(
    r"(?<![\w-])(?:\+?\d{1,3}[-. ]?)?0?\d{1,4}[-. ]\d{3,4}[-. ]\d{4}(?!\d)|(?<!\d)01\d{8,9}(?!\d)"
)
#: what malls and files hide digits with
_THEIR_MASKS = str.maketrans("*●○■□∗＊", MASK * 7)
#: digits of a number that begins with its country, of a Korean mobile, of a number dialled with an area
_WITH_COUNTRY, _MOBILE, _SHORTEST, _LONGEST = 11, 11, 9, 12
#: Tokyo and Osaka; written as one, the area has three digits as in Korea
_TWO_DIGITS = re.compile(r"0[36][-. ]")
_JAPANESE_CITY = re.compile(r"\S{2,3}?[都道府県]\S{1,6}?[市区郡町村]")
_EMAIL_IN_TEXT = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def redact_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: secrets and personal data become a mask, whatever key they hang under."""
    for key in list(event):
        if key != "event":
            event[key] = _redact(key, event[key])
    return event


def _redact(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _redact(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_redact(key, inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    if _SECRET_KEY.search(key) or _PERSONAL_KEY.search(key):
        return MASK * 3
    return mask_text(value) if isinstance(value, str) else value


def mask_name(name: str | None) -> str | None:
    """Keep the first and, from three characters on, the last character: 홍길동 -> 홍•동, 山田 花子 -> 山•••子."""
    if not name:
        return name
    if len(name) == 1:
        return MASK
    if len(name) == 2:
        return name[0] + MASK
    return name[0] + MASK * (len(name) - 2) + name[-1]


def mask_phone(phone: str | None) -> str | None:
    """The area and the last four digits, written alike however it was sent: 010-••••-5678, +81 90-••••-5678.

    A number that a mall has masked ("010-****-5678") becomes the same. What fits no plan shows its last four digits.
    """
    if not phone:
        return phone
    text = unicodedata.normalize("NFKC", phone).translate(_THEIR_MASKS).strip()
    marks = "".join(char for char in text if char.isdecimal() or char == MASK)
    if not marks:
        return MASK * 3 if any(char.isalnum() for char in text) else phone
    country, area, rest = _parts(marks, text)
    hidden, end = MASK * (len(rest) - 4), rest[-4:]
    return country + "-".join(part for part in (area, hidden, end) if part)


def _parts(marks: str, text: str) -> tuple[str, str, str]:
    """Country (none for Korea), area and the rest of a number that is written as ``text``."""
    is_abroad = text.startswith("+")
    if marks.startswith("81") and (is_abroad or len(marks) >= _WITH_COUNTRY):
        home = marks[2:].removeprefix("0")
        places = 2 if home[:1] in ("7", "8", "9") else 1
        return "+81 ", home[:places], home[places:]
    if marks.startswith("82") and (is_abroad or len(marks) >= _WITH_COUNTRY):
        marks = "0" + marks[2:].removeprefix("0")
    elif is_abroad:
        places = 1 if marks[0] in "17" else 2
        return f"+{marks[:places]} ", "", marks[places:]
    elif marks.startswith("10") and len(marks) == _MOBILE - 1:
        # A sheet takes the nought in front of a mobile number away.
        marks = "0" + marks
    places = _area_places(marks, text)
    return "", marks[:places], marks[places:]


def _area_places(marks: str, text: str) -> int:
    """How many digits lead to an area, a network or a service, which many people share."""
    if not _SHORTEST <= len(marks) <= _LONGEST or marks[0] not in ("0", MASK):
        return 0
    if marks.startswith("02") or _TWO_DIGITS.match(text):
        return 2
    return 4 if len(marks) == _LONGEST else 3


def mask_email(email: str | None) -> str | None:
    if not email:
        return email
    name, at, domain = email.partition("@")
    return f"{name[:1]}{MASK * 3}{at}{domain}" if at else MASK * 3


def mask_address(address: Address | None) -> Address | None:
    """The region stays (an agent needs it for delivery), the door does not."""
    if address is None:
        return None
    region = _region(address.base)
    return Address(
        zip_code=None,
        base=region,
        detail=MASK * 3 if address.detail or address.base else None,
        country=address.country,
    )


def _region(base: str | None) -> str | None:
    """The first two parts of an address; a Japanese one has no blanks, so there it ends at the city or ward."""
    if not base:
        return None
    if found := _JAPANESE_CITY.match(base):
        return found.group()
    return " ".join(base.split()[:2])


def mask_text(text: str | None) -> str | None:
    """Phones and e-mail addresses inside free text."""
    if not text:
        return text
    return _PHONE_IN_TEXT.sub(lambda found: mask_phone(found.group()) or "", _EMAIL_IN_TEXT.sub(MASK * 3, text))


def mask_party(party: Party | None) -> Party | None:
    """The one mask of a person, the same in every view, so that two views never add up to the whole."""
    if party is None:
        return None
    return Party(
        name=mask_name(party.name),
        name_kana=mask_name(party.name_kana),
        phone=mask_phone(party.phone),
        phone_second=mask_phone(party.phone_second),
        email=mask_email(party.email),
        member_id=mask_name(party.member_id),
        address=mask_address(party.address),
    )
