"""A row that is kept as HTML looks as one that is made anew."""

from datetime import UTC, datetime, timedelta

from markupsafe import Markup
from msgspec.structs import replace

from hub.desk.views import CaseRow, MallMark
from hub.web.cases.kept_rows import KeptRows
from tests.desk.invented import NOW
from tests.web.conftest import Browser

_AT = datetime(2026, 11, 22, 9, 0, 30, tzinfo=UTC)
_ROW = CaseRow(
    case_id=1,
    mark=MallMark(mall="alpha", title="Alpha", title_ko="알파", letter="A"),
    shop="alpha-main",
    kind="cancel",
    state="requested",
    is_open=True,
    opened_at=_AT,
)


def test_only_what_looks_alike_is_made_once() -> None:
    made: list[CaseRow] = []

    def make(row: CaseRow) -> Markup:
        made.append(row)
        return Markup(str(len(made)))

    kept = KeptRows()
    page = kept.of_page(_AT, "ko")
    assert page(make, _ROW, "?view=mine", False) == page(make, replace(_ROW), "?view=mine", False) == "1"

    others = [
        page(make, replace(_ROW, state="hold"), "?view=mine", False),
        page(make, _ROW, "?view=mine", True),
        page(make, _ROW, "", False),
        kept.of_page(_AT, "en")(make, _ROW, "?view=mine", False),
        kept.of_page(_AT + timedelta(minutes=1), "ko")(make, _ROW, "?view=mine", False),
    ]
    assert others == ["2", "3", "4", "5", "6"]


def test_they_are_not_kept_without_end() -> None:
    kept = KeptRows()
    for number in range(10_000):
        kept.of_page(_AT, "ko")(lambda row: Markup(row.case_id), replace(_ROW, case_id=number))

    assert len(kept._rows) <= 4_001


def test_a_row_grows_older_and_tells_each_reader_who_has_it(browser: Browser) -> None:
    agent = browser.sign_in()
    rows = agent.get("/cases/rows", swap=True).text
    agent.rig.at = NOW + timedelta(minutes=7)
    assert agent.get("/cases/rows", swap=True).text != rows

    number = rows.partition('id="row-')[2].partition('"')[0]
    agent.get(f"/cases/{number}")
    mine = agent.get("/cases/rows", swap=True).text
    others = browser.sign_in("lee").get("/cases/rows", swap=True).text
    assert mine.count("is-mine") == 1
    assert "is-mine" not in others
    assert others.count("lock-mark") == 1
