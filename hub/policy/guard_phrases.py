"""Wording that is looked for in a text: word groups in order, within one sentence."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice, permutations

from hub.policy.finding import Finding, Level
from hub.policy.guard_text import View
from hub.policy.guard_words import GuardWords, Phrase

_SENTENCE_END = re.compile(r"[!?。\n]|\.(?!\d)")
#: so far behind the last word a double negation still turns it round
_NEGATION_REACH = 10
#: a text with more of one word is longer than any mall takes
_MOST_OCCURRENCES = 1000
_MOST_MATCHES = 100


class _Place:
    """An occurrence: where it ends, and where the sequence that led to it began."""

    __slots__ = ("begin", "end", "start")

    def __init__(self, start: int, end: int, begin: int) -> None:
        self.start = start
        self.end = end
        self.begin = begin


def find_phrases(tight: View, spaced: View, words: GuardWords, *, country: str, is_market: bool) -> list[Finding]:
    """At most one finding for each kind and part of the text, a blocking one before a warning."""
    found: list[Finding] = []
    for phrase in words.phrases:
        if phrase.is_on_markets_only and not is_market:
            continue
        view = spaced if phrase.is_spaced else tight
        level = phrase.level(country)
        for start, end in islice(_matches(view.text, phrase, words.double_negation), _MOST_MATCHES):
            span = view.span(start, end)
            found.append(words.finding(phrase.kind, phrase.key, span, level, source=phrase.source))
    return _strictest(found)


def _strictest(found: Sequence[Finding]) -> list[Finding]:
    kept: list[Finding] = []
    taken: dict[str, bytearray] = {}
    length = max((each.end for each in found), default=0)
    for each in sorted(found, key=lambda each: (each.level is not Level.BLOCKING, each.start)):
        mine = taken.setdefault(each.kind, bytearray(length))
        if not any(mine[each.start : each.end]):
            mine[each.start : each.end] = b"\1" * (each.end - each.start)
            kept.append(each)
    return kept


def _matches(text: str, phrase: Phrase, double_negation: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    # The quick no of almost every text: some group has no word in it at all.
    if not all(any(word in text for word in group) for group in phrase.groups):
        return
    ends = [end.start() for end in _SENTENCE_END.finditer(text)]
    orders = permutations(phrase.groups) if phrase.is_any_order else (phrase.groups,)
    for groups in orders:
        for place in _sequences(text, tuple(groups), phrase.within, ends):
            around = text[max(0, place.begin - phrase.around) : place.end + phrase.around]
            behind = text[place.begin : place.end + _NEGATION_REACH]
            if any(word in around for word in phrase.unless) or any(word in behind for word in double_negation):
                continue
            yield place.begin, place.end


def _sequences(text: str, groups: Sequence[Sequence[str]], within: int, sentence_ends: list[int]) -> list[_Place]:
    """Every place of the last group that can be reached from the first: one pass for each group."""
    reached = [_Place(start, end, start) for start, end in _occurrences(text, groups[0])]
    for group in groups[1:]:
        ends = [place.end for place in reached]
        following: list[_Place] = []
        for start, end in _occurrences(text, group):
            nearest = bisect_right(ends, start) - 1
            if nearest < 0 or start - ends[nearest] > within:
                continue
            if bisect_left(sentence_ends, ends[nearest]) == bisect_left(sentence_ends, start):
                following.append(_Place(start, end, reached[nearest].begin))
        reached = sorted(following, key=lambda place: place.end)
    return reached


def _occurrences(text: str, group: Sequence[str]) -> list[tuple[int, int]]:
    found = []
    for word in group:
        at = text.find(word)
        for _ in range(_MOST_OCCURRENCES):
            if at < 0:
                break
            if not _is_cut(text, word, at):
                found.append((at, at + len(word)))
            at = text.find(word, at + len(word))
    # Of two words that end together the longer comes last, and is the one that is shown.
    return sorted(found, key=lambda place: (place[1], -place[0]))


def _is_cut(text: str, word: str, at: int) -> bool:
    """Whether only a part of a longer number or English word was met: "13일" is no "3일"."""
    if at == 0:
        return False
    before, first = text[at - 1], word[0]
    if first.isdecimal():
        return before.isdecimal()
    return first.isascii() and first.isalpha() and before.isascii() and before.isalpha()
