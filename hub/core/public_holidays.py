"""Public holidays of one country, without the calendars of all the others.

The library's package of countries imports each of its two hundred modules as soon as one is asked for: some 10 MiB
and 0.1 s that every process would spend on Korea and Japan.
"""

from collections.abc import Callable, Iterable
from datetime import date
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Final

import holidays

#: module and class of the library, by the country's code
_CALENDARS: Final = {"KR": ("south_korea", "SouthKorea"), "JP": ("japan", "Japan")}


@cache
def public_holidays(country: str, year: int) -> frozenset[date]:
    """Substitute and temporary holidays too. ``country``: any code the library knows; KR and JP cost little.

    Raises: NotImplementedError for a country that the library does not know.
    """
    return frozenset(_calendar(country)(years=year))


@cache
def _calendar(country: str) -> Callable[..., Iterable[date]]:
    module, name = _CALENDARS.get(country, ("", ""))
    file = Path(holidays.__file__).with_name("countries") / f"{module}.py"
    spec = spec_from_file_location(f"{__name__}.{module}", file) if file.is_file() else None
    if spec is None or spec.loader is None:
        return lambda **given: holidays.country_holidays(country, **given)
    loaded: Any = module_from_spec(spec)
    spec.loader.exec_module(loaded)
    found: Callable[..., Iterable[date]] = getattr(loaded, name)
    return found
