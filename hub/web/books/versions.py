"""The pages on which a book comes into force: preview with its effect, note, history, an older version again."""

from typing import Annotated, Any, Final

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from msgspec import Struct

from hub.core.errors import ConfigurationError
from hub.desk.access import Permission, require
from hub.desk.books.books import (
    LONGEST_BODY,
    LONGEST_NOTE,
    PAGE,
    DraftChangedError,
    OvertakenError,
    ProblemsError,
    UnfinishedError,
    catch_up,
    decode_book,
    discard,
    keep,
    open_book,
    put_in_force,
    read_book,
    read_change,
    read_history,
    start_again_from,
)
from hub.desk.books.changes import Changes, Clash
from hub.desk.books.fields import sections_of
from hub.desk.books.forms import BookForm
from hub.desk.books.impact import MOST_CASES, read_impact
from hub.web.auth import Form
from hub.web.books.editor import PageRequest, asked_form, book_page, local_day, words_of
from hub.web.books.pages import download, note_export
from hub.web.books.views import change_views, table_view
from hub.web.cases.acting import Notice
from hub.web.render import Given, Pages

_MOST_SHOWN: Final = 200


@get("/books/{kind:str}/preview")
async def preview_page(request: PageRequest, services: Given, pages: Pages, kind: FromPath[str]) -> Response[str]:
    require(request.user, Permission.EDIT_BOOKS)
    return await _preview(request, services, pages, await asked_form(services, kind))


async def _preview(
    request: PageRequest,
    services: Given,
    pages: Pages,
    form: BookForm,
    *,
    notice: Notice | None = None,
    note: str = "",
    clashes: tuple[Clash, ...] = (),
    status: int = 200,
) -> Response[str]:
    book = await open_book(services, form, actor=request.user)
    theirs = None
    if book.is_overtaken:
        theirs = (await read_book(services, form, actor=request.user)).head
    return book_page(
        request,
        pages,
        "pages/book_preview.html",
        form=form,
        book=book,
        status=status,
        changes=_views(request, services, form, book.changes),
        theirs=theirs,
        clashes=[(clash.section, _name(clash)) for clash in clashes],
        notice=notice,
        note=note,
        longest_note=LONGEST_NOTE,
        most_shown=_MOST_SHOWN,
    )


def _name(clash: Clash) -> str:
    row = next(each for each in (clash.mine, clash.theirs, clash.old) if each is not None)
    return str(next((name for field in ("name", "id", "key") if (name := getattr(row, field, None))), ""))


def _views(request: PageRequest, services: Given, form: BookForm, changes: Changes) -> Any:
    may_see = request.user.may(Permission.EDIT_BOOKS)
    today = local_day(services)
    return change_views(words_of(request), form, changes.rows, today=today, may_see=may_see, most=_MOST_SHOWN)


@get("/books/{kind:str}/impact")
async def impact_part(request: PageRequest, services: Given, pages: Pages, kind: FromPath[str]) -> Response[str]:
    """What the draft would change for open cases; loaded after the preview, because it decides each of them twice."""
    form = await asked_form(services, kind)
    require(request.user, Permission.EDIT_BOOKS)
    book = await open_book(services, form, actor=request.user)
    impact = await read_impact(services, form, actor=request.user, old=book.base, new=book.tables)
    return pages.page(request, "partials/book_impact.html", impact=impact, most=MOST_CASES, kind=form.kind)


class ForceForm(Struct, kw_only=True):
    stamp: str = ""
    note: str = ""


@post("/books/{kind:str}/put-in-force")
async def force_form(
    request: PageRequest, services: Given, pages: Pages, kind: FromPath[str], data: Annotated[ForceForm, Form]
) -> Response[Any]:
    form = await asked_form(services, kind)
    note = data.note[:LONGEST_NOTE]
    key = ""
    try:
        written = await put_in_force(services, form, actor=request.user, stamp=data.stamp[:16], note=note)
    except DraftChangedError:
        key = "book.draft_changed"
    except OvertakenError:
        key = "book.overtaken"
    except ProblemsError:
        key = "book.has_problems"
    except ConfigurationError:
        key = "book.no_note"
    if key:
        told = Notice(key=key, tone="wrong")
        return await _preview(request, services, pages, form, notice=told, note=note, status=422)
    return Redirect(f"/books/{form.kind}/versions/{written.version}?notice=in_force", status_code=303)


@post("/books/{kind:str}/discard")
async def discard_form(request: PageRequest, services: Given, kind: FromPath[str]) -> Response[Any]:
    form = await asked_form(services, kind)
    await discard(services, form, actor=request.user)
    return Redirect(f"/books/{form.kind}", status_code=303)


