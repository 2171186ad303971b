"""The items of one conversation -> canonical inquiries. Pure: the same items give the same inquiries.

One person has one conversation with a shop, for ever; an inquiry is a stretch of it. It begins when the
customer writes first, and again when the customer writes after an answer and a long silence. Its number
is the conversation and the second in which it began: later events never change it.

Times are those of receipt, since events carry none.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, Final

import msgspec
from msgspec import Struct

from connectors.talktalk.contents import files_of, text_of
from connectors.talktalk.kept import REFUSED, SENT, Note, Result, Told
from connectors.talktalk.receiving import REPEAT
from connectors.talktalk.vocabulary import TAKEN, TO_PERSON_OR_BACK, EventKind
from connectors.talktalk.wire import EventWire
from hub.core.contract import Reading
from hub.core.model import Address, Attachment, Inquiry, InquiryKind, InquiryState, Message, MessageAuthor, Party

#: an echo of our own message comes within this time (confidence: guess)
ECHO_WINDOW: Final = timedelta(minutes=10)
STANDBY: Final = "standby"
LEFT: Final = "[고객이 대화방을 나갔습니다]"
TO_PERSON: Final = "[파트너센터 상담사에게 넘겼습니다]"
BACK: Final = "[파트너센터 상담이 완료되었습니다]"

_decode = msgspec.json.Decoder(EventWire).decode
_PRODUCT: Final = re.compile(r"[0-9]{1,20}")
_PRODUCT_PAGE: Final = re.compile(r"/products/([0-9]{1,20})(?:[/?#]|$)")
Count = Callable[[str], None]


@dataclass(slots=True)
class Entry:
    """One thing of a conversation. ``word`` is the mall's word for it; ``claim`` names an own sending."""

    at: datetime
    key: str
    word: str
    author: MessageAuthor
    text: str
    raw: Any
    claim: str | None = None
    is_standby: bool = False
    product: str | None = None
    files: tuple[Attachment, ...] = ()


@dataclass(slots=True)
class Stretch:
    """The entries of one inquiry; the first of the customer's opens it."""

    entries: list[Entry] = field(default_factory=list)
    product: str | None = None
    answered_last: bool = False
    last_at: datetime | None = None


class Conversation(Struct, frozen=True, kw_only=True):
    """``stretches`` oldest first. ``results``: what became of each own sending, by its claim, an echo counted in.

    ``broken``: items that are no event, with the reason.
    """

    user: str | None
    stretches: tuple[Stretch, ...]
    results: Mapping[str, str]
    notes: Mapping[str, Note]
    broken: tuple[tuple[Told, str], ...] = ()


def read_conversation(items: Sequence[Told], *, silence: timedelta, count: Count) -> Conversation:
    """``user`` is ``None`` when nobody's id stands in any item."""
    events: list[tuple[Told, EventWire | None]] = []
    broken = []
    for told in _once(items):
        try:
            events.append((told, None if told.own is not None else _decode(told.body)))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            broken.append((told, f"no event of TalkTalk ({type(error).__name__})"))
    own = [told.own for told, event in events if event is None]
    notes = {each.claim: each for each in own if isinstance(each, Note)}
    results = {each.claim: each.state for each in own if isinstance(each, Result)}
    user = next((event.user for _, event in events if event and isinstance(event.user, str)), None)
    entries = _entries(events, notes, count)
    _join_echoes(entries, results)
    shown = [entry for entry in entries if entry.claim is None or results.get(entry.claim) == SENT]
    return Conversation(
        user=user or next((note.user for note in notes.values()), None),
        stretches=tuple(_stretches(shown, silence)),
        results=results,
        notes=notes,
        broken=tuple(broken),
    )


def _once(items: Sequence[Told]) -> Iterable[Told]:
    """The items without those whose bytes came a moment before already: delivered twice, to two processes."""
    newest: dict[bytes, datetime] = {}
    for told in items:
        before = newest.get(told.body)
        if before is None or told.at - before >= REPEAT:
            newest[told.body] = told.at
            yield told


def _entries(events: Iterable[tuple[Told, EventWire | None]], notes: Mapping[str, Note], count: Count) -> list[Entry]:
    found = []
    for told, event in events:
        entry = _own_entry(told, notes) if event is None else _event_entry(told, event, count)
        if entry is not None:
            found.append(entry)
    return found


def _own_entry(told: Told, notes: Mapping[str, Note]) -> Entry | None:
    """What was sent stands where it began to be sent; its result is no entry of its own."""
    note = told.own
    if not isinstance(note, Note):
        return None
    return Entry(
        at=told.at,
        key=told.key,
        word=EventKind.SEND.value,
        author=MessageAuthor.SELLER,
        text=note.text,
        raw=msgspec.to_builtins(notes[note.claim]),
        claim=note.claim,
    )


