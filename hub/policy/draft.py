"""The draft of an answer, in the customer's language: polite, concrete, and free of what may not be said."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from hub.core.model import FaultParty, Money
from hub.policy.card import Cost, Request, Verdict
from hub.policy.card_words import amount_words, draft_words
from hub.policy.ruling import Ruling, Situation
from hub.policy.stage import answer_of

#: what only the customer can tell
_ASKED_OF_CUSTOMER: Final = ("photos", "reason", "consent")
#: an answer without an hour would be no answer
_NEEDS_HOUR: Final = frozenset({"no_news", "customer_chasing"})
_SENT_BACK: Final = frozenset({Request.CANCEL, Request.RETURN, Request.EXCHANGE})
_COMMA: Final = {"ko": ", ", "ja": "、", "en": ", "}
_CUSTOMS: Final = "https://unipass.customs.go.kr"


def draft_of(situation: Situation, *, request: Request, ruling: Ruling, costs: Sequence[Cost], language: str) -> str:
    """One text of a few lines; what nobody has promised yet stands as ``{promise_time}``."""
    parts = [
        _frame("opening", language),
        _body(situation, request, ruling, language),
        *_costs(request, ruling, costs, language),
        *_alternatives(ruling, language),
        _frame("closing", language),
    ]
    return "\n".join(part for part in parts if part)


def _body(situation: Situation, request: Request, ruling: Ruling, language: str) -> str:
    words = draft_words()["body"]
    sentence = next(words[key] for key in _keys(request, ruling) if key in words)
    filled = {
        "amount": _asked(situation, language),
        "eta": _eta(situation, language),
        "promise_time": _promise(situation, language),
        "link": _customs_link(situation),
    }
    return sentence.told(language).format(**filled)


def _keys(request: Request, ruling: Ruling) -> tuple[str, ...]:
    verdict = ruling.verdict
    if verdict is Verdict.ASK:
        asked = tuple(f"ask.{name}" for name in _ASKED_OF_CUSTOMER if name in ruling.missing)
        return (*((ruling.ground,) if ruling.ground in _NEEDS_HOUR else ()), *asked[:1], "ask")
    return (
        f"{request}.{verdict}.{ruling.ground}",
        f"{verdict}.{ruling.ground}",
        f"{request}.{verdict}",
        *((ruling.ground,) if ruling.ground in _NEEDS_HOUR else ()),
        "ask",
    )


def _costs(request: Request, ruling: Ruling, costs: Sequence[Cost], language: str) -> list[str]:
    if ruling.verdict is not Verdict.ALLOW or request not in _SENT_BACK:
        return []
    theirs = [cost for cost in costs if cost.payer is FaultParty.CUSTOMER]
    named = [cost for cost in theirs if cost.amount_minor is not None]
    if named:
        told = _COMMA[language].join(_item(cost, language) for cost in named)
        return [_frame("customer_pays", language).format(costs=told)]
    if theirs:
        return [_frame("customer_pays_unknown", language)]
    is_ours = any(cost.payer in {FaultParty.SELLER, FaultParty.PARTNER, FaultParty.CARRIER} for cost in costs)
    return [_frame("we_pay", language)] if is_ours and not _is_points(costs) else []


def _is_points(costs: Sequence[Cost]) -> bool:
    return all(cost.item == "points" for cost in costs)


def _item(cost: Cost, language: str) -> str:
    name = draft_words()["item"][cost.item].told(language)
    return f"{name} {amount_words(Money(minor=cost.amount_minor or 0, currency=cost.currency), language)}"


def _alternatives(ruling: Ruling, language: str) -> list[str]:
    if ruling.verdict is not Verdict.REFUSE or not ruling.alternatives:
        return []
    named = [draft_words()["alternative"][each].told(language) for each in ruling.alternatives]
    return [_frame("alternatives", language).format(alternatives=_COMMA[language].join(named))]


def _frame(key: str, language: str) -> str:
    return draft_words()["frame"][key].told(language)


def _asked(situation: Situation, language: str) -> str:
    asked = situation.facts.amount_asked
    return amount_words(asked, language) if asked else ""


def _eta(situation: Situation, language: str) -> str:
    """A range, never a day: who names a day has promised it."""
    since, until = situation.facts.eta_from, situation.facts.eta_to
    if since is None or until is None or since == until:
        return ""
    words = draft_words()["time"]["eta"].told(language)
    return words.format(since=_day(since, language), until=_day(until, language))


def _day(on: date, language: str) -> str:
    if language == "en":
        return f"{on.month}/{on.day}"
    return f"{on.month}월 {on.day}일" if language == "ko" else f"{on.month}月{on.day}日"


def _promise(situation: Situation, language: str) -> str:
    promised = situation.facts.promised_at
    if promised is None or promised <= situation.facts.at:
        return "{promise_time}"
    local = promised.astimezone(situation.calendar.zone)
    clock = f"{local.hour:02}:{local.minute:02}"
    return f"{_day(local.date(), language)} {clock}"


def _customs_link(situation: Situation) -> str:
    stage = situation.stage_now
    return (answer_of(stage).customs_link if stage else None) or _CUSTOMS
