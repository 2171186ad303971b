"""The answer guard: a table that a non-programmer can read and lengthen, and what holds for every text."""

import csv
import re
import time
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.policy.book_rows import Language
from hub.policy.finding import MAY_BE_OFF, FindingKind, Level
from hub.policy.guard import MOST_FINDINGS, AnswerFacts, check_answer, contacts_in, language_of
from hub.policy.guard_personal import Person, national
from hub.policy.guard_text import plain_view, tight_view
from hub.policy.guard_words import guard_words
from hub.policy.templates import BannedWord, standard_templates
from hub.policy.variables import VARIABLES, fill

ROWS = Path(__file__).with_name("guard_rows.csv")
BUYER = Person(
    names=("홍길동",),
    phones=("010-1234-5678",),
    emails=("hong@example.com",),
    addresses=("서울특별시 강남구 테헤란로 152", "강남파이낸스센터 12층"),
    member_ids=("hong1234",),
    order_nos=("A20261120-001", "2026112012345671"),
    tracking_nos=("688012345678",),
)


def _facts(mall: str, *, is_public: bool) -> AnswerFacts:
    """A case of 20 November 2026; the mall was told that the parcel leaves on the 27th."""
    is_japanese = mall == "qoo10"
    return AnswerFacts(
        mall=mall,
        country="JP" if is_japanese else "KR",
        is_public=is_public,
        languages=(Language.JA if is_japanese else Language.KO,),
        limit=400,
        person=BUYER,
        today=date(2026, 11, 20),
        known_dates=frozenset({date(2026, 11, 27)}),
        strangers=frozenset({"01099990000"}),
        filled_later=frozenset({"customer_name"}),
        banned=(BannedWord(word="짜증", level=Level.BLOCKING), BannedWord(word="vip", instead="고객님")),
    )


def _text(written: str) -> str:
    """Characters that nobody sees are written as in Python in the table."""
    return re.sub(
        r"\\(?:u[0-9a-f]{4}|U[0-9a-f]{8}|x[0-9a-f]{2}|[nt])", lambda found: _unescaped(found.group()), written
    )


def _unescaped(escape: str) -> str:
    return escape.encode().decode("unicode_escape")


def _rows() -> list[dict[str, str]]:
    with ROWS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", _rows(), ids=lambda row: f"{row['mall']} {row['text'][:30]}")
def test_the_table_holds(row: dict[str, str]):
    findings = check_answer(_text(row["text"]), _facts(row["mall"], is_public=row["public"] == "yes"))

    found = {f"{each.kind}.{each.key}{'!' if each.is_blocking else ''}" for each in findings}
    assert found == set(row["expected"].split("; ")) - {"-"}


def test_the_table_is_long_enough_and_knows_every_kind():
    rows = _rows()

    expected = {name.partition(".")[0] for row in rows for name in row["expected"].split("; ")} - {"-"}
    assert len(rows) >= 150
    assert expected == set(FindingKind)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("연락은 ０１０－１２３４－５６７８ 입니다", "０１０－１２３４－５６７８"),
        ("번호 010\u200b1234\u200b5678 입니다", "010\u200b1234\u200b5678"),
        ("👍 세 일 상품은 환 불 불가입니다", "세 일 상품은 환 불 불가"),
        ("가\u0301나 위약금 발생", "위약금"),
    ],
)
def test_a_place_is_that_of_what_was_typed(text: str, words: str):
    finding = check_answer(text, _facts("smartstore", is_public=True))[0]

    assert text[finding.start : finding.end] == words


def test_decomposed_hangul_is_read_as_it_looks():
    text = unicodedata.normalize("NFD", "세일 상품은 환불 불가입니다")

    findings = check_answer(text, _facts("smartstore", is_public=False))

    assert [finding.key for finding in findings] == ["sale"]


@pytest.mark.parametrize("kind", FindingKind)
def test_every_message_is_there_in_both_languages(kind: FindingKind):
    messages = [message for (of, _), message in guard_words().messages.items() if of is kind]

    assert messages
    assert all(re.search("[가-힣]", message.reason_ko) and message.reason_ko != message.reason for message in messages)


def test_every_phrase_has_its_message_and_its_source():
    words = guard_words()

    for phrase in words.phrases:
        assert (phrase.kind, phrase.key) in words.messages
        assert "confidence" in phrase.source


def test_a_shop_may_be_stricter_or_laxer():
    facts = _facts("smartstore", is_public=False)
    text = "ご連絡ありがとうございます"

    strict = AnswerFacts(mall="smartstore", languages=(Language.KO,), levels={FindingKind.LANGUAGE: Level.BLOCKING})
    lax = AnswerFacts(mall="smartstore", languages=(Language.KO,), levels={FindingKind.LANGUAGE: Level.OFF})

    assert [each.level for each in check_answer(text, facts)] == [Level.WARNING]
    assert [each.level for each in check_answer(text, strict)] == [Level.BLOCKING]
    assert check_answer(text, lax) == ()
    assert FindingKind.PERSONAL_DATA not in MAY_BE_OFF


