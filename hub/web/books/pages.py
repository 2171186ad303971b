"""The pages of the books' tables: look, find, add, change, end and remove rows, import and export."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.di import Provide
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler
from msgspec import Struct

from hub.desk.access import Permission, require
from hub.desk.books.books import DraftChangedError, count_versions, open_book
from hub.desk.books.fields import fields_of
from hub.desk.books.forms import read_forms
from hub.desk.books.rows import RowGoneError, RowRefusedError, can_end, end_row, remove_row, row_stamp, save_row
from hub.desk.books.sheets import MOST_BYTES, import_section, sheet_rows
from hub.desk.cases.case import NotFoundError
from hub.web.auth import Form
from hub.web.books.defaults import defaults_of
from hub.web.books.editor import Asked, Book, PageRequest, asked_section, local_day, tabs_of, what_is_wrong, wrong
from hub.web.books.files import csv_bytes, download, note_export, workbook_bytes
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


@get("/")
async def section_page(asked: Book, after: FromQuery[int] = 0, notice: FromQuery[str] = "") -> Response[str]:
    key = {"kept": "book.kept", "removed": "book.removed", "ended": "book.ended"}.get(notice)
    told = Notice(key=key, tone="done") if key else None
    return await _section(asked, after=max(after, 0), notice=told)


class FindForm(Struct, kw_only=True):
    q: str = ""


@post("/find", status_code=200)
async def find_form(asked: Book, data: Annotated[FindForm, Form]) -> Response[str]:
    """A POST: a contact's name or telephone must not stand in an address or a server's log."""
    return await _section(asked, sought=data.q[:_LONGEST_SOUGHT])


async def _section(asked: Asked, *, sought: str = "", after: int = 0, notice: Notice | None = None) -> Response[str]:
    book = await asked.open()
    table = table_view(
        asked.words,
        asked.form,
        asked.section,
        book.tables,
        changes=book.changes,
        problems=book.problems,
        may_see=asked.may_edit,
        sought=sought,
        after=after,
    )
    return asked.page(
        "pages/book_section.html",
        book,
        notice=notice,
        table=table,
        sought=sought,
        defaults=None if table.total else defaults_of(asked.words, asked.form.kind, asked.section),
        can_end=can_end(asked.row),
        today=local_day(asked.services),
    )


@get("/new")
async def new_row_page(asked: Book) -> Response[str]:
    require(asked.actor, Permission.EDIT_BOOKS)
    return await _row_page(asked, values={field.name: "" for field in fields_of(asked.row)})


@get("/{row:int}")
async def row_page(asked: Book, row: FromPath[int], copy: FromQuery[bool] = False) -> Response[str]:
    """``copy``: the same row as a new one."""
    require(asked.actor, Permission.EDIT_BOOKS)
    rows = getattr((await asked.open()).tables, asked.section)
    if not 0 <= row < len(rows):
        raise NotFoundError
    values = values_of(rows[row])
    if copy:
        return await _row_page(asked, values=values)
    return await _row_page(asked, values=values, was=row_stamp(rows[row]), near=row, place=str(row + 1))


async def _row_page(
    asked: Asked,
    *,
    values: Mapping[str, str],
    was: str = "",
    near: int = 0,
    place: str = "",
    refused: RowRefusedError | None = None,
    notice: Notice | None = None,
) -> Response[str]:
    book = await asked.open()
    general = () if refused is None else tuple(typed for typed in refused.typed if not typed.field)
    return asked.page(
        "pages/book_row.html",
        book,
        notice=notice,
        is_wrong=refused is not None,
        fields=form_view(asked.words, asked.form, asked.section, values, refused=refused),
        was=was,
        near=near,
        place=place,
        general=[asked.words(f"book.wrong.{typed.key}", **typed.words) for typed in general],
        elsewhere=() if refused is None else refused.elsewhere,
        may_keep_so=refused is not None and not refused.typed,
        rows=len(getattr(book.tables, asked.section)),
    )


@post("/row", request_max_body_size=_FORM_BYTES)
async def save_row_form(asked: Book) -> Response[Any]:
    typed = {name: value for name, value in (await asked.request.form()).items() if isinstance(value, str)}
    values = {field.name: typed.get(f"f.{field.name}", "") for field in fields_of(asked.row)}
    was, place = typed.get("was", "")[:16], typed.get("place", "").strip()[:6]
    near, wanted = _number(typed.get("near", "")) or 0, _number(place)
    try:
        await save_row(
            asked.services,
            asked.form,
            actor=asked.actor,
            section=asked.section,
            values=values,
            was=was,
            near=near,
            place=None if wanted is None else wanted - 1,
            even_so=typed.get("even_so") == "1",
        )
    except RowRefusedError as refused:
        return await _row_page(asked, values=values, was=was, near=near, place=place, refused=refused)
    except (RowGoneError, DraftChangedError) as error:
        # What was typed is kept as a new row: the one it was about is no longer what it was.
        still = was if isinstance(error, DraftChangedError) else ""
        return await _row_page(asked, values=values, was=still, near=near, place=place, notice=what_is_wrong(error))
    return _to_section(asked, "kept", near if was else 0)


def _to_section(asked: Asked, notice: str, near: int = 0) -> Redirect:
    after = near // 100 * 100
    query = {"notice": notice} | ({"after": str(after)} if after else {})
    return Redirect(f"/books/{asked.form.kind}/{asked.section}?{urlencode(query)}", status_code=303)


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None


class RowForm(Struct, kw_only=True):
    was: str = ""
    near: str = ""
    last_day: str = ""


@post("/remove")
async def remove_row_form(asked: Book, data: Annotated[RowForm, Form]) -> Response[Any]:
    near = _number(data.near) or 0
    try:
        await remove_row(
            asked.services, asked.form, actor=asked.actor, section=asked.section, was=data.was[:16], near=near
        )
    except (RowGoneError, DraftChangedError):
        return await _section(asked, notice=wrong("book.row_gone"))
    return _to_section(asked, "removed", near)


@post("/end")
async def end_row_form(asked: Book, data: Annotated[RowForm, Form]) -> Response[Any]:
    near = _number(data.near) or 0
    try:
        last_day = date.fromisoformat(data.last_day)
    except ValueError:
        return await _section(asked, notice=wrong("book.no_last_day"))
    try:
        await end_row(
            asked.services,
            asked.form,
            actor=asked.actor,
            section=asked.section,
            was=data.was[:16],
            near=near,
            last_day=last_day,
        )
    except RowRefusedError as refused:
        return await _section(asked, notice=what_is_wrong(refused))
    except (RowGoneError, DraftChangedError):
        return await _section(asked, notice=wrong("book.row_gone"))
    return _to_section(asked, "ended", near)


@post("/import", request_max_body_size=MOST_BYTES + 64 * 1024)
async def import_form(asked: Book) -> Response[Any]:
    require(asked.actor, Permission.EDIT_BOOKS)
    form, section, words = asked.form, asked.section, asked.words
    file = (await asked.request.form()).get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return await _section(asked, notice=wrong("book.no_file"))
    data = await file.read(MOST_BYTES + 1)
    await file.close()
    error = kept = None
    try:
        kept = await import_section(
            asked.services,
            form,
            actor=asked.actor,
            section=section,
            data=data,
            headings=headings_of(form.kind, section, asked.row),
            meanings=meanings_of(asked.row),
        )
    except SheetError as refused:
        error = refused
    today = local_day(asked.services)
    fields = fields_of(asked.row)
    return asked.page(
        "pages/book_import.html",
        await asked.open(),
        is_wrong=kept is None or bool(kept.read.errors),
        error=error,
        taken=kept,
        changes=() if kept is None else change_views(words, form, kept.changes, today=today, may_see=True),
        labels={field.name: words(field_key(words, form.kind, section, field.name)) for field in fields},
        columns=tuple(field.name for field in fields),
    )


@get("/export/{form_name:str}")
async def export_section(asked: Book, form_name: FromPath[str]) -> Response[bytes]:
    """``csv`` or ``xlsx`` of the section as this author sees it: the draft, or what is in force."""
    require(asked.actor, Permission.EXPORT)
    kind, section, words = asked.form.kind, asked.section, asked.words
    book = await asked.open()
    columns = {field.name: words(field_key(words, kind, section, field.name)) for field in fields_of(asked.row)}
    rows = list(sheet_rows(getattr(book.tables, section), asked.row))
    if form_name == "csv":
        body = csv_bytes(columns, rows)
    elif form_name == "xlsx":
        body = await workbook_bytes(section, columns, rows)
    else:
        raise NotFoundError
    await note_export(asked.services, asked.request, f"book {kind} {section} {form_name}")
    return download(f"{kind}-{section}-{local_day(asked.services)}.{form_name}", body)


BOOK_TABLE_PAGES: Final[list[ControllerRouterHandler]] = [
    books_page,
    Router(
        path="/books/{kind:str}/{section:str}",
        dependencies={"asked": Provide(asked_section)},
        route_handlers=[
            section_page,
            find_form,
            new_row_page,
            row_page,
            save_row_form,
            remove_row_form,
            end_row_form,
            import_form,
            export_section,
        ],
    ),
]
