"""The pages of the books' tables: look, find, add, change, end and remove rows, import and export."""

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from msgspec import Struct

from hub.desk.access import AccessAction, Permission, record_access, require
from hub.desk.books.books import DraftChangedError, count_versions, open_book
from hub.desk.books.fields import fields_of
from hub.desk.books.forms import BookForm, read_forms
from hub.desk.books.rows import (
    RowGoneError,
    RowRefusedError,
    can_end,
    end_row,
    remove_row,
    row_stamp,
    row_type,
    save_row,
)
from hub.desk.books.sheets import MOST_BYTES, import_section, safe_cell, sheet_rows
from hub.desk.cases.case import NotFoundError
from hub.stats.workbook import write_workbook
from hub.web.auth import Form
from hub.web.books.defaults import defaults_of
from hub.web.books.editor import PageRequest, asked_form, book_page, local_day, tabs_of, words_of
from hub.web.books.views import change_views, form_view, table_view, values_of
from hub.web.books.words import field_key, headings_of, meanings_of
from hub.web.cases.acting import Notice
from hub.web.render import Given, Pages
from routing.sheet import SheetError

_FORM_BYTES: Final = 512 * 1024
_LONGEST_SOUGHT: Final = 100


@get("/books")
async def books_page(request: PageRequest, services: Given, pages: Pages) -> Response[str]:
    shelf = []
    for kind, form in (await read_forms(services)).items():
        book = await open_book(services, form, actor=request.user)
        shelf.append((kind, book, tabs_of(form, book)))
    return pages.page(
        request,
        "pages/books.html",
        shelf=shelf,
        versions=await count_versions(services, actor=request.user),
        may_edit=request.user.may(Permission.EDIT_BOOKS),
    )


@get("/books/{kind:str}")
async def book_root(services: Given, kind: FromPath[str]) -> Redirect:
    form = await asked_form(services, kind)
    return Redirect(f"/books/{form.kind}/{form.tables.__struct_fields__[0]}", status_code=303)


@get("/books/{kind:str}/{section:str}")
async def section_page(
    request: PageRequest,
    services: Given,
    pages: Pages,
    kind: FromPath[str],
    section: FromPath[str],
    after: FromQuery[int] = 0,
    notice: FromQuery[str] = "",
) -> Response[str]:
    form = await asked_form(services, kind)
    key = {"kept": "book.kept", "removed": "book.removed", "ended": "book.ended"}.get(notice)
    told = Notice(key=key, tone="done") if key else None
    return await _section(request, services, pages, form, section, after=max(after, 0), notice=told)


class FindForm(Struct, kw_only=True):
    q: str = ""


@post("/books/{kind:str}/{section:str}/find", status_code=200)
async def find_form(
    request: PageRequest,
    services: Given,
    pages: Pages,
    kind: FromPath[str],
    section: FromPath[str],
    data: Annotated[FindForm, Form],
) -> Response[str]:
    """A POST: a contact's name or telephone must not stand in an address or a server's log."""
    form = await asked_form(services, kind)
    return await _section(request, services, pages, form, section, sought=data.q[:_LONGEST_SOUGHT])


async def _section(
    request: PageRequest,
    services: Given,
    pages: Pages,
    form: BookForm,
    section: str,
    *,
    sought: str = "",
    after: int = 0,
    notice: Notice | None = None,
    status: int = 200,
) -> Response[str]:
    row = row_type(form, section)
    book = await open_book(services, form, actor=request.user)
    words = words_of(request)
    table = table_view(
        words,
        form,
        section,
        book.tables,
        changes=book.changes,
        problems=book.problems,
        may_see=request.user.may(Permission.EDIT_BOOKS),
        sought=sought,
        after=after,
    )
    return book_page(
        request,
        pages,
        "pages/book_section.html",
        form=form,
        book=book,
        section=section,
        status=status,
        table=table,
        sought=sought,
        notice=notice,
        defaults=None if table.total else defaults_of(words, form.kind, section),
        can_end=can_end(row),
        today=local_day(services),
    )


@get("/books/{kind:str}/{section:str}/new")
async def new_row_page(
    request: PageRequest, services: Given, pages: Pages, kind: FromPath[str], section: FromPath[str]
) -> Response[str]:
    form = await asked_form(services, kind)
    row = row_type(form, section)
    require(request.user, Permission.EDIT_BOOKS)
    defaults = {field.name: "" for field in fields_of(row)}
    return await _row_page(request, services, pages, form, section, values=defaults)


