"""What stands beside a case on its page: who works on it, drafts, decisions, told facts, and colleagues."""

from msgspec import Struct

from hub.desk.access import Actor, Permission, require
from hub.desk.acting.drafts import DraftView, drafts_of
from hub.desk.acting.rebill import RebillView, rebills_of
from hub.desk.decisions.decision import DecisionView, TickView, decisions_of, ticks_of
from hub.desk.decisions.line_facts import LineFactsView, line_facts_of
from hub.desk.services import Services
from hub.desk.users import User, everybody
from hub.desk.views import CaseView
from hub.desk.worklist.locks import LockView, lock_of
from hub.desk.worklist.teams import Team, every_team
from hub.store.books import BookKind, BookVersion, version_of
from hub.store.questions import asking


class Beside(Struct, frozen=True, kw_only=True):
    """``facts`` by line, ``rebills`` of the order on either side, ``made`` decisions newest first.

    ``policy_book`` is as it is stored: one that cannot be read must not hide the case.
    """

    lock: LockView
    drafts: tuple[DraftView, ...]
    facts: tuple[LineFactsView, ...]
    rebills: tuple[RebillView, ...]
    ticks: tuple[TickView, ...]
    made: tuple[DecisionView, ...]
    policy_book: BookVersion | None
    users: tuple[User, ...]
    teams: tuple[Team, ...]


async def read_beside(services: Services, *, actor: Actor, case: CaseView) -> Beside:
    """In one turn. Raises: ForbiddenError, NotFoundError."""
    require(actor, Permission.WORK_CASES)
    case_id, box = case.row.case_id, services.database.box
    # Of an order that the hub does not know (yet) nothing is told.
    of_order = case.row.shop, case.row.order_no if case.dossier.order is not None else None
    async with services.database.reading() as connection, asking(connection) as ask:
        lock = ask(lock_of(case_id, actor=actor, now=services.now()))
        drafts = ask(drafts_of(case_id, actor=actor, box=box))
        facts, rebills = ask(line_facts_of(*of_order)), ask(rebills_of(*of_order))
        ticks, made = ask(ticks_of(case_id)), ask(decisions_of(case_id, box=box))
        policy_book = ask(version_of(BookKind.POLICY))
        users, teams = ask(everybody()), ask(every_team())
    return Beside(
        lock=lock.found,
        drafts=drafts.found,
        facts=facts.found,
        rebills=rebills.found,
        ticks=ticks.found,
        made=made.found,
        policy_book=policy_book.found,
        users=users.found,
        teams=teams.found,
    )
