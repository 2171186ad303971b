"""People to ask: who they are, whom they serve, and when they can be reached."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from routing.hours import Hours, Period
from routing.matter import Role
from routing.modes import normalise

__all__ = [
    "Absence",
    "Contact",
    "Directory",
    "Hours",
    "Period",
    "Role",
    "next_open_at",
    "open_now",
]

_DAY: Final = timedelta(days=1)
#: How far an opening is looked for, absences not counted; the longest runs of holidays are shorter.
_SEARCHED_DAYS: Final = 60
#: An absence without an end is written up to some far day.
_LAST_DAY: Final = date(2200, 1, 1)


class Absence(Struct, frozen=True, kw_only=True):
    """Days on which a contact is away, both inclusive; ``deputy`` is the key of who stands in for that time."""

    since: date
    until: date
    deputy: str | None = None


class Contact(Struct, frozen=True, kw_only=True):
    """One person in one role. ``hours`` is ``None`` when nobody has told them.

    ``codes`` are the suppliers or logistics firms the person serves, by the mall's code or by name;
    ``shops`` and ``malls`` limit where. An MD or a logistics contact without ``codes`` serves all
    that nobody else serves; a partner serves its codes and its organisation only. ``deputy`` is the
    ``key`` of the contact that stands in. ``languages`` are codes, the preferred one first.
    ``escalate_minutes`` of opening time without an answer, ``None``: as the chain says.
    """

    key: str
    name: str
    role: Role
    organisation: str | None = None
    phone: str | None = None
    chat: str | None = None
    email: str | None = None
    webhook_url: str | None = None
    languages: tuple[str, ...] = ()
    hours: Hours | None = None
    timezone: str = "Asia/Seoul"
    deputy: str | None = None
    absences: tuple[Absence, ...] = ()
    escalate_minutes: int | None = None
    codes: tuple[str, ...] = ()
    shops: tuple[str, ...] = ()
    malls: tuple[str, ...] = ()

    def __repr__(self) -> str:
        # A log line needs no person's name or number, and a webhook's address is as good as its password.
        return f"Contact(role={self.role.value!r}, organisation={self.organisation!r})"

    @property
    def ways(self) -> tuple[str, ...]:
        """How the contact can be reached: phone, chat, email, webhook."""
        known = {"phone": self.phone, "chat": self.chat, "email": self.email, "webhook": self.webhook_url}
        return tuple(way for way, value in known.items() if value)

    def absence_on(self, day: date) -> Absence | None:
        return next((absence for absence in self.absences if absence.since <= day <= absence.until), None)

    def periods(self, day: date) -> tuple[Period, ...]:
        """When the contact is there on a day of its own place: none in an absence, and none while nobody knows."""
        return () if self.hours is None or self.absence_on(day) else self.hours.periods(day)

    def absence_at(self, at: datetime) -> Absence | None:
        """The absence at an aware time, by the days of the contact's own place."""
        return self.absence_on(_local(self, at).date()) if self.absences else None


class Directory:
    """All contacts, indexed by role and code."""

    def __init__(self, contacts: Iterable[Contact] = ()) -> None:
        self.contacts: Final = tuple(contacts)
        self._by_key = {contact.key: contact for contact in self.contacts}
        self._by_code: dict[tuple[Role, str], list[Contact]] = {}
        self._general: dict[Role, list[Contact]] = {}
        for contact in self.contacts:
            names = {normalise(code) for code in contact.codes}
            if contact.role is not Role.MD and contact.organisation:
                names.add(normalise(contact.organisation))
            for name in names:
                self._by_code.setdefault((contact.role, name), []).append(contact)
            if not contact.codes and contact.role is not Role.PARTNER:
                self._general.setdefault(contact.role, []).append(contact)

    def find(self, role: Role, *, codes: Iterable[str], shop: str, mall: str) -> Contact | None:
        """The contact of a role for the first of ``codes`` that somebody serves, else the general one.

        Among several, one of the shop comes before one of the mall before one without limits, then
        the order of the file.
        """
        for code in codes:
            found = _closest(self._by_code.get((role, normalise(code)), ()), shop, mall)
            if found is not None:
                return found
        return _closest(self._general.get(role, ()), shop, mall)

    def deputies_of(self, contact: Contact, *, at: datetime) -> Iterator[Contact]:
        """Those who stand in at an aware time, the nearest first, each once.

        First the stand-in of an absence, then the usual deputy, then their own deputies, and so on. All
        have the same role: another role would show people the mode keeps away.
        """
        seen = {contact.key}
        waiting = [contact]
        for current in waiting:
            absence = current.absence_at(at)
            for key in (absence.deputy if absence else None, current.deputy):
                deputy = self._by_key.get(key) if key else None
                if deputy is None or deputy.key in seen or deputy.role is not contact.role:
                    continue
                seen.add(deputy.key)
                waiting.append(deputy)
                yield deputy


def _closest(contacts: Iterable[Contact], shop: str, mall: str) -> Contact | None:
    fitting = (
        contact
        for contact in contacts
        if (not contact.shops or shop in contact.shops) and (not contact.malls or mall in contact.malls)
    )
    return min(fitting, key=lambda contact: (not contact.shops, not contact.malls), default=None)


def open_now(contact: Contact, at: datetime) -> bool:
    """Whether the contact can be reached at an aware time; unknown hours are not open."""
    local = _local(contact, at)
    minute = local.hour * 60 + local.minute
    return any(period.opens <= minute < period.closes for period in contact.periods(local.date()))


def next_open_at(contact: Contact, at: datetime) -> datetime | None:
    """When a closed contact opens next, in UTC; ``None`` while open and when no opening is known."""
    if contact.hours is None or open_now(contact, at):
        return None
    return next((opens for opens in _openings(contact, at) if opens > at), None)


def _openings(contact: Contact, since: datetime) -> Iterator[datetime]:
    """When the contact opens, in UTC, from the day of ``since`` until sixty days have no opening."""
    zone = ZoneInfo(contact.timezone)
    day = _local(contact, since).date()
    empty = 0
    while empty < _SEARCHED_DAYS:
        absence = contact.absence_on(day)
        if absence is not None:
            if absence.until >= _LAST_DAY:
                return
            day = absence.until + _DAY
            continue
        periods = contact.periods(day)
        empty = 0 if periods else empty + 1
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        for period in periods:
            # Wall time is added before the zone is resolved, so a change of clocks moves no opening.
            yield (midnight + timedelta(minutes=period.opens)).astimezone(UTC)
        day += _DAY


def _local(contact: Contact, at: datetime) -> datetime:
    if at.tzinfo is None:
        message = "a time without a zone cannot be compared with opening hours"
        raise ValueError(message)
    return at.astimezone(ZoneInfo(contact.timezone))
