"""The answer guard: what must not stand in a text that a customer, or everybody, will read.

Pure: a text and what is known of its case in, findings out. A blocking one is not sent; a warning is
sent by somebody who has read it. The words it looks for are data (guard_words.toml), each with its source.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from hub.policy.book_rows import Language
from hub.policy.finding import Finding, FindingKind, Level
from hub.policy.guard_dates import find_dates, find_haste
from hub.policy.guard_personal import Datum, Found, Person, find_personal, national
from hub.policy.guard_phrases import find_phrases
from hub.policy.guard_text import View, plain_view, spaced_view, tight_view
from hub.policy.guard_words import GuardWords, guard_words
from hub.policy.templates import BannedWord
from hub.policy.variables import PERSONAL, VARIABLES, open_gaps

#: nobody reads more of them
MOST_FINDINGS: Final = 100

_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ue000-\uf8ff\ufffe\uffff"
    "\U000f0000-\U0010ffff]+"
)
_SURROGATE = re.compile("[\ud800-\udfff]+")
_CIRCLES = re.compile(r"[○◯〇]{2,}|(?<![a-z])o{3,}(?=\s?(?:고객|님|様))")
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'가-힣]{1,300}"
    r"|(?<![@\w.\-])(?<!@\s)(?<!\(at\))(?<!\[at\])(?:[a-z0-9\-]{2,40}\.){1,3}(?:com|net|org|kr|jp|shop|store|me|ly|link|io)(?![a-z0-9.])(?:/[^\s<>\"'가-힣]{0,200})?"
)
_MAIL = re.compile(r"(?<![a-z0-9._+\-])[a-z0-9._+\-]{1,64}@[a-z0-9.\-]{1,64}")
_SCRIPTS: Final = {
    "hangul": re.compile("[가-힣ㄱ-ㅎㅏ-ㅣ]+"),
    "kana": re.compile("[ぁ-ゖァ-ヺー]+"),
    "han": re.compile("[一-龠々]+"),
    "latin": re.compile("[a-z]+"),
}
_FEWEST_LETTERS: Final = 4
_SHORT_LATIN: Final = 12
_SECRET: Final = frozenset({Datum.CUSTOMS_ID, Datum.ACCOUNT, Datum.CARD, Datum.RESIDENT_NO})
_MAYBE: Final = frozenset({Datum.LANDLINE, Datum.PLACE, Datum.TRACKING_NO, Datum.MEMBER_ID})


class AnswerFacts(Struct, frozen=True, kw_only=True):
    """What is known where a text will stand.

    ``country`` is the shop's ("KR", "JP"). ``languages``: those that the customer reads, the likeliest
    first; empty where unknown. ``limit``: most characters the mall takes. ``today`` and ``known_dates``
    are days of the shop's zone. ``is_delay``: the case is about a late parcel. ``strangers``: telephone
    numbers (as :func:`national` writes them) and mailboxes that belong to other customers.
    ``filled_later``: gaps that have a value when it is sent. ``levels``: how strictly the shop takes a kind.
    """

    mall: str
    country: str = "KR"
    is_public: bool = False
    languages: tuple[Language, ...] = ()
    limit: int | None = None
    person: Person = Person()
    today: date | None = None
    known_dates: frozenset[date] = frozenset()
    is_delay: bool = False
    strangers: frozenset[str] = frozenset()
    filled_later: frozenset[str] = frozenset()
    banned: tuple[BannedWord, ...] = ()
    own_hosts: tuple[str, ...] = ()
    levels: Mapping[FindingKind, Level] = field(default_factory=dict)


def check_answer(text: str, facts: AnswerFacts) -> tuple[Finding, ...]:
    """Everything found, in the order of the text; at most :data:`MOST_FINDINGS`, blocking ones kept first."""
    words = guard_words()
    plain = plain_view(text)
    tight, spaced = tight_view(plain), spaced_view(plain)
    is_market = words.market(facts.mall) is not None
    found: list[Finding] = [
        *_length(text, facts, words),
        *_characters(text, words),
        *_unfilled(text, plain, facts, words),
        *_personal(plain, tight, facts, words, is_market=is_market),
        *find_phrases(tight, spaced, words, country=facts.country, is_market=is_market),
        *find_haste(plain, tight, spaced, words, is_delay=facts.is_delay),
        *_language(text, plain, facts, words),
        *_banned(plain, tight, facts, words),
        *_links(plain, facts, words),
    ]
    if facts.today is not None:
        found += islice(find_dates(plain, words, today=facts.today, known=facts.known_dates), MOST_FINDINGS)
    taken = sorted(_at_levels(found, facts), key=lambda each: (not each.is_blocking, each.start))[:MOST_FINDINGS]
    return tuple(sorted(taken, key=lambda each: (each.start, each.end, each.kind, each.key)))


def contacts_in(text: str) -> tuple[Found, ...]:
    """Telephone numbers and mailboxes of a text: for the caller to look up whose they are."""
    plain = plain_view(text)
    found = find_personal(plain, tight_view(plain), Person(), guard_words().personal)
    return tuple(each for each in found if each.datum in (Datum.PHONE, Datum.LANDLINE, Datum.EMAIL, Datum.MAILBOX))


def asks_about_delivery(question: str) -> bool:
    """Whether a customer's words are about when something comes."""
    return any(word in tight_view(plain_view(question)).text for word in guard_words().haste.delivery)


