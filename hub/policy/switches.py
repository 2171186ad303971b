"""What the policy book decides for one line on one day, and which row decided it.

Defaults, where no row decides: the customer may take a return back until the goods were collected; no
re-billing; a photo first where a defect is claimed; no automatic message or points; exchange is offered,
except for purchases abroad; a partial refund is offered before a return of slightly flawed goods; lump sums are
left out; late refunds bear 15 % a year (Korean law; confidence: likely, so it is a switch); a
purchase abroad takes 7 to 14 days; a Japanese return clause is not shown, so that the law's days hold.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from hub.core.model import InventoryMode
from hub.policy.book import PolicyTables, key_of
from hub.policy.book_rows import (
    ClockRow,
    CompensationRow,
    DayKind,
    DayRow,
    DefectProof,
    Entry,
    FeeItem,
    FeeRow,
    FlatFee,
    Gift,
    Language,
    LimitRow,
    Rebilling,
    RetentionRow,
    ReturnWithdrawal,
)
from hub.policy.calendar import OwnDays
from hub.policy.card import Request
from hub.policy.due import DEFAULT_TARGETS, MallClock, Targets
from hub.policy.grounds import Ground
from hub.policy.stage import Stage

_DAY: Final = timedelta(days=1)
_SCOPE: Final = frozenset({"mall", "shop", "brand", "valid_from", "valid_to", "note"})


class Origin(Struct, frozen=True, kw_only=True):
    """``value`` was decided by row ``row`` (from 0) of ``section``."""

    value: str
    section: str
    row: int


class Switches(Struct, frozen=True, kw_only=True):
    """Everything decided; ``origins`` tell the row of each value that is not the default."""

    return_withdrawal: ReturnWithdrawal = ReturnWithdrawal.UNTIL_COLLECTED
    rebill_without_shipment: Rebilling = Rebilling.OFF
    defect_proof: DefectProof = DefectProof.PHOTO_FIRST
    delay_message: bool = False
    delay_points: int = 0
    exchange_offered: bool = True
    partial_refund_first: bool = True
    flat_fee: FlatFee = FlatFee.BLOCK
    purchase_agency: bool = False
    delivery_days_from: int = 7
    delivery_days_to: int = 14
    return_days: int = 0
    return_clause_shown: bool = False
    late_interest_percent: int = 15
    answer_language: Language | None = None
    fees: tuple[FeeRow, ...] = ()
    compensation: tuple[CompensationRow, ...] = ()
    limits: tuple[LimitRow, ...] = ()
    retention: tuple[RetentionRow, ...] = ()
    unused_grounds: frozenset[Ground] = frozenset()
    clocks: tuple[ClockRow, ...] = ()
    days: tuple[DayRow, ...] = ()
    targets: Targets = DEFAULT_TARGETS
    origins: tuple[Origin, ...] = ()

    def fee(self, item: FeeItem, *, stage: Stage | None = None) -> FeeRow | None:
        """The cost of this stage, else the one for all stages."""
        of_item = {row.stage: row for row in self.fees if row.item is item}
        return of_item.get(stage) or of_item.get(None)

    def share(self, mode: InventoryMode) -> CompensationRow | None:
        """How costs of this inventory mode are shared; ``None``: nothing agreed, all is ours."""
        of_mode = {row.mode: row for row in self.compensation}
        return of_mode.get(mode) or of_mode.get(None)

    def limit(self, gift: Gift, currency: str) -> LimitRow | None:
        return next((row for row in self.limits if row.gift is gift and row.currency == currency), None)

    def own_days(self, country: str) -> OwnDays:
        """The days of the book for a shop of ``country``; of several rows for one day the narrowest counts."""
        of_kind: dict[DayKind, set[date]] = {kind: set() for kind in DayKind}
        decided: set[tuple[date, bool]] = set()
        for row in self.days:
            if row.country in {None, country} and (row.on, row.is_public) not in decided:
                decided.add((row.on, row.is_public))
                of_kind[row.kind].add(row.on)
        return OwnDays(
            holidays=frozenset(of_kind[DayKind.HOLIDAY]),
            closed=frozenset(of_kind[DayKind.CLOSED]),
            opened=frozenset(of_kind[DayKind.OPENED]),
        )

    def offers(self, request: Request) -> tuple[RetentionRow, ...]:
        return tuple(row for row in self.retention if row.request is request)


def switches_at(tables: PolicyTables, *, shop: str, mall: str, on: date, brand: str | None = None) -> Switches:
    """What is in force for a line of ``brand`` in ``shop`` on the day ``on`` (of the shop's zone)."""
    origins: list[Origin] = []
    found: dict[str, list[tuple[int, Any]]] = {
        section: _in_force(rows, shop=shop, mall=mall, brand=brand, on=on)
        for section, rows in _sections(tables)
        if section != "brands"
    }
    values: dict[str, Any] = _columns("switches", found["switches"], origins)
    for section in ("fees", "compensation", "limits", "retention", "clocks", "days"):
        values[section] = tuple(row for row in _narrowest(section, found[section], origins))
    grounds = _narrowest("grounds", found["grounds"], origins)
    values["unused_grounds"] = frozenset(row.ground for row in grounds if not row.is_used)
    values["targets"] = _targets(_columns("targets", found["targets"], origins))
    return Switches(origins=tuple(origins), **values)


def brand_of(
    tables: PolicyTables, *, shop: str, mall: str, on: date, sub_shop: str = "", seller_sku: str | None = None
) -> str | None:
    """The brand of a product by the section ``brands``; the row with the most conditions wins."""
    best: tuple[int, int, str] | None = None
    for place, row in enumerate(tables.brands):
        if not _is_valid(row, on):
            continue
        conditions = ((row.mall, mall), (row.shop, shop), (row.sub_shop, sub_shop))
        if any(wanted is not None and wanted != given for wanted, given in conditions):
            continue
        if row.sku_prefix is not None and not (seller_sku or "").startswith(row.sku_prefix):
            continue
        weight = sum(wanted is not None for wanted, _ in conditions) + len(row.sku_prefix or "")
        best = max(best or (0, 0, ""), (weight, -place, row.brand))
    return best[2] if best else None


def clocks_with(switches: Switches, shipped: Iterable[MallClock], *, mall: str) -> tuple[MallClock, ...]:
    """The mall's clocks: those of the book, and the shipped ones that none of them replaces."""
    own = tuple(
        MallClock(
            mall=mall,
            kinds=row.kinds,
            since=row.since,
            business_days=row.business_days,
            hours=row.hours,
            country=row.country,
            label_key="due.mall.claim_after_collection" if row.since == "collected_at" else "due.mall.dispatch",
            source=row.source or row.note or "Policy book",
            confidence="own",
        )
        for row in switches.clocks
    )
    replaced = {(clock.since, kind) for clock in own for kind in clock.kinds}
    kept = (
        clock
        for clock in shipped
        if clock.mall == mall and not any((clock.since, kind) in replaced for kind in clock.kinds)
    )
    return (*own, *kept)


def turning_days(tables: PolicyTables) -> tuple[date, ...]:
    """Days on which other deadlines hold than the day before: a row of theirs begins, or has ended the day before."""
    rows: tuple[Entry, ...] = (*tables.targets, *tables.clocks, *tables.days)
    begins = {row.valid_from for row in rows if row.valid_from is not None}
    ended = {row.valid_to + _DAY for row in rows if row.valid_to is not None and row.valid_to < date.max}
    return tuple(sorted(begins | ended))


def _sections(tables: PolicyTables) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for section in tables.__struct_fields__:
        yield section, getattr(tables, section)


def _in_force(rows: Iterable[Any], *, shop: str, mall: str, brand: str | None, on: date) -> list[tuple[int, Any]]:
    """Rows that are for this line today with their index, the narrowest scope first."""
    fitting = [
        (place, row)
        for place, row in enumerate(rows)
        if row.shop in {None, shop}
        and row.mall in {None, mall}
        and (row.brand is None or row.brand == brand)
        and _is_valid(row, on)
    ]
    return sorted(fitting, key=lambda found: (-_weight(found[1]), found[0]))


def _weight(row: Any) -> int:
    return 4 * (row.shop is not None) + 2 * (row.brand is not None) + (row.mall is not None)


def _is_valid(row: Any, on: date) -> bool:
    return (row.valid_from is None or row.valid_from <= on) and (row.valid_to is None or on <= row.valid_to)


def _columns(section: str, rows: list[tuple[int, Any]], origins: list[Origin]) -> dict[str, Any]:
    """Each column by the narrowest row that decides it."""
    values: dict[str, Any] = {}
    for place, row in rows:
        for column, value in asdict(row).items():
            if value is not None and column not in _SCOPE and column not in values:
                values[column] = value
                origins.append(Origin(value=column, section=section, row=place))
    return values


def _narrowest(section: str, rows: list[tuple[int, Any]], origins: list[Origin]) -> list[Any]:
    """The first row of each key."""
    chosen: dict[tuple[Any, ...], Any] = {}
    for place, row in rows:
        key = key_of(section, row)
        if key not in chosen:
            chosen[key] = row
            name = ".".join(str(part) for part in (section, *key) if isinstance(part, str))
            origins.append(Origin(value=name, section=section, row=place))
    return list(chosen.values())


def _targets(columns: dict[str, int]) -> Targets:
    """0 sets no aim; what the book does not say keeps the shipped aim."""
    hours = {"opens", "closes"}
    return Targets(**{**asdict(DEFAULT_TARGETS), **{k: v if v or k in hours else None for k, v in columns.items()}})
