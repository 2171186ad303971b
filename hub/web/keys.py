"""Every shortcut, once: the list of keys (``?``) is drawn from here, and the script binds what is drawn.

Codes are physical keys, so that they work with the Korean input on; ``g`` before a code is a key before a key.
"""

from typing import Final

from msgspec import Struct


class Shortcut(Struct, frozen=True, kw_only=True):
    """``name`` is a message key below ``keys``. ``code``: "KeyJ", "Shift+KeyX" or "KeyG KeyM"; without one the key
    is the browser's own, or a form's, and only told. ``run`` is what the script does, with ``arg``.
    """

    shown: str
    name: str
    code: str = ""
    run: str = ""
    arg: str = ""


class Group(Struct, frozen=True, kw_only=True):
    name: str
    shortcuts: tuple[Shortcut, ...]


def _key(shown: str, name: str, code: str, run: str, arg: str = "") -> Shortcut:
    return Shortcut(shown=shown, name=name, code=code, run=run, arg=arg)


def _go(letter: str, name: str, view: str) -> Shortcut:
    return _key(f"g {letter}", name, f"KeyG Key{letter.upper()}", "view", view)


SHORTCUTS: Final = (
    Group(
        name="group_list",
        shortcuts=(
            _key("j", "next", "KeyJ", "next"),
            _key("k", "previous", "KeyK", "previous"),
            _key("o", "open", "KeyO", "open_row"),
            Shortcut(shown="Enter", name="open"),
            _key("Esc", "back", "Escape", "back"),
            _key("x", "pick", "KeyX", "refuse_or_pick"),
            _key("Shift x", "pick", "Shift+KeyX", "pick"),
            _key("a", "take_row", "KeyA", "approve_or_take"),
            _key("z", "snooze", "KeyZ", "snooze"),
            _key("e", "seen", "KeyE", "seen"),
        ),
    ),
    Group(
        name="group_case",
        shortcuts=(
            _key("r", "reply", "KeyR", "reply"),
            _key("t", "template", "KeyT", "template"),
            Shortcut(shown="a", name="approve"),
            Shortcut(shown="x", name="refuse"),
            _key("h", "hold", "KeyH", "hold"),
            _key("s", "ship", "KeyS", "ship"),
            _key("n", "note", "KeyN", "note"),
            _key("m", "memo", "KeyM", "memo"),
            _key("l", "take", "KeyL", "take"),
            _key("c", "contact", "KeyC", "contact"),
            _key("p", "promise", "KeyP", "promise"),
            _key("d", "dial", "KeyD", "call"),
            Shortcut(shown="1 1", name="call_topic"),
            _key("u", "reread", "KeyU", "reread"),
            _key("i", "side", "KeyI", "side"),
            # Bound in lock.js: they work while somebody types.
            Shortcut(shown="Alt h", name="lock_hand"),
            Shortcut(shown="Alt k", name="lock_keep"),
            Shortcut(shown="Ctrl ↵", name="send"),
        ),
    ),
    Group(
        name="group_go",
        shortcuts=(
            _key("/", "find", "Slash", "find"),
            _go("m", "go_mine", "mine"),
            _go("t", "go_today", "today"),
            _go("o", "go_open", "open"),
            _go("l", "go_late", "overdue"),
            _go("r", "go_risk", "risk"),
            _go("u", "go_unassigned", "unassigned"),
            _go("q", "go_team", "team"),
            _go("n", "go_mentioned", "mentioned"),
            _go("s", "go_snoozed", "snoozed"),
            _key("g p", "go_promises", "KeyG KeyP", "page", "/promises"),
            _key("g b", "go_board", "KeyG KeyB", "page", "/board"),
            _key("g h", "go_hand_over", "KeyG KeyH", "page", "/hand-over"),
            _key("g c", "go_call", "KeyG KeyC", "phone"),
            _key("?", "help", "Shift+Slash", "help"),
        ),
    ),
)
