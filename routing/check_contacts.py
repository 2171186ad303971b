"""Mistakes of contacts and their absences: nobody can be reached, hours that cannot be read, deputies in a loop."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.core.book_problem import Problem
from routing.check_texts import check_dates, check_mall, check_overlaps, check_shop
from routing.entries import AbsenceEntry, ContactEntry
from routing.hours import COUNTRY_OF_ZONE, WORKS_THROUGH, HoursError, read_week
from routing.matter import Role
from routing.words import problem

LANGUAGES: Final = ("ko", "ja", "en")
MAX_MINUTES: Final = 7 * 24 * 60
_CONTACTS: Final = "contacts"
_EMAIL: Final = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\"]+")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def check_contacts(
    contacts: Sequence[ContactEntry], *, malls: Collection[str], shops: Collection[str]
) -> Iterator[Problem]:
    keys: dict[str, int] = {}
    for row, contact in enumerate(contacts):
        if contact.named_key in keys:
            before = str(keys[contact.named_key] + 1)
            yield problem(_CONTACTS, row, "key", "twice", value=contact.named_key, other=before)
        keys.setdefault(contact.named_key, row)
        yield from _check_reach(row, contact)
        yield from _check_hours(row, contact)
        yield from check_minutes(_CONTACTS, row, contact.escalate_minutes)
        for language in contact.languages:
            if language not in LANGUAGES:
                yield problem(_CONTACTS, row, "languages", "language", value=language)
        for mall in contact.malls:
            yield from check_mall(_CONTACTS, row, "malls", mall, malls)
        for shop in contact.shops:
            yield from check_shop(_CONTACTS, row, "shops", shop, shops)
    yield from _check_deputies(contacts)


def _check_reach(row: int, contact: ContactEntry) -> Iterator[Problem]:
    if contact.role is Role.PARTNER and not contact.codes and not contact.organisation:
        yield problem(_CONTACTS, row, None, "partner_of_nobody")
    if not (contact.phone or contact.chat or contact.email or contact.webhook_url):
        yield problem(_CONTACTS, row, "phone", "no_way")
    if contact.email is not None and not _EMAIL.fullmatch(contact.email):
        yield problem(_CONTACTS, row, "email", "email")
    if contact.webhook_url is not None and not is_webhook(contact.webhook_url):
        yield problem(_CONTACTS, row, "webhook_url", "webhook")


def is_webhook(url: str) -> bool:
    """Whether a message may be posted there: https, or http on this machine, and no user name in the address."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or any(char.isspace() for char in url):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)


def _check_hours(row: int, contact: ContactEntry) -> Iterator[Problem]:
    try:
        ZoneInfo(contact.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield problem(_CONTACTS, row, "timezone", "timezone", value=contact.timezone)
    if contact.holidays not in (None, WORKS_THROUGH, *COUNTRY_OF_ZONE.values()):
        yield problem(_CONTACTS, row, "holidays", "holidays", value=contact.holidays or "")
    if contact.hours:
        try:
            read_week(contact.hours)
        except HoursError as error:
            yield problem(_CONTACTS, row, "hours", f"hours_{error.kind}", value=error.part)


def check_minutes(section: str, row: int, minutes: int | None) -> Iterator[Problem]:
    if minutes is not None and not 1 <= minutes <= MAX_MINUTES:
        yield problem(section, row, "escalate_minutes", "minutes", value=str(minutes))


def _check_deputies(contacts: Sequence[ContactEntry]) -> Iterator[Problem]:
    known = {contact.named_key: contact for contact in contacts}
    in_loop: set[str] = set()
    for row, contact in enumerate(contacts):
        if contact.deputy is None:
            continue
        wrong = _wrong_deputy(_CONTACTS, row, contact, contact.deputy, known)
        if wrong is not None:
            yield wrong
            continue
        path = _path(contact, known)
        if path[-1] == contact.named_key and contact.named_key not in in_loop:
            in_loop.update(path)
            yield problem(_CONTACTS, row, "deputy", "deputy_loop", chain=" → ".join(path))


def _wrong_deputy(
    section: str, row: int, contact: ContactEntry, deputy: str, known: Mapping[str, ContactEntry]
) -> Problem | None:
    if deputy == contact.named_key or deputy not in known:
        return problem(section, row, "deputy", "no_deputy", value=deputy)
    role = known[deputy].role
    if role is not contact.role:
        return problem(
            section,
            row,
            "deputy",
            "deputy_role",
            value=deputy,
            other=f"@role.{role}",
            role=f"@role.{contact.role}",
        )
    return None


def _path(contact: ContactEntry, known: Mapping[str, ContactEntry]) -> list[str]:
    """From a contact over its deputies to the last, or to the first that comes again."""
    path = [contact.named_key]
    following = contact.deputy
    while following is not None and following in known:
        path.append(following)
        if following in path[:-1]:
            break
        following = known[following].deputy
    return path


def check_absences(absences: Sequence[AbsenceEntry], contacts: Sequence[ContactEntry]) -> Iterator[Problem]:
    section = "absences"
    known = {contact.named_key: contact for contact in contacts}
    for row, absence in enumerate(absences):
        yield from check_dates(section, row, absence.absent_from, absence.absent_to, column="absent_to")
        contact = known.get(absence.contact)
        if contact is None:
            yield problem(section, row, "contact", "no_contact", value=absence.contact)
        elif absence.deputy is not None:
            wrong = _wrong_deputy(section, row, contact, absence.deputy, known)
            if wrong is not None:
                yield wrong
            else:
                yield from _check_presence(row, absence, absence.deputy, absences)
    about = ((row, each.contact, each.absent_from, each.absent_to) for row, each in enumerate(absences))
    yield from check_overlaps(section, about, column="absent_from")


def _check_presence(
    row: int, absence: AbsenceEntry, deputy: str, absences: Sequence[AbsenceEntry]
) -> Iterator[Problem]:
    """A stand-in who is away for the whole time stands in for nobody."""
    for other in absences:
        if (
            other.contact == deputy
            and other.absent_from <= absence.absent_from
            and absence.absent_to <= other.absent_to
        ):
            since, until = str(other.absent_from), str(other.absent_to)
            yield problem("absences", row, "deputy", "deputy_away", value=deputy, since=since, until=until)
            return
