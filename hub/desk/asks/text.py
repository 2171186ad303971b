"""What a contact is told of a case: what it needs for its answer, and nobody's personal data beyond that.

Receiver, phone and address go to logistics alone, for a missing parcel alone, and masked unless an
agent gave a reason. Everything is in the contact's language (ko, ja, en; see words.toml).
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Final

from msgspec import Struct

from hub.core.model import Party
from hub.core.redact import mask_name, mask_party, mask_text
from hub.desk.views import CaseView, LineView
from routing.chain import Matter
from routing.contacts import Role

LANGUAGES: Final = ("ko", "ja", "en")
TEXT_LIMIT: Final = 4000
ANSWER_LIMIT: Final = 2000
_QUOTED: Final = 600
_SHORTEST: Final = {"name": 2, "email": 5, "address": 5}
_COUNTRIES: Final = ("82", "81")
_DIGITS: Final = re.compile(r"\+?\d[\d\-.() ]{6,}\d")
_NOT_SHOWN: Final = re.compile(r"[^\S\n]|[\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
#: the usual answers, by matter; a contact may always ask to be called
CHOICES: Final[Mapping[Matter, tuple[str, ...]]] = {
    Matter.STOCK: ("in_stock", "out_of_stock", "restock_on", "call_me"),
    Matter.DISPATCH_DELAY: ("ships_on", "dispatched", "out_of_stock", "call_me"),
    Matter.MISSING_PARCEL: ("delivery_checking", "found", "resend", "lost", "call_me"),
    Matter.DEFECT: ("collect_first", "exchange_ok", "refund_ok", "not_defect", "call_me"),
    Matter.PRODUCT_DETAIL: ("yes", "no", "call_me"),
    Matter.PRICE_PROMOTION: ("yes", "no", "call_me"),
    Matter.COMPENSATION: ("agree", "disagree", "call_me"),
    Matter.HARD_CASE: ("call_me",),
    Matter.OTHER: ("yes", "no", "call_me"),
}
#: answers that mean nothing without a day
DATED: Final = frozenset({"restock_on", "ships_on"})


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a contact said: one of the usual answers of the matter, its day, and words of its own."""

    choice: str | None = None
    on: date | None = None
    text: str = ""


class WrongAnswerError(Exception):
    """``key`` is a sentence of words.toml (``wrong_…``), which ``words`` fill."""

    def __init__(self, key: str, **words: object) -> None:
        super().__init__(key)
        self.key = key
        self.words = words


class AskWords:
    """The sentences in one language; the first language where that one is not known."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else LANGUAGES[0]
        self._words = _words()[self.language]

    def __call__(self, key: str, **words: object) -> str:
        return self._words[key].format_map(words) if words else self._words[key]

    def get(self, key: str) -> str | None:
        return self._words.get(key)


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    text = resources.files("hub.desk.asks").joinpath("words.toml").read_text(encoding="utf-8")
    return {language: dict(_flat(tree)) for language, tree in tomllib.loads(text).items()}


def _flat(tree: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{name}", str(text)) for name, text in value.items())
        else:
            yield key, str(value)


def subject_of(case: CaseView, *, matter: Matter, language: str) -> str:
    """One line, without the customer."""
    words = AskWords(language)
    line = words("subject", shop=case.row.shop, matter=words(f"matter.{matter}"), order_no=case.row.order_no or "")
    return " ".join(line.split())


def prepared_text(
    case: CaseView,
    *,
    matter: Matter,
    language: str,
    parties: Sequence[Party] = (),
    carriers: Mapping[str, str] | None = None,
) -> str:
    """The question, what it is about, and what the customer wrote about it, without ``parties`` in it.

    ``carriers``: names by the mall's codes, as far as they are known.
    """
    words = AskWords(language)
    parts = [
        words("greeting", shop=case.row.shop),
        words(f"question.{matter}"),
        "",
        *_facts(case, words, carriers or {}),
    ]
    quoted = scrubbed(_customer_wrote(case), parties)
    if quoted:
        parts += ["", f"{words('quoted')}:", f'"{quoted}"']
    return plain("\n".join(parts), limit=TEXT_LIMIT)


def _facts(case: CaseView, words: AskWords, carriers: Mapping[str, str]) -> Iterable[str]:
    """One fact a line; several lines of the order one after the other."""
    row = case.row
    yield _fact(words, "mall", f"{row.mark.title_ko if words.language == 'ko' else row.mark.title} · {row.shop}")
    if row.order_no:
        yield _fact(words, "order_no", row.order_no)
    lines = lines_of(case)
    if not lines and row.product_name:
        yield _fact(words, "product", row.product_name)
    for line in lines:
        yield _fact(words, "product", line.product_name)
        if line.option:
            yield _fact(words, "option", line.option)
        if line.seller_sku:
            yield _fact(words, "sku", line.seller_sku)
        yield _fact(words, "quantity", str(line.quantity))
        if line.shipment.tracking_no:
            carrier = carriers.get(line.shipment.carrier or "", line.shipment.carrier or "")
            yield _fact(words, "waybill", f"{carrier} {line.shipment.tracking_no}")
    reasons = [words.get(f"reason.{claim.reason}") for claim in case.dossier.claims if _is_of(case, claim.kind)]
    for reason in dict.fromkeys(filter(None, reasons)):
        yield _fact(words, "reason", reason)


def _fact(words: AskWords, label: str, value: str) -> str:
    return f"- {words(f'label.{label}')}: {' '.join(value.split())}"


def lines_of(case: CaseView) -> tuple[LineView, ...]:
    """The lines the case is about: another partner's goods in the same order are none of this one's business."""
    order = case.dossier.order
    if order is None:
        return ()
    claimed = {claim.line_no for claim in case.dossier.claims if _is_of(case, claim.kind)}
    found = [line for line in order.lines if line.line_no in claimed]
    if not found:
        found = [line for line in order.lines if line.product_name == case.row.product_name]
    return tuple(found or order.lines[:1])


def _is_of(case: CaseView, kind: str) -> bool:
    return kind == case.row.kind


def _customer_wrote(case: CaseView) -> str:
    """The newest question of the thread, or what the customer gave as the reason of the claim."""
    texts = [inquiry.text for inquiry in case.dossier.inquiries if inquiry.thread_no == case.thread_no]
    if case.thread_no is None:
        texts = [claim.reason_text or "" for claim in case.dossier.claims if _is_of(case, claim.kind)]
    newest = " ".join(next((text for text in reversed(texts) if text.strip()), "").split())
    return newest if len(newest) <= _QUOTED else newest[:_QUOTED] + "…"


def plain(text: str, *, limit: int) -> str:
    """Text as it may stand in a letter: lines kept, no control or direction marks, at most ``limit`` characters."""
    lines = _NOT_SHOWN.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()[:limit]


def may_know_person(role: Role, matter: Matter) -> bool:
    """Who looks for a parcel needs to know where it was to go; nobody else does."""
    return role is Role.LOGISTICS and matter is Matter.MISSING_PARCEL


def person_facts(party: Party | None, *, is_masked: bool) -> tuple[tuple[str, str], ...]:
    """Name, phone and address as (label, value), as far as they are known."""
    party = mask_party(party) if is_masked else party
    if party is None:
        return ()
    place = party.address
    address = " ".join(filter(None, (place.zip_code, place.base, place.detail))) if place else ""
    found = (("name", party.name), ("phone", party.phone), ("address", address))
    return tuple((label, value) for label, value in found if value)


def leaks(text: str, parties: Sequence[Party]) -> tuple[str, ...]:
    """Which of the parties' data stand in a text: "name", "phone", "email", "address"."""
    folded = _folded(text)
    numbers = [re.sub(r"\D", "", run) for run in _DIGITS.findall(unicodedata.normalize("NFKC", text))]
    found = {kind for kind, value in _data_of(parties) if kind != "phone" and _folded(value) in folded}
    cores = [_core(value) for kind, value in _data_of(parties) if kind == "phone"]
    if any(core and core in number for core in cores for number in numbers):
        found.add("phone")
    return tuple(kind for kind in ("name", "phone", "email", "address") if kind in found)


