"""Answers and tracking numbers for malls without an API: written down here, taken out as a file for the mall."""

from collections.abc import Mapping
from datetime import datetime

from hub.core.contract import Connector
from hub.core.errors import ConfigurationError
from hub.core.files import ExportsFiles, Reply, ReplyFile, ReplyKind, ReplyLayout
from hub.desk.access import Actor, Permission, require
from hub.desk.files.importing import log_file
from hub.desk.services import Services
from hub.store.shops import ShopStore


async def reply_desk(services: Services, shop: str) -> ExportsFiles:
    """Raises: ConfigurationError for a shop that is unknown, or to which nothing goes back in files."""
    await ShopStore(services.database).named(shop)
    connector: Connector = await services.connector(shop)
    if not isinstance(connector, ExportsFiles):
        what = f"nothing goes back in files to the mall of {shop!r}"
        raise ConfigurationError(what, fix="`hub connectors` shows to which malls it does (export_files).")
    return connector


async def write_reply(
    services: Services, *, actor: Actor, shop: str, kind: ReplyKind, values: Mapping[str, str]
) -> None:
    """Write an answer or a tracking number down for the next file. Raises: ForbiddenError, ConfigurationError."""
    require(actor, Permission.WORK_CASES)
    desk = await reply_desk(services, shop)
    given = {field: value.strip() for field, value in values.items() if value.strip()}
    if kind is ReplyKind.ANSWERS:
        given.setdefault("author", actor.name)
    await desk.write_down(kind, given, at=services.now(), by=actor.name)


async def read_replies(
    services: Services, *, actor: Actor, shop: str, kind: ReplyKind
) -> tuple[tuple[Reply, ...], ReplyLayout]:
    """What waits for the next file, and the columns it will have."""
    require(actor, Permission.WORK_CASES)
    desk = await reply_desk(services, shop)
    return await desk.replies(kind), await desk.reply_layout(kind)


async def take_replies(
    services: Services,
    *,
    actor: Actor,
    shop: str,
    kind: ReplyKind,
    since: datetime | None = None,
    until: datetime | None = None,
) -> ReplyFile | None:
    """The file for the mall: what no file had before, or a copy of a span. ``None``: there is nothing.

    Raises: ForbiddenError, ConfigurationError.
    """
    require(actor, Permission.WORK_CASES)
    desk = await reply_desk(services, shop)
    file = await desk.export_file(kind, at=services.now(), by=actor.name, since=since, until=until)
    if file is not None:
        await log_file(services, actor, f"{kind.value} for {shop}: {file.rows} rows", None)
    return file


async def keep_reply_layout(services: Services, *, actor: Actor, shop: str, layout: ReplyLayout) -> None:
    """Raises: ForbiddenError, ConfigurationError."""
    require(actor, Permission.EDIT_LAYOUTS)
    desk = await reply_desk(services, shop)
    await desk.keep_reply_layout(layout, at=services.now(), by=actor.name)
    await log_file(services, actor, f"upload form of {layout.kind.value} of {shop}", None)
