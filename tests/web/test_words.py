import re
import string
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.core.contract import Capability, Feed, HoldReason, Outcome, Support
from hub.core.errors import MallError
from hub.core.model import (
    ClaimKind,
    ClaimReason,
    ClaimState,
    EndedBy,
    FaultParty,
    InquiryKind,
    InquiryState,
    InventoryMode,
    LineStatus,
    MessageAuthor,
    Money,
)
from hub.core.quality import TIERS, UNRATED
from hub.desk.access import AccessAction, Role
from hub.desk.acting.action import FIELDS, IRREVERSIBLE, Action
from hub.desk.search.box import SearchedBy
from hub.desk.shops.abilities import AbilityGroup, action_of
from hub.desk.worklist.rows import KindGroup, View
from hub.policy.due import DueCause
from hub.registry import find_connectors
from hub.web import words as module
from hub.web.formats import day, money, places_of, short, shortened, span_words
from hub.web.subjects import told_entry
from hub.web.words import LOCALES, Words, table
from routing.chain import Matter
from routing.contacts import Role as ContactRole
from routing.hours import plain_week

WEB = Path(module.__file__).parent
SEOUL = ZoneInfo("Asia/Seoul")
CODES = {
    "kind": [*ClaimKind, *InquiryKind],
    "state": [*ClaimState, *InquiryState],
    "line": LineStatus,
    "reason": ClaimReason,
    "fault": FaultParty,
    "by": EndedBy,
    "author": MessageAuthor,
    "mode": InventoryMode,
    "matter": Matter,
    "contact_role": ContactRole,
    "role": Role,
    "action": Action,
    "ability": [capability for capability in Capability if action_of(capability) is None],
    "hold": HoldReason,
    "field": FIELDS,
    "what": IRREVERSIBLE,
    "ability_group": AbilityGroup,
    "can": Support,
    "tier": [UNRATED, *TIERS],
    "outcome": Outcome,
    "notice": Outcome,
    "searched": SearchedBy,
    "view": View,
    "group": KindGroup,
    "cause": DueCause,
    "feed": Feed,
    "access": AccessAction,
}


def _gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_messages_and_gaps() -> None:
    korean, english = table("ko"), table("en")

    assert set(korean) == set(english)
    assert {key for key in korean if _gaps(korean[key]) != _gaps(english[key])} == set()
    assert [key for key, text in (*korean.items(), *english.items()) if not text.strip()] == []


@pytest.mark.parametrize("prefix", CODES)
def test_every_code_has_its_word(prefix: str) -> None:
    known = table("ko")

    assert [code for code in CODES[prefix] if f"{prefix}.{code}" not in known] == []


def test_every_key_in_the_pages_and_the_code_exists() -> None:
    known = table("ko")
    used: set[str] = set()
    for path in (*WEB.rglob("*.html"), *WEB.rglob("*.py"), *(WEB.parent / "desk").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r"""\bt\(["']([\w.-]+)["'][,)]""", text))
        used |= set(re.findall(r'"((?:notice|error|event|nav|due|time)\.[\w.-]+)"', text))

    assert len(used) > 100
    assert {key for key in used if not key.endswith((".", "_")) and key not in known} == set()


def _errors(base: type[MallError]) -> list[type[MallError]]:
    return [base, *(found for each in base.__subclasses__() for found in _errors(each))]


@pytest.mark.parametrize("locale", LOCALES)
def test_every_error_of_a_mall_has_a_word_and_a_sentence_that_says_what_to_do(locale: str) -> None:
    """Those of the connectors too; ``internal`` and ``configuration`` are errors of a run that are no mall's."""
    find_connectors()
    known = table(locale)
    kinds = {kind.kind for kind in _errors(MallError)} | {"internal", "configuration"}
    sentences = {kind.agent_message for kind in _errors(MallError)} | {"error.internal"}

    assert len(sentences) >= len(list(MallError.__subclasses__())) + 1
    assert [kind for kind in sorted(kinds) if f"error.kind_{kind}" not in known] == []
    # The screen of the shops finds the sentence by the kind.
    assert [kind for kind in sorted(kinds) if f"error.{kind}" not in known] == []
    assert [key for key in sorted(sentences) if not known.get(key, "").endswith(".")] == []
    assert len({known[key] for key in sentences}) == len(sentences)


def test_every_deadline_of_the_policy_has_its_label() -> None:
    known = table("ko")
    sources = [*(WEB.parent / "policy").glob("*.py"), *(WEB.parent / "policy").glob("*.toml")]
    labels = {label for path in sources for label in re.findall(r'"(due\.\w+\.\w+)"', path.read_text(encoding="utf-8"))}

    assert labels
    assert {label for label in labels if label not in known} == set()


