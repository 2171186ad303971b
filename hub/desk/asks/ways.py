"""How a contact can be asked: the ways that it has and that this hub can use, and its language."""

from collections.abc import Sequence
from typing import Final, Literal

from hub.core.errors import ConfigurationError
from hub.core.http import require_safe_url
from hub.desk.asks.text import LANGUAGES
from hub.settings import Settings
from routing.chain import Link
from routing.contacts import Contact, Role

Way = Literal["mail", "webhook", "call"]
WAYS: Final[tuple[Way, ...]] = ("mail", "webhook", "call")
_LANGUAGE_OF_ZONE: Final = {"Asia/Tokyo": "ja"}


def ways_of(contact: Contact, *, settings: Settings) -> tuple[Way, ...]:
    """In the order of preference; a call is always possible, even to a number that only the agent knows."""
    found: list[Way] = []
    if contact.email and settings.smtp_host is not None:
        found.append("mail")
    if webhook_of(contact) is not None:
        found.append("webhook")
    return (*found, "call")


def hot_line_of(chain: Sequence[Link], asked: Link) -> tuple[Link, ...]:
    """The other places of the hot line that ``asked`` is part of: one person each, who is there now if anybody is."""
    people: dict[Role, Link] = {}
    for link in chain if asked.together else ():
        if not link.together or link.contact is None or link.role is asked.role:
            continue
        known = people.get(link.role)
        if known is None or (link.open_now and not known.open_now):
            people[link.role] = link
    return tuple(people.values())


def webhook_of(contact: Contact) -> str | None:
    """Where the contact's chat tool takes messages, if that address is a safe one."""
    url = contact.webhook_url
    try:
        if url:
            require_safe_url(url)
    except ConfigurationError:
        return None
    return url or None


def language_of(contact: Contact) -> str:
    """The first of its languages that the letters are written in, else that of its place."""
    of_place = _LANGUAGE_OF_ZONE.get(contact.timezone, "ko")
    return next((language for language in contact.languages if language in LANGUAGES), of_place)


def escalate_minutes(contact: Contact, link: Link | None, *, settings: Settings) -> int:
    """Opening minutes until the next is asked: as the contact says, else its place in the chain, else the settings."""
    of_chain: int | None = getattr(link, "escalate_minutes", None)
    return contact.escalate_minutes or of_chain or settings.ask_escalate_minutes
