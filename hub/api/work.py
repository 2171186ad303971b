"""Whose work a case is: given, queued, laid aside, held, noted; and a record in the clear, with a reason."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from litestar import Response, get
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from hub.api.customers import Done, Reason, given_reason
from hub.api.desk import ApiRequest, Given, answer, answers, does, row_id
from hub.api.errors import BadQueryError
from hub.desk.access import Permission, Role, require
from hub.desk.cases.case import unmask_case, unmask_order
from hub.desk.cases.notes import TEXT_LIMIT, Noted, add_note
from hub.desk.users import list_users
from hub.desk.views import CaseView, Dossier
from hub.desk.worklist.assign import MOST, assign_many, queue_many, release
from hub.desk.worklist.assign import Given as GivenTo
from hub.desk.worklist.locks import LockView, answer_asker, ask_for, give_back, keep, override, read_lock
from hub.desk.worklist.snooze import snooze, wake
from hub.desk.worklist.teams import Team, read_teams

_LONGEST_TOKEN: Final = 64
CaseIds = Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MOST)]


class Person(Struct, frozen=True, kw_only=True):
    user_id: int
    login: str
    name: str
    role: Role


class People(Struct, frozen=True, kw_only=True):
    """Everybody who works here, and every team, by name."""

    people: tuple[Person, ...]
    teams: tuple[Team, ...]


class Which(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    case_ids: CaseIds


class Assignment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    case_ids: CaseIds
    user_id: str


class Queueing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    case_ids: CaseIds
    team_id: str


class Snoozing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``until``: ISO 8601 with its offset."""

    case_ids: CaseIds
    until: Annotated[datetime, msgspec.Meta(tz=True)]


