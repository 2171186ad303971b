"""The words of the answer guard, from the data file that ships with it."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

from msgspec import Struct, field

from hub.policy.finding import Finding, FindingKind, Level
from hub.policy.toml_file import read_toml

FILE: Final = "guard_words.toml"


class Phrase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One word of each group, in this order, each at most ``within`` characters behind the one before.

    ``is_spaced``: compared with single blanks (English), else without any. ``levels``: by country.
    """

    kind: FindingKind
    key: str
    groups: tuple[tuple[str, ...], ...]
    within: int = 0
    unless: tuple[str, ...] = ()
    around: int = 0
    is_spaced: bool = False
    is_any_order: bool = False
    is_on_markets_only: bool = False
    levels: Mapping[str, Level] = field(default_factory=dict)
    source: str

    def level(self, country: str) -> Level:
        return self.levels.get(country, Level.BLOCKING)


class Message(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: FindingKind
    key: str
    reason: str
    reason_ko: str
    fix: str
    fix_ko: str


class Haste(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    words: tuple[str, ...]
    spaced_words: tuple[str, ...]
    delivery: tuple[str, ...]
    source: str


class Dates(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    words: tuple[str, ...]
    source: str


class Personal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    banks: tuple[str, ...]
    regions: tuple[str, ...]
    role_mailboxes: frozenset[str]


class Market(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mall that forbids to lead customers away; ``hosts`` are its own."""

    mall: str
    hosts: tuple[str, ...]
    source: str


class Links(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    carriers: tuple[str, ...]


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    double_negation: tuple[str, ...]
    phrase: tuple[Phrase, ...]
    haste: Haste
    dates: Dates
    personal: Personal
    market: tuple[Market, ...]
    links: Links
    message: tuple[Message, ...]


class GuardWords:
    """Everything the file tells, ready to be looked up."""

    def __init__(self, file: _File) -> None:
        self.phrases: Final = file.phrase
        self.double_negation: Final = file.double_negation
        self.haste: Final = file.haste
        self.dates: Final = file.dates
        self.personal: Final = file.personal
        self.carriers: Final = file.links.carriers
        self.messages: Final[Mapping[tuple[FindingKind, str], Message]] = {
            (message.kind, message.key): message for message in file.message
        }
        self._markets = {market.mall: market for market in file.market}

    def market(self, mall: str) -> Market | None:
        """``None`` where nothing is known of such a rule."""
        return self._markets.get(mall)

    def finding(
        self, kind: FindingKind, key: str, span: tuple[int, int], level: Level, *, source: str = "", fix: str = ""
    ) -> Finding:
        """``fix`` replaces what the file says to do. Raises: KeyError for a message that the file lacks."""
        message = self.messages[kind, key]
        return Finding(
            kind=kind,
            level=level,
            start=span[0],
            end=span[1],
            key=key,
            reason=message.reason,
            reason_ko=message.reason_ko,
            fix=fix or message.fix,
            fix_ko=fix or message.fix_ko,
            source=source,
        )


@cache
def guard_words() -> GuardWords:
    """Raises: ConfigurationError when the file is broken."""
    return GuardWords(read_toml(resources.files("hub.policy").joinpath(FILE).read_bytes(), type=_File, file=FILE))
