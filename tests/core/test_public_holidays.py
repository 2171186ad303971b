"""The calendars that are read one by one say what the library says."""

import subprocess
import sys
from datetime import date

import holidays
import pytest

from hub.core.public_holidays import public_holidays


@pytest.mark.parametrize("country", ["KR", "JP"])
def test_the_days_are_those_of_the_library(country: str) -> None:
    for year in range(2024, 2029):
        assert public_holidays(country, year) == frozenset(holidays.country_holidays(country, years=year))


def test_other_countries_are_found_too() -> None:
    assert date(2026, 7, 4) in public_holidays("US", 2026)


def test_no_other_country_is_imported() -> None:
    asked = (
        "import sys; from hub.core.public_holidays import public_holidays as of; assert of('KR', 2026) | of('JP', 2026);"
        "print([name for name in sys.modules if name.startswith('holidays.countries')])"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
