"""The book of answers: templates that supervisors write, words that shops ban, how strict the guard is.

A template is plain text with gaps (:mod:`hub.policy.variables`). Which of them fits a case is a sort,
not a guess: the shop's own before the mall's before everybody's, then what the case is about.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Final

import msgspec
from msgspec import Struct

from hub.core.book_problem import Problem
from hub.core.errors import ConfigurationError
from hub.policy.book_rows import Language
from hub.policy.due import CaseKind
from hub.policy.finding import MAY_BE_OFF, FindingKind, Level
from hub.policy.stage import Stage
from hub.policy.toml_file import read_toml
from hub.policy.variables import VARIABLES, pieces

STANDARD_FILE: Final = "standard_templates.toml"
#: no mall takes a longer answer
LONGEST_BODY: Final = 4000
_LONGEST_WORD: Final = 200
_EXTRA_LINES: Final = "\n\t"


class Occasion(StrEnum):
    """What an answer is about. REFUSAL is none: one sentence that tells the mall why a request is refused."""

    LATE_KNOWN = "late_known"
    NO_NEWS = "no_news"
    CUSTOMER_CHASING = "customer_chasing"
    OUT_OF_STOCK = "out_of_stock"
    DISPATCHED = "dispatched"
    CANCEL_ACCEPTED = "cancel_accepted"
    CANCEL_REFUSED = "cancel_refused"
    CHANGE_OF_MIND = "change_of_mind"
    DEFECT = "defect"
    WRONG_ITEM = "wrong_item"
    MISSING_PART = "missing_part"
    EXCHANGE = "exchange"
    PARTIAL_REFUND = "partial_refund"
    REFUND_DONE = "refund_done"
    PURCHASE_AGENCY = "purchase_agency"
    PRODUCT_QUESTION = "product_question"
    HOLDING = "holding"
    PROMISE = "promise"
    APOLOGY = "apology"
    REFUSAL = "refusal"
    OTHER = "other"


class Template(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One text with gaps. ``id`` stays when the text changes: answers are counted by it.

    ``mall`` and ``shop`` say where it may be used, ``None`` everywhere. ``stage`` is of a purchase
    abroad. ``kinds`` are the cases it is for, none of them named: all.
    """

    id: str
    name: str
    language: Language
    body: str
    occasion: Occasion = Occasion.OTHER
    mall: str | None = None
    shop: str | None = None
    stage: Stage | None = None
    kinds: tuple[CaseKind, ...] = ()


class BannedWord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A word that a shop does not want in its answers; ``instead`` is what to write."""

    word: str
    instead: str = ""
    mall: str | None = None
    shop: str | None = None
    level: Level = Level.WARNING


class GuardRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How strictly one kind of finding is taken in a shop or a mall. The narrowest row counts."""

    kind: FindingKind
    level: Level
    mall: str | None = None
    shop: str | None = None


