"""Why customers get in touch: a tree of two steps, and what falls under each reason. Pure.

The tree is fixed between two versions, so that months can be compared; a new version names every figure anew, the
past too, and the old ones are kept (:mod:`hub.stats.reason_book`).
"""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

_STANDARD: Final = Path(__file__).parent / "reasons.toml"
#: what a reason names: reasons of claims, topics of calls, categories and kinds of inquiries
FIELDS: Final = ("claims", "topics", "categories", "kinds")
_Code = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$")]
_Title = Annotated[str, Meta(min_length=1, max_length=60)]


class Reason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``claims``, ``topics``, ``categories`` and ``kinds`` say what falls under it; see ``reasons.toml``."""

    code: _Code
    ko: _Title
    en: _Title
    claims: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


class Group(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: _Code
    ko: _Title
    en: _Title
    reason: tuple[Reason, ...]


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    group: tuple[Group, ...]


class ReasonTree:
    """Finds the reason, ``group.reason``, of what a claim, a call or an inquiry tells; ``None`` where nothing does."""

    def __init__(self, groups: tuple[Group, ...], *, former: Sequence["ReasonTree"] = ()) -> None:
        """``former``: trees that still name a part of the past; a code that only they have keeps their title."""
        self.groups: Final = groups
        self._former = former
        self._by: dict[tuple[str, str], str] = {}
        for code, field, word in _words(groups):
            self._by.setdefault((field, folded(word)), code)

    def of_claim(self, reason: str) -> str | None:
        return self._by.get(("claims", folded(reason)))

    def of_topic(self, topic: str | None) -> str | None:
        return self._by.get(("topics", folded(topic))) if topic else None

    def of_inquiry(self, *, category: str | None, kind: str) -> str | None:
        named = self._by.get(("categories", folded(category))) if category else None
        return named or self._by.get(("kinds", folded(kind)))

    def title(self, code: str, locale: str) -> str:
        """Of a group or of ``group.reason``; an old code that the tree no longer has is shown as it is."""
        first, _, second = code.partition(".")
        for group in self.groups:
            if group.code == first:
                named: Group | Reason | None = group
                if second:
                    named = next((reason for reason in group.reason if reason.code == second), None)
                if named is not None:
                    return named.ko if locale == "ko" else named.en
        titles = (tree.title(code, locale) for tree in self._former)
        return next((title for title in titles if title != code), code)


def read_tree(text: str | bytes) -> ReasonTree:
    """A tree as TOML. Raises: ValueError that names what is wrong."""
    try:
        groups = msgspec.toml.decode(text, type=_File).group
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        message = f"this is no tree of reasons: {error}"
        raise ValueError(message) from error
    seen: dict[tuple[str, str], str] = {}
    codes: set[str] = set()
    for group in groups:
        for code in (group.code, *(f"{group.code}.{reason.code}" for reason in group.reason)):
            if code in codes:
                message = f"{code} stands there twice"
                raise ValueError(message)
            codes.add(code)
    for code, field, word in _words(groups):
        other = seen.setdefault((field, folded(word)), code)
        if other != code:
            message = f"{word!r} of {field} falls under {other} and under {code}"
            raise ValueError(message)
    return ReasonTree(groups)


def tree_text_of(groups: Sequence[Group]) -> str:
    """The tree as TOML, which :func:`read_tree` reads."""
    return "\n".join(line for group in groups for line in _group_lines(group)) + "\n"


def _group_lines(group: Group) -> Iterator[str]:
    yield "[[group]]"
    yield from (f"{name} = {_quoted(getattr(group, name))}" for name in ("code", "ko", "en"))
    if not group.reason:
        yield "reason = []"
    for reason in group.reason:
        yield "[[group.reason]]"
        yield from (f"{name} = {_quoted(getattr(reason, name))}" for name in ("code", "ko", "en"))
        for field in FIELDS:
            if words := getattr(reason, field):
                yield f"{field} = [{', '.join(_quoted(word) for word in words)}]"
    yield ""


def _quoted(text: str) -> str:
    # A JSON string is a TOML string, but for one sign.
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")


def standard_text() -> str:
    return _STANDARD.read_text(encoding="utf-8")


@cache
def standard_tree() -> ReasonTree:
    return read_tree(standard_text())


def _words(groups: tuple[Group, ...]) -> Iterator[tuple[str, str, str]]:
    for group in groups:
        for reason in group.reason:
            for field in FIELDS:
                for word in getattr(reason, field):
                    yield f"{group.code}.{reason.code}", field, word


def folded(word: str) -> str:
    """How words are compared."""
    return "".join(unicodedata.normalize("NFKC", word).casefold().split())
