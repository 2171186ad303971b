"""Templates: strict gaps, a book that names its mistakes, the order in which they are offered."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.errors import ConfigurationError
from hub.policy.book_rows import Language
from hub.policy.due import CaseKind
from hub.policy.finding import FindingKind, Level
from hub.policy.stage import Stage
from hub.policy.templates import (
    BannedWord,
    CaseWanted,
    GuardRow,
    Occasion,
    Template,
    TemplateTables,
    decode,
    encode,
    find_problems,
    standard_templates,
    suggest,
)
from hub.policy.variables import PERSONAL, VARIABLES, fill, fill_personal, open_gaps, pieces


def _template(**more: object) -> Template:
    values: dict[str, object] = {"id": "t", "name": "이름", "language": Language.KO, "body": "본문"}
    return Template(**{**values, **more})


def _keys(*templates: Template, **sections: object) -> list[tuple[str, str | None, str]]:
    tables = TemplateTables(templates=templates, **sections)
    return [(problem.section, problem.column, problem.key) for problem in find_problems(tables)]


# -- gaps


def test_gaps_are_filled_and_those_without_a_value_are_marked_in_the_templates_language():
    values = {"order_no": "A-1", "tracking_no": ""}

    korean = fill("주문 {order_no}, 송장 {tracking_no}", values, language="ko")
    japanese = fill("追跡番号 {tracking_no}", values, language="ja")

    assert (korean.text, korean.missing) == ("주문 A-1, 송장 ⟦송장번호⟧", ("tracking_no",))
    assert japanese.text == "追跡番号 ⟦追跡番号⟧"


def test_a_name_is_filled_when_it_is_sent_and_not_before():
    values = {"customer_name": "홍길동"}

    shown = fill("{customer_name}님, 안녕하세요", values, language="ko")

    assert shown.text == "{customer_name}님, 안녕하세요"
    assert fill_personal(shown.text, values) == "홍길동님, 안녕하세요"
    assert fill_personal(shown.text, {}) == shown.text


@pytest.mark.parametrize("value", ["{customer_name}", "⟦송장번호⟧", "{{x}}", "a\nb", "a\x00b", "{order_no.__class__}"])
def test_a_value_is_no_gap_and_brings_no_line(value: str):
    filled = fill("상품 {product_name}.", {"product_name": value, "customer_name": "홍길동"}, language="ko")

    assert list(open_gaps(filled.text)) == []
    assert "\n" not in filled.text
    assert fill_personal(filled.text, {"customer_name": "홍길동"}) == filled.text


def test_doubled_braces_are_braces():
    assert fill("{{order_no}} {order_no}", {"order_no": "1"}, language="en").text == "{order_no} 1"


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="{}ab_ \n!:.0[]", max_size=40))
def test_no_text_is_ever_evaluated(body: str):
    parts = list(pieces(body))

    filled = fill(body, {"order_no": "X"}, language="ko").text
    assert filled == "".join(f"{{{part.text}}}" if part.is_gap else part.text for part in parts)


# -- the book


def test_the_standard_book_has_no_mistake_and_answers_the_usual_matters():
    book = standard_templates()

    assert find_problems(book) == ()
    assert len(book.templates) >= 40
    for language in (Language.KO, Language.JA):
        of_language = [each for each in book.templates if each.language is language]
        missing = set(Occasion) - {Occasion.OTHER} - {each.occasion for each in of_language}
        assert missing == set(), language
        stages = {each.stage for each in of_language if each.stage}
        assert stages == {Stage.ORDERED, Stage.SENT_ABROAD, Stage.AT_FORWARDER, Stage.ON_ITS_WAY}, language


def test_a_book_written_and_read_again_is_the_same():
    book = TemplateTables(
        templates=(_template(kinds=(CaseKind.CANCEL,), stage=Stage.SENT_ABROAD, shop="s"),),
        banned_words=(BannedWord(word="짜증"),),
        guard=(GuardRow(kind=FindingKind.LANGUAGE, level=Level.OFF),),
    )

    assert decode(encode(book).encode()) == book
    assert encode(decode(encode(book).encode())) == encode(book)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"nope": []}', b'{"templates": [{"id": 1}]}', b"\xff"])
def test_a_broken_book_is_named(data: bytes):
    with pytest.raises(ConfigurationError, match="template book"):
        decode(data)


def test_an_unknown_gap_is_refused_with_its_name_and_the_known_ones():
    problem = find_problems(TemplateTables(templates=(_template(body="송장 {tracking}"),)))[0]

    assert (problem.row, problem.column, problem.key) == (0, "body", "unknown_variable")
    assert "{tracking}" in problem.reason
    assert "{tracking}" in problem.reason_ko
    assert all(name in problem.fix for name in VARIABLES)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"body": "{"}, ("templates", "body", "lone_brace")),
        ({"body": "{order_no.x}"}, ("templates", "body", "unknown_variable")),
        ({"body": "{}"}, ("templates", "body", "unknown_variable")),
        ({"body": "  "}, ("templates", "body", "missing")),
        ({"body": "가" * 4001}, ("templates", "body", "too_long")),
        ({"body": "가\x00"}, ("templates", "body", "control_character")),
        ({"name": ""}, ("templates", "name", "missing")),
        ({"id": "x\x07"}, ("templates", "id", "wrong_text")),
        ({"stage": Stage.UNKNOWN}, ("templates", "stage", "unknown_stage")),
    ],
)
def test_mistakes_of_a_template_are_named(change: dict[str, object], expected: tuple[str, str, str]):
    assert _keys(_template(**change)) == [expected]


def test_mistakes_between_rows_are_named():
    assert _keys(_template(), _template()) == [("templates", "id", "duplicate")]
    assert _keys(banned_words=(BannedWord(word="VIP"), BannedWord(word="vip"))) == [
        ("banned_words", "word", "duplicate")
    ]
    assert _keys(banned_words=(BannedWord(word=" "),)) == [("banned_words", "word", "wrong_text")]
    off = GuardRow(kind=FindingKind.PERSONAL_DATA, level=Level.OFF)
    assert _keys(guard=(off,)) == [("guard", "level", "never_off")]
    row = GuardRow(kind=FindingKind.LANGUAGE, level=Level.OFF)
    assert _keys(guard=(row, row)) == [("guard", "kind", "duplicate")]


# -- the order of what is offered


def test_scope_then_matter_then_language_then_use_decide():
    late, other = Occasion.LATE_KNOWN, Occasion.OTHER
    templates = [
        _template(id="everywhere-used", occasion=late),
        _template(id="everywhere", occasion=late),
        _template(id="mall-other", occasion=other, mall="m"),
        _template(id="mall-late-ja", occasion=late, mall="m", language=Language.JA),
        _template(id="mall-late", occasion=late, mall="m"),
        _template(id="shop", occasion=other, mall="m", shop="s"),
        _template(id="other-shop", occasion=late, shop="t"),
        _template(id="other-mall", occasion=late, mall="n"),
    ]
    wanted = CaseWanted(mall="m", shop="s", kind=CaseKind.CHAT, language=Language.KO, occasions=(late,))

    found = suggest(templates, wanted, used={"everywhere-used": 3})

    assert [each.id for each in found] == [
        "shop",
        "mall-late",
        "mall-late-ja",
        "mall-other",
        "everywhere-used",
        "everywhere",
    ]


def test_another_stage_and_another_kind_come_last():
    agency = Occasion.PURCHASE_AGENCY
    templates = [
        _template(id="stage-3", occasion=agency, stage=Stage.AT_FORWARDER),
        _template(id="for-returns", occasion=agency, kinds=(CaseKind.RETURN,)),
        _template(id="any-stage", occasion=agency),
        _template(id="stage-2", occasion=agency, stage=Stage.SENT_ABROAD),
    ]
    wanted = CaseWanted(
        mall="m", shop="s", kind=CaseKind.CANCEL, occasions=(agency,), stage=Stage.SENT_ABROAD, language=Language.KO
    )

    assert [each.id for each in suggest(templates, wanted)][:2] == ["stage-2", "any-stage"]


def test_personal_gaps_are_those_of_a_person():
    assert {"customer_name"} == PERSONAL
