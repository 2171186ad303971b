"""What importing a file would do: its rows as they would be read, counted by writing them and taking it back."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Final, NoReturn

from msgspec import Struct

from hub.core.contract import Feed, Reading
from hub.core.errors import ConfigurationError
from hub.core.files import FileRow, ImportsFiles, Layout, RowProblem, Upload
from hub.core.model import Claim, Inquiry, Money, Order
from hub.core.redact import mask_name, mask_text
from hub.desk.access import Actor
from hub.desk.files.drafts import Draft, load_draft
from hub.desk.files.importing import FEEDS, file_desk
from hub.desk.services import Services
from hub.store.records import Counts, RecordWriter
from hub.store.shops import ShopRow

#: how many rows a preview compares with what is stored: it holds the store's one writer for so long
COMPARED: Final = 5_000
_SHOWN_ROWS: Final = 8
_SHOWN_PROBLEMS: Final = 50
_PAGE: Final = 500


class PreviewRow(Struct, frozen=True, kw_only=True):
    """One row as it would be read; who is masked."""

    row: int
    number: str
    line_no: str | None
    state_prefix: str
    state: str
    raw_state: str
    what: str
    who: str | None
    quantity: int | None = None
    amount: Money | None = None
    at: datetime | None = None
    claim: Claim | None = None


class Preview(Struct, frozen=True, kw_only=True):
    """``counts`` hold for the first ``compared`` rows; ``errors`` for all ``rows``."""

    rows: int
    compared: int
    counts: Counts
    errors: int
    first: tuple[PreviewRow, ...]
    problems: tuple[RowProblem, ...]
    unknown: tuple[tuple[str, int], ...]


async def preview_draft(services: Services, *, actor: Actor, draft_id: str) -> Preview:
    """Raises: NotFoundError, UnreadableFileError, ConfigurationError when no layout is chosen."""
    draft = await load_draft(services, actor=actor, draft_id=draft_id)
    _, desk = await file_desk(services, draft.shop)
    layout = await _layout_of(desk, draft)
    return await preview_upload(services, shop=draft.shop, upload=draft.upload, layout=layout)


async def _layout_of(desk: ImportsFiles, draft: Draft) -> Layout:
    if draft.layout is not None:
        return draft.layout
    kept = await desk.layout(draft.upload.kind)
    if kept is None:
        what = f"shop {draft.shop!r} has no layout for files of {draft.upload.kind.value}"
        raise ConfigurationError(what, fix="A supervisor chooses the columns first.")
    return kept.layout


async def preview_upload(services: Services, *, shop: str, upload: Upload, layout: Layout) -> Preview:
    """What an import would do, by doing it in a transaction that is taken back."""
    row, desk = await file_desk(services, shop)
    rows, total, problems, errors = await asyncio.to_thread(_read_whole, desk, upload, layout)
    counts = await _counted(services, row, rows, FEEDS[upload.kind])
    shown = tuple(_preview_row(each) for each in rows if each.record is not None)[:_SHOWN_ROWS]
    return Preview(
        rows=total,
        compared=min(total, COMPARED),
        counts=counts,
        errors=errors,
        first=shown,
        problems=tuple(problems),
        unknown=_unknown_words(rows),
    )


def _read_whole(desk: ImportsFiles, upload: Upload, layout: Layout) -> tuple[list[FileRow], int, list[RowProblem], int]:
    """The rows to compare, how many there are in all, the first problems, and how many of those."""
    found = desk.file_rows(upload, layout=layout)
    kept = list(islice(found, COMPARED))
    problems = [row.problem for row in kept if row.problem]
    total = len(kept)
    errors = len(problems)
    for row in found:
        total += 1
        if row.problem:
            errors += 1
            if len(problems) < _SHOWN_PROBLEMS:
                problems.append(row.problem)
    return kept, total, problems[:_SHOWN_PROBLEMS], errors


class _TakenBackError(Exception):
    """Ends a transaction that was a trial."""


def _take_back() -> NoReturn:
    raise _TakenBackError


async def _counted(services: Services, shop: ShopRow, rows: Sequence[FileRow], feed: Feed) -> Counts:
    country = services.registry.manifest(shop.mall).country
    writer = RecordWriter(services.database, shop_id=shop.id, country=country)
    counts = Counts()
    readings = [
        Reading(key=row.key, raw=row.raw, record=row.record) for row in rows if row.record is not None and row.key
    ]
    try:
        async with services.database.writing() as connection:
            for start in range(0, len(readings), _PAGE):
                page = readings[start : start + _PAGE]
                written = await writer.write(connection, page, feed=feed, now=services.now())
                counts.add(written.counts[feed])
            _take_back()
    except _TakenBackError:
        return counts


def _unknown_words(rows: Sequence[FileRow]) -> tuple[tuple[str, int], ...]:
    """States that nobody has told the meaning of, the most frequent first."""
    met: dict[str, int] = {}
    for row in rows:
        record = row.record
        words = []
        if isinstance(record, Order):
            words = [line.raw_status for line in record.lines if line.status == "unknown"]
            words += [claim.raw_state for claim in record.claims if claim.state == "unknown"]
        elif isinstance(record, Claim | Inquiry) and record.state == "unknown":
            words = [record.raw_state]
        for word in words:
            met[word[:40]] = met.get(word[:40], 0) + 1
    return tuple(sorted(met.items(), key=lambda pair: -pair[1])[:20])


def _preview_row(row: FileRow) -> PreviewRow:
    record = row.record
    if isinstance(record, Order):
        line = record.lines[0]
        person = record.receiver or record.buyer
        return PreviewRow(
            row=row.row,
            number=record.order_no,
            line_no=line.line_no,
            state_prefix="line",
            state=line.status.value,
            raw_state=line.raw_status,
            what=" · ".join(part for part in (line.product.name, line.product.option) if part),
            who=mask_name(person.name) if person else None,
            quantity=line.quantity,
            amount=line.amount,
            at=record.ordered_at,
            claim=record.claims[0] if record.claims else None,
        )
    if isinstance(record, Claim):
        return PreviewRow(
            row=row.row, number=record.order_no, line_no=record.line_no, state_prefix="state",
            state=record.state.value, raw_state=record.raw_state, what=record.raw_reason or "", who=None,
            quantity=record.quantity, amount=record.refund, at=record.requested_at, claim=record,
        )  # fmt: skip
    if isinstance(record, Inquiry):
        return PreviewRow(
            row=row.row, number=record.inquiry_no, line_no=None, state_prefix="state", state=record.state.value,
            raw_state=record.raw_state, what=mask_text((record.subject or record.text)[:80]) or "",
            who=mask_name(record.writer.name) if record.writer else None, at=record.asked_at,
        )  # fmt: skip
    raise TypeError(type(record).__name__)