class Note(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``@login`` in the text calls that colleague. The same ``token`` again notes nothing."""

    text: Annotated[str, msgspec.Meta(max_length=2 * TEXT_LIMIT)]
    token: Annotated[str, msgspec.Meta(max_length=_LONGEST_TOKEN)] | None = None


class LockWish(StrEnum):
    """``keep``: take the case where it is free, or show life. ``grant``, ``refuse``: answer who asks for it."""

    KEEP = "keep"
    GIVE_BACK = "give_back"
    ASK = "ask"
    GRANT = "grant"
    REFUSE = "refuse"
    OVERRIDE = "override"


class LockForm(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    do: LockWish


class Changed(Struct, frozen=True, kw_only=True):
    """``changed`` are ids; ``left`` are somebody else's, closed, or not there, and stay as they were."""

    changed: tuple[str, ...]
    left: int


class SnoozedCases(Struct, frozen=True, kw_only=True):
    """``shortened`` of the ``changed`` sleep only until a deadline of the law; ``overdue`` were left because one
    is over; ``left`` are closed, or somebody else's.
    """

    changed: tuple[str, ...]
    shortened: tuple[str, ...]
    overdue: tuple[str, ...]
    left: int


class Woken(Struct, frozen=True, kw_only=True):
    """``count`` of them slept."""

    count: int


@get("/people", responses=answers(People, "Whom a case can be given to."), tags=["work"])
async def people(request: ApiRequest, services: Given) -> Response[bytes]:
    """List colleagues and teams with the ids that assigning and queueing take."""
    require(request.user, Permission.WORK_CASES)
    found = [user for user in await list_users(services.database) if user.is_active]
    return answer(
        People(
            people=tuple(
                Person(user_id=user.user_id, login=user.login, name=user.name, role=user.role) for user in found
            ),
            teams=await read_teams(services.database),
        )
    )


@does("/cases/assign", Changed, "What changed hands.", tag="work")
async def assign_cases(request: ApiRequest, services: Given, data: JSONBody[Assignment]) -> Response[bytes]:
    """Give cases to one user: to oneself what is free, to others one's own; anybody's with the right to assign."""
    given = await assign_many(services, actor=request.user, case_ids=_ids(data.case_ids), user_id=row_id(data.user_id))
    return answer(_changed(given))


@does("/cases/queue", Changed, "What went into the queue.", tag="work")
async def queue_cases(request: ApiRequest, services: Given, data: JSONBody[Queueing]) -> Response[bytes]:
    """Put cases into a team's queue, where nobody has them."""
    given = await queue_many(services, actor=request.user, case_ids=_ids(data.case_ids), team_id=row_id(data.team_id))
    return answer(_changed(given))


@does("/cases/{case_id:str}/release", Done, "Nobody has it.", tag="work")
async def release_case(request: ApiRequest, services: Given, case_id: FromPath[str]) -> Response[bytes]:
    """Give back one's own case; anybody's with the right to assign."""
    await release(services, actor=request.user, case_id=row_id(case_id))
    return answer(Done())


@does("/cases/snooze", SnoozedCases, "What sleeps now.", tag="work")
async def snooze_cases(request: ApiRequest, services: Given, data: JSONBody[Snoozing]) -> Response[bytes]:
    """Lay open cases aside until a time, never beyond a deadline of the law."""
    try:
        done = await snooze(services, actor=request.user, case_ids=_ids(data.case_ids), until=data.until)
    except ValueError as error:
        message = f"until: {error}"
        raise BadQueryError(message) from error
    return answer(
        SnoozedCases(
            changed=_texts(done.changed),
            shortened=_texts(done.shortened),
            overdue=_texts(done.overdue),
            left=done.left,
        )
    )


@does("/cases/wake", Woken, "How many slept.", tag="work")
async def wake_cases(request: ApiRequest, services: Given, data: JSONBody[Which]) -> Response[bytes]:
    """Bring cases back before their time."""
    return answer(Woken(count=await wake(services, actor=request.user, case_ids=_ids(data.case_ids))))


@does("/cases/{case_id:str}/notes", Noted, "Who was called.", tag="work")
async def note_case(
    request: ApiRequest, services: Given, case_id: FromPath[str], data: JSONBody[Note]
) -> Response[bytes]:
    """Note something for colleagues."""
    noted = await add_note(
        services, actor=request.user, case_id=row_id(case_id), text=data.text, token=data.token or None
    )
    return answer(noted)


@get("/cases/{case_id:str}/lock", responses=answers(LockView, "Who works on it."), tags=["work"])
async def lock_state(request: ApiRequest, services: Given, case_id: FromPath[str]) -> Response[bytes]:
    """Read who works on a case now; looking takes nothing."""
    return answer(await read_lock(services, actor=request.user, case_id=row_id(case_id)))


@does("/cases/{case_id:str}/lock", LockView, "Who works on it.", tag="work")
async def change_lock(
    request: ApiRequest, services: Given, case_id: FromPath[str], data: JSONBody[LockForm]
) -> Response[bytes]:
    """Take a case to work on it, give it back, ask its holder for it, answer who asks, or take it as a supervisor.

    What comes back may be somebody else's lock.
    """
    actor, number = request.user, row_id(case_id)
    if data.do is LockWish.KEEP:
        return answer(await keep(services, actor=actor, case_id=number))
    if data.do is LockWish.ASK:
        return answer(await ask_for(services, actor=actor, case_id=number))
    if data.do is LockWish.OVERRIDE:
        return answer(await override(services, actor=actor, case_id=number))
    if data.do is LockWish.GIVE_BACK:
        await give_back(services, actor=actor, case_id=number)
    else:
        await answer_asker(services, actor=actor, case_id=number, is_granted=data.do is LockWish.GRANT)
    return answer(await read_lock(services, actor=actor, case_id=number))


@does("/cases/{case_id:str}/unmask", CaseView, "The case with personal data in the clear.", tag="desk")
async def unmasked_case(
    request: ApiRequest, services: Given, case_id: FromPath[str], data: JSONBody[Reason]
) -> Response[bytes]:
    """Read a case with personal data in the clear, this once; who and why stand in the access log."""
    return answer(await unmask_case(services, actor=request.user, case_id=row_id(case_id), reason=given_reason(data)))


@does("/orders/{order_id:str}/unmask", Dossier, "The order with personal data in the clear.", tag="desk")
async def unmasked_order(
    request: ApiRequest, services: Given, order_id: FromPath[str], data: JSONBody[Reason]
) -> Response[bytes]:
    """Read an order with personal data in the clear, this once; who and why stand in the access log."""
    return answer(
        await unmask_order(services, actor=request.user, order_id=row_id(order_id), reason=given_reason(data))
    )


def _ids(texts: Sequence[str]) -> list[int]:
    return [row_id(text) for text in texts]


def _texts(ids: Sequence[int]) -> tuple[str, ...]:
    return tuple(map(str, ids))


def _changed(given: GivenTo) -> Changed:
    return Changed(changed=_texts(given.changed), left=given.left)


HANDLERS: Final = [
    people,
    assign_cases,
    queue_cases,
    release_case,
    snooze_cases,
    wake_cases,
    note_case,
    lock_state,
    change_lock,
    unmasked_case,
    unmasked_order,
]
