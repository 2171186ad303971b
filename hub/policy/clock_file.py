"""The file of mall clocks: bytes in, clocks out, every mistake named."""

import tomllib
from functools import cache
from importlib import resources

import msgspec

from hub.core.errors import ConfigurationError
from hub.policy.calendar import ZONES
from hub.policy.due import MallClock

STANDARD_FILE = "mall_clocks.toml"


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
    for place, clock in enumerate(clocks, 1):
        if clock.country not in ZONES:
            what = f"{file}: clock {place}, country: no calendar for {clock.country!r}"
            raise ConfigurationError(what, fix=f"Write one of {', '.join(ZONES)}.")
        if not 0 <= clock.business_days <= 365:
            what = f"{file}: clock {place}, business_days: {clock.business_days} is not a number of days"
            raise ConfigurationError(what, fix="Write a number from 0 to 365.")
    return clocks


@cache
def standard_clocks() -> tuple[MallClock, ...]:
    """The clocks that ship with the hub. A mall whose clock is not known has none."""
    return read_clocks(resources.files("hub.policy").joinpath(STANDARD_FILE).read_bytes(), file=STANDARD_FILE)
