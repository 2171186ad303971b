"""The file of mall clocks: bytes in, clocks out, every mistake named."""

import tomllib
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from importlib import resources
from typing import Final

import msgspec

from hub.core.errors import ConfigurationError
from hub.policy.calendar import ZONES
from hub.policy.due import MallClock

STANDARD_FILE = "mall_clocks.toml"
_MOST_DAYS: Final = 365


class _ClockFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    clock: tuple[MallClock, ...] = ()


def read_clocks(data: bytes, *, file: str) -> tuple[MallClock, ...]:
    """Read ``[[clock]]`` tables of a TOML file. ``file`` names it in errors.

    Raises: ConfigurationError naming file, key and what to do.
    """
    try:
        clocks = msgspec.convert(tomllib.loads(data.decode()), _ClockFile).clock
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        what = f"{file}: {error}"
        fix = f"Each [[clock]] has the keys {', '.join(MallClock.__struct_fields__)}, and no other."
        raise ConfigurationError(what, fix=fix) from None
    for mistake in find_clock_mistakes(clocks):
        what = f"{file}: clock {mistake.row + 1}, {mistake.field}: {mistake.reason}"
        raise ConfigurationError(what, fix=mistake.fix)
    return clocks


class ClockMistake(msgspec.Struct, frozen=True, kw_only=True):
    """``row`` is the clock's index from 0, ``key`` the kind of mistake."""

    row: int
    field: str
    key: str
    reason: str
    fix: str


def find_clock_mistakes(clocks: Sequence[MallClock]) -> Iterator[ClockMistake]:
    """What is wrong with clocks that read well by themselves and together."""
    for row, clock in enumerate(clocks):
        wrong = _wrong_alone(clock) or _wrong_beside(clock, clocks[:row])
        if wrong is not None:
            field, key, reason, fix = wrong
            yield ClockMistake(row=row, field=field, key=key, reason=reason, fix=fix)


_Wrong = tuple[str, str, str, str]


def _wrong_alone(clock: MallClock) -> _Wrong | None:
    if clock.country not in ZONES:
        reason = f"no calendar for {clock.country!r}"
        return "country", "unknown_country", reason, f"Write one of {', '.join(ZONES)}."
    if (clock.business_days is None) == (clock.hours is None):
        reason = "neither or both of business_days and hours"
        return "business_days", "no_length", reason, "Write one of the two."
    if clock.business_days is not None and not 0 <= clock.business_days <= _MOST_DAYS:
        reason = f"{clock.business_days} is not a number of days"
        return "business_days", "out_of_range", reason, f"Write a number from 0 to {_MOST_DAYS}."
    if clock.hours is not None and not 1 <= clock.hours <= _MOST_DAYS * 24:
        reason = f"{clock.hours} is not a number of hours"
        return "hours", "out_of_range", reason, f"Write a number from 1 to {_MOST_DAYS * 24}."
    if clock.valid_from and clock.valid_to and clock.valid_to < clock.valid_from:
        reason = f"the end {clock.valid_to} lies before the start {clock.valid_from}"
        return "valid_to", "dates_reversed", reason, "Exchange the two dates."
    if not clock.label_key.startswith("due.mall."):
        reason = f"{clock.label_key!r} is no label of a mall's clock"
        return "label_key", "unknown_label", reason, "Write due.mall.dispatch, or another label that begins so."
    return None


def _wrong_beside(clock: MallClock, earlier: Sequence[MallClock]) -> _Wrong | None:
    for row, other in enumerate(earlier):
        if _same_thing(clock, other) and _overlap(clock, other):
            reason = f"in force at the same time as clock {row + 1} for the same shop, kind and start"
            return "valid_from", "overlap", reason, "End the older one (valid_to) before this one starts (valid_from)."
    return None


def _same_thing(clock: MallClock, other: MallClock) -> bool:
    is_same = (clock.mall, clock.shop, clock.since, clock.label_key) == (
        other.mall,
        other.shop,
        other.since,
        other.label_key,
    )
    return is_same and not set(clock.kinds).isdisjoint(other.kinds)


def _overlap(clock: MallClock, other: MallClock) -> bool:
    begins = max(clock.valid_from or date.min, other.valid_from or date.min)
    return begins <= min(clock.valid_to or date.max, other.valid_to or date.max)


@cache
def standard_clocks() -> tuple[MallClock, ...]:
    """The clocks that ship with the hub. A mall whose clock is not known has none."""
    return read_clocks(resources.files("hub.policy").joinpath(STANDARD_FILE).read_bytes(), file=STANDARD_FILE)
