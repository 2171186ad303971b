"""The pages of the long table of inventory modes: find, page, change a row, import with a preview, export."""

from datetime import date
from typing import Annotated, Any, Final

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from msgspec import Struct

from hub.core.errors import ConfigurationError
from hub.desk.access import Permission, require
from hub.desk.books.books import DraftChangedError
from hub.desk.books.fields import cell_text, fields_of
from hub.desk.books.forms import read_forms
from hub.desk.books.modes import (
    MOST_BYTES,
    SECTION,
    end_mode,
    export_modes,
    finish_import,
    preview_import,
    read_mode,
    read_mode_history,
    read_modes,
    remove_mode,
    save_mode,
    start_import,
)
from hub.desk.books.rows import RowGoneError, RowRefusedError
from hub.desk.cases.case import NotFoundError
from hub.store.books import BookKind
from hub.web.auth import Form
from hub.web.books.editor import PageRequest, local_day, what_is_wrong, words_of, wrong
from hub.web.books.files import csv_bytes, download, note_export, workbook_bytes
from hub.web.books.views import form_view, values_of
from hub.web.books.words import field_key, value_words
from hub.web.cases.acting import Notice
from hub.web.render import Given, Pages
from hub.web.words import Words
from routing.entries import ProductEntry

_LONGEST_SOUGHT: Final = 100
_FIELDS: Final = fields_of(ProductEntry)


class ModeRowView(Struct, frozen=True, kw_only=True):
    row_id: int
    cells: tuple[str, ...]
    stamp: str


def _labels(words: Words) -> dict[str, str]:
    return {field.name: words(field_key(words, BookKind.ROUTING, SECTION, field.name)) for field in _FIELDS}


def _cells(words: Words, row: ProductEntry | None) -> tuple[str, ...]:
    return tuple("" if row is None else value_words(words, field, getattr(row, field.name)) for field in _FIELDS)


def _page(
    request: PageRequest,
    pages: Pages,
    template: str,
    *,
    notice: Notice | None = None,
    is_wrong: bool = False,
    **values: Any,
) -> Response[str]:
    return pages.page(
        request,
        template,
        status=422 if is_wrong or (notice and notice.tone == "wrong") else 200,
        notice=notice,
        kind="modes",
        kinds=tuple(BookKind),
        may_edit=request.user.may(Permission.EDIT_BOOKS),
        **values,
    )


@get("/product-modes")
async def modes_page(
    request: PageRequest,
    services: Given,
    pages: Pages,
    q: FromQuery[str] = "",
    after: FromQuery[int] = 0,
    notice: FromQuery[str] = "",
) -> Response[str]:
    """Codes of products, in the address as they are: no person is found by them."""
    key = {"kept": "book.mode_kept", "removed": "book.mode_removed", "imported": "book.modes_done"}.get(notice)
    told = Notice(key=key, tone="done") if key else None
    return await _list(request, services, pages, sought=q[:_LONGEST_SOUGHT], after=after, notice=told)


async def _list(
    request: PageRequest,
    services: Given,
    pages: Pages,
    *,
    sought: str = "",
    after: int = 0,
    notice: Notice | None = None,
) -> Response[str]:
    words = words_of(request)
    after = min(max(after, 0), 2**63 - 1)
    page = await read_modes(services, actor=request.user, sought=sought, after=after)
    rows = [
        ModeRowView(row_id=stored.row_id, cells=_cells(words, stored.row), stamp=stored.stamp) for stored in page.rows
    ]
    return _page(
        request,
        pages,
        "pages/book_modes.html",
        page={"rows": rows, "after": page.after, "found": page.found, "total": page.total},
        headings=tuple(_labels(words).values()),
        sought=sought,
        today=local_day(services),
        notice=notice,
    )


@get("/product-modes/new")
async def new_mode_page(request: PageRequest, services: Given, pages: Pages) -> Response[str]:
    require(request.user, Permission.EDIT_BOOKS)
    return await _form(request, services, pages, values={}, row_id=None)


@get("/product-modes/{row_id:int}")
async def mode_page(request: PageRequest, services: Given, pages: Pages, row_id: FromPath[int]) -> Response[str]:
    require(request.user, Permission.EDIT_BOOKS)
    stored = await read_mode(services, actor=request.user, row_id=_key(row_id))
    return await _form(request, services, pages, values=values_of(stored.row), row_id=row_id, was=stored.stamp)


def _key(row_id: int) -> int:
    """Raises: NotFoundError for a number that no database takes as a key."""
    if not 0 < row_id < 2**63:
        raise NotFoundError
    return row_id


async def _form(
    request: PageRequest,
    services: Given,
    pages: Pages,
    *,
    values: dict[str, str],
    row_id: int | None,
    was: str = "",
    refused: RowRefusedError | None = None,
    notice: Notice | None = None,
) -> Response[str]:
    words = words_of(request)
    form = (await read_forms(services))[BookKind.ROUTING]
    general: list[tuple[str, str]] = []
    if refused is not None:
        general += [
            (words(f"book.wrong.{typed.key}", **typed.words), words(f"book.fix.{typed.key}", **typed.words))
            for typed in refused.typed
            if not typed.field
        ]
        general += [problem.told(words.locale) for problem in refused.here if problem.column is None]
    return _page(
        request,
        pages,
        "pages/book_mode.html",
        is_wrong=refused is not None,
        fields=form_view(words, form, SECTION, values, refused=refused),
        general=general,
        row_id=row_id,
        was=was,
        notice=notice,
    )


@post("/product-modes/new")
async def add_mode_form(request: PageRequest, services: Given, pages: Pages) -> Response[Any]:
    return await _save(request, services, pages, row_id=None)


