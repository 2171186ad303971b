"""The flow as an SVG: lines on the left, menus and queues to the right, one lane for each line.

A row of a card is a way; it is drawn to a card further right, and is a link to a card that stands elsewhere. An ending
is a sign in its row: the same announcement ends many ways, and lines to it would hide the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from unicodedata import east_asian_width
from xml.sax.saxutils import escape, quoteattr

import msgspec

from ivr.cards import Card, Row, cards_of, word
from ivr.flow import Flow

_WIDTHS = {"line": 268, "menu": 250, "queue": 250}
_GAP = 86  # between columns, for the edges
_MARGIN, _LANE_GAP, _CARD_GAP = 16, 20, 14
_ROW, _HEAD, _DETAIL = 20, 26, 17
_STUB = 28  # an edge goes straight on under its label
_LETTER = 6.6  # width of a small Latin letter at 12 px
_NARROW = frozenset(" .,·:;-ilI1()'|")


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A card and where its corner is, in px."""

    card: Card
    x: int
    y: int
    width: int
    height: int

    def row_y(self, index: int) -> int:
        """The middle of a row."""
        return self.y + _top(self.card) + index * _ROW + _ROW // 2


def flow_css() -> str:
    """The colours of a drawing, for light and dark."""
    return files("ivr").joinpath("drawing.css").read_text(encoding="utf-8")


def draw_flow(
    flow: Flow, *, language: str = "ko", counts: Mapping[str, int] | None = None, has_style: bool = True
) -> str:
    """One SVG document. ``counts``: id of a way -> calls that took it. ``has_style``: colours stand inside.

    ``language``: ko or en.
    """
    placed = _place(cards_of(flow, language=language))
    width = max(each.x + each.width for each in placed) + _MARGIN
    height = max(each.y + each.height for each in placed) + _MARGIN
    spec = flow.spec
    title = word("title", language, revision=spec.revision)
    sizes = {"lines": len(spec.lines), "menus": len(spec.menus), "queues": len(spec.queues)}
    size = f'width="{width}" height="{height}"'
    named = 'role="graphics-document" aria-labelledby="flow-title flow-desc"'
    box = f'viewBox="0 0 {width} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="flow" {size} {box} lang="{language}" {named}>',
        f'<title id="flow-title">{escape(title)}</title>',
        f'<desc id="flow-desc">{escape(word("desc", language, **sizes))}</desc>',
    ]
    if has_style:
        parts.append(f"<style>{flow_css()}</style>")
    parts.append(f'<rect class="flow-ground" {size}/>')
    parts += _lanes(placed, width)
    drawer = _Drawer(placed, counts, language)
    parts += drawer.edges()
    for each in placed:
        parts += drawer.card(each)
    parts.append("</svg>\n")
    return "\n".join(parts)


# ---------------------------------------------------------------- where things stand


def _top(card: Card) -> int:
    return _HEAD + (_DETAIL if card.detail else 0)


def _place(cards: Sequence[Card]) -> list[Placed]:
    """Cards of a lane stand under each other where they share a column."""
    lefts: dict[int, int] = {}
    left = _MARGIN
    for column in range(max(card.column for card in cards) + 1):
        lefts[column] = left
        left += max((_WIDTHS[card.kind] for card in cards if card.column == column), default=0) + _GAP
    placed: list[Placed] = []
    top = _MARGIN
    for lane in sorted({card.lane for card in cards}):
        bottoms: dict[int, int] = {}
        for card in cards:
            if card.lane != lane:
                continue
            y = bottoms.get(card.column, top)
            height = _top(card) + len(card.rows) * _ROW + 6
            place = Placed(card=card, x=lefts[card.column], y=y, width=_WIDTHS[card.kind], height=height)
            placed.append(place)
            bottoms[card.column] = y + height + _CARD_GAP
        top = max(bottoms.values()) - _CARD_GAP + _LANE_GAP
    return placed


def _lanes(placed: Sequence[Placed], width: int) -> Iterator[str]:
    """A band behind every second lane."""
    for lane in sorted({each.card.lane for each in placed})[1::2]:
        own = [each for each in placed if each.card.lane == lane]
        top = min(each.y for each in own) - _LANE_GAP // 2
        bottom = max(each.y + each.height for each in own) + _LANE_GAP // 2
        yield f'<rect class="flow-lane" y="{top}" width="{width}" height="{bottom - top}"/>'


# ---------------------------------------------------------------- what is drawn


