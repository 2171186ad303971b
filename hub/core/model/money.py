"""Money as integer minor units, so that sums are exact in every database."""

from decimal import Decimal, InvalidOperation
from functools import lru_cache

from msgspec import Struct

_LONGEST_PRICE = 24
# ISO 4217 exponents other than 2 that Korean and Japanese commerce meets.
_EXPONENT = {"KRW": 0, "JPY": 0, "VND": 0, "KWD": 3, "BHD": 3}


class Money(Struct, frozen=True, kw_only=True, gc=False):
    """``minor`` units of ``currency``: 12,000 KRW is 12000, 12.50 USD is 1250."""

    minor: int
    currency: str


def minor_units(amount: str | float | Decimal, currency: str) -> int:
    """Turn a mall's amount ("15000.00", 5360.0, 24800) into minor units of ``currency``.

    Raises: ValueError when the text is no number, is not finite, or holds a fraction smaller than
    the currency's minor unit (rounding would invent money).
    """
    if isinstance(amount, int):
        return int(amount * 10 ** _EXPONENT.get(currency, 2))
    text = str(amount)
    # Prices repeat: reading one again costs a look-up. A text that long is no price.
    return _of_price(text, currency) if len(text) <= _LONGEST_PRICE else _of_text(text, currency)


def _of_text(text: str, currency: str) -> int:
    exponent = _EXPONENT.get(currency, 2)
    if exponent == 0 and (cut := text.rfind(".")) > 0:
        # The common shape "15000.00": no need of Decimal for a fraction of zeros.
        whole, fraction = text[:cut], text[cut + 1 :]
        if fraction.strip("0") == "" and whole.lstrip("-").isascii() and whole.lstrip("-").isdigit():
            return int(whole)
    try:
        scaled = Decimal(text.strip()).scaleb(exponent)
    except InvalidOperation as error:
        message = f"not an amount of money: {text[:40]!r}"
        raise ValueError(message) from error
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        message = f"not a whole number of minor units of {currency}: {text[:40]!r}"
        raise ValueError(message)
    return int(scaled)


_of_price = lru_cache(maxsize=8192)(_of_text)
