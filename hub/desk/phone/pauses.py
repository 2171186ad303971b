"""Stepping away from the telephone and back: the exchange gives no calls meanwhile, and notes since when and why.

What the desk shows comes back from the exchange, and what occupancy is measured by from its records: a pause that the
exchange did not take is none.
"""

from hub.desk.access import Actor, Permission, require
from hub.desk.phone.agents import PAUSE_REASONS
from hub.desk.phone.exchange import control_of
from hub.desk.phone.notes import NoteError, read_rest
from hub.desk.services import Services
from ivr.phone import PhoneError


async def pause_phone(services: Services, *, actor: Actor, reason: str) -> None:
    """No further calls to the actor's own telephone; a call that he is on goes on.

    Raises: NoteError for a reason that is none, for somebody without a telephone, during a rest after abuse, which is
    more than a pause, and where the exchange did not take it; ForbiddenError.
    """
    if reason not in PAUSE_REASONS:
        raise NoteError("phone.wrong_reason")
    await _tell(services, actor, is_away=True, reason=reason)


async def resume_phone(services: Services, *, actor: Actor) -> None:
    """Calls again. Raises: as :func:`pause_phone`."""
    await _tell(services, actor, is_away=False, reason="")


async def _tell(services: Services, actor: Actor, *, is_away: bool, reason: str) -> None:
    require(actor, Permission.WORK_CASES)
    if actor.phone is None:
        raise NoteError("phone.no_phone")
    if await read_rest(services, actor=actor) is not None:
        raise NoteError("phone.at_rest")
    try:
        _, member, control = control_of(services, actor.phone)
        await control.rest(member=member, is_resting=is_away, reason=reason)
    except PhoneError as error:
        raise NoteError("phone.not_paused") from error
