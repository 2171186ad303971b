"""Every file of connectors/smartstore/cases: one record of the mall and what it must become."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from connectors.smartstore import mapping
from hub.core.model import Inquiry, Order

CASES = sorted((Path(mapping.__file__).parent / "cases").glob("[0-9]*.json"))
READERS = {"order": mapping.read_detail, "inquiry": mapping.read_inquiry, "qna": mapping.read_qna}


class Case(msgspec.Struct, forbid_unknown_fields=True):
    record: str
    source: str
    confidence: str
    what: str
    wire: msgspec.Raw
    canonical: msgspec.Raw
    unknown_codes: dict[str, int]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path):
    case = msgspec.json.decode(path.read_bytes(), type=Case)
    unknown: Counter[str] = Counter()

    reading = READERS[case.record](bytes(case.wire), unknown)

    assert reading.error is None
    assert reading.raw == bytes(case.wire)
    kind = Order if case.record == "order" else Inquiry
    assert reading.record == msgspec.json.decode(case.canonical, type=kind)
    assert dict(unknown) == case.unknown_codes
    assert case.source
    assert case.confidence in {"sure", "likely", "guess"}


def test_there_are_cases():
    assert len(CASES) >= 8
