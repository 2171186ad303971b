"""Every file in connectors/qoo10/cases maps exactly as it says."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

import connectors.qoo10.mapping as mapping

CASES = sorted((Path(mapping.__file__).parent / "cases").glob("*.json"))
READERS = {
    "order": mapping.read_listed_order,
    "line": mapping.read_whole_line,
    "claim": mapping.read_claim,
    "inquiry": mapping.read_inquiry,
}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_maps_as_written(path: Path):
    case = msgspec.json.decode(path.read_bytes())
    unknown: Counter[str] = Counter()

    reading = READERS[case["what"]](msgspec.json.encode(case["wire"]), unknown=unknown)

    assert (reading.error, sorted(unknown)) == (case.get("error"), case.get("unknown", []))
    if "canonical" in case:
        assert msgspec.json.decode(msgspec.json.encode(reading.record)) == case["canonical"]
    assert case["source"]
    assert case["confidence"] in {"sure", "likely", "guess"}


def test_there_are_cases():
    assert len(CASES) >= 8
