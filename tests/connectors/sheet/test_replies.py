"""Files for the mall: only what is new, in its columns, and nothing that a spreadsheet would run."""

import csv
import io
from datetime import timedelta

import pytest

from connectors.sheet.tables import open_table
from hub.core.errors import ConfigurationError
from hub.core.files import FileFormat, ReplyColumn, ReplyKind, ReplyLayout
from tests.connectors.sheet.shop import START, Shop

TRACKING = {"order_no": "A-1001", "line_no": "A-1001-2", "carrier": "CJ대한통운", "tracking_no": "012345678901"}


async def _write(shop: Shop, **values: str) -> None:
    shop.now += timedelta(minutes=1)
    await shop.connector().write_down(ReplyKind.TRACKING, TRACKING | values, at=shop.now, by="kim")


async def _export(shop: Shop, **span: object) -> list[list[str]]:
    shop.now += timedelta(minutes=1)
    file = await shop.connector().export_file(ReplyKind.TRACKING, at=shop.now, by="kim", **span)
    return [] if file is None else [list(row) for row in open_table(file.body).rows]


async def test_a_file_holds_what_no_file_had_before():
    shop = Shop()
    await _write(shop)
    assert [row[:4] for row in (await _export(shop))[1:]] == [["A-1001", "2", "CJ대한통운", "012345678901"]]
    assert await _export(shop) == []

    await _write(shop, line_no="P00012345")

    assert [row[1] for row in (await _export(shop))[1:]] == ["P00012345"]
    assert [row[1] for row in (await _export(shop, since=START))[1:]] == ["2", "P00012345"]


async def test_the_newest_reply_counts():
    shop = Shop()
    await _write(shop)
    await _write(shop, tracking_no="600000000009")

    assert [row[3] for row in (await _export(shop))[1:]] == ["600000000009"]


async def test_a_copy_of_a_span_leaves_what_is_new():
    shop = Shop()
    await _write(shop)

    await _export(shop, since=START)

    assert len(await shop.connector().replies(ReplyKind.TRACKING)) == 1


async def test_a_made_line_number_is_not_told_to_the_mall():
    shop = Shop()
    await _write(shop, line_no="A-1001-f1f8dba4")

    assert (await _export(shop))[1][1] == ""


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
async def test_a_csv_holds_no_formula(formula: str):
    shop = Shop()
    columns = (ReplyColumn(heading="=번호", field="inquiry_no"), ReplyColumn(heading="답변", field="answer"))
    form = ReplyLayout(kind=ReplyKind.ANSWERS, columns=columns, form=FileFormat.CSV, encoding="cp949")
    await shop.connector().keep_reply_layout(form, at=START, by="lee")
    values = {"inquiry_no": "7", "answer": formula}
    await shop.connector().write_down(ReplyKind.ANSWERS, values, at=START, by="kim")

    file = await shop.connector().export_file(ReplyKind.ANSWERS, at=START, by="kim")

    assert file is not None
    rows = list(csv.reader(io.StringIO(file.body.decode("cp949"), newline="")))
    assert rows == [["'=번호", "답변"], ["7", f"'{formula}"]]


async def test_characters_that_the_malls_encoding_lacks_are_counted():
    shop = Shop()
    columns = (ReplyColumn(heading="답변", field="answer"), ReplyColumn(heading="구분", constant="완료"))
    form = ReplyLayout(kind=ReplyKind.ANSWERS, columns=columns, form=FileFormat.CSV, encoding="cp949")
    await shop.connector().keep_reply_layout(form, at=START, by="lee")
    await shop.connector().write_down(ReplyKind.ANSWERS, {"inquiry_no": "7", "answer": "네 😀"}, at=START, by="kim")

    file = await shop.connector().export_file(ReplyKind.ANSWERS, at=START, by="kim")

    assert file is not None
    assert (file.unwritable, file.body.decode("cp949").splitlines()[1]) == (1, "네 ?,완료")


@pytest.mark.parametrize(
    ("values", "named"),
    [({**TRACKING, "tracking_no": " "}, "tracking_no"), ({**TRACKING, "shoe_size": "42"}, "shoe_size")],
)
async def test_a_reply_that_lacks_something_is_refused_by_name(values: dict[str, str], named: str):
    with pytest.raises(ConfigurationError, match=named):
        await Shop().connector().write_down(ReplyKind.TRACKING, values, at=START, by="kim")


async def test_nothing_goes_back_below_the_full_level():
    with pytest.raises(ConfigurationError, match="orders_only"):
        await Shop(level="orders_only").connector().write_down(ReplyKind.TRACKING, TRACKING, at=START, by="kim")


@pytest.mark.parametrize(
    ("form", "named"),
    [
        (ReplyLayout(kind=ReplyKind.ANSWERS, columns=()), "no column"),
        (ReplyLayout(kind=ReplyKind.ANSWERS, columns=(ReplyColumn(heading="a", field="carrier"),)), "carrier"),
        (ReplyLayout(kind=ReplyKind.ANSWERS, columns=(ReplyColumn(heading="a"),), encoding="koi8"), "koi8"),
    ],
)
async def test_a_wrong_upload_form_is_refused_by_name(form: ReplyLayout, named: str):
    with pytest.raises(ConfigurationError, match=named):
        await Shop().connector().keep_reply_layout(form, at=START, by="lee")
