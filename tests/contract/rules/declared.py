"""What a connector says of itself: manifest, README, case files."""

import json
import re
from zoneinfo import ZoneInfo

import msgspec

from hub.core.contract import PROTOCOLS, Capability, Feed, Support
from hub.core.model import Claim, Inquiry, Order
from tests.contract.rules.deeds import WRITES
from tests.contract.rules.recorded import PREFIX
from tests.contract.rules.rule import rule
from tests.contract.street import Street
from tests.contract.subject import Subject

CONFIDENCE = {"sure", "likely", "guess"}
RECORDS = {Capability.READ_ORDERS: Order, Capability.READ_CLAIMS: Claim, Capability.READ_INQUIRIES: Inquiry}


@rule()
async def manifest_complete(subject: Subject) -> None:
    """Every field says something usable, and every feed is filled by a capability that exists."""
    manifest = subject.manifest
    assert re.fullmatch(r"[a-z][a-z0-9_]*", manifest.mall)
    assert manifest.title.strip()
    assert manifest.title_ko.strip()
    assert re.fullmatch(r"[A-Z]", manifest.letter)
    assert re.fullmatch(r"#[0-9a-f]{6}", manifest.colour)
    assert re.fullmatch(r"[A-Z]{2}", manifest.country)
    assert ZoneInfo(manifest.timezone)
    assert manifest.default_base_url is None or manifest.default_base_url.startswith("https://")
    assert set(manifest.capabilities) <= set(Capability)
    assert set(manifest.feeds) <= set(Feed)
    assert manifest.feeds
    assert all(subject.can(capability) for capability in manifest.feeds.values())
    assert manifest.vanishing_feeds <= set(manifest.feeds)
    # What is no longer listed is asked for by its number.
    assert not manifest.drops_inquiries or subject.can(Capability.READ_ONE_INQUIRY)
    assert manifest.answer_limit > 0


@rule()
async def capability_declared_is_implemented(subject: Subject) -> None:
    """Declared <=> implemented, and opening a shop sends nothing."""
    street = Street(subject, orders=5)
    async with street.open() as connector:
        implemented = {capability for capability, protocol in PROTOCOLS.items() if isinstance(connector, protocol)}
        assert connector.shop == street.context().shop
        assert not street.wire.calls
    declared = {capability for capability in Capability if subject.can(capability)}
    assert implemented == declared


@rule()
async def absent_capability_names_the_way(subject: Subject) -> None:
    """What the mall's API cannot do says where a person does it; no write is left unsaid or for later."""
    stated = subject.manifest.capabilities
    for capability, state in stated.items():
        assert state.state is Support.YES or state.instead.strip(), capability
        assert state.state is not Support.NO or state.instead_ko.strip(), f"{capability}: not in Korean"
        assert bool(state.warning) == bool(state.warning_ko), f"{capability}: a warning in one language"
    for capability in WRITES:
        assert capability in stated, f"{capability} is not stated"
        assert stated[capability].state is not Support.PLANNED, capability


@rule()
async def readme_complete(subject: Subject) -> None:
    """Credentials (each key by name), limits, gaps, deep links; and no section without text."""
    text = (subject.folder / "README.md").read_text(encoding="utf-8")
    for field in subject.manifest.credentials.model_fields:
        assert f"`{field}`" in text, field
    sections = re.split(r"^## +", text, flags=re.MULTILINE)[1:]
    titles = [section.splitlines()[0].lower() for section in sections]
    for word in ("credentials", "limits", "known gaps", "deep link"):
        assert any(title.startswith(word) for title in titles), word
    assert all(section.partition("\n")[2].strip() for section in sections)


def _cases(subject: Subject) -> list[dict]:
    """Cases of records; those of writes are replayed call by call (recorded.py)."""
    paths = sorted((subject.folder / "cases").glob("*.json"))
    return [json.loads(path.read_bytes()) for path in paths if not path.stem.startswith(PREFIX)]


@rule()
async def cases_map_exactly(subject: Subject) -> None:
    """What the mall sends becomes what the case says, with its unknown codes; source and confidence are told."""
    cases = _cases(subject)
    assert cases
    for case in cases:
        assert case["source"].strip()
        assert case["confidence"] in CONFIDENCE
        assert case["what"].strip()
        record, unknown = subject.replay(case)
        if case.get("error") is not None:
            assert record is None
        else:
            assert record == msgspec.convert(case["canonical"], type=type(record))
        assert set(unknown) == set(case.get("unknown_codes", case.get("unknown", ())))


@rule()
async def cases_cover_what_is_read(subject: Subject) -> None:
    """Each feed that the connector reads has a case of its own kind of record."""
    kinds = {type(subject.replay(case)[0]) for case in _cases(subject)}
    wanted = {kind for capability, kind in RECORDS.items() if subject.can(capability)}
    assert wanted <= kinds
