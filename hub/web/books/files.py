"""Tables of the books as files: text and workbook, who took them out, and how they are sent."""

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from litestar import Response

from hub.desk.access import AccessAction, record_access
from hub.desk.books.sheets import safe_cell
from hub.stats.workbook import write_workbook
from hub.web.books.editor import PageRequest
from hub.web.render import Given


def csv_bytes(columns: Mapping[str, str], rows: list[dict[str, str]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(columns.values())
    writer.writerows([safe_cell(row[name]) for name in columns] for row in rows)
    # The mark tells Excel that this is UTF-8.
    return file.getvalue().encode("utf-8-sig")


async def workbook_bytes(title: str, columns: Mapping[str, str], rows: list[dict[str, str]]) -> bytes:
    async def named() -> AsyncIterator[Mapping[str, Any]]:
        for row in rows:
            yield {heading: row[name] for name, heading in columns.items()}

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        await write_workbook(path, title=title, columns=tuple(columns.values()), rows=named())
        return await asyncio.to_thread(path.read_bytes)


async def note_export(services: Given, request: PageRequest, subject: str) -> None:
    """Contacts are people: who took them out stands in the access log."""
    async with services.database.writing() as connection:
        await record_access(
            connection, at=services.now(), actor=request.user, action=AccessAction.EXPORT, subject=subject
        )


def download(name: str, body: bytes) -> Response[bytes]:
    return Response(
        body,
        media_type="application/octet-stream",
        headers={"content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"},
    )
