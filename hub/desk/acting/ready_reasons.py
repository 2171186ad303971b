"""Sentences with which a request is refused at a mall, ready to be chosen: of the book of templates."""

from collections.abc import Iterable, Mapping
from typing import Final

from hub.core.errors import ConfigurationError
from hub.desk.access import Actor
from hub.desk.acting.action import Action
from hub.desk.acting.templates import read_templates, shop_language, values_of, wanted_of
from hub.desk.services import Services
from hub.desk.views import CaseView, Offer
from hub.policy.templates import Occasion, may_use
from hub.policy.variables import fill

REFUSALS: Final = frozenset({Action.REFUSE_CANCEL, Action.REFUSE_RETURN, Action.REFUSE_EXCHANGE})


async def ready_reasons(
    services: Services, *, actor: Actor, case: CaseView, offers: Iterable[Offer]
) -> Mapping[str, tuple[str, ...]]:
    """By action, in the book's order and in the language that the mall's customers read.

    A sentence with a gap that the hub cannot fill is left out: what is chosen must be whole. Of a book that
    cannot be read there is none; the reply box says what is wrong with it.
    """
    # Not every mall takes a sentence: at some a request is refused by sending the goods.
    kinds = {
        Action(offer.action): offer.kind
        for offer in offers
        if offer.is_allowed and offer.action in REFUSALS and "text" in offer.fields
    }
    if not kinds:
        return {}
    try:
        book = await read_templates(services.database)
    except ConfigurationError:
        return {}
    manifest = services.registry.manifests.get(case.row.mark.mall)
    wanted, language = wanted_of(case, manifest), shop_language(manifest)
    values = values_of(case, actor=actor, manifest=manifest, language=language)
    rows = [
        row
        for row in book.tables.templates
        if row.occasion is Occasion.REFUSAL and row.language is language and may_use(row, wanted)
    ]
    return {
        action.value: tuple(
            filled.text
            for row in rows
            if not row.kinds or kind in row.kinds
            for filled in (fill(row.body.strip(), values, language=language),)
            if not filled.missing
        )
        for action, kind in kinds.items()
    }
