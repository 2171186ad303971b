"""The decision card of one request: facts and policy in, the whole answer with its rules out.

Pure: no I/O and no clock. The words come from data files, the deadlines from :mod:`hub.policy.due`, the
customer's right from :mod:`hub.policy.window`, the stage of a purchase abroad from :mod:`hub.policy.stage`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from hub.core.model import ClaimReason, FaultParty, Money
from hub.policy.calendar import OwnDays
from hub.policy.card import Card, CardFacts, Cost, MallCan, MallWay, Request, Step, Verdict
from hub.policy.card_words import amount_words, card_words, rules, rules_of_mall
from hub.policy.costs import CostFinding, costs_of
from hub.policy.draft import draft_of
from hub.policy.due import NO_OWN_DAYS, CaseFacts, CaseKind, Due, MallClock, Promised, due_dates
from hub.policy.redress import rule_on_delivery_status, rule_on_partial_refund, rule_on_withdraw_return
from hub.policy.ruling import NOT_AS_AGREED, UNSENT, Ruling, Situation
from hub.policy.stage import StageFacts, answer_of, stage_of
from hub.policy.switches import Switches, clocks_with
from hub.policy.window import WindowFacts, withdrawal_windows
from hub.policy.withdrawal import rule_on_cancel, rule_on_exchange, rule_on_return

_RULE: Final[Mapping[Request, Callable[[Situation], Ruling]]] = {
    Request.CANCEL: rule_on_cancel,
    Request.RETURN: rule_on_return,
    Request.EXCHANGE: rule_on_exchange,
    Request.PARTIAL_REFUND: rule_on_partial_refund,
    Request.WITHDRAW_RETURN: rule_on_withdraw_return,
    Request.DELIVERY_STATUS: rule_on_delivery_status,
}
_KIND: Final[Mapping[Request, CaseKind]] = {
    Request.CANCEL: CaseKind.CANCEL,
    Request.RETURN: CaseKind.RETURN,
    Request.EXCHANGE: CaseKind.EXCHANGE,
    Request.PARTIAL_REFUND: CaseKind.ORDER_INQUIRY,
    Request.WITHDRAW_RETURN: CaseKind.RETURN,
    Request.DELIVERY_STATUS: CaseKind.ORDER_INQUIRY,
}


def decide(
    facts: CardFacts,
    *,
    request: Request,
    switches: Switches,
    policy_version: int,
    clocks: Iterable[MallClock] = (),
    days: OwnDays = NO_OWN_DAYS,
    locale: str = "ko",
    language: str | None = None,
) -> Card:
    """Decide ``request``. ``clocks`` are those that ship; ``switches`` may replace them.

    ``locale`` is the agent's language (ko, else English), ``language`` the customer's (ko, ja, en);
    ``None``: as the policy says, else that of the law's country.
    Raises: ValueError for a country without a calendar, and for a time without a zone.
    """
    situation = _situation(facts, switches, days)
    ruling = _RULE[request](situation)
    found = costs_of(situation, request=request, ruling=ruling)
    ruling = ruling.also(missing=found.missing, rules=found.rules, warnings=found.warnings)
    dues = _dues(situation, request, clocks)
    way = facts.refuse_way if ruling.verdict is Verdict.REFUSE else facts.allow_way
    told = language or switches.answer_language or ("ja" if facts.country == "JP" else "ko")
    names = _rule_ids(facts, ruling)
    return Card(
        request=request,
        decision=ruling.verdict,
        ground=ruling.ground,
        ground_text=_say("ground", ruling.ground, locale),
        evidence=tuple(_say("evidence", proof.value, locale) for proof in ruling.evidence),
        fault_party=ruling.fault,
        is_fault_proved=facts.is_fault_proved,
        stage=situation.stage_now,
        dues=dues,
        windows=situation.windows,
        costs=found.costs,
        mall_can=way.can,
        mall_action=way.action,
        steps=tuple(_steps(situation, request, ruling, way, locale)),
        missing=tuple(dict.fromkeys(ruling.missing)),
        alternatives=ruling.alternatives,
        draft=draft_of(situation, request=request, ruling=ruling, costs=found.costs, language=told),
        draft_language=told,
        warnings=tuple(_warnings(situation, ruling, found, dues, way, locale)),
        rules=names,
        rule_texts=tuple(rules()[name].told(locale) for name in names),
        considered=tuple(rules()[name].told(locale) for name in dict.fromkeys(ruling.considered) if name not in names),
        policy_version=policy_version,
    )


def sums(costs: Sequence[Cost]) -> dict[tuple[FaultParty, str], int]:
    """Payer and currency to the sum of the items whose amount is known."""
    total: dict[tuple[FaultParty, str], int] = {}
    for cost in costs:
        if cost.amount_minor is not None:
            key = (cost.payer, cost.currency)
            total[key] = total.get(key, 0) + cost.amount_minor
    return total


def _situation(facts: CardFacts, switches: Switches, days: OwnDays) -> Situation:
    is_abroad = facts.is_purchase_agency or switches.purchase_agency
    is_flawed = facts.reason in NOT_AS_AGREED
    windows = withdrawal_windows(
        WindowFacts(
            country=facts.country,
            contract_at=facts.ordered_at,
            delivered_at=facts.delivered_at,
            # Who complains knows of it by then at the latest, and nobody proved an earlier day.
            known_at=facts.known_at or (facts.opened_at if is_flawed else None),
            is_return_clause_shown=switches.return_clause_shown,
        ),
        days=days,
    )
    return Situation(
        facts=facts,
        switches=switches,
        stage=stage_of(facts.stage_facts or StageFacts()) if is_abroad else None,
        windows=windows,
        days=days,
    )


def _dues(situation: Situation, request: Request, clocks: Iterable[MallClock]) -> tuple[Due, ...]:
    facts = situation.facts
    is_short = facts.reason is ClaimReason.OUT_OF_STOCK and facts.status in UNSENT
    promised = facts.promised_at
    case = CaseFacts(
        kind=_KIND[request],
        mall=facts.mall,
        shop=facts.shop,
        country=facts.country,
        opened_at=facts.opened_at,
        paid_at=facts.paid_at,
        ordered_at=facts.ordered_at,
        planned_ship_at=facts.planned_ship_at,
        is_reserved=facts.is_reserved,
        sendable_from=facts.sendable_from,
        dispatched_at=facts.dispatched_at or (facts.delivered_at if request is not Request.CANCEL else None),
        collected_at=facts.left_at,
        out_of_stock_at=facts.opened_at if is_short else None,
        promises=(Promised(at=promised, made_at=min(facts.opened_at, promised)),) if promised else (),
    )
    own = clocks_with(situation.switches, clocks, mall=facts.mall)
    return due_dates(case, clocks=own, targets=situation.switches.targets, days=situation.days)


def _rule_ids(facts: CardFacts, ruling: Ruling) -> tuple[str, ...]:
    """The rules of the decision, then those of this mall that speak of what is decided."""
    of_mall = (rule.id for rule in rules_of_mall(facts.mall) if not set(rule.when).isdisjoint(ruling.marks))
    return tuple(dict.fromkeys((*ruling.rules, *of_mall)))


def _steps(situation: Situation, request: Request, ruling: Ruling, way: MallWay, locale: str) -> Iterable[Step]:
    """In the order in which they are done; what is asked comes first."""
    for name in dict.fromkeys(ruling.missing):
        yield Step(key=f"ask.{name}", text=_say("ask", name, locale), required=True)
    if ruling.verdict is Verdict.REFUSE and ruling.ground not in {"already_ended", "nothing_to_withdraw"}:
        yield from _refusal(situation, ruling, way, locale)
        return
    for name in dict.fromkeys(ruling.steps):
        # The mall's own step says the same, and where.
        if name != "cancel_at_mall" or way.can is MallCan.NONE:
            yield _step(situation, name.removeprefix("?"), locale, required=not name.startswith("?"))
    yield from _offers(situation, request, ruling, locale)
    if ruling.verdict is Verdict.ALLOW and "tell_state" not in ruling.steps:
        yield _step(situation, "tell_customer", locale)
        yield from _at_mall(way, locale)


def _refusal(situation: Situation, ruling: Ruling, way: MallWay, locale: str) -> Iterable[Step]:
    """Whoever refuses contacts at once, gives the concrete reason, offers another way and follows up."""
    yield _step(situation, "contact_customer", locale)
    yield _step(situation, "state_reason", locale, ground=_say("ground", ruling.ground, locale))
    if ruling.alternatives:
        named = ", ".join(_say("alternative", each, locale) for each in ruling.alternatives)
        yield _step(situation, "offer_alternative", locale, alternatives=named)
    if ruling.evidence:
        named = ", ".join(_say("evidence", proof.value, locale) for proof in ruling.evidence)
        yield _step(situation, "keep_evidence", locale, evidence=named)
    for name in dict.fromkeys(ruling.steps):
        yield _step(situation, name.removeprefix("?"), locale, required=not name.startswith("?"))
    yield from _at_mall(way, locale)
    yield _step(situation, "follow_up", locale)


def _at_mall(way: MallWay, locale: str) -> Iterable[Step]:
    if way.can is MallCan.API:
        text = _say("step", "mall_api", locale).format(action=way.action)
        yield Step(key="mall_api", text=text, required=True)
    elif way.can is MallCan.ADMIN:
        place = (way.way_ko if locale == "ko" else way.way) or way.way
        text = _say("step", "mall_admin", locale).format(way=place)
        yield Step(key="mall_admin", text=text.strip(), required=True)


def _offers(situation: Situation, request: Request, ruling: Ruling, locale: str) -> Iterable[Step]:
    """What may be given on top: to keep a customer who has changed their mind, or to make up for our fault."""
    if ruling.verdict is Verdict.REFUSE:
        return
    if ruling.fault is FaultParty.CUSTOMER:
        for row in situation.switches.offers(request):
            text = {"ko": row.text_ko, "en": row.text_en or row.text_ko}[locale if locale == "ko" else "en"]
            yield _step(situation, "retention", locale, key=f"retention.{row.gift}", required=False, text=text)
        return
    share = situation.switches.share(situation.facts.mode)
    if share and share.is_on and share.limit_minor and ruling.fault is not FaultParty.UNKNOWN:
        amount = amount_words(Money(minor=share.limit_minor, currency=share.currency), locale)
        yield _step(situation, "compensate", locale, required=False, amount=amount)


def _step(
    situation: Situation, name: str, locale: str, *, required: bool = True, key: str | None = None, **words: str
) -> Step:
    text = _say("step", name, locale)
    if name == "send_customs_link" and situation.stage_now:
        words["link"] = answer_of(situation.stage_now).customs_link or ""
    return Step(key=key or name, text=text.format(**words), required=required)


def _warnings(
    situation: Situation, ruling: Ruling, found: CostFinding, dues: Sequence[Due], way: MallWay, locale: str
) -> Iterable[str]:
    amount = amount_words(found.lump_sum, locale) if found.lump_sum else ""
    for name in dict.fromkeys(ruling.warnings):
        yield _say("warning", name, locale).format(amount=amount)
    refund = next((due for due in dues if due.label_key.startswith("due.law.refund")), None)
    if refund is not None and refund.at < situation.facts.at and situation.is_korean:
        percent = situation.switches.late_interest_percent
        yield _say("warning", "refund_late", locale).format(percent=percent)
    own = (way.warning_ko if locale == "ko" else way.warning) or way.warning
    if own:
        yield _say("warning", "held_by_mall", locale).format(text=own)


def _say(section: str, key: str, locale: str) -> str:
    return card_words()[section][key].told(locale)
