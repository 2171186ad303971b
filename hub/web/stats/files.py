"""Rows of the statistics as files, Excel or CSV, sent while they are made."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Final

from litestar import Request
from litestar.datastructures import State
from litestar.response import Stream

from hub.desk.access import AccessAction, Actor, record_access
from hub.desk.services import Services
from hub.stats.csv_file import csv_chunks
from hub.stats.workbook import workbook_chunks

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Rows = AsyncIterator[Mapping[str, Any]] | Iterable[Mapping[str, Any]]


async def send_workbook(
    request: Request[Actor, str, State], services: Services, name: str, columns: Sequence[str], rows: Rows
) -> Stream:
    """The rows as a file that is sent while it is made; who took it stands in the access log before."""
    await _note(request, services, name)
    return Stream(
        workbook_chunks(title=name, columns=columns, rows=_each(rows)),
        media_type=_XLSX,
        headers={"content-disposition": f'attachment; filename="{name}.xlsx"'},
    )


async def send_rows(
    request: Request[Actor, str, State],
    services: Services,
    name: str,
    columns: Sequence[str],
    rows: Rows,
    *,
    kind: str,
) -> Stream:
    """As :func:`send_workbook`, or with ``kind`` "csv" as text that is sent while it is made."""
    if kind != "csv":
        return await send_workbook(request, services, name, columns, rows)
    await _note(request, services, name)
    return Stream(
        csv_chunks(columns, _each(rows)),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}.csv"'},
    )


async def _note(request: Request[Actor, str, State], services: Services, name: str) -> None:
    async with services.database.writing() as connection:
        await record_access(
            connection,
            at=services.now(),
            actor=request.user,
            action=AccessAction.EXPORT,
            subject=f"export statistics {name}",
        )


async def _each(rows: Rows) -> AsyncIterator[Mapping[str, Any]]:
    if isinstance(rows, AsyncIterator):
        async for row in rows:
            yield row
    else:
        for row in rows:
            yield row