class TemplateTables(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The whole book."""

    templates: tuple[Template, ...] = ()
    banned_words: tuple[BannedWord, ...] = ()
    guard: tuple[GuardRow, ...] = ()


class CaseWanted(Struct, frozen=True, kw_only=True):
    """What is known of a case when a template is looked for; ``None`` where it is not."""

    mall: str
    shop: str
    kind: CaseKind
    language: Language | None = None
    occasions: tuple[Occasion, ...] = ()
    stage: Stage | None = None


def decode(data: bytes) -> TemplateTables:
    """The book out of its JSON. Raises: ConfigurationError naming section, row and column."""
    try:
        return msgspec.json.decode(data, type=TemplateTables)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = f"template book: {error}"
        raise ConfigurationError(what, fix="Sections and columns are listed in docs/templates.md.") from None


def encode(tables: TemplateTables) -> str:
    """Canonical JSON: equal books are equal texts; columns without a value are left out."""
    return msgspec.json.encode(tables).decode()


@cache
def standard_templates() -> TemplateTables:
    """What ships with the hub, in force until a supervisor writes a book."""
    data = resources.files("hub.policy").joinpath(STANDARD_FILE).read_bytes()
    return read_toml(data, type=TemplateTables, file=STANDARD_FILE)


# -- choosing


def suggest(
    templates: Iterable[Template], wanted: CaseWanted, *, used: Mapping[str, int] | None = None
) -> tuple[Template, ...]:
    """Every template that may be used in the shop, the likeliest first.

    In this order: the shop's own, the mall's, everybody's; what the case is about (its first occasion and
    its stage before the later ones); the customer's language; how often it was used.
    """
    counts = used or {}

    def place(template: Template) -> tuple[int, int, bool, int, str, str]:
        scope = 0 if template.shop else 1 if template.mall else 2
        is_foreign = wanted.language is not None and template.language is not wanted.language
        return scope, _distance(template, wanted), is_foreign, -counts.get(template.id, 0), template.name, template.id

    return tuple(sorted((each for each in templates if may_use(each, wanted)), key=place))


def may_use(row: Template | BannedWord | GuardRow, wanted: CaseWanted) -> bool:
    """Whether a row of the book is for this shop."""
    return row.mall in (None, wanted.mall) and row.shop in (None, wanted.shop)


def _distance(template: Template, wanted: CaseWanted) -> int:
    """0 for what the case is about, more the further away; another stage or kind is far."""
    if (template.kinds and wanted.kind not in template.kinds) or (template.stage and template.stage != wanted.stage):
        return len(Occasion) + 1
    if template.occasion not in wanted.occasions:
        return len(Occasion)
    return 2 * wanted.occasions.index(template.occasion) + (template.stage is None)


# -- what a book may not hold


def find_problems(tables: TemplateTables) -> tuple[Problem, ...]:
    """Every mistake of a book; none: it may be put in force."""
    return (*_template_problems(tables.templates), *_word_problems(tables), *_guard_problems(tables.guard))


def _template_problems(templates: tuple[Template, ...]) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for row, template in enumerate(templates):
        yield from _missing(template, row)
        if template.id in seen:
            yield _problem(
                "templates",
                row,
                "id",
                "duplicate",
                f"{template.id!r} is also the id of row {seen[template.id] + 1}",
                f"{seen[template.id] + 1}행도 같은 아이디 {template.id!r}를 씁니다",
                "Give it another id.",
                "다른 아이디를 쓰세요.",
            )
        seen.setdefault(template.id, row)
        if template.stage is Stage.UNKNOWN:
            yield _problem(
                "templates",
                row,
                "stage",
                "unknown_stage",
                "an unknown stage is the stage of no template",
                "단계를 모르는 경우에 쓰는 답변 틀은 있을 수 없습니다",
                "Choose a stage or leave it empty.",
                "단계를 고르거나 비워 두세요.",
            )
        yield from _body_problems(template.body, row)


def _missing(template: Template, row: int) -> Iterator[Problem]:
    for column in ("id", "name", "body"):
        value: str = getattr(template, column)
        if not value.strip():
            yield _problem(
                "templates", row, column, "missing", f"{column} is empty", "비어 있습니다", "Fill it.", "채우세요."
            )
        elif column != "body" and (len(value) > _LONGEST_WORD or _has_control(value)):
            yield _problem(
                "templates",
                row,
                column,
                "wrong_text",
                f"{column} is longer than {_LONGEST_WORD} characters or has control characters",
                f"{_LONGEST_WORD}자를 넘거나 쓸 수 없는 문자가 있습니다",
                "Write one short line.",
                "짧은 한 줄로 쓰세요.",
            )


def _body_problems(body: str, row: int) -> Iterator[Problem]:
    if len(body) > LONGEST_BODY:
        yield _problem(
            "templates",
            row,
            "body",
            "too_long",
            f"the text has {len(body):,} characters; the most is {LONGEST_BODY:,}",
            f"본문이 {len(body):,}자입니다. {LONGEST_BODY:,}자까지 쓸 수 있습니다",
            "Shorten it.",
            "줄이세요.",
        )
        return
    if _has_control(body):
        yield _problem(
            "templates",
            row,
            "body",
            "control_character",
            "the text has control characters",
            "본문에 제어 문자가 있습니다",
            "Type the text anew instead of pasting it.",
            "붙여 넣지 말고 다시 입력하세요.",
        )
    for piece in pieces(body):
        if piece.is_wrong:
            yield _problem(
                "templates",
                row,
                "body",
                "lone_brace",
                f"a brace {piece.text!r} that belongs to no gap",
                f"짝이 없는 중괄호 {piece.text!r}가 있습니다",
                f"Write {piece.text * 2} for a brace in the text.",
                f"본문에 중괄호를 쓰려면 {piece.text * 2}로 쓰세요.",
            )
        elif piece.is_gap and piece.text not in VARIABLES:
            known = ", ".join(VARIABLES)
            yield _problem(
                "templates",
                row,
                "body",
                "unknown_variable",
                f"there is no gap named {{{piece.text}}}",
                f"{{{piece.text}}}라는 변수는 없습니다",
                f"Known are: {known}.",
                f"쓸 수 있는 변수: {known}.",
            )


def _word_problems(tables: TemplateTables) -> Iterator[Problem]:
    seen: set[tuple[str, str | None, str | None]] = set()
    for row, banned in enumerate(tables.banned_words):
        key = (banned.word.strip().casefold(), banned.mall, banned.shop)
        if not key[0] or len(banned.word) > _LONGEST_WORD or _has_control(banned.word):
            yield _problem(
                "banned_words",
                row,
                "word",
                "wrong_text",
                "a word has to be there, of at most 200 characters",
                "금칙어가 비어 있거나 너무 깁니다",
                "Write one word or a short phrase.",
                "한 낱말이나 짧은 구절을 쓰세요.",
            )
        elif key in seen:
            yield _problem(
                "banned_words",
                row,
                "word",
                "duplicate",
                f"{banned.word!r} is there twice for the same shop",
                f"같은 범위에 {banned.word!r}가 두 번 있습니다",
                "Delete one of them.",
                "하나를 지우세요.",
            )
        seen.add(key)


def _guard_problems(rows: tuple[GuardRow, ...]) -> Iterator[Problem]:
    seen: set[tuple[FindingKind, str | None, str | None]] = set()
    for row, guard in enumerate(rows):
        key = (guard.kind, guard.mall, guard.shop)
        if key in seen:
            yield _problem(
                "guard",
                row,
                "kind",
                "duplicate",
                f"{guard.kind.value} is decided twice for the same shop",
                f"같은 범위에 {guard.kind.value}가 두 번 정해져 있습니다",
                "Delete one of them.",
                "하나를 지우세요.",
            )
        seen.add(key)
        if guard.level is Level.OFF and guard.kind not in MAY_BE_OFF:
            yield _problem(
                "guard",
                row,
                "level",
                "never_off",
                f"{guard.kind.value} cannot be switched off",
                f"{guard.kind.value} 검사는 끌 수 없습니다",
                "Choose blocking or warning.",
                "차단이나 경고를 고르세요.",
            )


def _has_control(text: str) -> bool:
    return any((not char.isprintable() and char not in _EXTRA_LINES and not char.isspace()) for char in text)


def _problem(
    section: str, row: int, column: str, key: str, reason: str, reason_ko: str, fix: str, fix_ko: str
) -> Problem:
    return Problem(
        section=section, row=row, column=column, key=key, reason=reason, reason_ko=reason_ko, fix=fix, fix_ko=fix_ko
    )
