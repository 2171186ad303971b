"""Files of shops without an API: uploaded, looked at, imported, kept. One path for the desk and the command line."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct, structs

from hub.core.contract import Connector, Feed
from hub.core.errors import ConfigurationError
from hub.core.files import (
    ColumnLook,
    ExportsFiles,
    FileField,
    FileKind,
    FileLook,
    ImportNote,
    ImportsFiles,
    KeptLayout,
    Layout,
    Level,
    ReceivedFile,
    ReplyKind,
    UnreadableFileError,
    Upload,
)
from hub.core.redact import mask_name, mask_phone, mask_text
from hub.desk.access import AccessAction, Actor, Permission, record_access, require
from hub.desk.cases.case import NotFoundError
from hub.desk.files.drafts import Draft, drop_draft, load_draft, save_draft
from hub.desk.marks import mall_mark
from hub.desk.services import Services
from hub.desk.views import MallMark
from hub.policy.clock_file import standard_clocks
from hub.store.shops import ShopRow, ShopStore
from hub.sync.run import ShopReport, ShopRun

FEEDS: Final = {
    FileKind.ORDERS: Feed.ORDERS,
    FileKind.CLAIMS: Feed.CLAIMS,
    FileKind.INQUIRIES: Feed.INQUIRIES,
}
_KEY_SHOWN: Final = 12
#: fields whose samples tell who somebody is
_PEOPLE: Final = frozenset(
    {"buyer_name", "buyer_id", "receiver_name", "writer_name", "writer_id", "zip_code", "address", "address_detail"}
)


class LayoutView(Struct, frozen=True, kw_only=True):
    """The layout that holds for one kind of file; ``kept`` is ``None`` while nobody made one."""

    kind: FileKind
    kept: KeptLayout | None


class FileShop(Struct, frozen=True, kw_only=True):
    """A shop that is read from files."""

    shop: str
    mark: MallMark
    level: Level
    layouts: tuple[LayoutView, ...]
    waiting: Mapping[ReplyKind, int]


class DraftView(Struct, frozen=True, kw_only=True):
    """A file being looked at. Samples of people's columns are masked. ``fits``: it can be previewed as it is."""

    draft_id: str
    shop: str
    kind: FileKind
    name: str
    look: FileLook
    fields: tuple[FileField, ...]
    kept: KeptLayout | None
    is_changed: bool
    fits: bool


class ImportResult(Struct, frozen=True, kw_only=True):
    """``is_new``: the file was not here before. ``error``: why the run could not finish.

    ``warnings``: where the file's columns and the layout do not meet, as of :class:`ImportsFiles`.
    """

    key: str
    is_new: bool
    note: ImportNote
    error: str | None = None
    warnings: tuple[tuple[str, str], ...] = ()


OnProgress = Callable[[float, int], None]


async def file_desk(services: Services, shop: str) -> tuple[ShopRow, ImportsFiles]:
    """Raises: ConfigurationError for a shop that is unknown, or not read from files."""
    row = await ShopStore(services.database).named(shop)
    connector: Connector = await services.connector(shop)
    if not isinstance(connector, ImportsFiles):
        what = f"shop {shop!r} is not read from files"
        raise ConfigurationError(what, fix="`hub connectors` shows which malls are (import_files).")
    return row, connector


async def read_file_shops(services: Services, *, actor: Actor) -> tuple[FileShop, ...]:
    """Every shop that is read from files, by name. A shop that is set up wrongly is left to the Shops page."""
    require(actor, Permission.WORK_CASES)
    found = []
    for row in await ShopStore(services.database).all():
        try:
            connector: Connector = await services.connector(row.name)
        except ConfigurationError:
            continue
        if not isinstance(connector, ImportsFiles):
            continue
        layouts = [LayoutView(kind=kind, kept=await connector.layout(kind)) for kind in connector.file_kinds]
        waiting = {
            kind: len(await connector.replies(kind)) if isinstance(connector, ExportsFiles) else 0 for kind in ReplyKind
        }
        found.append(
            FileShop(
                shop=row.name,
                mark=mall_mark(services.registry, row.mall),
                level=connector.level,
                layouts=tuple(layouts),
                waiting=waiting,
            )
        )
    return tuple(found)


