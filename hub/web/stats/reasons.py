"""The editor of the reasons: the tree as it is, one change at a time, what it would do, and the versions so far."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromQuery
from litestar.response import Redirect
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.desk.access import AccessAction, Actor, Permission, record_access, require
from hub.desk.services import Services
from hub.stats.facts import Counted
from hub.stats.reason_book import OvertakenError, newest_tree, tree_versions, write_tree
from hub.stats.reason_edit import Edit, EditError, Op, edited
from hub.stats.reason_effects import effect_of
from hub.stats.reason_facts import Told, read_told
from hub.stats.reason_tree import FIELDS, ReasonTree, read_tree, tree_text_of
from hub.stats.span import start_of_day
from hub.web.auth import Form
from hub.web.render import Given, Pages, locale_of
from hub.web.words import Words

PageRequest = Request[Actor, str, State]
_NOTE: Final = 200
#: days whose words are offered to be put under a reason, and how many of them
_TOLD_DAYS: Final = 90
_MOST_WORDS: Final = 60
_FIELD_OF: Final = {"claim": "claims", "inquiry": "categories", "call": "topics"}


class EditForm(Struct, kw_only=True):
    """One change. ``base``: the version that the page showed; ``valid_from``: a day, empty for all of the past."""

    op: str = ""
    code: str = ""
    to: str = ""
    ko: str = ""
    en: str = ""
    field: str = ""
    word: str = ""
    base: str = ""
    valid_from: str = ""
    note: str = ""


class Change(Struct, frozen=True, kw_only=True):
    """What a form asks for, understood."""

    edit: Edit
    base: int
    valid_from: datetime | None
    note: str
    tree: ReasonTree
    text: str


@get("/reasons")
async def reasons_page(
    request: PageRequest, services: Given, pages: Pages, notice: FromQuery[str] = ""
) -> Response[str]:
    require(request.user, Permission.EDIT_BOOKS)
    return await _page(request, services, pages, notice="written" if notice == "written" else None)


@post("/reasons/preview", status_code=200)
async def preview_change(
    request: PageRequest, services: Given, pages: Pages, data: Annotated[EditForm, Form]
) -> Response[str]:
    """What the change would do; nothing is written."""
    require(request.user, Permission.EDIT_BOOKS)
    try:
        change = await _change(services, data)
    except EditError as error:
        return await _page(request, services, pages, wrong=error.key, status=422)
    except OvertakenError:
        return await _page(request, services, pages, wrong="overtaken", status=409)
    effect = await effect_of(
        services.database,
        change.tree,
        valid_from=change.valid_from,
        now=services.now(),
        zone=services.settings.zone,
    )
    return pages.page(
        request,
        "pages/stats_reason_preview.html",
        sentence=_sentence(change, Words(locale_of(request))),
        change=change,
        effect=effect,
        fields={name: getattr(data, name) for name in EditForm.__struct_fields__},
    )


@post("/reasons")
async def write_change(
    request: PageRequest, services: Given, pages: Pages, data: Annotated[EditForm, Form]
) -> Response[Any]:
    require(request.user, Permission.EDIT_BOOKS)
    actor, now = request.user, services.now()

    async def logged(connection: AsyncConnection, version: int) -> None:
        await record_access(
            connection, at=now, actor=actor, action=AccessAction.REASONS, subject=f"reasons version {version}"
        )

    try:
        change = await _change(services, data)
        sentence = _sentence(change, Words("ko"))
        await write_tree(
            services.database,
            change.text,
            now=now,
            note=f"{sentence} {change.note}".strip(),
            author_id=actor.user_id,
            valid_from=change.valid_from,
            based_on=change.base,
            logged=logged,
        )
    except EditError as error:
        return await _page(request, services, pages, wrong=error.key, status=422)
    except OvertakenError:
        return await _page(request, services, pages, wrong="overtaken", status=409)
    return Redirect("/stats/reasons?notice=written", status_code=303)


async def _page(
    request: PageRequest,
    services: Services,
    pages: Any,
    *,
    status: int = 200,
    notice: str | None = None,
    wrong: str | None = None,
) -> Response[str]:
    version, text = await newest_tree(services.database)
    tree = read_tree(text)
    versions = await tree_versions(services.database)
    response: Response[str] = pages.page(
        request,
        "pages/stats_reasons.html",
        status=status,
        notice=notice,
        wrong=wrong,
        version=version,
        tree=tree,
        codes=[f"{group.code}.{reason.code}" for group in tree.groups for reason in group.reason],
        told=await _told(services, tree),
        fields=FIELDS,
        versions=versions,
        valid_from=versions[0].valid_from if versions else None,
        today=services.now().astimezone(services.settings.zone).date(),
        days=_TOLD_DAYS,
    )
    return response


async def _told(services: Services, tree: ReasonTree) -> Sequence[tuple[Told, str, str | None]]:
    """Words of late that a reason can be known by, with the field that they belong to and their reason now.

    Those that nothing names come first.
    """
    now = services.now()
    counted = Counted(
        database=services.database, zone=services.settings.zone, now=now, since=now - timedelta(days=_TOLD_DAYS)
    )
    found = [
        (told, _FIELD_OF[told.source], told.reason(tree)) for told in await read_told(counted) if told.word is not None
    ]
    return sorted(found, key=lambda each: each[2] is not None)[:_MOST_WORDS]


async def _change(services: Services, data: EditForm) -> Change:
    """Raises: EditError; OvertakenError when the page showed another version than the newest."""
    version, text = await newest_tree(services.database)
    try:
        base = int(data.base)
        day = date.fromisoformat(data.valid_from) if data.valid_from else None
        op = Op(data.op)
        begin = start_of_day(day, services.settings.zone) if day else None
    except (ValueError, OverflowError) as error:
        raise EditError("form") from error
    if base != version:
        message = f"version {version} is newer"
        raise OvertakenError(message)
    note = " ".join(data.note.split())
    if len(note) > _NOTE or not note.isprintable():
        raise EditError("note")
    edit = Edit(op=op, code=data.code, to=data.to, ko=data.ko, en=data.en, field=data.field, word=data.word)
    groups = edited(read_tree(text).groups, edit)
    written = tree_text_of(groups)
    return Change(edit=edit, base=base, valid_from=begin, note=note, tree=read_tree(written), text=written)


def _sentence(change: Change, words: Words) -> str:
    edit = change.edit
    return words(
        f"stats.reasons.did.{edit.op.value}",
        code=edit.code,
        to=edit.to,
        title=edit.ko if words.locale == "ko" else edit.en,
        word=edit.word,
        field=words(f"stats.reasons.field.{edit.field}") if edit.field else "",
    )


HANDLERS: Final[list[Any]] = [reasons_page, preview_change, write_change]