class _Drawer:
    def __init__(self, placed: Sequence[Placed], counts: Mapping[str, int] | None, language: str) -> None:
        self._placed = placed
        self._by_id = {each.card.id: each for each in placed}
        self._counts, self._language = counts, language

    def edges(self) -> Iterator[str]:
        for each in self._placed:
            for index, row in enumerate(each.card.rows):
                target = self._drawn_to(each, row)
                if target is not None:
                    yield _edge(each, index, row, target, self._count(row))

    def _drawn_to(self, origin: Placed, row: Row) -> Placed | None:
        target = self._by_id.get(row.to or "")
        return target if target and target.card.column > origin.card.column else None

    def _count(self, row: Row) -> str:
        if self._counts is None or not row.ways:
            return ""
        return word("calls", self._language, count=sum(self._counts.get(way, 0) for way in row.ways))

    def card(self, placed: Placed) -> Iterator[str]:
        card, x, y = placed.card, placed.x, placed.y
        round_ = {"line": 3, "menu": 3, "queue": 13}[card.kind]
        yield f'<g class="flow-card flow-{card.kind}" id={quoteattr(card.id)} role="group" tabindex="-1">'
        yield f"<title>{escape(' · '.join(part for part in (card.title, card.detail) if part))}</title>"
        yield f'<rect x="{x}" y="{y}" width="{placed.width}" height="{placed.height}" rx="{round_}"/>'
        if card.kind == "queue":
            # the second edge tells a queue from a menu without colour
            inner = f'width="{placed.width - 6}" height="{placed.height - 6}" rx="{round_ - 3}"'
            yield f'<rect class="flow-inner" x="{x + 3}" y="{y + 3}" {inner}/>'
        yield _text(card.title, x + 12, y + 18, placed.width - 24, "flow-name")
        if card.detail:
            yield _text(card.detail, x + 12, y + 34, placed.width - 24, "flow-detail")
        for index, row in enumerate(card.rows):
            yield from self._row(placed, index, row)
        yield "</g>"

    def _row(self, placed: Placed, index: int, row: Row) -> Iterator[str]:
        y = placed.row_y(index) + 4
        left, right = placed.x + 12, placed.x + placed.width - 12
        count = self._count(row)
        wide = min(max(_width(other.label) for other in placed.card.rows), placed.width * 0.5)
        split = left + (int(wide) + 8 if wide else 0)
        if row.label:
            yield _text(row.label, left, y, wide, "flow-key")
        says = f"{_SIGNS[row.mark]}{row.says}" if row.mark else row.says
        if count:
            yield f'<text class="flow-count" x="{right}" y="{y}" text-anchor="end">{escape(count)}</text>'
            right -= int(_width(count)) + 8
        text = _text(says, split, y, right - split, f"flow-{row.mark or 'fact'}")
        is_elsewhere = row.to is not None and row.to != placed.card.id and self._drawn_to(placed, row) is None
        yield f"<a href={quoteattr(f'#{row.to}')}>{text}</a>" if is_elsewhere else text


#: an ending is known by its sign and its word, not by its colour
_SIGNS = {
    "menu": "→ ",
    "queue": "→ ",
    "callback": "☎ ",
    "survey": "★ ",
    "hangup": "■ ",
    "turn": "↺ ",
}


def _edge(origin: Placed, index: int, row: Row, target: Placed, count: str) -> str:
    x, y = origin.x + origin.width, origin.row_y(index)
    far_x, far_y = target.x, target.y + _HEAD // 2
    bend = max(30, (far_x - x - _STUB) // 2)
    path = f"M{x} {y}h{_STUB}C{x + _STUB + bend} {y} {far_x - bend} {far_y} {far_x - 7} {far_y}"
    label = " ".join(part for part in (row.label, count) if part)
    told = f"{origin.card.title}: {row.label} → {target.card.title}"
    return (
        f'<g class="flow-edge"><title>{escape(told)}</title><path d="{path}"/>'
        f'<path class="flow-tip" d="M{far_x} {far_y}l-8 -4v8z"/>'
        f'<text class="flow-label" x="{x + 6}" y="{y - 4}">{escape(_cut(label, _GAP))}</text></g>'
    )


def _text(text: str, x: int, y: int, width: float, class_: str) -> str:
    short = _cut(text, width)
    whole = f"<title>{escape(text)}</title>" if short != text else ""
    return f'<text class="{class_}" x="{x}" y="{y}">{whole}{escape(short)}</text>'


def _width(text: str) -> float:
    """About; a Korean letter is nearly twice as wide as a Latin one."""
    return sum(_LETTER * (1.75 if east_asian_width(sign) in "WF" else 0.6 if sign in _NARROW else 1) for sign in text)


def _cut(text: str, width: float) -> str:
    if _width(text) <= width:
        return text
    kept = ""
    for sign in text:
        if _width(f"{kept}{sign}…") > width:
            break
        kept += sign
    return f"{kept}…"
