"""The pages on which a book comes into force: preview with its effect, note, history, an older version again."""

from typing import Annotated, Any, Final

from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.di import Provide
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
    put_in_force,
    read_book,
    read_change,
    read_history,
    start_again_from,
)
from hub.desk.books.changes import Changes, Clash
from hub.desk.books.fields import sections_of
from hub.desk.books.impact import MOST_CASES, read_impact
from hub.web.auth import Form
from hub.web.books.editor import Asked, Book, asked_book, local_day, what_is_wrong, wrong
from hub.web.books.files import download, note_export
from hub.web.books.views import change_views, table_view
from hub.web.cases.acting import Notice

_MOST_SHOWN: Final = 200


@get("/preview")
async def preview_page(asked: Book) -> Response[str]:
    require(asked.actor, Permission.EDIT_BOOKS)
    return await _preview(asked)


async def _preview(
    asked: Asked,
    *,
    notice: Notice | None = None,
    note: str = "",
    clashes: tuple[Clash, ...] = (),
) -> Response[str]:
    book = await asked.open()
    theirs = None
    if book.is_overtaken:
        theirs = (await read_book(asked.services, asked.form, actor=asked.actor)).head
    return asked.page(
        "pages/book_preview.html",
        book,
        changes=_views(asked, book.changes),
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


def _views(asked: Asked, changes: Changes) -> Any:
    today = local_day(asked.services)
    return change_views(asked.words, asked.form, changes.rows, today=today, may_see=asked.may_edit, most=_MOST_SHOWN)


@get("/impact")
async def impact_part(asked: Book) -> Response[str]:
    """What the draft would change for open cases; loaded after the preview, because it decides each of them twice."""
    require(asked.actor, Permission.EDIT_BOOKS)
    book = await asked.open()
    impact = await read_impact(asked.services, asked.form, actor=asked.actor, old=book.base, new=book.tables)
    return asked.pages.page(
        asked.request, "partials/book_impact.html", impact=impact, most=MOST_CASES, kind=asked.form.kind
    )


class ForceForm(Struct, kw_only=True):
    stamp: str = ""
    note: str = ""


@post("/put-in-force")
async def force_form(asked: Book, data: Annotated[ForceForm, Form]) -> Response[Any]:
    note = data.note[:LONGEST_NOTE]
    try:
        written = await put_in_force(asked.services, asked.form, actor=asked.actor, stamp=data.stamp[:16], note=note)
    except (DraftChangedError, OvertakenError, ProblemsError) as error:
        return await _preview(asked, notice=what_is_wrong(error), note=note)
    except ConfigurationError:
        return await _preview(asked, notice=wrong("book.no_note"), note=note)
    return Redirect(f"/books/{asked.form.kind}/versions/{written.version}?notice=in_force", status_code=303)


@post("/discard")
async def discard_form(asked: Book) -> Response[Any]:
    await discard(asked.services, asked.form, actor=asked.actor)
    return Redirect(f"/books/{asked.form.kind}", status_code=303)


@post("/catch-up", status_code=200)
async def catch_up_form(asked: Book) -> Response[Any]:
    clashes = await catch_up(asked.services, asked.form, actor=asked.actor)
    told = Notice(key="book.caught_up", tone="done")
    return await _preview(asked, notice=told, clashes=clashes)


@get("/versions")
async def history_page(
    asked: Book,
    before: FromQuery[int | None] = None,
) -> Response[str]:
    return await _history(asked, before=before)


async def _history(asked: Asked, *, before: int | None = None, notice: Notice | None = None) -> Response[str]:
    heads = await read_history(asked.services, asked.form.kind, actor=asked.actor, before=before)
    return asked.page(
        "pages/book_history.html", await asked.open(), notice=notice, heads=heads, has_more=len(heads) == PAGE
    )


@get("/versions/{version:int}")
async def version_page(
    asked: Book,
    version: FromPath[int],
    notice: FromQuery[str] = "",
) -> Response[str]:
    told = Notice(key="book.in_force", tone="done") if notice == "in_force" else None
    return await _version(asked, version, notice=told)


async def _version(
    asked: Asked,
    version: int,
    *,
    notice: Notice | None = None,
) -> Response[str]:
    shown, changes = await read_change(asked.services, asked.form, actor=asked.actor, version=version)
    then = [
        (name, table_view(asked.words, asked.form, name, shown.tables, may_see=asked.may_edit))
        for name in sections_of(asked.form.tables)
        if getattr(shown.tables, name)
    ]
    return asked.page(
        "pages/book_version.html",
        await asked.open(),
        shown=shown,
        all_changes=changes,
        changes=_views(asked, changes),
        then=then,
        notice=notice,
        most_shown=_MOST_SHOWN,
    )


@post("/versions/{version:int}/again")
async def again_form(asked: Book, version: FromPath[int]) -> Response[Any]:
    try:
        await start_again_from(asked.services, asked.form, actor=asked.actor, version=version)
    except UnfinishedError as error:
        return await _version(asked, version, notice=what_is_wrong(error))
    return Redirect(f"/books/{asked.form.kind}/preview", status_code=303)


# the whole book as one file


@get("/versions/{version:int}/json")
async def export_book(asked: Book, version: FromPath[int]) -> Response[bytes]:
    require(asked.actor, Permission.EXPORT)
    book = await read_book(asked.services, asked.form, actor=asked.actor, version=version)
    await note_export(asked.services, asked.request, f"book {asked.form.kind} version {book.version}")
    return download(f"{asked.form.kind}-{book.version}.json", asked.form.encode(book.tables).encode())


@post("/whole", request_max_body_size=LONGEST_BODY + 64 * 1024)
async def import_book_form(asked: Book) -> Response[Any]:
    """A whole book as JSON becomes the author's draft: what it changes is seen before it is in force."""
    require(asked.actor, Permission.EDIT_BOOKS)
    file = (await asked.request.form()).get("file")
    key, detail = "book.no_file", ""
    if isinstance(file, UploadFile) and file.filename:
        data = await file.read(LONGEST_BODY + 1)
        await file.close()
        try:
            tables = decode_book(asked.form, data)
            book = await asked.open()
            await keep(asked.services, asked.form, tables, actor=asked.actor, on=book)
        except ConfigurationError as error:
            key, detail = "book.no_book", error.what
        except DraftChangedError:
            key = "book.draft_changed"
        else:
            return Redirect(f"/books/{asked.form.kind}/preview", status_code=303)
    return await _history(asked, notice=wrong(key, detail=detail))


@get("/")
async def book_root(asked: Book) -> Redirect:
    return Redirect(f"/books/{asked.form.kind}/{asked.form.tables.__struct_fields__[0]}", status_code=303)


BOOK_VERSION_PAGES: Final = [
    Router(
        path="/books/{kind:str}",
        dependencies={"asked": Provide(asked_book)},
        route_handlers=[
            book_root,
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
        ],
    )
]
