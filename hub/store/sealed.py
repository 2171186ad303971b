"""What is inside the sealed columns, and how phones and names are normalised for their blind index."""

import re
import unicodedata
from functools import lru_cache

import msgspec
import phonenumbers
from msgspec import Struct

from hub.core.model import Party

ORDER_PLACE = b"orders.sealed"
INQUIRY_PLACE = b"inquiries.sealed"
CLAIM_TEXT_PLACE = b"claims.reason_text_sealed"
RAW_PLACE = b"raw_payloads.payload_sealed"
QUARANTINE_PLACE = b"quarantine.payload_sealed"
CREDENTIALS_PLACE = b"shops.credentials_sealed"
SECRET_PLACE = b"shop_secrets.value_sealed"
ACTION_PLACE = b"actions.payload_sealed"
LETTER_PLACE = b"actions.letter_sealed"
CALL_EVENT_PLACE = b"call_events.event_sealed"
CALLER_PLACE = b"calls.caller_sealed"
INBOX_PLACE = b"inbox.body_sealed"
WEBHOOK_PLACE = b"webhooks.secret_sealed"
SUPPLIER_PLACE = b"suppliers.contacts_sealed"
ASK_PLACE = b"asks.text_sealed"
ASK_ANSWER_PLACE = b"asks.answer_sealed"
PROMISE_PLACE = b"promises.what_sealed"
PROMISE_KEPT_PLACE = b"promises.kept_with_sealed"
PROMISE_BROKEN_PLACE = b"promises.broken_text_sealed"
COMPLAINT_PLACE = b"complaint_steps.text_sealed"
DRAFT_PLACE = b"reply_drafts.text_sealed"
LIVE_CALLER_PLACE = b"live_calls.caller_sealed"
CALL_NOTE_PLACE = b"call_notes.text_sealed"
CALLBACK_PLACE = b"callbacks.caller_sealed"
DIAL_PLACE = b"dials.number_sealed"
COMPENSATION_PLACE = b"compensations.note_sealed"
MOVE_NOTE_PLACE = b"case_moves.note_sealed"
CASE_NOTE_PLACE = b"case_notes.text_sealed"
CUSTOMER_MARK_PLACE = b"customer_marks.reason_sealed"
CUSTOMER_CLEARED_PLACE = b"customer_marks.cleared_reason_sealed"
REPORT_SCHEDULE_PLACE = b"report_schedules.recipients_sealed"
REPORT_MAIL_PLACE = b"report_mails.recipients_sealed"


class OrderPrivate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The personal part of an order."""

    buyer: Party | None = None
    receiver: Party | None = None
    delivery_message: str | None = None


pack = msgspec.msgpack.Encoder().encode
unpack_order = msgspec.msgpack.Decoder(OrderPrivate).decode

_KOREAN_MOBILE = re.compile(r"\A0?1[016789]-?\d{3,4}-?\d{4}\Z")
_JAPANESE_MOBILE = re.compile(r"\A(?:0|\+81-?)([789]0)-?(\d{4})-?(\d{4})\Z", re.ASCII)
_NOT_DIGITS = re.compile(r"[^\d+]")


@lru_cache(maxsize=4096)
def normal_phone(raw: str | None, country: str = "KR") -> str | None:
    """A phone in any spelling as E.164, or its digits where no plan fits; ``None`` when it is none.

    A masked number ("010-****-1234") is no number: matching on it would join strangers.
    """
    if not raw or "*" in raw or "•" in raw:
        return None
    raw = unicodedata.normalize("NFKC", raw).strip()
    if country == "KR" and _KOREAN_MOBILE.match(raw):
        digits = raw.replace("-", "")
        return "+82" + digits.removeprefix("0")
    if country == "JP" and (mobile := _JAPANESE_MOBILE.match(raw)):
        return "+81" + mobile[1] + mobile[2] + mobile[3]
    try:
        parsed = phonenumbers.parse(raw, country)
        if phonenumbers.is_possible_number(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        pass
    digits = _NOT_DIGITS.sub("", raw)
    return digits if len(digits) >= 7 else None


@lru_cache(maxsize=4096)
def normal_name(raw: str | None) -> str | None:
    """A name for exact search: NFKC, casefolded, without blanks; ``None`` when empty or masked."""
    if not raw or "*" in raw or "•" in raw:
        return None
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", raw)).casefold() or None


def normal_email(raw: str | None) -> str | None:
    if not raw or "@" not in raw or "*" in raw:
        return None
    return raw.strip().casefold()


def folded(text: str) -> str:
    """How product names are compared: NFKC, casefolded, single blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