def _event_entry(told: Told, event: EventWire, count: Count) -> Entry | None:
    options = event.options if isinstance(event.options, dict) else {}
    author, text, product = MessageAuthor.UNKNOWN, "", None
    if event.event == EventKind.SEND:
        author, text = MessageAuthor.CUSTOMER, text_of(event, count)
    elif event.event == EventKind.ECHO:
        if event.echoed_event not in {None, EventKind.SEND.value}:
            return None
        author, text = MessageAuthor.SELLER, text_of(event, count)
    elif event.event == EventKind.OPEN:
        product = _product(options)
    elif event.event == EventKind.LEAVE:
        text = LEFT
    elif event.event == EventKind.HANDOVER:
        text = _handover(options, count)
    elif event.event == EventKind.PROFILE:
        # A profile that was taken back: what stood of it is gone already.
        return None
    else:
        count(f"event:{event.event}")
        return None
    return Entry(
        at=told.at,
        key=told.key,
        word=event.event,
        author=author,
        text=text,
        raw=msgspec.json.decode(told.body),
        is_standby=event.standby is True,
        product=product,
        files=files_of(event),
    )


def _handover(options: Mapping[str, Any], count: Count) -> str:
    """Given to a person when a target is named, given back when none is."""
    control = options.get("control")
    if control == TO_PERSON_OR_BACK:
        return TO_PERSON if options.get("targetId") in (1, "1") else BACK
    if control != TAKEN:
        count(f"handover.control:{control}")
    return BACK


def _product(options: Mapping[str, Any]) -> str | None:
    """The product from whose page the customer came: ``from`` of the shop's own link, else the page's address."""
    told, page = options.get("from"), options.get("referer")
    if isinstance(told, str) and _PRODUCT.fullmatch(told):
        return told
    found = _PRODUCT_PAGE.search(page) if isinstance(page, str) else None
    return found[1] if found else None


def _join_echoes(entries: list[Entry], results: dict[str, str]) -> None:
    """An echo of what the hub sent is no second message: it proves that the first one arrived."""
    open_notes = [entry for entry in entries if entry.claim is not None]
    for echo in [entry for entry in entries if entry.word == EventKind.ECHO]:
        for note in open_notes:
            is_its_echo = is_same_text(note.text, echo.text) and -REPEAT <= echo.at - note.at <= ECHO_WINDOW
            if is_its_echo and note.claim is not None and results.get(note.claim) != REFUSED:
                results[note.claim] = SENT
                open_notes.remove(note)
                entries.remove(echo)
                break


def is_same_text(one: str, other: str) -> bool:
    """Whether two texts are one: line ends and blanks change on the way, the words do not (confidence: likely)."""
    return one.split() == other.split()


def _stretches(entries: Iterable[Entry], silence: timedelta) -> list[Stretch]:
    made: list[Stretch] = []
    waiting: list[Entry] = []
    product: str | None = None
    for entry in entries:
        product = entry.product or product
        if entry.word == EventKind.OPEN:
            continue
        is_customer = entry.author is MessageAuthor.CUSTOMER
        if is_customer and (not made or _is_over(made[-1], entry.at, silence)):
            # What the shop wrote shortly before belongs to what the customer says to it.
            led = [each for each in waiting if entry.at - each.at <= silence]
            made.append(Stretch(entries=led, product=product))
            waiting, product = [], None
        if not made:
            waiting.append(entry)
            continue
        current = made[-1]
        current.entries.append(entry)
        if entry.author is not MessageAuthor.UNKNOWN:
            current.answered_last = not is_customer
            current.last_at = entry.at
    return made


def _is_over(stretch: Stretch, at: datetime, silence: timedelta) -> bool:
    return stretch.answered_last and stretch.last_at is not None and at - stretch.last_at > silence


def inquiry_no(conversation: str, began_at: datetime) -> str:
    return f"{conversation}-{began_at.astimezone(UTC):%Y%m%dT%H%M%S}"


