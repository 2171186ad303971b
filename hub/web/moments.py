"""Times on a page: in the zone of the shop that they are about, and in the centre's where the pointer rests.

What a mall told is shown as the mall itself shows it. A time that somebody here typed (a snooze, a draft) is
shown as it was typed, by the centre's clock: ``own``. Where the two clocks differ, the zone stands beside it.
"""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from hub.core.contract import Manifest
from hub.web.formats import absolute, day, short, span_words
from hub.web.words import Words


class Moments:
    """Of one page. ``mall``: whose zone is meant where none is named; the centre's without one."""

    def __init__(
        self,
        *,
        now: datetime,
        zone: ZoneInfo,
        words: Words,
        malls: Mapping[str, Manifest],
        mall: str | None = None,
    ) -> None:
        self._now = now
        self._zone = zone
        self._words = words
        self._malls = malls
        self._mall = mall
        self._zones: dict[str, ZoneInfo] = {}

    def clock(self, at: datetime | None, mall: str | None = None) -> Markup:
        """The clock time today, month and day this year, else the date."""
        if at is None:
            return Markup("<span>–</span>")
        zone = self._zone_of(mall)
        return self._tag(at, self._beside(at, short(at, self._now, zone), zone), zone)

    def day(self, at: datetime | None, mall: str | None = None) -> Markup:
        """As :meth:`clock`; the first moment of a day stands for the whole day, where a mall knows days only."""
        if at is None:
            return Markup("<span>–</span>")
        zone = self._zone_of(mall)
        return self._tag(at, self._beside(at, day(at, self._now, zone), zone), zone)

    def own(self, at: datetime | None) -> Markup:
        """As :meth:`clock`, of what somebody here typed or did: by the centre's clock."""
        return Markup("<span>–</span>") if at is None else self._tag(at, short(at, self._now, self._zone), self._zone)

    def ago(self, at: datetime | None, mall: str | None = None) -> Markup:
        if at is None:
            return Markup("<span>{}</span>").format(self._words("time.never"))
        key = "time.ago" if at <= self._now else "time.ahead"
        return self.tag(at, self._words(key, span=self.span(at)), mall)

    def span(self, at: datetime) -> str:
        """How long ago, or how far ahead: plain words."""
        return span_words(self._now - at, self._words)

    def tag(self, at: datetime, text: str, mall: str | None = None) -> Markup:
        """``text`` with the exact time for the pointer and for programs."""
        return self._tag(at, text, self._zone_of(mall))

    def exact(self, at: datetime, mall: str | None = None) -> str:
        """Date and time in the shop's zone; then in the centre's, where that is another."""
        return self._exact(at, self._zone_of(mall))

    def _exact(self, at: datetime, zone: ZoneInfo) -> str:
        text = f"{absolute(at, zone)} ({self._words.zone(zone.key)})"
        return (
            text if zone is self._zone else f"{text} · {absolute(at, self._zone)} ({self._words.zone(self._zone.key)})"
        )

    def _tag(self, at: datetime, text: str, zone: ZoneInfo) -> Markup:
        # Hundreds stand on a page, and `Markup.format` takes six times as long.
        exact = escape(self._exact(at, zone))
        return Markup(f'<time datetime="{at.isoformat(timespec="seconds")}" title="{exact}">{escape(text)}</time>')  # noqa: S704  both are escaped

    def _zone_of(self, mall: str | None) -> ZoneInfo:
        name = mall or self._mall or ""
        zone = self._zones.get(name)
        if zone is None:
            manifest = self._malls.get(name)
            # One object for a key: the same zone under two names stays two.
            zone = ZoneInfo(manifest.timezone) if manifest and manifest.timezone != self._zone.key else self._zone
            self._zones[name] = zone
        return zone

    def _beside(self, at: datetime, text: str, zone: ZoneInfo) -> str:
        if zone is self._zone or at.astimezone(zone).utcoffset() == at.astimezone(self._zone).utcoffset():
            return text
        return f"{text} {at.astimezone(zone).tzname()}"
