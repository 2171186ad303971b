"""New fields of a mall: read past, and told."""

from typing import Any

import httpx
import msgspec

from hub.core.contract import Capability
from hub.core.wire_watch import PREFIX
from tests.contract.rules.hostile import lists_in
from tests.contract.rules.rule import rule
from tests.contract.street import Call, Street, remade
from tests.contract.subject import Subject

NEW_FIELD = "zz_new_field"


@rule(Capability.READ_ORDERS)
async def new_wire_fields_are_reported(subject: Subject) -> None:
    """A field that no document knows is counted by its name in every feed; a day as documented counts none."""
    for capability in Street(subject, orders=5).feeds():
        usual = await _counted(subject, capability, is_new=False)
        assert not usual, f"{capability}: taken for new: {sorted(usual)}"
        told = await _counted(subject, capability, is_new=True)
        assert any(NEW_FIELD in name for name in told), f"{capability}: a new field goes unnoticed"


async def _counted(subject: Subject, capability: Capability, *, is_new: bool) -> set[str]:
    """Names of the fields that a reading of this feed counted as new."""
    street = Street(subject, orders=25)
    if is_new:
        street.wire.after = _with_new_fields
    async with street.open() as connector:
        pages = await street.pages(connector, capability)
        assert any(reading.record is not None for page in pages for reading in page.readings)
        return {name for name in connector.unknown_codes if name.startswith(PREFIX)}


def _with_new_fields(_call: Call, response: httpx.Response) -> httpx.Response:
    """The same answer; each object in its lists has one field more."""
    try:
        document: Any = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return response
    rows = [row for rows in lists_in(document) for row in rows]
    for row in rows:
        row[NEW_FIELD] = "1"
    return remade(response, msgspec.json.encode(document)) if rows else response
