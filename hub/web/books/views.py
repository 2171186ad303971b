"""What the books' pages show, ready for their templates."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import NODEFAULT, Struct

from hub.core.book_problem import Problem
from hub.desk.books.changes import Changes, Kind, RowChange
from hub.desk.books.fields import Field, Shape, cell_text, fields_of, sections_of
from hub.desk.books.forms import BookForm
from hub.desk.books.rows import RowRefusedError, row_stamp
from hub.store.books import BookKind
from hub.web.books.words import choice_word, field_key, hint_key, seen_value, value_words
from hub.web.words import Words

PAGE: Final = 100
_MOST_COLUMNS: Final = 6
#: of a long text in a table
_SHORT: Final = 90
_SCOPE: Final = frozenset({"mall", "shop", "brand", "valid_from", "valid_to"})


class SectionTab(Struct, frozen=True, kw_only=True):
    kind: BookKind
    section: str
    rows: int


class RowView(Struct, frozen=True, kw_only=True):
    """``number`` counts from 1, as people do. ``rest`` are the fields without a column: label and value."""

    row: int
    number: int
    cells: tuple[str, ...]
    rest: tuple[tuple[str, str], ...]
    stamp: str
    change: Kind | None
    problems: tuple[Problem, ...]


class TableView(Struct, frozen=True, kw_only=True):
    """One page of a section. ``after`` continues behind its last row, ``None``: there is no more.

    ``has_more``: some row has fields without a column, or problems.
    """

    headings: tuple[str, ...]
    rows: tuple[RowView, ...]
    has_more: bool
    total: int
    found: int
    after: int | None


class FieldView(Struct, frozen=True, kw_only=True):
    """One field of a form. ``choices`` are codes, ``suggestions`` known names, each with its word."""

    name: str
    label: str
    hint: str
    shape: Shape
    value: str
    is_required: bool
    choices: tuple[tuple[str, str], ...] = ()
    suggestions: tuple[tuple[str, str], ...] = ()
    errors: tuple[tuple[str, str], ...] = ()
    default: str = ""


class FieldChangeView(Struct, frozen=True, kw_only=True):
    label: str
    old: str
    new: str


class ChangeView(Struct, frozen=True, kw_only=True):
    """``name`` says which row; ``from_day`` the day from which the new row holds, ``None``: at once."""

    section: str
    kind: Kind
    number: int
    name: str
    fields: tuple[FieldChangeView, ...]
    from_day: str | None


def table_view(
    words: Words,
    form: BookForm,
    section: str,
    tables: Any,
    *,
    may_see: bool,
    changes: Changes | None = None,
    problems: Sequence[Problem] = (),
    sought: str = "",
    after: int = 0,
) -> TableView:
    rows = getattr(tables, section)
    fields = fields_of(sections_of(form.tables)[section])
    used = [field for field in fields if any(not _is_default(field, getattr(row, field.name)) for row in rows)]
    used = _in_one_language(words, used)
    columns = _columns(used or list(fields[:_MOST_COLUMNS]))
    texts = [[seen_value(words, field, getattr(row, field.name), may_see=may_see) for field in used] for row in rows]
    word = _folded(sought)
    found = [place for place in range(len(rows)) if not word or any(word in _folded(text) for text in texts[place])]
    page = [place for place in found if place >= after][:PAGE]
    kinds = {
        change.row: change.kind
        for change in (changes or Changes()).rows
        if change.section == section and change.new is not None
    }
    labels = {field.name: words(field_key(words, form.kind, section, field.name)) for field in fields}
    views = tuple(
        RowView(
            row=place,
            number=place + 1,
            cells=tuple(
                seen_value(words, field, getattr(rows[place], field.name), may_see=may_see) for field in columns
            ),
            rest=tuple(
                (labels[field.name], _short(text))
                for field, text in zip(used, texts[place], strict=True)
                if field not in columns and text and not _is_default(field, getattr(rows[place], field.name))
            ),
            stamp=row_stamp(rows[place]),
            change=kinds.get(place),
            problems=tuple(each for each in problems if each.section == section and each.row == place),
        )
        for place in page
    )
    last = page[-1] if page else -1
    return TableView(
        headings=tuple(labels[field.name] for field in columns),
        rows=views,
        has_more=any(view.rest or view.problems for view in views),
        total=len(rows),
        found=len(found),
        after=last + 1 if any(place > last for place in found) and page else None,
    )


def _in_one_language(words: Words, used: list[Field]) -> list[Field]:
    """Where a sentence is written in two languages, a table shows the reader's; the row's form has both."""
    names = {field.name for field in used}
    twins = {name.removesuffix("_en") for name in names if name.endswith("_en") and name.removesuffix("_en") in names}
    hidden = twins if words.locale == "en" else {f"{name}_en" for name in twins}
    return [field for field in used if field.name not in hidden]


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else text[:_SHORT] + "…"


def _columns(used: list[Field]) -> list[Field]:
    """The columns of the table: short fields first, in the order of the row; the rest stands below."""
    short = [field for field in used if field.shape is not Shape.LONG_TEXT and field.name != "note"]
    wanted = {field.name for field in short[:_MOST_COLUMNS]} | {field.name for field in short if field.name in _SCOPE}
    return [field for field in short if field.name in wanted]


def _is_default(field: Field, value: Any) -> bool:
    return value is None or value in ("", ()) or (field.default is not NODEFAULT and value == field.default)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def values_of(row: Any) -> dict[str, str]:
    """A row as a form shows it."""
    return {name: cell_text(getattr(row, name)) for name in row.__struct_fields__}


def _default(words: Words, field: Field) -> str:
    """What holds where nothing is typed: in words where one chooses, else as it would be typed."""
    if field.default is NODEFAULT:
        return ""
    return cell_text(field.default) if field.shape is Shape.TEXT else value_words(words, field, field.default)


def _typed(words: Words, field: Field, text: str) -> str:
    """What stands in a field: codes as they are, opening hours with the names of the days."""
    return words.hours(text) if field.name == "hours" and field.shape is Shape.TEXT else text


def form_view(
    words: Words,
    form: BookForm,
    section: str,
    values: Mapping[str, str],
    *,
    refused: RowRefusedError | None = None,
) -> tuple[FieldView, ...]:
    wrong: dict[str, list[tuple[str, str]]] = {}
    if refused is not None:
        for typed in refused.typed:
            sentence = words(f"book.wrong.{typed.key}", **typed.words)
            wrong.setdefault(typed.field, []).append((sentence, words(f"book.fix.{typed.key}", **typed.words)))
        for problem in refused.here:
            wrong.setdefault(problem.column or "", []).append(problem.told(words.locale))
    known = {"shop": form.shops, "shops": form.shops, "mall": form.malls, "malls": form.malls}
    return tuple(
        FieldView(
            name=field.name,
            label=words(field_key(words, form.kind, section, field.name)),
            hint=words(hint) if (hint := hint_key(words, form.kind, section, field.name)) else "",
            shape=field.shape,
            value=_typed(words, field, values.get(field.name, "")),
            is_required=field.is_required,
            choices=tuple((code, choice_word(words, field, code)) for code in field.choices),
            suggestions=tuple((name, words.mall(name)) for name in known[field.name]) if field.name in known else (),
            errors=tuple(wrong.get(field.name, ())),
            default=_default(words, field),
        )
        for field in fields_of(sections_of(form.tables)[section])
    )


def change_views(
    words: Words, form: BookForm, rows: Sequence[RowChange], *, today: str, may_see: bool, most: int = 200
) -> tuple[ChangeView, ...]:
    return tuple(_change(words, form, change, today, may_see=may_see) for change in rows[:most])


def _change(words: Words, form: BookForm, change: RowChange, today: str, *, may_see: bool) -> ChangeView:
    fields = {field.name: field for field in fields_of(sections_of(form.tables)[change.section])}

    def told(field: str, value: Any) -> str:
        return seen_value(words, fields[field], value, may_see=may_see)

    def label(field: str) -> str:
        return words(field_key(words, form.kind, change.section, field))

    if change.kind is Kind.CHANGED:
        pairs = tuple(
            FieldChangeView(label=label(each.field), old=told(each.field, each.old), new=told(each.field, each.new))
            for each in change.fields
        )
    else:
        row = change.new if change.new is not None else change.old
        said = [
            (name, told(name, value))
            for name, field in fields.items()
            if not _is_default(field, value := getattr(row, name))
        ]
        is_new = change.kind is Kind.ADDED
        pairs = tuple(
            FieldChangeView(label=label(name), old="" if is_new else text, new=text if is_new else "")
            for name, text in said
        )
    begins = getattr(change.new, "valid_from", None)
    from_day = begins.isoformat() if begins is not None and begins.isoformat() > today else None
    return ChangeView(
        section=change.section,
        kind=change.kind,
        number=change.row + 1,
        name=_row_name(words, fields, change.new if change.new is not None else change.old, may_see=may_see),
        fields=pairs,
        from_day=from_day,
    )


def _row_name(words: Words, fields: Mapping[str, Field], row: Any, *, may_see: bool) -> str:
    """What people call the row: its first filled fields."""
    said = [
        text
        for name, field in fields.items()
        if field.shape is not Shape.LONG_TEXT
        and (text := seen_value(words, field, getattr(row, name), may_see=may_see))
    ]
    return " · ".join(said[:3])
