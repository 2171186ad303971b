"""Webhooks of TalkTalk: who sent it, what it means, what is kept.

The platform signs nothing: the secret address is the proof, and the networks it says that it calls
from, where a shop wants them checked. Events carry neither an id nor a time, so the same bytes within
a few seconds are taken for one event delivered twice (confidence: guess; the platform documents no
redelivery at all).
"""

import ipaddress
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from connectors.talktalk.kept import conversation_of, digest, profile_subject
from connectors.talktalk.settings import TalktalkCredentials
from connectors.talktalk.vocabulary import (
    PROFILE_FIELDS,
    PROFILE_GIVEN,
    PROFILE_NOT_GIVEN,
    PROFILE_WITHDRAWN,
    SILENT,
    TELLING,
    EventKind,
)
from connectors.talktalk.wire import EventShape, EventWire, mended
from hub.core.errors import AccessError, MalformedResponseError
from hub.core.events import Delivery, Kept, Notice
from hub.core.wire_watch import WireWatch

#: two deliveries of the same bytes closer than this are one; the platform waits 3 + 5 seconds for an answer
REPEAT: Final = timedelta(seconds=10)
_LONGEST_USER: Final = 200
_MOST_RECENT: Final = 10_000
#: the hub's web server names the peer in this header; a proxy before it names whom it answers in the other
_PEER: Final = "x-hub-peer"
_FORWARDED: Final = "x-forwarded-for"

#: documented, and of no use to the hub
_KNOWN: Final = frozenset({"*.quickReply", "imageContent.height", "imageContent.width"})

_decode = msgspec.json.Decoder(EventWire).decode


class Receiver:
    """Reads deliveries of one account. ``count`` notes a code that no table holds, ``watch`` a new field."""

    def __init__(
        self, credentials: TalktalkCredentials, *, shop: str, count: Callable[[str], None], watch: WireWatch
    ) -> None:
        self._credentials = credentials
        self._shop = shop
        self._count = count
        self._watch = watch
        self._networks = [ipaddress.ip_network(network) for network in credentials.source_networks]
        self._recent: dict[str, tuple[str, datetime]] = {}

    def receive(self, delivery: Delivery) -> Notice:
        """Raises: AccessError, MalformedResponseError; see hub.core.events."""
        self._require_network(delivery)
        delivery = msgspec.structs.replace(delivery, body=mended(delivery.body))
        event = self._read(delivery.body)
        self._require_account(event)
        kind = EventKind(event.event) if event.event in set(EventKind) else None
        if kind is not None:
            self._watch.look(delivery.body, shape=EventShape, where=f"event.{kind.value}", known=_KNOWN)
        if kind in SILENT:
            return Notice()
        if kind is None:
            self._count(f"event:{event.event}")
            if not _is_user(event.user):
                return Notice()
        if not _is_user(event.user):
            raise MalformedResponseError("the event names no user", path="$.user", shop=self._shop)
        if kind is EventKind.PROFILE:
            return self._profile(event, delivery)
        # What nobody knows yet is kept as well: it cannot be asked for again.
        kept = Kept(key=self._key(delivery), subject=conversation_of(event.user), body=delivery.body)
        return Notice(kept=(kept,), reads_inquiries=kind in TELLING)

    def _read(self, body: bytes) -> EventWire:
        try:
            return _decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            message = "the body is no event of TalkTalk"
            raise MalformedResponseError(message, shop=self._shop) from error

    def _require_network(self, delivery: Delivery) -> None:
        if not self._networks:
            return
        peer = _address(delivery.headers.get(_PEER, ""))
        if peer is None or peer.is_loopback or peer.is_private:
            # A proxy of ours: the last address in its list is the one it saw itself.
            peer = _address(delivery.headers.get(_FORWARDED, "").rpartition(",")[2])
        if peer is None or not any(peer in network for network in self._networks):
            raise AccessError("the event came from another network", shop=self._shop)

    def _require_account(self, event: EventWire) -> None:
        mine = self._credentials.account_id
        if mine and isinstance(event.partner, str) and event.partner and event.partner != mine:
            raise AccessError("the event is of another account", shop=self._shop)

    def _profile(self, event: EventWire, delivery: Delivery) -> Notice:
        """Each field a person agreed to tell is kept apart, so that each can be taken back."""
        options = event.options if isinstance(event.options, dict) else {}
        conversation = conversation_of(event.user)
        result = options.get("result")
        if result == PROFILE_WITHDRAWN:
            named = options.get("withdrawals")
            fields = [field for field in PROFILE_FIELDS if field in named] if isinstance(named, list) else []
            # One that names nothing known takes everything back: too much deleted is the smaller harm.
            gone = tuple(profile_subject(conversation, field) for field in fields or PROFILE_FIELDS)
            # The wish itself is kept (it holds no profile): it has the conversation read again, however old.
            wish = Kept(key=self._key(delivery), subject=conversation, body=delivery.body)
            return Notice(kept=(wish,), forgotten=gone, reads_inquiries=True)
        if result in PROFILE_NOT_GIVEN:
            return Notice()
        if result != PROFILE_GIVEN:
            self._count(f"profile.result:{result}")
            return Notice()
        kept = tuple(
            self._kept_field(conversation, field, options[field], delivery)
            for field in PROFILE_FIELDS
            if options.get(field)
        )
        forgotten = tuple(item.subject for item in kept)
        return Notice(kept=kept, forgotten=forgotten, reads_inquiries=bool(kept))

    def _kept_field(self, conversation: str, field: str, value: Any, delivery: Delivery) -> Kept:
        """The newest value replaces the one before it."""
        key = digest(conversation, field, delivery.received_at.isoformat(), delivery.body)
        return Kept(key=key, subject=profile_subject(conversation, field), body=msgspec.json.encode(value))

    def _key(self, delivery: Delivery) -> str:
        """The key under which these bytes are kept: that of the same bytes a moment ago, else a new one."""
        body, at = digest(delivery.body), delivery.received_at
        known = self._recent.get(body)
        if known is not None and abs(at - known[1]) < REPEAT:
            return known[0]
        if len(self._recent) >= _MOST_RECENT:
            self._recent = {name: kept for name, kept in self._recent.items() if abs(at - kept[1]) < REPEAT}
        key = f"{body}:{round(at.timestamp() * 1000)}"
        self._recent[body] = key, at
        return key


def _is_user(user: Any) -> bool:
    return isinstance(user, str) and 0 < len(user.strip()) <= _LONGEST_USER


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        return None
