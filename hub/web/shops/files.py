"""The pages of shops without an API: upload, columns, preview, import; replies to take out."""

import asyncio
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

import structlog
from litestar import Request, Response, get, post
from litestar.datastructures import State, UploadFile
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from msgspec import Struct

from hub.core.errors import ConfigurationError
from hub.core.files import DateOrder, FileKind, ReplyKind, UnreadableFileError, Upload
from hub.desk.access import Actor, Permission
from hub.desk.cases.case import NotFoundError
from hub.desk.files.importing import (
    ImportResult,
    choose_layout,
    import_draft,
    read_draft,
    read_file_shops,
    read_files,
    start_draft,
    take_original,
)
from hub.desk.files.preview import preview_draft
from hub.desk.files.replies import read_replies, take_replies, write_reply
from hub.desk.files.waiting import inquiries_to_answer, lines_to_send
from hub.web.auth import Form
from hub.web.render import Given, Pages, is_swap
from hub.web.shops.file_forms import ENCODINGS, layout_of, pasted_rows, twice

log = structlog.get_logger(__name__)

PageRequest = Request[Actor, str, State]
_MOST_BYTES: Final = 20 * 1024 * 1024
_FORM_BYTES: Final = _MOST_BYTES + 64 * 1024
_MOST_RUNS: Final = 100


@dataclass(slots=True)
class ImportRun:
    """One import of this process. ``task`` is kept so that nobody collects it while it works."""

    owner: str
    shop: str
    share: float = 0.0
    read: int = 0
    result: ImportResult | None = None
    wrong: str = ""
    code: str = ""
    task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        return self.result is not None or bool(self.wrong)


_RUNS: OrderedDict[str, ImportRun] = OrderedDict()


@get("/files")
async def files_page(
    request: PageRequest, services: Given, pages: Pages, shop: FromQuery[str] = "", wrong: FromQuery[str] = ""
) -> Response[str]:
    return await _files_page(request, services, pages, shop=shop, code=wrong)


async def _files_page(
    request: PageRequest, services: Given, pages: Pages, *, shop: str, code: str = "", status: int = 200
) -> Response[str]:
    shops = await read_file_shops(services, actor=request.user)
    chosen = next((each for each in shops if each.shop == shop), shops[0] if shops else None)
    history = await read_files(services, actor=request.user, shop=chosen.shop) if chosen else ()
    return pages.page(
        request, "pages/files.html", status=status, shops=shops, chosen=chosen, history=history, code=code
    )


@post("/files", request_max_body_size=_FORM_BYTES)
async def upload_form(request: PageRequest, services: Given, pages: Pages) -> Response[Any]:
    form = await request.form()
    shop, kind, file = str(form.get("shop", "")), str(form.get("kind", "")), form.get("file")
    if not isinstance(file, UploadFile) or not file.filename or kind not in set(FileKind):
        return await _files_page(request, services, pages, shop=shop, code="no_file", status=422)
    body = await file.read(_MOST_BYTES + 1)
    await file.close()
    if len(body) > _MOST_BYTES:
        return await _files_page(request, services, pages, shop=shop, code="too_big", status=422)
    upload = Upload(kind=FileKind(kind), name=_bare_name(file.filename), body=body)
    try:
        draft_id = await start_draft(services, actor=request.user, shop=shop, upload=upload)
    except UnreadableFileError as error:
        return await _files_page(request, services, pages, shop=shop, code=error.code, status=422)
    return Redirect(f"/files/draft/{draft_id}", status_code=303)


def _bare_name(name: str) -> str:
    """Browsers of old send a whole path."""
    return "".join(char for char in name.replace("\\", "/").rpartition("/")[2] if char.isprintable())[:200]


