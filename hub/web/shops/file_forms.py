"""The forms of the files' pages: what a person chose, as plain text, to layouts and replies and back."""

from collections.abc import Mapping
from typing import Final

from hub.core.files import ColumnRule, DateOrder, Layout
from hub.desk.files.importing import DraftView

ENCODINGS: Final = ("utf-8-sig", "utf-16", "cp949", "cp932")
_LONGEST: Final = 200


def layout_of(form: Mapping[str, str], draft: DraftView) -> Layout:
    """``c3`` is the field of the fourth column, ``w3.0`` the meaning of its first word, ``k.status`` a constant.

    Words of columns that stay what they were are kept also where the page did not show them, and so are columns
    that older files have and this one has not.
    """
    known = {field.name: field for field in draft.fields}
    before = draft.look.layout
    columns, words = [], {}
    for place, column in enumerate(draft.look.columns):
        field = form.get(f"c{place}", "")
        if field not in known:
            continue
        columns.append(ColumnRule(heading=column.heading, field=field))
        if not known[field].meanings:
            continue
        kept = dict(before.words.get(field, {})) if column.field == field else {}
        for number, (word, _) in enumerate(column.words if column.field == field else ()):
            meaning = form.get(f"w{place}.{number}")
            if meaning in known[field].meanings:
                kept[word] = meaning
            elif meaning == "":
                kept.pop(word, None)
        if kept:
            words[field] = kept
    constants = {
        name: text.strip()[:_LONGEST]
        for name in known
        if (text := form.get(f"k.{name}", "")).strip() and name not in {rule.field for rule in columns}
    }
    for name in constants:
        if name in before.words:
            words[name] = dict(before.words[name])
    shown = [column.heading for column in draft.look.columns]
    filled = {*(rule.field for rule in columns), *constants}
    columns += [rule for rule in before.columns if rule.heading not in shown and rule.field not in filled]
    for rule in columns:
        if rule.heading not in shown and rule.field in before.words:
            words[rule.field] = dict(before.words[rule.field])
    used = {rule.heading for rule in columns}
    order, sheet, encoding = form.get("date_order", ""), form.get("worksheet", ""), form.get("encoding", "")
    return Layout(
        kind=draft.kind,
        columns=tuple(columns),
        words=words,
        constants=constants,
        date_order=DateOrder(order) if order in set(DateOrder) else DateOrder.YMD,
        sheet=sheet if sheet in draft.look.sheets else None,
        encoding=encoding if encoding in ENCODINGS else None,
        unused=tuple(heading for heading in dict.fromkeys((*(before.unused or ()), *shown)) if heading not in used),
    )


def twice(layout: Layout) -> str | None:
    """A field that two columns fill."""
    fields = [rule.field for rule in layout.columns]
    return next((field for field in fields if fields.count(field) > 1), None)


def pasted_rows(text: str) -> list[dict[str, str]] | int:
    """Lines of order number, line number, carrier, tracking number; the number of the first wrong line (from 1)."""
    names = ("order_no", "line_no", "carrier", "tracking_no")
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t" if "\t" in line else ",")]
        if len(cells) != len(names) or not all(cells):
            return number
        found.append(dict(zip(names, cells, strict=True)))
    return found