def test_standard_templates_break_no_rule():
    values = dict.fromkeys(VARIABLES, "확인") | {"promise_time": "18:00"}
    for template in standard_templates().templates:
        country = "JP" if template.language is Language.JA else "KR"
        facts = AnswerFacts(
            mall="smartstore",
            country=country,
            languages=(template.language,),
            limit=4000,
            today=date(2026, 11, 20),
            filled_later=frozenset({"customer_name"}),
        )
        text = fill(template.body, values, language=template.language).text

        assert check_answer(text, facts) == (), template.id


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("배송이 언제 되나요?", Language.KO),
        ("いつ届きますか。よろしくお願いします", Language.JA),
        ("When will it be delivered?", Language.EN),
        ("?", None),
        ("L 사이즈", None),
    ],
)
def test_the_language_of_a_question_is_told_by_its_script(text: str, language: Language | None):
    assert language_of(text) is language


def test_contacts_of_a_text_are_given_for_a_look_up():
    found = contacts_in("010-1234-5678, cs@example.com 그리고 02-123-4567")

    assert [(each.datum.value, each.value) for each in found] == [
        ("phone", "01012345678"),
        ("mailbox", "cs@example.com"),
        ("landline", "021234567"),
    ]
    assert national("+82 10-1234-5678") == "01012345678"
    assert national("010-****-5678") == ""


_PARTS = st.sampled_from(
    [
        *"010-1234 5678",
        "@",
        ".com",
        "세일",
        "환불",
        "불가",
        "\u200b",
        "１",
        "⟦",
        "{customer_name}",
        "11월",
        "25일",
        "http://",
        "\ud800",
        "á",
        "위약금",
        "\n",
    ]
)
_TEXTS = st.one_of(st.text(max_size=300), st.lists(_PARTS, max_size=60).map("".join))


@settings(max_examples=200, deadline=None)
@given(text=_TEXTS, is_public=st.booleans(), mall=st.sampled_from(["smartstore", "qoo10", "cafe24"]))
@example(text="\ud800", is_public=True, mall="smartstore")
def test_every_finding_lies_in_the_text_and_nothing_breaks(text: str, is_public: bool, mall: str):
    findings = check_answer(text, _facts(mall, is_public=is_public))

    assert len(findings) <= MOST_FINDINGS
    assert all(0 <= each.start < each.end <= len(text) for each in findings)
    assert list(findings) == sorted(findings, key=lambda each: (each.start, each.end, each.kind, each.key))


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=200))
def test_views_keep_the_places(text: str):
    plain = plain_view(text)
    tight = tight_view(plain)

    for view in (plain, tight):
        spans = [view.span(at, at + 1) for at in range(len(view.text))]
        assert spans == sorted(spans)
        assert all(0 <= start < end <= len(text) for start, end in spans)


@settings(max_examples=60, deadline=None)
@given(
    digits=st.from_regex(r"010[0-9]{8}", fullmatch=True),
    between=st.lists(st.sampled_from(["", " ", "-", ".", "·", "\u200b", " - "]), min_size=10, max_size=10),
    is_wide=st.booleans(),
)
def test_no_spelling_of_a_mobile_number_slips_through(digits: str, between: list[str], is_wide: bool):
    spelled = "".join(digit + gap for digit, gap in zip(digits, [*between, ""], strict=True))
    if is_wide:
        spelled = "".join(chr(ord(char) + 0xFEE0) if char.isdecimal() else char for char in spelled)

    findings = check_answer(f"번호는 {spelled} 입니다", AnswerFacts(mall="cafe24", is_public=True))

    assert [(each.kind, each.is_blocking) for each in findings] == [(FindingKind.PERSONAL_DATA, True)]


def _seconds(text: str) -> float:
    """Time of the processor, the best of three: other work on the machine does not count."""
    facts = _facts("smartstore", is_public=True)
    times = []
    for _ in range(3):
        begin = time.process_time()
        check_answer(text, facts)
        times.append(time.process_time() - begin)
    return min(times)


NATURAL = "안녕하세요 고객님, 주문하신 상품은 3일 안에 출고되며 배송비는 3,000원입니다. 감사합니다.\n"
HOSTILE = [
    "0-1-",
    "a@a.",
    "010 1",
    "세일환불불가",
    "0 ",
    "@",
    "１",
    "ㄱ\u200b",
    "no sale item refund ",
    "11월 25일 도착 ",
    "http://a.b ",
    "{",
    "⟦",
    "로1",
]


def test_a_long_text_is_read_at_once():
    text = NATURAL * (100_000 // len(NATURAL.encode()))

    # 15 ms on an idle machine; a busy one has slower processors, too.
    assert _seconds(text) < 0.1


@pytest.mark.parametrize("part", HOSTILE)
def test_no_text_takes_long(part: str):
    """Twice the text takes about twice the time: no pattern goes back and forth."""
    once, twice = _seconds(part * (50_000 // len(part))), _seconds(part * (100_000 // len(part)))

    assert twice < 0.5
    assert twice < 4 * once + 0.02