@get("/files/draft/{draft_id:str}")
async def preview_page(request: PageRequest, services: Given, pages: Pages, draft_id: FromPath[str]) -> Response[Any]:
    draft = await read_draft(services, actor=request.user, draft_id=draft_id)
    if not draft.fits:
        return Redirect(f"/files/draft/{draft_id}/columns", status_code=303)
    try:
        preview = await preview_draft(services, actor=request.user, draft_id=draft_id)
    except UnreadableFileError as error:
        return await _columns_page(request, services, pages, draft_id=draft_id, code=error.code)
    return pages.page(request, "pages/file_preview.html", draft=draft, preview=preview)


@get("/files/draft/{draft_id:str}/columns")
async def columns_page(request: PageRequest, services: Given, pages: Pages, draft_id: FromPath[str]) -> Response[str]:
    return await _columns_page(request, services, pages, draft_id=draft_id)


async def _columns_page(
    request: PageRequest, services: Given, pages: Pages, *, draft_id: str, code: str = "", doubled: str = ""
) -> Response[str]:
    draft = await read_draft(services, actor=request.user, draft_id=draft_id)
    used = {rule.field for rule in draft.look.layout.columns}
    return pages.page(
        request,
        "pages/file_columns.html",
        status=422 if code or doubled else 200,
        draft=draft,
        may_edit=request.user.may(Permission.EDIT_LAYOUTS),
        fields={field.name: field for field in draft.fields},
        constants=[field for field in draft.fields if field.name not in used],
        encodings=ENCODINGS,
        orders=tuple(DateOrder),
        code=code,
        doubled=doubled,
    )


@post("/files/draft/{draft_id:str}/columns")
async def columns_form(request: PageRequest, services: Given, pages: Pages, draft_id: FromPath[str]) -> Response[Any]:
    draft = await read_draft(services, actor=request.user, draft_id=draft_id)
    form = {name: str(value) for name, value in (await request.form()).items()}
    layout = layout_of(form, draft)
    await choose_layout(services, actor=request.user, draft_id=draft_id, layout=layout)
    if doubled := twice(layout):
        return await _columns_page(request, services, pages, draft_id=draft_id, doubled=doubled)
    return Redirect(f"/files/draft/{draft_id}", status_code=303)


@post("/files/draft/{draft_id:str}/import")
async def import_form(request: PageRequest, services: Given, draft_id: FromPath[str]) -> Response[Any]:
    draft = await read_draft(services, actor=request.user, draft_id=draft_id)
    run_id = secrets.token_urlsafe(12)
    run = _RUNS[run_id] = ImportRun(owner=request.user.login, shop=draft.shop)
    while len(_RUNS) > _MOST_RUNS:
        _RUNS.popitem(last=False)
    run.task = asyncio.create_task(_work(run, services, request.user, draft_id))
    return Redirect(f"/files/import/{run_id}", status_code=303)


async def _work(run: ImportRun, services: Given, actor: Actor, draft_id: str) -> None:
    def note(share: float, read: int) -> None:
        run.share, run.read = share, read

    try:
        run.result = await import_draft(services, actor=actor, draft_id=draft_id, on_progress=note)
    except UnreadableFileError as error:
        run.wrong, run.code = error.what, error.code
    except ConfigurationError as error:
        run.wrong = str(error)
    except NotFoundError:
        # Sent twice: the other one is at work, and the list of files shows what it did.
        run.wrong, run.code = "gone", "gone"
    except Exception as error:
        # The edge of a task that nobody awaits: what broke is shown and logged.
        log.exception("web.import.failed", shop=run.shop)
        run.wrong = type(error).__name__


@get("/files/import/{run_id:str}")
async def import_page(request: PageRequest, pages: Pages, run_id: FromPath[str]) -> Response[str]:
    run = _RUNS.get(run_id)
    if run is not None and run.owner != request.user.login:
        run = None
    template = "partials/file_progress.html" if is_swap(request) else "pages/file_import.html"
    return pages.page(request, template, run=run, run_id=run_id)


class OriginalForm(Struct, kw_only=True):
    shop: str = ""
    key: str = ""
    reason: str = ""