def _at_levels(found: Iterable[Finding], facts: AnswerFacts) -> Iterator[Finding]:
    for finding in found:
        level = facts.levels.get(finding.kind, finding.level)
        if level is not Level.OFF:
            yield finding if level is finding.level else replace(finding, level=level)


def _length(text: str, facts: AnswerFacts, words: GuardWords) -> Iterator[Finding]:
    if facts.limit is not None and len(text) > facts.limit:
        yield words.finding(FindingKind.TOO_LONG, "limit", (facts.limit, len(text)), Level.BLOCKING)


def _characters(text: str, words: GuardWords) -> Iterator[Finding]:
    for match in _CONTROL.finditer(text):
        yield words.finding(FindingKind.CHARACTERS, "control", match.span(), Level.WARNING)
    for match in _SURROGATE.finditer(text):
        yield words.finding(FindingKind.CHARACTERS, "broken", match.span(), Level.BLOCKING)


def _unfilled(text: str, plain: View, facts: AnswerFacts, words: GuardWords) -> Iterator[Finding]:
    for gap in open_gaps(text) if "⟦" in text or "{" in text else ():
        span = (gap.start, gap.end)
        if gap.name in PERSONAL and facts.is_public:
            yield words.finding(FindingKind.PERSONAL_DATA, "name", span, Level.BLOCKING)
        elif gap.name is None or gap.name not in facts.filled_later:
            fix = f"{VARIABLES[gap.name].ko} ({VARIABLES[gap.name].en})" if gap.name else ""
            yield words.finding(FindingKind.UNFILLED, "gap", span, Level.BLOCKING, fix=fix)
    for match in _CIRCLES.finditer(plain.text):
        yield words.finding(FindingKind.UNFILLED, "circles", plain.span(*match.span()), Level.WARNING)


def _personal(plain: View, tight: View, facts: AnswerFacts, words: GuardWords, *, is_market: bool) -> Iterator[Finding]:
    phones = {national(phone) for phone in facts.person.phones}
    mails = {mail.strip().lower() for mail in facts.person.emails}
    for found in find_personal(plain, tight, facts.person, words.personal):
        span = (found.start, found.end)
        value = national(found.value) if found.datum in (Datum.PHONE, Datum.LANDLINE) else found.value
        is_own = value in phones or value in mails
        if value in facts.strangers:
            yield words.finding(FindingKind.OTHERS_DATA, "other_customer", span, Level.BLOCKING)
        elif found.datum is Datum.MAILBOX:
            if is_market:
                yield words.finding(FindingKind.OUTSIDE_CONTACT, "mailbox", span, Level.WARNING)
        elif facts.is_public:
            level = Level.WARNING if found.datum in _MAYBE and not is_own else Level.BLOCKING
            key = "phone" if is_own and found.datum is Datum.LANDLINE else found.datum.value
            yield words.finding(FindingKind.PERSONAL_DATA, key, span, level)
        elif found.datum in _SECRET:
            yield words.finding(FindingKind.PERSONAL_DATA, found.datum.value, span, Level.WARNING)
        elif found.datum is Datum.PHONE and not is_own and phones - {""}:
            yield words.finding(FindingKind.OTHERS_DATA, "unknown_person", span, Level.WARNING)
        elif found.datum is Datum.EMAIL and not is_own and is_market:
            yield words.finding(FindingKind.OUTSIDE_CONTACT, "mailbox", span, Level.WARNING)