def map_stretch(stretch: Stretch, *, conversation: str, user: str, writer: Party | None) -> Inquiry:
    """One stretch as an inquiry. Its question is what the customer wrote before the shop's first answer."""
    said = [entry for entry in stretch.entries if entry.author is not MessageAuthor.UNKNOWN]
    opened = next(place for place, entry in enumerate(said) if entry.author is MessageAuthor.CUSTOMER)
    since = said[opened:]
    answers = [entry for entry in since if entry.author is MessageAuthor.SELLER]
    question = list(takewhile(lambda entry: entry.author is MessageAuthor.CUSTOMER, since))
    asked_at = since[0].at
    return Inquiry(
        inquiry_no=inquiry_no(conversation, asked_at),
        thread_no=conversation,
        kind=InquiryKind.CHAT,
        state=_state(since[-1], answers),
        raw_state=since[-1].word,
        asked_at=asked_at,
        text="\n".join(entry.text for entry in question),
        answer=answers[-1].text if answers else None,
        answered_at=answers[-1].at if answers else None,
        product_code=stretch.product,
        category=STANDBY if _is_with_a_person(stretch) else None,
        writer=writer,
        messages=tuple(
            Message(
                message_no=entry.key, author=entry.author, text=entry.text, sent_at=entry.at, attachments=entry.files
            )
            for entry in stretch.entries
        ),
        write_ref=user,
    )


def _state(last: Entry, answers: Sequence[Entry]) -> InquiryState:
    if last.author is MessageAuthor.SELLER:
        return InquiryState.ANSWERED
    return InquiryState.IN_PROGRESS if answers else InquiryState.UNANSWERED


def _is_with_a_person(stretch: Stretch) -> bool:
    """Whether a person in the partner centre has the conversation, by the newest thing that tells."""
    for entry in reversed(stretch.entries):
        if entry.text in {TO_PERSON, BACK}:
            return entry.text == TO_PERSON
        if entry.author is MessageAuthor.CUSTOMER:
            return entry.is_standby
    return False


def readings_of(found: Conversation, *, conversation: str, profile: Mapping[str, bytes]) -> tuple[Reading, ...]:
    """Every inquiry of a conversation, oldest first, then what could not be read."""
    made = []
    writer = read_profile(profile)
    for stretch in found.stretches:
        inquiry = map_stretch(stretch, conversation=conversation, user=found.user or "", writer=writer)
        kept = KeptStretch(
            user=found.user or "",
            product=stretch.product,
            profile={name: msgspec.Raw(body) for name, body in profile.items()},
            entries=tuple(KeptEntry(at=entry.at, key=entry.key, event=entry.raw) for entry in stretch.entries),
        )
        made.append(Reading(key=inquiry.inquiry_no, raw=msgspec.json.encode(kept), record=inquiry))
    made += [Reading(key=f"{conversation}/{told.key}", raw=told.body, error=why) for told, why in found.broken]
    return tuple(made)


class KeptEntry(Struct, frozen=True, kw_only=True):
    """``event``: as it came, or our own note of what was sent."""

    at: datetime
    key: str
    event: Any


class KeptStretch(Struct, frozen=True, kw_only=True):
    """All that one inquiry is made of. ``product``: of an event before it; ``profile``: each part as it came."""

    user: str
    product: str | None = None
    profile: dict[str, msgspec.Raw] = {}
    entries: tuple[KeptEntry, ...]


_decode_kept = msgspec.json.Decoder(KeptStretch).decode


def read_stored(key: str, raw: bytes, *, count: Count) -> Reading:
    """A stored inquiry by today's mapping. What belongs to it was decided when it was read."""
    try:
        kept = _decode_kept(raw)
        entries = [entry for each in kept.entries if (entry := _kept_entry(each, count)) is not None]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Reading(key=key, raw=raw, error=_NOT_ALONE)
    if not any(entry.author is MessageAuthor.CUSTOMER for entry in entries):
        return Reading(key=key, raw=raw, error=_NOT_ALONE)
    inquiry = map_stretch(
        Stretch(entries=entries, product=kept.product),
        conversation=key.partition("-")[0],
        user=kept.user,
        writer=read_profile({name: bytes(body) for name, body in kept.profile.items()}),
    )
    return Reading(key=inquiry.inquiry_no, raw=raw, record=inquiry)


_NOT_ALONE: Final = "an event is read with its conversation only: `hub sync --full` reads it again, without a call"


def _kept_entry(kept: KeptEntry, count: Count) -> Entry | None:
    told = Told(at=kept.at, key=kept.key, body=msgspec.json.encode(kept.event))
    own = told.own
    if isinstance(own, Note):
        return _own_entry(told, {own.claim: own})
    return _event_entry(told, _decode(told.body), count)


def read_profile(fields: Mapping[str, bytes]) -> Party | None:
    """What the person agreed to tell; ``None`` when nothing is kept."""
    told = {name: msgspec.json.decode(body) for name, body in fields.items()}
    name, phone, place = told.get("nickname"), told.get("cellphone"), told.get("address")
    address = None
    if isinstance(place, dict):
        address = Address(
            zip_code=_text(place.get("zipNo")), base=_text(place.get("roadAddr")), detail=_text(place.get("detAddr"))
        )
    party = Party(name=_text(name), phone=_text(phone), address=address)
    return None if party == Party() else party


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