@post("/files/original")
async def original_form(request: PageRequest, services: Given, data: Annotated[OriginalForm, Form]) -> Response[bytes]:
    upload = await take_original(services, actor=request.user, shop=data.shop, key=data.key, reason=data.reason)
    return _download(upload.name, upload.body)


def _download(name: str, body: bytes) -> Response[bytes]:
    return Response(
        body,
        media_type="application/octet-stream",
        headers={"content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"},
    )


# replies


@get("/files/replies")
async def replies_page(request: PageRequest, services: Given, pages: Pages, shop: FromQuery[str] = "") -> Response[str]:
    return await _replies_page(request, services, pages, shop=shop)


async def _replies_page(
    request: PageRequest, services: Given, pages: Pages, *, shop: str, notice: str = "", row: int = 0
) -> Response[str]:
    waiting = {kind: (await read_replies(services, actor=request.user, shop=shop, kind=kind))[0] for kind in ReplyKind}
    return pages.page(
        request,
        "pages/file_replies.html",
        status=422 if notice else 200,
        shop=shop,
        lines=await lines_to_send(services, actor=request.user, shop=shop),
        inquiries=await inquiries_to_answer(services, actor=request.user, shop=shop),
        waiting=waiting,
        tracked={reply.values["line_no"]: reply for reply in waiting[ReplyKind.TRACKING]},
        answered={reply.values["inquiry_no"]: reply for reply in waiting[ReplyKind.ANSWERS]},
        notice=notice,
        row=row,
    )


class ReplyForm(Struct, kw_only=True):
    shop: str = ""
    kind: str = ""
    order_no: str = ""
    line_no: str = ""
    product_name: str = ""
    option: str = ""
    quantity: str = ""
    carrier: str = ""
    tracking_no: str = ""
    inquiry_no: str = ""
    subject: str = ""
    answer: str = ""
    bulk: str = ""


@post("/files/replies")
async def reply_form(
    request: PageRequest, services: Given, pages: Pages, data: Annotated[ReplyForm, Form]
) -> Response[Any]:
    kind = ReplyKind(data.kind) if data.kind in set(ReplyKind) else ReplyKind.TRACKING
    if data.bulk.strip():
        rows = pasted_rows(data.bulk)
        if isinstance(rows, int):
            return await _replies_page(request, services, pages, shop=data.shop, notice="files.bulk_wrong", row=rows)
        kind = ReplyKind.TRACKING
    else:
        given = {name: getattr(data, name) for name in ReplyForm.__struct_fields__ if name not in _NO_VALUES}
        rows = [given]
    for values in rows:
        await write_reply(services, actor=request.user, shop=data.shop, kind=kind, values=values)
    return Redirect(f"/files/replies?{urlencode({'shop': data.shop})}", status_code=303)


_NO_VALUES: Final = frozenset({"shop", "kind", "bulk"})


class ExportForm(Struct, kw_only=True):
    shop: str = ""
    kind: str = ""
    since: str = ""
    until: str = ""


@post("/files/replies/export")
async def export_form(
    request: PageRequest, services: Given, pages: Pages, data: Annotated[ExportForm, Form]
) -> Response[Any]:
    kind = ReplyKind(data.kind) if data.kind in set(ReplyKind) else ReplyKind.TRACKING
    file = await take_replies(
        services,
        actor=request.user,
        shop=data.shop,
        kind=kind,
        since=_day(data.since, services),
        until=_day(data.until, services),
    )
    if file is None:
        return await _replies_page(request, services, pages, shop=data.shop, notice="files.nothing")
    return _download(file.name, file.body)


def _day(text: str, services: Given) -> datetime | None:
    """The start of a day in the centre's zone; what is no day is none."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007  its zone follows
    except ValueError:
        return None
    return datetime.combine(day.date(), time(), services.settings.zone).astimezone(UTC)


FILE_PAGES: Final = [
    files_page,
    upload_form,
    preview_page,
    columns_page,
    columns_form,
    import_form,
    import_page,
    original_form,
    replies_page,
    reply_form,
    export_form,
]
