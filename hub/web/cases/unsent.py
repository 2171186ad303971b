"""A reply that meets an ended session: it travels through the sign-in page, sealed, and becomes a draft behind it.

Pages with script keep it in their window; this is for plain forms, whose text would end with the request.
"""

import base64
import re
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from litestar import Request
from msgspec import Struct

from hub.core.errors import ConfigurationError
from hub.desk.access import Actor
from hub.desk.acting.drafts import TEXT_LIMIT, save_draft
from hub.desk.cases.case import NotFoundError
from hub.desk.services import Services
from hub.store.database import time_of, to_ms

_PLACE: Final = b"web.unsent"
_ACT: Final = re.compile(r"/cases/([0-9]{1,18})/act/?")
#: nobody comes back to a sign-in page later than that
_KEPT_FOR: Final = timedelta(hours=12)
_SCREEN: Final = "sign-in"


class _Unsent(Struct, frozen=True, kw_only=True):
    case_id: int
    text: str
    at: int


_decode = msgspec.msgpack.Decoder(_Unsent).decode


async def seal_unsent(request: Request[Any, Any, Any], *, now: datetime) -> str:
    """What a plain form of an answer holds, for the sign-in page; empty for any other request."""
    of_case = _ACT.fullmatch(request.url.path)
    if of_case is None or request.method != "POST" or request.headers.get("HX-Request") == "true":
        return ""
    text = str((await request.form()).get("text", ""))
    if not text.strip() or len(text) > TEXT_LIMIT:
        return ""
    unsent = _Unsent(case_id=int(of_case[1]), text=text, at=to_ms(now) or 0)
    sealed = request.app.state.services.database.box.seal(msgspec.msgpack.encode(unsent), _PLACE)
    return base64.urlsafe_b64encode(sealed).decode()


async def keep_unsent(services: Services, actor: Actor, sealed: str) -> str | None:
    """Make a draft of it for whoever has signed in; the path of its case, ``None`` where there is nothing to keep."""
    try:
        unsent = _decode(services.database.box.open(base64.urlsafe_b64decode(sealed), _PLACE))
        if services.now() - time_of(unsent.at) > _KEPT_FOR:
            return None
        await save_draft(services, actor=actor, case_id=unsent.case_id, screen=_SCREEN, text=unsent.text)
    except (ValueError, msgspec.MsgspecError, ConfigurationError, NotFoundError):
        # Made up, of another key, or of a case that is gone: signing in goes on without it.
        return None
    return f"/cases/{unsent.case_id}"