@get("/books/{kind:str}/{section:str}/{row:int}")
async def row_page(
    request: PageRequest,
    services: Given,
    pages: Pages,
    kind: FromPath[str],
    section: FromPath[str],
    row: FromPath[int],
    copy: FromQuery[bool] = False,
) -> Response[str]:
    """``copy``: the same row as a new one."""
    form = await asked_form(services, kind)
    row_type(form, section)
    require(request.user, Permission.EDIT_BOOKS)
    rows = getattr((await open_book(services, form, actor=request.user)).tables, section)
    if not 0 <= row < len(rows):
        raise NotFoundError
    values = values_of(rows[row])
    if copy:
        return await _row_page(request, services, pages, form, section, values=values)
    return await _row_page(
        request, services, pages, form, section, values=values, was=row_stamp(rows[row]), near=row, place=str(row + 1)
    )


async def _row_page(
    request: PageRequest,
    services: Given,
    pages: Pages,
    form: BookForm,
    section: str,
    *,
    values: Mapping[str, str],
    was: str = "",
    near: int = 0,
    place: str = "",
    refused: RowRefusedError | None = None,
    notice: Notice | None = None,
) -> Response[str]:
    book = await open_book(services, form, actor=request.user)
    words = words_of(request)
    general = () if refused is None else tuple(typed for typed in refused.typed if not typed.field)
    return book_page(
        request,
        pages,
        "pages/book_row.html",
        form=form,
        book=book,
        section=section,
        status=200 if refused is None and notice is None else 422,
        fields=form_view(words, form, section, values, refused=refused),
        was=was,
        near=near,
        place=place,
        general=[words(f"book.wrong.{typed.key}", **typed.words) for typed in general],
        elsewhere=() if refused is None else refused.elsewhere,
        may_keep_so=refused is not None and not refused.typed,
        notice=notice,
        rows=len(getattr(book.tables, section)),
    )


@post("/books/{kind:str}/{section:str}/row", request_max_body_size=_FORM_BYTES)
async def save_row_form(
    request: PageRequest, services: Given, pages: Pages, kind: FromPath[str], section: FromPath[str]
) -> Response[Any]:
    form = await asked_form(services, kind)
    row = row_type(form, section)
    typed = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    values = {field.name: typed.get(f"f.{field.name}", "") for field in fields_of(row)}
    was, near, place = (
        typed.get("was", "")[:16],
        _number(typed.get("near", "")) or 0,
        typed.get("place", "").strip()[:6],
    )
    wanted = _number(place)
    try:
        await save_row(
            services,
            form,
            actor=request.user,
            section=section,
            values=values,
            was=was,
            near=near,
            place=None if wanted is None else wanted - 1,
            even_so=typed.get("even_so") == "1",
        )
    except RowRefusedError as refused:
        return await _row_page(
            request, services, pages, form, section, values=values, was=was, near=near, place=place, refused=refused
        )
    except (RowGoneError, DraftChangedError) as error:
        key = "book.row_gone" if isinstance(error, RowGoneError) else "book.draft_changed"
        told = Notice(key=key, tone="wrong")
        # What was typed is kept as a new row: the one it was about is no longer what it was.
        still = was if isinstance(error, DraftChangedError) else ""
        return await _row_page(
            request, services, pages, form, section, values=values, was=still, near=near, place=place, notice=told
        )
    return _to_section(form, section, "kept", near if was else 0)


def _to_section(form: BookForm, section: str, notice: str, near: int = 0) -> Redirect:
    after = near // 100 * 100
    query = {"notice": notice} | ({"after": str(after)} if after else {})
    return Redirect(f"/books/{form.kind}/{section}?{urlencode(query)}", status_code=303)


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None


class RowForm(Struct, kw_only=True):
    was: str = ""
    near: str = ""
    last_day: str = ""


@post("/books/{kind:str}/{section:str}/remove")
async def remove_row_form(
    request: PageRequest,
    services: Given,
    pages: Pages,
    kind: FromPath[str],
    section: FromPath[str],
    data: Annotated[RowForm, Form],
) -> Response[Any]:
    form = await asked_form(services, kind)
    near = _number(data.near) or 0
    try:
        await remove_row(services, form, actor=request.user, section=section, was=data.was[:16], near=near)
    except (RowGoneError, DraftChangedError):
        return await _row_is_gone(request, services, pages, form, section)
    return _to_section(form, section, "removed", near)


