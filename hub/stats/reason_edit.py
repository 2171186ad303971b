"""One change of the tree of reasons, as a person makes it on the screen. Pure."""

from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.stats.reason_tree import FIELDS, Group, Reason, folded

_LONGEST_WORD = 100


class Op(StrEnum):
    RENAME = "rename"
    ADD_GROUP = "add_group"
    ADD_REASON = "add_reason"
    MOVE = "move"
    MAP = "map"
    UNMAP = "unmap"
    REMOVE = "remove"


class Edit(Struct, frozen=True, kw_only=True):
    """``code``: the group or ``group.reason`` that changes, the new group's own, or the group that gets a reason.

    ``to``: the group to move to, or the new reason's code. ``field`` and ``word`` say what falls under a reason.
    """

    op: Op
    code: str = ""
    to: str = ""
    ko: str = ""
    en: str = ""
    field: str = ""
    word: str = ""


class EditError(ValueError):
    """The tree cannot be changed so. ``key`` is the last part of a message key."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def edited(groups: Sequence[Group], edit: Edit) -> tuple[Group, ...]:
    """The tree after it. Raises: EditError."""
    try:
        changed = _OPS[edit.op](tuple(groups), edit)
        # Codes and titles are checked as those of a file.
        return msgspec.convert(msgspec.to_builtins(changed), tuple[Group, ...])
    except msgspec.ValidationError as error:
        raise EditError("form") from error


def _rename(groups: tuple[Group, ...], edit: Edit) -> tuple[Group, ...]:
    titles = {"ko": _line(edit.ko), "en": _line(edit.en)}
    if "." not in edit.code:
        group = _group(groups, edit.code)
        return tuple(replace(each, **titles) if each is group else each for each in groups)
    return _with_reason(groups, edit.code, lambda reason: replace(reason, **titles))


def _add_group(groups: tuple[Group, ...], edit: Edit) -> tuple[Group, ...]:
    if any(group.code == edit.code for group in groups):
        raise EditError("twice")
    return (*groups, Group(code=edit.code, ko=_line(edit.ko), en=_line(edit.en), reason=()))


def _add_reason(groups: tuple[Group, ...], edit: Edit) -> tuple[Group, ...]:
    return _put(groups, edit.code, Reason(code=edit.to, ko=_line(edit.ko), en=_line(edit.en)))


def _move(groups: tuple[Group, ...], edit: Edit) -> tuple[Group, ...]:
    reason = _reason(groups, edit.code)
    if edit.code.partition(".")[0] == edit.to:
        raise EditError("same")
    return _put(_without(groups, edit.code), edit.to, reason)


def _map(groups: tuple[Group, ...], edit: Edit) -> tuple[Group, ...]:
    word = _line(edit.word)
    if edit.field not in FIELDS or not word or len(word) > _LONGEST_WORD:
        raise EditError("word")
    _reason(groups, edit.code)
    return _with_reason(
        _unmapped(groups, edit.field, word),
        edit.code,
        lambda reason: replace(reason, **{edit.field: (*getattr(reason, edit.field), word)}),
    )


def _unmap(groups: tuple[Group, ...], edit: Edit) -> tuple[Group, ...]:
    if edit.field not in FIELDS:
        raise EditError("word")
    changed = _unmapped(groups, edit.field, edit.word)
    if changed == groups:
        raise EditError("word")
    return changed


def _remove(groups: tuple[Group, ...], edit: Edit) -> tuple[Group, ...]:
    """A reason, or a group that has none."""
    if "." in edit.code:
        _reason(groups, edit.code)
        return _without(groups, edit.code)
    group = _group(groups, edit.code)
    if group.reason:
        raise EditError("not_empty")
    return tuple(each for each in groups if each is not group)


_OPS: dict[Op, Callable[[tuple[Group, ...], Edit], tuple[Group, ...]]] = {
    Op.RENAME: _rename,
    Op.ADD_GROUP: _add_group,
    Op.ADD_REASON: _add_reason,
    Op.MOVE: _move,
    Op.MAP: _map,
    Op.UNMAP: _unmap,
    Op.REMOVE: _remove,
}


def _group(groups: Sequence[Group], code: str) -> Group:
    for group in groups:
        if group.code == code:
            return group
    raise EditError("no_such")


def _reason(groups: Sequence[Group], code: str) -> Reason:
    first, _, second = code.partition(".")
    for reason in _group(groups, first).reason:
        if reason.code == second:
            return reason
    raise EditError("no_such")


def _put(groups: tuple[Group, ...], code: str, reason: Reason) -> tuple[Group, ...]:
    group = _group(groups, code)
    if any(each.code == reason.code for each in group.reason):
        raise EditError("twice")
    return tuple(replace(each, reason=(*each.reason, reason)) if each is group else each for each in groups)


def _without(groups: tuple[Group, ...], code: str) -> tuple[Group, ...]:
    gone = _reason(groups, code)
    return tuple(replace(group, reason=tuple(each for each in group.reason if each is not gone)) for group in groups)


def _with_reason(groups: tuple[Group, ...], code: str, change: Callable[[Reason], Reason]) -> tuple[Group, ...]:
    wanted = _reason(groups, code)
    return tuple(
        replace(group, reason=tuple(change(each) if each is wanted else each for each in group.reason))
        for group in groups
    )


def _unmapped(groups: tuple[Group, ...], field: str, word: str) -> tuple[Group, ...]:
    def kept(reason: Reason) -> Reason:
        words = tuple(each for each in getattr(reason, field) if folded(each) != folded(word))
        return replace(reason, **{field: words})

    return tuple(replace(group, reason=tuple(kept(reason) for reason in group.reason)) for group in groups)


def _line(text: str) -> str:
    line = " ".join(text.split())
    if not line.isprintable():
        raise EditError("form")
    return line
