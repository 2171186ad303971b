"""Amounts become whole minor units or an error, never a rounded guess."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.model import minor_units

_EXPONENT = {"KRW": 0, "JPY": 0, "USD": 2, "KWD": 3}
_minor = st.integers(min_value=-(10**15), max_value=10**15)


@given(_minor, st.sampled_from(list(_EXPONENT)))
def test_every_spelling_of_an_amount_gives_the_same_minor_units(minor: int, currency: str):
    exact = Decimal(minor).scaleb(-_EXPONENT[currency])

    assert minor_units(exact, currency) == minor
    assert minor_units(f"{exact:f}", currency) == minor
    assert minor_units(f" {exact:f} ", currency) == minor
    assert minor_units(f"{exact:.6f}", currency) == minor


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_a_whole_number_is_whole_units(amount: int):
    assert minor_units(amount, "KRW") == amount
    assert minor_units(amount, "USD") == amount * 100
    assert minor_units(float(amount), "KRW") == amount


@given(_minor, st.sampled_from(list(_EXPONENT)), st.integers(min_value=1, max_value=9))
def test_a_fraction_of_the_minor_unit_is_refused(minor: int, currency: str, tenths: int):
    too_fine = (Decimal(minor) + Decimal(tenths) / 10).scaleb(-_EXPONENT[currency])

    with pytest.raises(ValueError, match="not a whole number of minor units"):
        minor_units(f"{too_fine:f}", currency)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("15000.00", "KRW", 15_000),
        ("-15000.00", "KRW", -15_000),
        ("0.00", "KRW", 0),
        ("1000.", "KRW", 1_000),
        ("12.5", "USD", 1_250),
        (5360.0, "JPY", 5_360),
        ("1e3", "KRW", 1_000),
        ("1.234", "KWD", 1_234),
        ("7", "XXX", 700),
    ],
)
def test_amounts_as_malls_write_them(text: str | float, currency: str, minor: int):
    assert minor_units(text, currency) == minor


@pytest.mark.parametrize("text", ["", " ", "free", "12,000", "NaN", "Infinity", "-Infinity", "1.2.3", ".5"])
def test_what_is_no_exact_amount_is_refused(text: str):
    with pytest.raises(ValueError, match="not a"):
        minor_units(text, "KRW")
