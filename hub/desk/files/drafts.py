"""Files on their way in: uploaded, looked at, not imported yet. Sealed, and swept out after a day."""

import asyncio
import re
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from hub.core.files import Layout, Upload
from hub.desk.access import Actor, Permission
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services

_PLACE: Final = b"uploads.draft"
_LIFE: Final = timedelta(hours=24)
_ID: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_MOST_DRAFTS: Final = 50


class Draft(Struct, frozen=True, kw_only=True):
    """``layout`` is what its owner has chosen so far; ``None``: the one that holds for the shop."""

    shop: str
    upload: Upload
    owner: str
    layout: Layout | None = None


def _folder(services: Services) -> Path:
    return services.settings.home / "uploads"


async def save_draft(services: Services, draft: Draft, *, draft_id: str | None = None) -> str:
    """Keep a new draft, or replace one. Returns its id."""
    draft_id = draft_id or secrets.token_urlsafe(16)
    sealed = services.database.box.seal(msgspec.msgpack.encode(draft), _PLACE)
    await asyncio.to_thread(_write, _folder(services), draft_id, sealed, services.now())
    return draft_id


def _write(folder: Path, draft_id: str, sealed: bytes, now: datetime) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = sorted(folder.glob("*.draft"), key=lambda path: path.stat().st_mtime, reverse=True)
    for place, path in enumerate(kept):
        if place >= _MOST_DRAFTS or path.stat().st_mtime < (now - _LIFE).timestamp():
            path.unlink(missing_ok=True)
    path = folder / f"{draft_id}.draft"
    path.touch(mode=0o600)
    path.write_bytes(sealed)


async def load_draft(services: Services, *, actor: Actor, draft_id: str) -> Draft:
    """Raises: NotFoundError when there is none (any more), or it is somebody else's."""
    path = _folder(services) / f"{draft_id}.draft"
    if not _ID.fullmatch(draft_id):
        raise NotFoundError
    try:
        sealed = await asyncio.to_thread(path.read_bytes)
    except FileNotFoundError as error:
        raise NotFoundError from error
    draft = msgspec.msgpack.decode(services.database.box.open(sealed, _PLACE), type=Draft)
    if draft.owner != actor.login and not actor.may(Permission.EDIT_LAYOUTS):
        raise NotFoundError
    return draft


async def drop_draft(services: Services, draft_id: str) -> None:
    if _ID.fullmatch(draft_id):
        await asyncio.to_thread((_folder(services) / f"{draft_id}.draft").unlink, missing_ok=True)
