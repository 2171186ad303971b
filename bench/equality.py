"""Row by row: does the hub hold exactly what the malls know to be true?"""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from bench.full_sync import settings_of
from hub.bootstrap import open_hub
from hub.desk.export import ExportKind, ExportRequest, export_rows

Row = dict[str, Any]

_KINDS = {"lines": ExportKind.LINES, "claims": ExportKind.CLAIMS, "inquiries": ExportKind.INQUIRIES}
_IDENTITY = {
    "lines": ("shop", "order_no", "line_no"),
    "claims": ("shop", "line_no", "claim_no", "kind", "requested_at"),
    "inquiries": ("shop", "inquiry_no"),
}
_TIMES = frozenset(
    {
        "ordered_at", "paid_at", "planned_ship_at", "dispatched_at", "delivered_at", "mall_changed_at",
        "requested_at", "ended_at", "asked_at", "answered_at",
    }
)  # fmt: skip


# One mall gives free text for a reason: its truth then says nothing of what it means.
_NOT_ALWAYS_JUDGED = frozenset({"reason", "fault_party"})


class Compared(Struct, kw_only=True):
    """``different`` counts cells by column, of rows that both have."""

    kind: str
    true: int = 0
    missing: int = 0
    extra: int = 0
    different: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def is_equal(self) -> bool:
        return not (self.missing or self.extra or self.different)


async def compare(truth: Path, home: Path, database_url: str | None) -> list[Compared]:
    true = _read_truth(truth)
    found: list[Compared] = []
    async with open_hub(settings_of(home, database_url)) as hub:
        mode_of = await hub.mode_of()
        for kind, rows in true.items():
            compared = Compared(kind=kind, true=len(rows))
            async for exported in export_rows(
                hub.database,
                ExportRequest(kind=_KINDS[kind], unmask=True),
                mode_of=mode_of,
                zone=hub.settings.zone,
            ):
                _note(compared, rows.pop(_identity(kind, exported), None), exported)
            compared.missing = len(rows)
            found.append(compared)
    return found


def _note(compared: Compared, true: Row | None, exported: Row) -> None:
    if true is None:
        compared.extra += 1
        return
    for column, value in true.items():
        if value is None and column in _NOT_ALWAYS_JUDGED:
            continue
        if _plain(column, exported[column]) != value:
            compared.different[column] += 1


def _read_truth(path: Path) -> dict[str, dict[tuple[Any, ...], Row]]:
    true: dict[str, dict[tuple[Any, ...], Row]] = {kind: {} for kind in _KINDS}
    with path.open("rb") as file:
        for text in file:
            kind, row = msgspec.json.decode(text)
            row = {column: _plain(column, value) for column, value in row.items()}
            true[kind][_identity(kind, row)] = row
    return true


def _identity(kind: str, row: Row) -> tuple[Any, ...]:
    return tuple(_plain(column, row[column]) for column in _IDENTITY[kind])


def _plain(column: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if column in _TIMES and isinstance(value, str) else value
