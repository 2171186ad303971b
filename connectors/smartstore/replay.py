"""Reads one recorded case (``cases/*.json``) as the connector would, without a mall.

The constants below open a shop on which a recorded write (``cases/write_*.json``) is done again.
"""

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from connectors.smartstore import mapping
from connectors.smartstore.auth import TOKEN_PATH
from connectors.smartstore.leaves import Unknowns
from connectors.smartstore.settings import DEFAULT_BASE_URL
from hub.core.model import Claim, Inquiry, Order

#: invented; the secret has the shape of the mall's
CREDENTIALS: dict[str, Any] = {
    "client_id": "3xAmpLeApp0001",
    "client_secret": "$2a$04$hubSandboxSmartStore.u",
    "type": "SELF",
}
BASE_URL = DEFAULT_BASE_URL
_READERS = {"order": mapping.read_detail, "inquiry": mapping.read_inquiry, "qna": mapping.read_qna}


def replay(case: Mapping[str, Any]) -> tuple[Order | Claim | Inquiry | None, Mapping[str, int]]:
    """``record`` names the kind of record. Returns what it becomes, and the codes that no table holds."""
    unknown = Unknowns()
    reading = _READERS[case["record"]](msgspec.json.encode(case["wire"]), unknown)
    return reading.record, unknown


def sign_in(request: httpx.Request) -> httpx.Response | None:
    """The answer to a token call, ``None`` for every other call."""
    if not request.url.path.endswith(TOKEN_PATH):
        return None
    return httpx.Response(200, json={"access_token": "1PkQExampleToken", "expires_in": 10799, "token_type": "Bearer"})
