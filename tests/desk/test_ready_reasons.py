"""Sentences for a refusal: of the kind, in the mall's language, and whole."""

import msgspec
import pytest

from hub.core.model import ClaimKind
from hub.desk.access import Actor
from hub.desk.acting.offers import offers_of
from hub.desk.acting.ready_reasons import ready_reasons
from hub.desk.acting.templates import template_choices
from hub.desk.cases.case import read_case
from hub.policy.book_rows import Language
from hub.policy.due import CaseKind
from hub.policy.templates import Occasion, Template, TemplateTables, encode
from hub.store.books import BookKind, write_version
from tests.desk.invented import NOW, Rig, claim, order

# What differs is Python: one database is enough.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def _sentence(id: str, body: str, **more: object) -> Template:  # noqa: A002  the row's own name
    more = {"language": Language.KO, "kinds": (CaseKind.CANCEL,), **more}
    return Template(id=id, name=id, body=body, occasion=Occasion.REFUSAL, **more)


async def test_a_refusal_has_whole_sentences_of_its_kind_and_language_and_a_reply_has_none_of_them(
    rig: Rig, agent: Actor
) -> None:
    rows = (
        _sentence("a", "{product_name}: 이미 준비했습니다."),
        _sentence("gap", "사유: {reason}"),
        _sentence("ja", "発送済みです。", language=Language.JA),
        _sentence("return", "사용하셨습니다.", kinds=(CaseKind.RETURN,)),
        _sentence("other", "다른 샵", shop="alpha-outlet"),
        _sentence("b", "배송 중입니다.", kinds=()),
    )
    book = encode(TemplateTables(templates=rows))
    await write_version(rig.database, BookKind.TEMPLATES, book, based_on=0, source="screen", now=NOW)
    await rig.write("alpha-main", order("C", claims=(claim("C", "C-1"),)))
    await rig.write("alpha-main", order("R", claims=(claim("R", "R-1", kind=ClaimKind.RETURN),)))
    found = {}
    for number in ("C", "R"):
        case = await read_case(rig, actor=agent, case_id=await rig.case_id("alpha-main", order_no=number))
        found |= await ready_reasons(rig, actor=agent, case=case, offers=offers_of(rig, actor=agent, case=case))
        assert await template_choices(rig, actor=agent, case=case) == ()

    without_text = [
        msgspec.structs.replace(offer, fields=("carrier",)) for offer in offers_of(rig, actor=agent, case=case)
    ]
    assert await ready_reasons(rig, actor=agent, case=case, offers=without_text) == {}
    assert found == {
        "refuse-cancel": ("린넨 셔츠: 이미 준비했습니다.", "배송 중입니다."),
        "refuse-return": ("사용하셨습니다.", "배송 중입니다."),
    }