@post("/books/{kind:str}/{section:str}/end")
async def end_row_form(
    request: PageRequest,
    services: Given,
    pages: Pages,
    kind: FromPath[str],
    section: FromPath[str],
    data: Annotated[RowForm, Form],
) -> Response[Any]:
    form = await asked_form(services, kind)
    near = _number(data.near) or 0
    try:
        last_day = date.fromisoformat(data.last_day)
    except ValueError:
        told = Notice(key="book.no_last_day", tone="wrong")
        return await _section(request, services, pages, form, section, notice=told, status=422)
    try:
        await end_row(
            services, form, actor=request.user, section=section, was=data.was[:16], near=near, last_day=last_day
        )
    except RowRefusedError as refused:
        typed = refused.typed[0]
        told = Notice(
            key=f"book.wrong.{typed.key}",
            tone="wrong",
            words=tuple((name, str(word)) for name, word in typed.words.items()),
        )
        return await _section(request, services, pages, form, section, notice=told, status=422)
    except (RowGoneError, DraftChangedError):
        return await _row_is_gone(request, services, pages, form, section)
    return _to_section(form, section, "ended", near)


async def _row_is_gone(
    request: PageRequest, services: Given, pages: Pages, form: BookForm, section: str
) -> Response[str]:
    told = Notice(key="book.row_gone", tone="wrong")
    return await _section(request, services, pages, form, section, notice=told, status=422)


# files


@post("/books/{kind:str}/{section:str}/import", request_max_body_size=MOST_BYTES + 64 * 1024)
async def import_form(
    request: PageRequest, services: Given, pages: Pages, kind: FromPath[str], section: FromPath[str]
) -> Response[Any]:
    form = await asked_form(services, kind)
    row = row_type(form, section)
    require(request.user, Permission.EDIT_BOOKS)
    file = (await request.form()).get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        told = Notice(key="book.no_file", tone="wrong")
        return await _section(request, services, pages, form, section, notice=told, status=422)
    data = await file.read(MOST_BYTES + 1)
    await file.close()
    error = kept = None
    try:
        kept = await import_section(
            services,
            form,
            actor=request.user,
            section=section,
            data=data,
            headings=headings_of(form.kind, section, row),
            meanings=meanings_of(row),
        )
    except SheetError as refused:
        error = refused
    words = words_of(request)
    today = local_day(services)
    book = await open_book(services, form, actor=request.user)
    return book_page(
        request,
        pages,
        "pages/book_import.html",
        form=form,
        book=book,
        section=section,
        status=422 if kept is None or kept.read.errors else 200,
        error=error,
        taken=kept,
        changes=() if kept is None else change_views(words, form, kept.changes, today=today, may_see=True),
        labels={field.name: words(field_key(words, form.kind, section, field.name)) for field in fields_of(row)},
        columns=tuple(field.name for field in fields_of(row)),
    )


@get("/books/{kind:str}/{section:str}/export/{form_name:str}")
async def export_section(
    request: PageRequest, services: Given, kind: FromPath[str], section: FromPath[str], form_name: FromPath[str]
) -> Response[bytes]:
    """``csv`` or ``xlsx`` of the section as this author sees it: the draft, or what is in force."""
    form = await asked_form(services, kind)
    row = row_type(form, section)
    require(request.user, Permission.EXPORT)
    book = await open_book(services, form, actor=request.user)
    words = words_of(request)
    columns = {field.name: words(field_key(words, form.kind, section, field.name)) for field in fields_of(row)}
    rows = list(sheet_rows(getattr(book.tables, section), row))
    if form_name == "csv":
        body = csv_bytes(columns, rows)
    elif form_name == "xlsx":
        body = await workbook_bytes(section, columns, rows)
    else:
        raise NotFoundError
    await note_export(services, request, f"book {form.kind} {section} {form_name}")
    return download(f"{form.kind}-{section}-{local_day(services)}.{form_name}", body)


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


BOOK_TABLE_PAGES: Final = [
    books_page,
    book_root,
    section_page,
    find_form,
    new_row_page,
    row_page,
    save_row_form,
    remove_row_form,
    end_row_form,
    import_form,
    export_section,
]
