"""What the case page shows of promises, complaints and compensations, and what their forms offer."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from markupsafe import Markup
from msgspec import Struct

from hub.desk.access import Actor, Permission
from hub.desk.care.compensation import can_give_points
from hub.desk.care.complaint_views import complaint_of
from hub.desk.care.promise_list import zone_of
from hub.desk.care.views import (
    CAUSES,
    STEPS,
    BrokenReason,
    Channel,
    GiftReason,
    GiftView,
    ToWhom,
)
from hub.desk.services import Services
from hub.desk.users import User
from hub.desk.views import AskView, CaseView
from hub.policy.book_rows import Gift
from hub.web.cases.acting import Notice
from hub.web.formats import absolute, short
from hub.web.words import Words

_CHANNEL_OF: Final = {
    "chat": Channel.CHAT,
    "product_inquiry": Channel.ANSWER,
    "order_inquiry": Channel.ANSWER,
}


class CareTyped(Struct, frozen=True, kw_only=True):
    """A form that came back: which one, its fields as they were typed, and what is wrong."""

    form: str
    fields: dict[str, str]
    notice: Notice


def due_tags(services: Services, words: Words) -> Callable[[datetime, str], Markup]:
    """A moment as the centre's clock shows it; on hover with the shop's own clock, where that is another."""
    zone, now = services.settings.zone, services.now()

    def tag(at: datetime, shop_zone: str) -> Markup:
        title = f"{absolute(at, zone)} ({words.zone(zone.key)})"
        if shop_zone != zone.key:
            title += f" · {absolute(at, ZoneInfo(shop_zone))} ({words.zone(shop_zone)})"
        return Markup('<time class="promise-due" datetime="{}" title="{}">{}</time>').format(
            at.isoformat(timespec="seconds"), title, short(at, now, zone)
        )

    return tag


def newest_asks(asks: Sequence[AskView]) -> dict[int, AskView]:
    """Each of these questions (oldest first) by its id: itself, or the last one that took its place unanswered."""
    newest: dict[int, AskView] = {}
    for ask in reversed(asks):
        after = next((each for each in asks if each.follows_id == ask.ask_id), None)
        newest[ask.ask_id] = newest[after.ask_id] if after is not None else ask
    return newest


def care_values(
    services: Services, *, actor: Actor, case: CaseView, users: Sequence[User], typed: CareTyped | None = None
) -> dict[str, Any]:
    """For ``partials/promises.html``, ``complaint.html`` and ``compensation.html``; ``typed`` stands there again."""
    case_id, mall = case.row.case_id, case.row.mark.mall
    gifts = tuple(gift for gift in case.dossier.gifts if gift.case_id == case_id)
    return {
        "promises": tuple(each for each in case.dossier.promises if each.case_id == case_id),
        "promise_channel": _CHANNEL_OF.get(case.row.kind, Channel.CALL),
        "promise_whom": tuple(ToWhom),
        "promise_channels": tuple(Channel),
        "broken_reasons": tuple(BrokenReason),
        "promise_zone": zone_of(services, mall),
        "ask_of": newest_asks(tuple(ask for ask in case.dossier.asks if ask.case_id == case_id)),
        "due_tag": due_tags(services, Words(actor.locale)),
        "complaint": complaint_of(case.dossier.complaint_steps, case_id),
        "complaint_steps": STEPS,
        "complaint_causes": CAUSES,
        "gifts": gifts,
        "gift_kinds": tuple(Gift),
        "gift_reasons": tuple(GiftReason),
        "gift_at_mall": can_give_points(services, mall),
        "gift_lines": case.dossier.order.lines if case.dossier.order else (),
        "gift_reversible": {gift.gift_id for gift in gifts if _may_reverse(services, actor, gift)},
        "care_token": secrets.token_urlsafe(18),
        "care_people": [user for user in users if user.is_active],
        "care": typed,
        "care_typed": lambda form, name: typed.fields.get(name, "") if typed and typed.form == form else "",
    }


def _may_reverse(services: Services, actor: Actor, gift: GiftView) -> bool:
    if not gift.counts or gift.is_reversed or gift.reverses_id is not None:
        return False
    zone = services.settings.zone
    is_todays = gift.given_at.astimezone(zone).date() == services.now().astimezone(zone).date()
    return actor.may(Permission.APPROVE) or (gift.given_by_id == actor.user_id and is_todays)
