"""Data files that ship with the rules: bytes in, checked Structs out, every mistake named."""

import tomllib
from typing import TypeVar

import msgspec

from hub.core.errors import ConfigurationError

_T = TypeVar("_T", bound=msgspec.Struct)


def read_toml(data: bytes, *, type: type[_T], file: str) -> _T:  # noqa: A002  msgspec's own word
    """``file`` names it in errors. Raises: ConfigurationError naming file and key."""
    try:
        return msgspec.convert(tomllib.loads(data.decode()), type)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        what = f"{file}: {error}"
        raise ConfigurationError(what, fix="Correct the key it names.") from None