@post("/product-modes/{row_id:int}")
async def change_mode_form(request: PageRequest, services: Given, pages: Pages, row_id: FromPath[int]) -> Response[Any]:
    return await _save(request, services, pages, row_id=_key(row_id))


async def _save(request: PageRequest, services: Given, pages: Pages, *, row_id: int | None) -> Response[Any]:
    typed = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    values = {field.name: typed.get(f"f.{field.name}", "") for field in _FIELDS}
    was = typed.get("was", "")[:16]
    try:
        await save_mode(services, actor=request.user, values=values, row_id=row_id, was=was)
    except RowRefusedError as refused:
        return await _form(request, services, pages, values=values, row_id=row_id, was=was, refused=refused)
    except RowGoneError as error:
        return await _form(request, services, pages, values=values, row_id=None, notice=what_is_wrong(error))
    return Redirect("/product-modes?notice=kept", status_code=303)


class ModeForm(Struct, kw_only=True):
    was: str = ""
    last_day: str = ""


@post("/product-modes/{row_id:int}/end")
async def end_mode_form(
    request: PageRequest, services: Given, pages: Pages, row_id: FromPath[int], data: Annotated[ModeForm, Form]
) -> Response[Any]:
    try:
        day = date.fromisoformat(data.last_day)
        await end_mode(services, actor=request.user, row_id=_key(row_id), was=data.was[:16], last_day=day)
    except ValueError:
        return await _list(request, services, pages, notice=wrong("book.no_last_day"))
    except (RowRefusedError, RowGoneError) as error:
        return await _list(request, services, pages, notice=what_is_wrong(error))
    return Redirect("/product-modes?notice=kept", status_code=303)


@post("/product-modes/{row_id:int}/remove")
async def remove_mode_form(
    request: PageRequest, services: Given, pages: Pages, row_id: FromPath[int], data: Annotated[ModeForm, Form]
) -> Response[Any]:
    try:
        await remove_mode(services, actor=request.user, row_id=_key(row_id), was=data.was[:16])
    except RowGoneError as error:
        return await _list(request, services, pages, notice=what_is_wrong(error))
    return Redirect("/product-modes?notice=removed", status_code=303)


# files


@post("/product-modes/import", request_max_body_size=MOST_BYTES + 64 * 1024)
async def import_modes_form(request: PageRequest, services: Given, pages: Pages) -> Response[Any]:
    require(request.user, Permission.EDIT_BOOKS)
    file = (await request.form()).get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return await _list(request, services, pages, notice=wrong("book.no_file"))
    data = await file.read(MOST_BYTES + 1)
    await file.close()
    try:
        await start_import(services, actor=request.user, data=data)
    except ConfigurationError as error:
        told = wrong("book.unreadable", detail=f"{error.what}. {error.fix or ''}")
        return await _list(request, services, pages, notice=told)
    return Redirect("/product-modes/import", status_code=303)


@get("/product-modes/import")
async def preview_modes_page(request: PageRequest, services: Given, pages: Pages) -> Response[str]:
    return await _preview(request, services, pages)


async def _preview(
    request: PageRequest, services: Given, pages: Pages, *, notice: Notice | None = None
) -> Response[str]:
    preview = await preview_import(services, actor=request.user)
    words = words_of(request)
    examples = [
        (change, tuple(zip(_cells(words, old), _cells(words, new), strict=True)))
        for change, old, new in preview.examples
    ]
    return _page(
        request,
        pages,
        "pages/book_modes_import.html",
        preview=preview,
        examples=examples,
        labels=_labels(words),
        headings=tuple(_labels(words).values()),
        notice=notice,
    )


class FinishForm(Struct, kw_only=True):
    stamp: str = ""


@post("/product-modes/import/finish")
async def finish_modes_form(
    request: PageRequest, services: Given, pages: Pages, data: Annotated[FinishForm, Form]
) -> Response[Any]:
    try:
        await finish_import(services, actor=request.user, stamp=data.stamp[:64])
    except DraftChangedError:
        return await _preview(request, services, pages, notice=wrong("book.modes_changed"))
    return Redirect("/product-modes?notice=imported", status_code=303)


@get("/product-modes/export/{form_name:str}")
async def export_modes_file(request: PageRequest, services: Given, form_name: FromPath[str]) -> Response[bytes]:
    if form_name not in {"csv", "xlsx"}:
        raise NotFoundError
    columns = {field.name: field.name for field in _FIELDS}
    rows = [
        {name: cell_text(getattr(row, name)) for name in columns}
        async for row in export_modes(services, actor=request.user)
    ]
    body = csv_bytes(columns, rows) if form_name == "csv" else await workbook_bytes("product_modes", columns, rows)
    await note_export(services, request, f"inventory modes {form_name}")
    return download(f"product-modes-{local_day(services)}.{form_name}", body)


@get("/product-modes/history")
async def modes_history_page(request: PageRequest, services: Given, pages: Pages) -> Response[str]:
    words = words_of(request)
    changes = [
        (change, _told(words, change.old), _told(words, change.new))
        for change in await read_mode_history(services, actor=request.user)
    ]
    return _page(request, pages, "pages/book_modes_history.html", changes=changes)


def _told(words: Words, row: ProductEntry | None) -> str:
    return " · ".join(cell for cell in _cells(words, row) if cell)


BOOK_MODE_PAGES: Final = [
    modes_page,
    new_mode_page,
    mode_page,
    add_mode_form,
    change_mode_form,
    end_mode_form,
    remove_mode_form,
    import_modes_form,
    preview_modes_page,
    finish_modes_form,
    export_modes_file,
    modes_history_page,
]
