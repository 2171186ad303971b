"""People to ask: who they are, whom they serve, and when they can be reached."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from routing.hours import Hours, Period
from routing.matter import Role
from routing.modes import normalise

__all__ = ["Contact", "Directory", "Hours", "Period", "Role", "next_open_at", "open_now"]

_DAY: Final = timedelta(days=1)
#: How far an opening is looked for; the longest runs of holidays are shorter.
_SEARCHED_DAYS: Final = 60


class Contact(Struct, frozen=True, kw_only=True):
    """One person in one role. ``hours`` is ``None`` when nobody has told them.

    ``codes`` are the suppliers or logistics firms the person serves, by the mall's code or by name;
    ``shops`` and ``malls`` limit where. An MD or a logistics contact without ``codes`` serves all
    that nobody else serves; a partner serves its codes and its organisation only. ``deputy`` is the
    ``key`` of the contact that stands in.
    """

    key: str
    name: str
    role: Role
    organisation: str | None = None
    phone: str | None = None
    chat: str | None = None
    email: str | None = None
    hours: Hours | None = None
    timezone: str = "Asia/Seoul"
    deputy: str | None = None
    codes: tuple[str, ...] = ()
    shops: tuple[str, ...] = ()
    malls: tuple[str, ...] = ()


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

    def deputy_of(self, contact: Contact) -> Contact | None:
        """The stand-in, who has the same role: another role would show people the mode keeps away."""
        deputy = self._by_key.get(contact.deputy) if contact.deputy else None
        return deputy if deputy is not None and deputy.role is contact.role and deputy is not contact else None


def _closest(contacts: Iterable[Contact], shop: str, mall: str) -> Contact | None:
    fitting = (
        contact
        for contact in contacts
        if (not contact.shops or shop in contact.shops) and (not contact.malls or mall in contact.malls)
    )
    return min(fitting, key=lambda contact: (not contact.shops, not contact.malls), default=None)


def open_now(contact: Contact, at: datetime) -> bool:
    """Whether the contact can be reached at an aware time; unknown hours are not open."""
    if contact.hours is None:
        return False
    local = _local(contact, at)
    minute = local.hour * 60 + local.minute
    return any(period.opens <= minute < period.closes for period in contact.hours.periods(local.date()))


def next_open_at(contact: Contact, at: datetime) -> datetime | None:
    """When a closed contact opens next, in UTC; ``None`` while open and when no opening is known."""
    if contact.hours is None or open_now(contact, at):
        return None
    zone = ZoneInfo(contact.timezone)
    today = _local(contact, at).date()
    for days in range(_SEARCHED_DAYS):
        day = today + days * _DAY
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        for period in contact.hours.periods(day):
            # Wall time is added before the zone is resolved, so a change of clocks moves no opening.
            opening = (midnight + timedelta(minutes=period.opens)).astimezone(UTC)
            if opening > at:
                return opening
    return None


def _local(contact: Contact, at: datetime) -> datetime:
    if at.tzinfo is None:
        message = "a time without a zone cannot be compared with opening hours"
        raise ValueError(message)
    return at.astimezone(ZoneInfo(contact.timezone))
