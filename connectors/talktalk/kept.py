"""What stands in the inbox of a TalkTalk shop: events as they came, and our own notes of what was sent.

The platform keeps no history that could be asked for: an event that was not received is lost, and
what the hub itself sent is known only if it is noted here (an echo may be switched off).
"""

from datetime import datetime
from hashlib import blake2b
from typing import Final

import msgspec
from msgspec import Struct

#: the subject of one part of a profile is ``{conversation}:{field}``
FIELD_MARK: Final = ":"
_DIGEST_BYTES: Final = 9


def conversation_of(user: str) -> str:
    """The conversation of one person, 18 hex digits: a digest, so that the person's id stands in no key or address."""
    return blake2b(user.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def profile_subject(conversation: str, field: str) -> str:
    return f"{conversation}{FIELD_MARK}{field}"


def digest(*parts: str | bytes) -> str:
    """A short name for these parts, 32 hex digits."""
    hashed = blake2b(digest_size=16)
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        hashed.update(len(raw).to_bytes(8, "big") + raw)
    return hashed.hexdigest()


class Note(Struct, frozen=True, kw_only=True, tag_field="hub", tag="sending"):
    """Written before an answer is sent. ``claim`` names this one sending; the note's key holds it too."""

    claim: str
    user: str
    text: str


#: states of a Result
SENT: Final = "sent"
REFUSED: Final = "refused"
UNKNOWN: Final = "unknown"


class Result(Struct, frozen=True, kw_only=True, tag_field="hub", tag="result"):
    """Written after it: ``state`` is sent, refused or unknown. No result at all is unknown too."""

    claim: str
    user: str
    state: str


Own = Note | Result
encode_own = msgspec.json.Encoder().encode
_decode_own = msgspec.json.Decoder(Own).decode
OWN_KEY: Final = "hub:"


class Told(Struct, frozen=True, kw_only=True):
    """One item of the inbox in the order of arrival: a platform's event (``body``) or an own note."""

    at: datetime
    key: str
    body: bytes

    @property
    def own(self) -> Own | None:
        """Only our own keys begin with the mark: no event from outside can pretend to be a note."""
        return _decode_own(self.body) if self.key.startswith(OWN_KEY) else None
