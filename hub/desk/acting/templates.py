"""Answer templates for one case: the book in force, what fits, and its gaps filled from what the hub knows."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import func, select

from hub.core.contract import Manifest
from hub.core.model import Money
from hub.desk.access import Actor, Permission, require
from hub.desk.acting.offers import waiting_inquiry
from hub.desk.services import Services
from hub.desk.views import CaseView, LineView
from hub.policy.book_rows import Language
from hub.policy.due import CaseKind
from hub.policy.guard import asks_about_delivery, language_of
from hub.policy.stage import Stage
from hub.policy.templates import CaseWanted, Occasion, TemplateTables, decode, standard_templates, suggest
from hub.policy.variables import fill
from hub.store.books import BookKind, read_version
from hub.store.database import Database
from hub.store.tables import actions

_O = Occasion
_EXPONENT: Final = {"KRW": 0, "JPY": 0}
#: what a return or exchange is about, by its reason
_BY_REASON: Final[Mapping[str, Occasion]] = defaultdict(
    lambda: _O.CHANGE_OF_MIND,
    {
        "defect": _O.DEFECT,
        "damaged": _O.DEFECT,
        "not_as_described": _O.DEFECT,
        "wrong_item": _O.WRONG_ITEM,
        "missing_part": _O.MISSING_PART,
    },
)

#: what a question is about, by a word in it; a hint for the order of a list, nothing rests on it
_BY_WORD: Final[tuple[tuple[tuple[str, ...], Occasion], ...]] = (
    (("불량", "하자", "파손", "고장", "깨져", "찢어", "不良", "破損", "壊れ"), _O.DEFECT),
    (("오배송", "다른 상품", "다른 게", "違う商品"), _O.WRONG_ITEM),
    (("누락", "빠졌", "안 들어", "足りない"), _O.MISSING_PART),
    (("품절", "재입고", "재고", "在庫", "再入荷"), _O.OUT_OF_STOCK),
    (("취소", "キャンセル"), _O.CANCEL_ACCEPTED),
    (("반품", "환불", "返品", "返金"), _O.CHANGE_OF_MIND),
    (("교환", "交換"), _O.EXCHANGE),
)


class TemplatesInForce(Struct, frozen=True, kw_only=True):
    """``version`` is 0 while the standard templates are in force."""

    version: int
    tables: TemplateTables


class TemplateChoice(Struct, frozen=True, kw_only=True):
    """One template as it would be inserted. ``missing``: gaps that the agent fills, marked in ``text``."""

    id: str
    name: str
    language: Language
    occasion: Occasion
    stage: Stage | None
    text: str
    missing: tuple[str, ...]
    used: int


async def read_templates(database: Database) -> TemplatesInForce:
    """Raises: ConfigurationError when the stored book cannot be read."""
    version = await read_version(database, BookKind.TEMPLATES)
    if version is None:
        return TemplatesInForce(version=0, tables=standard_templates())
    return TemplatesInForce(version=version.version, tables=_decoded(version.body))


@lru_cache(maxsize=4)
def _decoded(body: str) -> TemplateTables:
    return decode(body.encode())


async def template_choices(
    services: Services, *, actor: Actor, case: CaseView, language: Language | None = None
) -> tuple[TemplateChoice, ...]:
    """Templates for this case, the likeliest first; of one ``language``, or of all.

    Raises: ForbiddenError; ConfigurationError when the book cannot be read.
    """
    require(actor, Permission.WORK_CASES)
    book = await read_templates(services.database)
    used = await _times_used(services.database)
    manifest = services.registry.manifests.get(case.row.mark.mall)
    found = suggest(book.tables.templates, wanted_of(case, manifest), used=used)
    choices = []
    for template in found:
        if template.occasion is _O.REFUSAL or (language is not None and template.language is not language):
            continue
        values = values_of(case, actor=actor, manifest=manifest, language=template.language)
        filled = fill(template.body.strip(), values, language=template.language)
        choices.append(
            TemplateChoice(
                id=template.id,
                name=template.name,
                language=template.language,
                occasion=template.occasion,
                stage=template.stage,
                text=filled.text,
                missing=filled.missing,
                used=used.get(template.id, 0),
            )
        )
    return tuple(choices)


async def _times_used(database: Database) -> dict[str, int]:
    query = (
        select(actions.c.template_id, func.count().label("times"))
        .where(actions.c.template_id.is_not(None))
        .group_by(actions.c.template_id)
    )
    async with database.reading() as connection:
        rows = await connection.execute(query)
        return {row.template_id: row.times for row in rows}


def shop_language(manifest: Manifest | None) -> Language:
    """What customers of a mall read, as long as they have not written themselves."""
    return Language.JA if manifest is not None and manifest.country == "JP" else Language.KO


def wanted_of(case: CaseView, manifest: Manifest | None) -> CaseWanted:
    """What a template should fit."""
    kind = CaseKind(case.row.kind) if case.row.kind in set(CaseKind) else CaseKind.UNKNOWN
    inquiry = waiting_inquiry(case)
    text = f"{inquiry.subject or ''} {inquiry.text}" if inquiry else ""
    return CaseWanted(
        mall=case.row.mark.mall,
        shop=case.row.shop,
        kind=kind,
        language=language_of(text) or shop_language(manifest),
        occasions=_occasions(kind, case, text),
    )


def _occasions(kind: CaseKind, case: CaseView, question: str) -> tuple[Occasion, ...]:
    claims = [claim for claim in case.dossier.claims if claim.is_open] or list(case.dossier.claims)
    reasons = [_BY_REASON[claim.reason] for claim in claims if claim.kind == kind]
    if kind in (CaseKind.CANCEL, CaseKind.ADMIN_CANCEL):
        return (_O.CANCEL_ACCEPTED, _O.CANCEL_REFUSED, _O.PURCHASE_AGENCY, _O.OUT_OF_STOCK)
    if kind is CaseKind.RETURN:
        return (*dict.fromkeys(reasons), _O.PARTIAL_REFUND, _O.REFUND_DONE, _O.EXCHANGE)
    if kind is CaseKind.EXCHANGE:
        return (_O.EXCHANGE, *dict.fromkeys(reasons), _O.PARTIAL_REFUND)
    if kind is CaseKind.PRODUCT_INQUIRY:
        return (_O.PRODUCT_QUESTION, _O.HOLDING)
    asked = tuple(occasion for words, occasion in _BY_WORD if any(word in question for word in words))
    if asked:
        return (*asked, _O.PROMISE, _O.APOLOGY)
    if asks_about_delivery(question) or kind is CaseKind.DISPATCH:
        return (_O.LATE_KNOWN, _O.NO_NEWS, _O.CUSTOMER_CHASING, _O.PROMISE, _O.DISPATCHED)
    return (_O.PROMISE, _O.APOLOGY)


def values_of(
    case: CaseView, *, actor: Actor, manifest: Manifest | None, language: Language
) -> Mapping[str, str | None]:
    """What the hub knows of the gaps, as it is written in ``language``. Personal ones are filled when it is sent."""
    line = _line_of(case)
    inquiry = waiting_inquiry(case)
    refund = next((claim.refund for claim in case.dossier.claims if claim.refund is not None), None)
    zone = ZoneInfo(manifest.timezone if manifest else "Asia/Seoul")
    promised = next((due.at for due in case.dues if due.label_key == "due.promise.customer"), None)
    planned = line.planned_ship_at if line else None
    return {
        "order_no": case.row.order_no,
        "product_name": (line.product_name if line else None) or (inquiry.product_name if inquiry else None),
        "option": line.option if line else None,
        "quantity": str(line.quantity) if line else None,
        "amount": _money(line.amount if line else None, language),
        "carrier": line.shipment.carrier if line else None,
        "tracking_no": line.shipment.tracking_no if line else None,
        "planned_ship_date": day_words(planned, zone, language) if planned else None,
        "promise_time": _moment_words(promised, zone, language) if promised else None,
        "refund_amount": _money(refund, language),
        "agent_name": actor.name,
        "mall_name": _mall_name(case, language),
    }


def _line_of(case: CaseView) -> LineView | None:
    """The line that the case is about: of its claim, else the only one or the first that was sent."""
    order = case.dossier.order
    if order is None or not order.lines:
        return None
    claimed = [claim.line_no for claim in case.dossier.claims if claim.is_open]
    about = [line for line in order.lines if line.line_no in claimed] or list(order.lines)
    return next((line for line in about if line.shipment.tracking_no), about[0])


def _mall_name(case: CaseView, language: Language) -> str:
    return case.row.mark.title_ko if language is Language.KO else case.row.mark.title


def _money(amount: Money | None, language: Language) -> str | None:
    if amount is None:
        return None
    exponent = _EXPONENT.get(amount.currency, 2)
    number = f"{Decimal(amount.minor).scaleb(-exponent):,.{exponent}f}"
    if amount.currency == "KRW":
        return {Language.KO: f"{number}원", Language.JA: f"{number}ウォン"}.get(language, f"₩{number}")
    if amount.currency == "JPY":
        return {Language.KO: f"{number}엔", Language.JA: f"{number}円"}.get(language, f"¥{number}")
    return f"{amount.currency} {number}"


def day_words(at: datetime, zone: ZoneInfo, language: Language) -> str:
    """A day as a customer reads it: 11월 25일, 11月25日, 25 November."""
    local = at.astimezone(zone)
    if language is Language.EN:
        return f"{local.day} {_MONTHS[local.month - 1]}"
    return f"{local.month}월 {local.day}일" if language is Language.KO else f"{local.month}月{local.day}日"


def _moment_words(at: datetime, zone: ZoneInfo, language: Language) -> str:
    clock = at.astimezone(zone).strftime("%H:%M")
    return f"{day_words(at, zone, language)} {clock}"


_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