@post("/books/{kind:str}/catch-up", status_code=200)
async def catch_up_form(request: PageRequest, services: Given, pages: Pages, kind: FromPath[str]) -> Response[Any]:
    form = await asked_form(services, kind)
    clashes = await catch_up(services, form, actor=request.user)
    told = Notice(key="book.caught_up", tone="done")
    return await _preview(request, services, pages, form, notice=told, clashes=clashes)


@get("/books/{kind:str}/versions")
async def history_page(
    request: PageRequest,
    services: Given,
    pages: Pages,
    kind: FromPath[str],
    before: FromQuery[int | None] = None,
) -> Response[str]:
    form = await asked_form(services, kind)
    heads = await read_history(services, form.kind, actor=request.user, before=before)
    return book_page(
        request,
        pages,
        "pages/book_history.html",
        form=form,
        book=await open_book(services, form, actor=request.user),
        heads=heads,
        has_more=len(heads) == PAGE,
        notice=None,
    )


@get("/books/{kind:str}/versions/{version:int}")
async def version_page(
    request: PageRequest,
    services: Given,
    pages: Pages,
    kind: FromPath[str],
    version: FromPath[int],
    notice: FromQuery[str] = "",
) -> Response[str]:
    form = await asked_form(services, kind)
    told = Notice(key="book.in_force", tone="done") if notice == "in_force" else None
    return await _version(request, services, pages, form, version, notice=told)


async def _version(
    request: PageRequest,
    services: Given,
    pages: Pages,
    form: BookForm,
    version: int,
    *,
    notice: Notice | None = None,
    status: int = 200,
) -> Response[str]:
    shown, changes = await read_change(services, form, actor=request.user, version=version)
    may_see = request.user.may(Permission.EDIT_BOOKS)
    then = [
        (name, table_view(words_of(request), form, name, shown.tables, may_see=may_see))
        for name in sections_of(form.tables)
        if getattr(shown.tables, name)
    ]
    return book_page(
        request,
        pages,
        "pages/book_version.html",
        form=form,
        book=await open_book(services, form, actor=request.user),
        status=status,
        shown=shown,
        all_changes=changes,
        changes=_views(request, services, form, changes),
        then=then,
        notice=notice,
        most_shown=_MOST_SHOWN,
    )


@post("/books/{kind:str}/versions/{version:int}/again")
async def again_form(
    request: PageRequest, services: Given, pages: Pages, kind: FromPath[str], version: FromPath[int]
) -> Response[Any]:
    form = await asked_form(services, kind)
    try:
        await start_again_from(services, form, actor=request.user, version=version)
    except UnfinishedError:
        told = Notice(key="book.unfinished", tone="wrong")
        return await _version(request, services, pages, form, version, notice=told, status=422)
    return Redirect(f"/books/{form.kind}/preview", status_code=303)


# the whole book as one file


@get("/books/{kind:str}/versions/{version:int}/json")
async def export_book(
    request: PageRequest, services: Given, kind: FromPath[str], version: FromPath[int]
) -> Response[bytes]:
    form = await asked_form(services, kind)
    require(request.user, Permission.EXPORT)
    book = await read_book(services, form, actor=request.user, version=version)
    await note_export(services, request, f"book {form.kind} version {book.version}")
    return download(f"{form.kind}-{book.version}.json", form.encode(book.tables).encode())


@post("/books/{kind:str}/whole", request_max_body_size=LONGEST_BODY + 64 * 1024)
async def import_book_form(request: PageRequest, services: Given, pages: Pages, kind: FromPath[str]) -> Response[Any]:
    """A whole book as JSON becomes the author's draft: what it changes is seen before it is in force."""
    form = await asked_form(services, kind)
    require(request.user, Permission.EDIT_BOOKS)
    file = (await request.form()).get("file")
    key, detail = "book.no_file", ""
    if isinstance(file, UploadFile) and file.filename:
        data = await file.read(LONGEST_BODY + 1)
        await file.close()
        try:
            tables = decode_book(form, data)
            book = await open_book(services, form, actor=request.user)
            await keep(services, form, tables, actor=request.user, on=book)
        except ConfigurationError as error:
            key, detail = "book.no_book", error.what
        except DraftChangedError:
            key = "book.draft_changed"
        else:
            return Redirect(f"/books/{form.kind}/preview", status_code=303)
    told = Notice(key=key, tone="wrong", detail=detail)
    heads = await read_history(services, form.kind, actor=request.user)
    return book_page(
        request,
        pages,
        "pages/book_history.html",
        form=form,
        book=await open_book(services, form, actor=request.user),
        status=422,
        heads=heads,
        has_more=len(heads) == PAGE,
        notice=told,
    )


BOOK_VERSION_PAGES: Final = [
    preview_page,
    impact_part,
    force_form,
    discard_form,
    catch_up_form,
    history_page,
    version_page,
    again_form,
    export_book,
    import_book_form,
]
