"""The consent of a shop's owner: what stands, how it is asked for in a browser, and how it is kept alive.

Asking leaves the desk for the mall's own page and comes back with a code. What comes back is believed
only when it carries the state that this very session was given, once, not long ago.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy import select

from hub.core.consent import AsksConsent, Consent
from hub.core.contract import Capability, Support
from hub.core.errors import AccessError, ConfigurationError, MallError, OutcomeUnknownError
from hub.desk.access import AccessAction, Actor, Permission, record_access, require
from hub.desk.cases.case import NotFoundError
from hub.desk.marks import mall_mark
from hub.desk.services import Services
from hub.desk.views import MallMark
from hub.store.shops import ShopSecrets
from hub.store.tables import shops

log = structlog.get_logger(__name__)

#: from here on the end is said aloud: a weekend and a day to find the owner
ALERT = timedelta(days=3)
#: between the button and the way back: the owner signs in at the mall first
_STATE_LIVES = timedelta(minutes=10)
_STATE_NAME = "consent_state"


class ConsentState(StrEnum):
    """``UNTRIED``: a token was configured and never used, so nothing is known of it."""

    NONE = "none"
    UNTRIED = "untried"
    VALID = "valid"
    ENDING = "ending"
    ENDED = "ended"


class Problem(StrEnum):
    """Why no consent came of it."""

    DENIED = "denied"
    STATE = "state"
    CODE = "code"
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"


class ConsentError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class ConsentStatus(Struct, frozen=True, kw_only=True):
    """``days_left`` are whole days until ``renew_by``, 0 on the last one and after it."""

    state: ConsentState
    renew_by: datetime | None = None
    renewed_at: datetime | None = None
    days_left: int | None = None
    scopes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def is_alarming(self) -> bool:
        return self.state in {ConsentState.NONE, ConsentState.ENDING, ConsentState.ENDED}


class ConsentView(Struct, frozen=True, kw_only=True):
    """``stopped``: each missing scope with the capabilities that do not work without it."""

    shop: str
    mark: MallMark
    status: ConsentStatus
    stopped: tuple[tuple[str, tuple[str, ...]], ...]


class Answer(Struct, frozen=True, kw_only=True):
    """What the browser brought back; ``error`` where the owner did not agree."""

    state: str = ""
    code: str = ""
    error: str = ""


class _Asked(Struct, frozen=True, kw_only=True):
    """A consent that was asked for. Digests only: the state itself is known to the browser alone."""

    state: str
    session: str
    redirect_uri: str
    until: datetime


async def consent_status(services: Services, shop: str, mall: str) -> ConsentStatus | None:
    """What stands of one shop, without a call; ``None`` where the mall needs none, or the shop is set up wrongly."""
    connector = await _asking(services, shop, mall)
    if connector is None:
        return None
    return _status(await connector.consent(), services.now())


async def read_consent(services: Services, *, actor: Actor, shop: str) -> ConsentView:
    """Raises: ForbiddenError, NotFoundError when the shop or its mall knows no consent."""
    require(actor, Permission.ASK_CONSENT)
    _, mall, connector = await _shop(services, shop)
    consent = await connector.consent()
    return ConsentView(
        shop=shop,
        mark=mall_mark(services.registry, mall),
        status=_status(consent, services.now()),
        stopped=() if consent is None else tuple(consent.stopped.items()),
    )


async def ask_consent(services: Services, *, actor: Actor, shop: str, session: str, redirect_uri: str) -> str:
    """The mall's address to send the browser to. A second asking ends the first.

    Raises: ForbiddenError, NotFoundError.
    """
    require(actor, Permission.ASK_CONSENT)
    shop_id, _, connector = await _shop(services, shop)
    state = secrets.token_urlsafe(32)
    asked = _Asked(
        state=_digest(state),
        session=_digest(session),
        redirect_uri=redirect_uri,
        until=services.now() + _STATE_LIVES,
    )
    await ShopSecrets(services.database, shop_id).put(_STATE_NAME, msgspec.json.encode(asked).decode())
    return connector.consent_url(state=state, redirect_uri=redirect_uri)


async def take_consent(services: Services, *, actor: Actor, shop: str, session: str, answer: Answer) -> None:
    """Redeem what the browser brought back.

    Raises: ForbiddenError, NotFoundError; ConsentError when no consent came of it.
    """
    require(actor, Permission.ASK_CONSENT)
    shop_id, _, connector = await _shop(services, shop)
    asked = await _claim(services, shop_id, session=session, state=answer.state)
    if answer.error or not answer.code:
        raise ConsentError(Problem.DENIED)
    try:
        await connector.redeem_consent(code=answer.code, redirect_uri=asked.redirect_uri)
    except AccessError as error:
        log.warning("consent.refused", shop=shop, error=str(error))
        raise ConsentError(Problem.CODE) from error
    except OutcomeUnknownError as error:
        log.warning("consent.unknown", shop=shop, error=str(error))
        raise ConsentError(Problem.UNKNOWN) from error
    except MallError as error:
        log.warning("consent.unreachable", shop=shop, error=str(error))
        raise ConsentError(Problem.UNREACHABLE) from error
    log.info("consent.given", shop=shop)
    async with services.database.writing() as connection:
        await record_access(
            connection, at=services.now(), actor=actor, action=AccessAction.CONSENT, subject=f"shop {shop}"
        )


async def renew_consent(services: Services, *, shop: str, mall: str) -> ConsentStatus | None:
    """Keep one shop's consent alive, whether it is read or rests; ``None`` where there is none to keep.

    Raises: MallError when the mall did not renew it.
    """
    connector = await _asking(services, shop, mall)
    if connector is None or await connector.consent() is None:
        return None
    status = _status(await connector.renew_consent(), services.now())
    log.info("consent.renewed", shop=shop, days_left=status.days_left)
    return status


def _status(consent: Consent | None, now: datetime) -> ConsentStatus:
    if consent is None:
        return ConsentStatus(state=ConsentState.NONE)
    left = None if consent.renew_by is None else consent.renew_by - now
    if left is None:
        state = ConsentState.VALID if consent.scopes else ConsentState.UNTRIED
    elif left <= timedelta():
        state = ConsentState.ENDED
    else:
        state = ConsentState.ENDING if left <= ALERT else ConsentState.VALID
    return ConsentStatus(
        state=state,
        renew_by=consent.renew_by,
        renewed_at=consent.renewed_at,
        days_left=None if left is None else max(0, left.days),
        scopes=consent.scopes,
        missing=consent.missing,
    )


async def _shop(services: Services, name: str) -> tuple[int, str, AsksConsent]:
    query = select(shops.c.id, shops.c.mall).where(shops.c.name == name, shops.c.is_active)
    async with services.database.reading() as connection:
        row = (await connection.execute(query)).first()
    connector = await _asking(services, name, row.mall) if row is not None else None
    if row is None or connector is None:
        raise NotFoundError
    return row.id, row.mall, connector


async def _asking(services: Services, shop: str, mall: str) -> AsksConsent | None:
    """The shop's connector when its mall knows consent."""
    manifest = services.registry.manifests.get(mall)
    state = manifest.capabilities.get(Capability.CONSENT) if manifest is not None else None
    if state is None or state.state is not Support.YES:
        return None
    try:
        connector = await services.connector(shop)
    except ConfigurationError:
        return None  # what is wrong with it stands beside its feeds
    return connector if isinstance(connector, AsksConsent) else None


async def _claim(services: Services, shop_id: int, *, session: str, state: str) -> _Asked:
    """The asking that ``state`` belongs to; it is used up by this. Raises: ConsentError."""
    kept = ShopSecrets(services.database, shop_id)
    async with kept.lock(_STATE_NAME):
        text = await kept.get(_STATE_NAME)
        asked = msgspec.json.decode(text, type=_Asked) if text else None
        is_ours = asked is not None and hmac.compare_digest(asked.state, _digest(state))
        if asked is None or not is_ours or not hmac.compare_digest(asked.session, _digest(session)):
            raise ConsentError(Problem.STATE)
        await kept.put(_STATE_NAME, "")
    if asked.until < services.now():
        raise ConsentError(Problem.STATE)
    return asked


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
