"""A process of its own that loads the same malls with dlt, a general loader, by the same calls over HTTP.

It pages nothing itself, as little as the lower bound does; dlt is given each page's records as they came, with
their key, and merges them into tables, so that a record that comes twice stands once. No personal data is
sealed, nothing is mapped to one model. ``python -m bench.dlt_load CALLS DATABASE_URL FOLDER SHOP=ROOT…``.
"""

import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy.engine import make_url

from bench.calls import Call, read_calls
from bench.measure import Cost, cost

#: how many times less CPU than dlt the hub is to need
AIM = {"sqlite": 5.0, "postgresql": 3.0}
ABSENT = "dlt is not installed, so nothing is compared with it: pip install -c constraints.txt -e '.[bench]'"

Record = dict[str, Any]


class Loaded(Struct, frozen=True, kw_only=True):
    """``records`` were handed to dlt, ``rows`` stand in its tables of the malls' records after it."""

    calls: int
    records: int
    rows: int
    cost: Cost


class Kind(Struct, frozen=True):
    """One table: a word of the address of its pages, where the records stand in a page, what names one."""

    table: str
    word: str
    records: Callable[[Any], Iterable[Record]]
    key: Callable[[Record], str]


def is_installed() -> bool:
    return find_spec("dlt") is not None


def _any_case(row: Record, name: str) -> Any:
    """Some rows of one mall begin each name with a small letter."""
    return row.get(name, row.get(name[0].lower() + name[1:]))


def _result_rows(page: Any) -> Iterable[Record]:
    found = page.get("ResultObject") or []
    return found if isinstance(found, list) else [found]


#: the first that fits; other pages only lead to these
KINDS = (
    Kind("cafe24_orders", "admin/orders?", lambda page: page["orders"], lambda row: row["order_id"]),
    Kind(
        "cafe24_articles",
        "/articles?",
        lambda page: page["articles"],
        lambda row: f"{row['board_no']}:{row['article_no']}",
    ),
    Kind(
        "smartstore_lines",
        "product-orders/query",
        lambda page: page["data"],
        lambda row: row["productOrder"]["productOrderId"],
    ),
    Kind(
        "smartstore_inquiries",
        "pay-user/inquiries",
        lambda page: page.get("content") or [],
        lambda row: str(row["inquiryNo"]),
    ),
    Kind(
        "smartstore_questions",
        "contents/qnas",
        lambda page: page.get("contents") or [],
        lambda row: str(row["questionId"]),
    ),
    Kind("qoo10_lines", "GetShipping", _result_rows, lambda row: str(_any_case(row, "OrderNo"))),
    Kind(
        "qoo10_claims",
        "GetClaimInfo",
        _result_rows,
        lambda row: f"{_any_case(row, 'OrderNo')}:{_any_case(row, 'RequestDate')}",
    ),
    Kind(
        "qoo10_messages",
        "GetInquiryMessage",
        _result_rows,
        lambda row: f"{row['INQ_TYPE']}:{row['QUESTION_NO']}:{row['SEQ_NO']}",
    ),
)


class Replay:
    """Makes the noted calls again with dlt's own HTTP client."""

    def __init__(self, calls: Path, roots: dict[str, str]) -> None:
        from dlt.sources.helpers.requests import Client

        self._calls = calls
        self._roots = roots
        self._session = Client(raise_for_status=False).session
        self.done: Counter[str] = Counter()

    def lead(self) -> None:
        """The calls whose pages hold no record."""
        for call in self._of(None):
            self._page(call)

    def pages(self, kind: Kind) -> Iterator[list[Record]]:
        for call in self._of(kind):
            page = self._page(call)
            found = [] if page is None else [{"key": kind.key(row), **row} for row in kind.records(page)]
            self.done["records"] += len(found)
            if found:
                yield found

    def _of(self, kind: Kind | None) -> Iterator[Call]:
        for call in read_calls(self._calls):
            if next((each for each in KINDS if each.word in call.target), None) == kind:
                yield call

    def _page(self, call: Call) -> Any:
        """The page, or ``None`` for a window in the future of the malls' still clock (see the lower bound)."""
        self.done["calls"] += 1
        url = self._roots[call.shop] + call.target
        response = self._session.request(call.method, url, headers=call.headers, data=call.body)
        if response.status_code == 400:
            return None
        response.raise_for_status()
        return response.json()


def _with_host(url: str) -> str:
    """The loader wants a host; where the URL names the folder of a socket as well, that is what counts."""
    parsed = make_url(url)
    named = parsed if parsed.host else parsed.set(host="localhost")
    return named.render_as_string(hide_password=False)


def load(calls: Path, url: str, folder: Path, roots: dict[str, str]) -> Loaded:
    # Read when dlt is imported: it would tell its makers of each run, and lock out its own threads on SQLite.
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    if not url.startswith("postgresql"):
        os.environ["LOAD__WORKERS"] = "1"
    import dlt
    from dlt.destinations import postgres, sqlalchemy

    pipeline = dlt.pipeline(
        pipeline_name="bench",
        destination=postgres(_with_host(url)) if url.startswith("postgresql") else sqlalchemy(url),
        dataset_name="malls",
        pipelines_dir=str(folder),
    )
    replay = Replay(calls, roots)
    replay.lead()
    resources = [
        dlt.resource(replay.pages(kind), name=kind.table, primary_key="key", write_disposition="merge")
        for kind in KINDS
    ]
    with warnings.catch_warnings():
        # What dlt asks of SQLAlchemy is not ours to mend.
        warnings.simplefilter("ignore")
        pipeline.run(resources)
        with pipeline.sql_client() as client:
            tables = [kind.table for kind in KINDS if kind.table in pipeline.default_schema.tables]
            counted = [client.execute_sql(f"SELECT count(*) FROM {table}") or () for table in tables]  # noqa: S608
            rows = sum(number for found in counted for (number,) in found)
    return Loaded(calls=replay.done["calls"], records=replay.done["records"], rows=rows, cost=cost())


if __name__ == "__main__":
    noted, target, work, *shops = sys.argv[1:]
    loaded = load(Path(noted), target, Path(work), dict(shop.split("=", 1) for shop in shops))
    sys.stdout.write(msgspec.json.encode(loaded).decode() + "\n")