def _language(text: str, plain: View, facts: AnswerFacts, words: GuardWords) -> Iterator[Finding]:
    if not facts.languages or any(_reads_as(plain.text, language) for language in facts.languages):
        return
    key = {Language.JA: "not_japanese", Language.EN: "not_english"}.get(facts.languages[0], "not_korean")
    yield words.finding(FindingKind.LANGUAGE, key, (0, len(text)), Level.WARNING)


def language_of(text: str) -> Language | None:
    """The language that a text is written in, by its script; ``None`` where that does not tell."""
    plain = plain_view(text).text
    if sum(_shares(plain).values()) < 2 * _FEWEST_LETTERS:
        return None
    found = [language for language in Language if _reads_as(plain, language)]
    return found[0] if len(found) == 1 else None


def _shares(plain: str) -> dict[str, int]:
    letters = _MAIL.sub(" ", _LINK.sub(" ", plain)) if "." in plain else plain
    return {name: sum(map(len, script.findall(letters))) for name, script in _SCRIPTS.items()}


def _reads_as(plain: str, language: Language) -> bool:
    """Whether a text can be meant for a reader of ``language``. A word or two, and numbers, can for any."""
    counts = _shares(plain)
    total = sum(counts.values())
    if total < _FEWEST_LETTERS:
        return True
    if language is Language.KO:
        return counts["hangul"] >= 0.3 * total or (counts["latin"] == total and total < _SHORT_LATIN)
    if language is Language.JA:
        is_japanese = counts["kana"] > 0 and counts["kana"] + counts["han"] >= 0.5 * total
        return is_japanese or (counts["han"] > 0 and not counts["hangul"] and counts["han"] >= 0.5 * total)
    return counts["latin"] >= 0.6 * total


def _banned(plain: View, tight: View, facts: AnswerFacts, words: GuardWords) -> Iterator[Finding]:
    for banned in facts.banned:
        is_ascii = banned.word.isascii()
        view = plain if is_ascii else tight
        key = plain_view(banned.word.strip()).text if is_ascii else tight_view(plain_view(banned.word)).text
        at = view.text.find(key) if key else -1
        while at >= 0:
            end = at + len(key)
            if not (is_ascii and (_is_letter(view.text, at - 1) or _is_letter(view.text, end))):
                yield words.finding(
                    FindingKind.BANNED_WORD, "word", view.span(at, end), banned.level, fix=banned.instead
                )
            at = view.text.find(key, end)


def _is_letter(text: str, at: int) -> bool:
    return 0 <= at < len(text) and text[at].isascii() and text[at].isalnum()


def _links(plain: View, facts: AnswerFacts, words: GuardWords) -> Iterator[Finding]:
    market = words.market(facts.mall)
    if market is None:
        return
    hosts = (*market.hosts, *words.carriers, *facts.own_hosts)
    for match in islice(_LINK.finditer(plain.text) if "." in plain.text else (), MOST_FINDINGS):
        if not _leads_to(match.group(), hosts):
            span = plain.span(*match.span())
            yield words.finding(FindingKind.OUTSIDE_LINK, "link", span, Level.WARNING, source=market.source)


def _leads_to(link: str, hosts: tuple[str, ...]) -> bool:
    try:
        host = urlsplit(link if "://" in link else f"//{link}").hostname or ""
    except ValueError:
        return False
    return any(host == known or host.endswith(f".{known}") for known in hosts)