def test_a_code_that_no_table_names_is_shown_as_it_is() -> None:
    assert Words("ko")("line.brand_new_code") == "brand_new_code"
    assert Words("xx").locale == LOCALES[0]


@pytest.mark.parametrize(
    ("amount", "locale", "shown"),
    [
        (Money(minor=12_000, currency="KRW"), "ko", "12,000원"),
        (Money(minor=12_000, currency="KRW"), "en", "₩12,000"),
        (Money(minor=1_980, currency="JPY"), "ko", "¥1,980"),
        (Money(minor=1_250, currency="USD"), "ko", "USD 12.50"),
        (Money(minor=-5_000, currency="KRW"), "ko", "-5,000원"),
        (Money(minor=0, currency="KRW"), "ko", "0원"),
        (None, "ko", "–"),
    ],
)
def test_money(amount: Money | None, locale: str, shown: str) -> None:
    assert money(amount, locale) == shown


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        (timedelta(seconds=59), "방금"),
        (timedelta(minutes=1), "1분"),
        (timedelta(minutes=59, seconds=59), "59분"),
        (timedelta(hours=1), "1시간"),
        (timedelta(hours=2, minutes=10), "2시간 10분"),
        (timedelta(hours=-2, minutes=-10), "2시간 10분"),
        (timedelta(days=1, hours=3), "1일 3시간"),
        (timedelta(days=12, hours=3), "12일"),
    ],
)
def test_spans(span: timedelta, shown: str) -> None:
    assert span_words(span, Words("ko")) == shown


def test_times_are_those_of_the_centre() -> None:
    now = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)  # 00:30 of the 21st in Seoul

    assert short(now - timedelta(minutes=20), now, SEOUL) == "00:10"
    assert short(now - timedelta(hours=1), now, SEOUL) == "11-20 23:30"
    assert short(now - timedelta(days=365), now, SEOUL) == "2025-11-21"
    assert day(datetime(2026, 11, 20, 15, tzinfo=UTC), now, SEOUL) == "11-21"
    assert day(datetime(2026, 11, 20, 16, tzinfo=UTC), now, SEOUL) == "01:00"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("배송 지연", "배송 지연"),
        ("극세사 이불 세트 (Q)", "극세사 이…"),
        ("abcdefghijkl", "abcdefghi…"),
        ("辛ラーメン20袋", "辛ラーメ…"),
        ("", ""),
    ],
)
def test_a_long_name_is_cut_to_the_places_that_it_takes(text: str, shown: str) -> None:
    assert shortened(text, 10) == shown
    assert places_of(shown) <= 10


@pytest.mark.parametrize(
    ("locale", "written", "shown"),
    [
        ("ko", "mon-fri 09:00-12:00 13:00-18:00; sat 10:00-14:00", "월-금 09:00-12:00 13:00-18:00; 토 10:00-14:00"),
        ("ko", "평일 09:00-18:00", "월-금 09:00-18:00"),
        ("en", "월-금 09:00-18:00", "Mon-Fri 09:00-18:00"),
        ("ko", "whenever", "whenever"),
    ],
)
def test_opening_hours_have_the_days_of_the_screen_and_are_read_back(locale: str, written: str, shown: str) -> None:
    words = Words(locale)

    assert words.hours(written) == shown
    assert words.hours(shown) == shown
    # What a form of this language says means the same in the book.
    assert plain_week(shown) == plain_week(written)


def test_what_a_machine_calls_zones_and_countries_has_a_name() -> None:
    assert Words("ko").zone("Asia/Seoul") == "한국 시각"
    assert Words("ko").country("JP") == "일본"
    assert Words("ko").zone("Europe/Berlin") == "Europe/Berlin"
    assert Words("en").mall("nobody") == "nobody"


@pytest.mark.parametrize(
    ("logged", "shown"),
    [
        ("case 31, ask 7", "건 31, 질문 7"),
        ("case 31", "건 31"),
        ("import d31be92616b0 into welfare", "welfare에 파일 d31be92616b0 가져옴"),
        ("upload form of answers of welfare", "welfare 답변 업로드 양식"),
        ("tracking for main of the south: 12 rows", "main of the south 송장 파일: 12줄"),
        ("user kim added as agent", "사용자 kim 추가: 상담사"),
        ("export lines unmasked", "내보내기(마스킹 없음): 주문 라인"),
        ("book policy version 3", "규칙 정책 3판"),
        ("book routing contacts version 3", "규칙 문의처 담당자 3판"),
        ("book routing contacts csv", "규칙 문의처 담당자 csv"),
        ("고객 요청", "고객 요청"),
        ("case", "case"),
    ],
)
def test_what_the_access_log_keeps_is_told_in_korean(logged: str, shown: str) -> None:
    assert told_entry(Words("ko"), logged) == shown
    assert told_entry(Words("en"), logged) == logged