def scrubbed(text: str, parties: Sequence[Party]) -> str:
    """A customer's own words with the parties' data, phones and e-mail addresses masked."""
    for kind, value in _data_of(parties):
        if kind == "phone":
            continue
        masked = (mask_name(value) or "") if kind == "name" else "•••"
        spaced = r"\s*".join(re.escape(char) for char in value if not char.isspace())
        text = re.sub(spaced, masked.replace("\\", r"\\"), text, flags=re.IGNORECASE)
    return mask_text(text) or ""


def _data_of(parties: Sequence[Party]) -> Iterable[tuple[str, str]]:
    for party in parties:
        place = party.address
        values = (
            ("name", party.name),
            ("phone", party.phone),
            ("email", party.email),
            ("address", place.base if place else None),
            ("address", place.detail if place else None),
        )
        for kind, value in values:
            # A masked name hides nobody; a word of one letter would be found everywhere.
            if value and "*" not in value and "•" not in value and len(value) >= _SHORTEST.get(kind, 8):
                yield kind, value


def _folded(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold()


def _core(phone: str) -> str:
    """A number without what spellings differ in: country code and leading zero. Empty for what is too short."""
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", phone))
    if len(digits) > 10 and digits.startswith(_COUNTRIES):
        digits = digits[2:]
    digits = digits.removeprefix("0")
    return digits if len(digits) >= 8 else ""


def read_answer(values: Mapping[str, str], *, matter: Matter, today: date) -> Answer:
    """An answer from a form's fields ``choice``, ``on`` (YYYY-MM-DD) and ``text``. ``today`` where the contact is.

    Raises: WrongAnswerError.
    """
    choice = values.get("choice", "")
    text = values.get("text", "")
    if len(text) > ANSWER_LIMIT:
        raise WrongAnswerError("wrong_long", limit=ANSWER_LIMIT)
    text = plain(text, limit=ANSWER_LIMIT)
    if choice not in CHOICES[matter]:
        choice = ""
    if not choice and not text:
        raise WrongAnswerError("wrong_empty")
    if choice not in DATED:
        return Answer(choice=choice or None, text=text)
    try:
        on = date.fromisoformat(values.get("on", ""))
    except ValueError:
        raise WrongAnswerError("wrong_date") from None
    if on < today:
        raise WrongAnswerError("wrong_past")
    return Answer(choice=choice, on=on, text=text)


def until_words(at: datetime, zone: str, words: AskWords) -> str:
    return f"{at:%Y-%m-%d %H:%M} ({words.get(f'zone.{zone}') or zone})"