async def read_levels(services: Services) -> dict[str, Level]:
    """How far each shop is connected that says so; a mall with an API is connected as far as its table tells."""
    found = {}
    for row in await ShopStore(services.database).all():
        try:
            connector: Connector = await services.connector(row.name)
        except ConfigurationError:
            continue
        if isinstance(connector, ImportsFiles):
            found[row.name] = connector.level
    return found


async def read_files(services: Services, *, actor: Actor, shop: str) -> tuple[ReceivedFile, ...]:
    """The history of a shop's files, newest first."""
    require(actor, Permission.WORK_CASES)
    _, desk = await file_desk(services, shop)
    return await desk.files()


async def take_original(services: Services, *, actor: Actor, shop: str, key: str, reason: str) -> Upload:
    """The file as it came; the reason stands in the access log.

    Raises: ForbiddenError, NotFoundError, ConfigurationError when no reason is given.
    """
    require(actor, Permission.EXPORT)
    if not reason.strip():
        raise ConfigurationError("a download needs a reason", fix="The reason stands in the access log.")
    _, desk = await file_desk(services, shop)
    found = await desk.original(key)
    if found is None:
        raise NotFoundError
    await log_file(services, actor, f"original {key[:_KEY_SHOWN]} of {shop}", reason)
    return found


# looking at a file


