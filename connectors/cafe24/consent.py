"""Consent of a mall's owner: what the hub asks for and why, the address to ask at, what stands now.

Source: Cafe24 developer guide, OAuth 2.0: scopes separated by blanks, the code lives one minute, the
refresh token two weeks; confidence: sure.
"""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlencode

from connectors.cafe24.auth import Cafe24Auth, TokenState
from connectors.cafe24.settings import Cafe24Credentials
from connectors.cafe24.webhooks import CONSENT_SUBJECT
from hub.core.consent import Consent
from hub.core.contract import Capability, ShopContext
from hub.core.errors import AccessError
from hub.core.inbox import InboxKind

AUTHORIZE_PATH = "/api/v2/oauth/authorize"

_ORDER_WRITES = (
    Capability.CONFIRM,
    Capability.DISPATCH,
    Capability.DELAY,
    Capability.SELLER_CANCEL,
    Capability.APPROVE_CANCEL,
    Capability.REFUSE_CANCEL,
    Capability.ACCEPT_RETURN,
    Capability.COLLECT_RETURN,
    Capability.REFUSE_RETURN,
    Capability.COMPLETE_RETURN,
    Capability.ACCEPT_EXCHANGE,
    Capability.COLLECT_EXCHANGE,
    Capability.REFUSE_EXCHANGE,
    Capability.REDELIVER_EXCHANGE,
    Capability.COMPLETE_EXCHANGE,
    Capability.FILE_RETURN,
    Capability.FILE_EXCHANGE,
    Capability.MEMO,
)
#: every scope that is asked for, and what does not work without it
NEEDED: Mapping[str, tuple[Capability, ...]] = MappingProxyType(
    {
        "mall.read_order": (Capability.READ_ORDERS, Capability.READ_CLAIMS, Capability.READ_ONE_ORDER),
        "mall.write_order": _ORDER_WRITES,
        "mall.read_community": (Capability.READ_INQUIRIES, Capability.READ_ONE_INQUIRY),
        "mall.write_community": (Capability.ANSWER_INQUIRY, Capability.CHANGE_ANSWER),
        "mall.read_shipping": (Capability.LIST_CARRIERS,),
        "mall.read_supply": (Capability.READ_CATALOGUE,),
        "mall.read_product": (Capability.READ_CATALOGUE,),
        "mall.read_mileage": (Capability.GIVE_POINTS,),
        "mall.write_mileage": (Capability.GIVE_POINTS,),
        "mall.read_store": (Capability.CHECK,),
    }
)

#: a shop is read and worked on without these
OPTIONAL = frozenset(NEEDED) - {"mall.read_order", "mall.write_order", "mall.read_community", "mall.write_community"}


class Consents:
    def __init__(self, context: ShopContext, *, credentials: Cafe24Credentials, auth: Cafe24Auth) -> None:
        self._context = context
        self._credentials = credentials
        self._auth = auth

    def url(self, *, state: str, redirect_uri: str) -> str:
        root = (self._context.base_url or self._credentials.default_base_url).rstrip("/")
        query = {
            "response_type": "code",
            "client_id": self._credentials.client_id,
            "state": state,
            "redirect_uri": redirect_uri,
            "scope": " ".join(NEEDED),
        }
        return f"{root}{AUTHORIZE_PATH}?{urlencode(query)}"

    async def read(self) -> Consent | None:
        """What is stored. A configured refresh token that was never used is a consent of which nothing is known."""
        state = await self._auth.stored()
        if state is None:
            return None if self._credentials.refresh_token is None else Consent(scopes=())
        return await self._consent(state)

    async def redeem(self, *, code: str, redirect_uri: str) -> Consent:
        return await self._consent(await self._auth.redeem(code=code, redirect_uri=redirect_uri))

    async def renew(self) -> Consent:
        state = await self._auth.renew()
        if state is None:
            raise AccessError("the renewed token was not kept")
        return await self._consent(state)

    async def _consent(self, state: TokenState) -> Consent:
        # A mall that tells no scopes is not said to lack them: the first refused call names one.
        missing = tuple(scope for scope in NEEDED if scope not in state.scopes) if state.scopes else ()
        ended_at = None
        if state.renewed_at is not None:
            events = self._context.inbox.items(InboxKind.EVENT, since=state.renewed_at, subject=CONSENT_SUBJECT)
            async for item in events:
                ended_at = item.received_at  # the mall said that the app was deleted, or its use expired
        return Consent(
            scopes=state.scopes,
            missing=missing,
            renew_by=ended_at or state.refresh_expires_at,
            renewed_at=state.renewed_at,
            stopped={scope: tuple(capability.value for capability in NEEDED[scope]) for scope in missing},
        )