async def start_draft(services: Services, *, actor: Actor, shop: str, upload: Upload) -> str:
    """Keep an upload until it is imported. Raises: UnreadableFileError, ConfigurationError, ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    _, desk = await file_desk(services, shop)
    if upload.kind not in desk.file_kinds:
        what = f"shop {shop!r} takes no file of {upload.kind.value} at its level"
        raise ConfigurationError(what, fix="Change `level` in the shop's credentials.")
    await asyncio.to_thread(desk.look, upload)
    return await save_draft(services, Draft(shop=shop, upload=upload, owner=actor.login))


async def read_draft(services: Services, *, actor: Actor, draft_id: str) -> DraftView:
    """Raises: NotFoundError, UnreadableFileError."""
    draft = await load_draft(services, actor=actor, draft_id=draft_id)
    _, desk = await file_desk(services, draft.shop)
    kept = await desk.layout(draft.upload.kind)
    chosen = draft.layout or (kept.layout if kept else None)
    look = await asyncio.to_thread(_look, desk, draft.upload, chosen)
    return DraftView(
        draft_id=draft_id,
        shop=draft.shop,
        kind=draft.upload.kind,
        name=draft.upload.name,
        look=_masked(look),
        fields=desk.file_fields(draft.upload.kind),
        kept=kept,
        is_changed=draft.layout is not None and (kept is None or kept.layout != draft.layout),
        fits=chosen is not None and not look.missing,
    )


def _look(desk: ImportsFiles, upload: Upload, layout: Layout | None) -> FileLook:
    """With a layout as far as it fits: for columns that it does not know a field is suggested."""
    guessed = desk.look(upload)
    if layout is None:
        return guessed
    try:
        looked = desk.look(upload, layout=layout)
    except UnreadableFileError:
        # Headings that have nothing in common with the layout: look at the file as if there was none.
        return guessed
    return looked


def _masked(look: FileLook) -> FileLook:
    def column(each: ColumnLook) -> ColumnLook:
        field = each.field or each.suggested or ""
        hide: Callable[[str], str | None] = mask_text
        if "phone" in field:
            hide = mask_phone
        elif field in _PEOPLE:
            hide = mask_name
        samples = tuple(hide(sample) or "" for sample in each.samples)
        return structs.replace(each, samples=samples)

    return structs.replace(look, columns=tuple(column(each) for each in look.columns))


async def choose_layout(services: Services, *, actor: Actor, draft_id: str, layout: Layout) -> None:
    """How this file, and from its import on every file of its kind, is read. Raises: ForbiddenError, NotFoundError."""
    require(actor, Permission.EDIT_LAYOUTS)
    draft = await load_draft(services, actor=actor, draft_id=draft_id)
    changed = Draft(shop=draft.shop, upload=draft.upload, owner=draft.owner, layout=layout)
    await save_draft(services, changed, draft_id=draft_id)


# import


async def import_draft(
    services: Services, *, actor: Actor, draft_id: str, on_progress: OnProgress | None = None
) -> ImportResult:
    """Import what was previewed; a layout that was chosen for it is kept first. The draft is gone afterwards.

    Raises: NotFoundError, ForbiddenError, UnreadableFileError, ConfigurationError.
    """
    draft = await load_draft(services, actor=actor, draft_id=draft_id)
    result = await import_upload(
        services,
        actor=actor,
        shop=draft.shop,
        upload=draft.upload,
        layout=draft.layout,
        on_progress=on_progress,
    )
    await drop_draft(services, draft_id)
    return result


async def import_upload(
    services: Services,
    *,
    actor: Actor,
    shop: str,
    upload: Upload,
    layout: Layout | None = None,
    on_progress: OnProgress | None = None,
) -> ImportResult:
    """Hand one file in and read the shop as every run does. ``layout`` becomes the one that holds.

    A file that was here before changes nothing. Killed in the middle, the next run of the shop goes on.
    """
    require(actor, Permission.WORK_CASES)
    row, desk = await file_desk(services, shop)
    if layout is not None:
        await keep_layout(services, actor=actor, shop=shop, layout=layout)
    key, is_new = await desk.receive_file(upload, at=services.now(), by=actor.name)
    feed = FEEDS[upload.kind]
    tell = on_progress or (lambda *_: None)
    run = ShopRun(
        services.database,
        shop=row,
        manifest=services.registry.manifest(row.mall),
        connector=await services.connector(shop),
        clocks=standard_clocks(),
        first_read_days=services.settings.first_read_days,
        now=services.now,
        on_progress=lambda _, told, share, read: tell(share, read) if told is feed else None,
    )
    report = await run.run()
    note = _note(report, feed)
    if is_new or any(file.key == key and file.note is None for file in await desk.files()):
        await desk.note_import(key, note, at=services.now())
    await log_file(services, actor, f"import {key[:_KEY_SHOWN]} into {shop}", None)
    kept = await desk.layout(upload.kind)
    return ImportResult(
        key=key,
        is_new=is_new,
        note=note,
        error=report.error.message if report.error is not None else None,
        warnings=await asyncio.to_thread(desk.column_warnings, upload, layout=kept.layout) if kept else (),
    )


async def keep_layout(services: Services, *, actor: Actor, shop: str, layout: Layout) -> None:
    """From now on files of its kind are read by it; nothing is kept when it is the one that holds.

    Raises: ForbiddenError, ConfigurationError.
    """
    require(actor, Permission.EDIT_LAYOUTS)
    _, desk = await file_desk(services, shop)
    kept = await desk.layout(layout.kind)
    if kept is None or kept.layout != layout:
        await desk.keep_layout(layout, at=services.now(), by=actor.name)
        await log_file(services, actor, f"layout of {layout.kind.value} of {shop}", None)


def _note(report: ShopReport, feed: Feed) -> ImportNote:
    found = next((each for each in report.feeds if each.feed is feed), None)
    if found is None:
        return ImportNote(rows=0, new=0, changed=0, unchanged=0, errors=0, complete=False)
    return ImportNote(
        rows=found.read,
        new=found.new,
        changed=found.changed,
        unchanged=found.unchanged,
        errors=found.quarantined,
        complete=report.complete,
    )


async def log_file(services: Services, actor: Actor, subject: str, reason: str | None) -> None:
    async with services.database.writing() as connection:
        await record_access(
            connection, at=services.now(), actor=actor, action=AccessAction.FILE, subject=subject, reason=reason
        )
