"""What sellers told the emulated SmartStore beyond the World's facts: words and codes that only this mall keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple


class HopeChange(NamedTuple):
    """Another day of delivery; ``fields`` are the whole ``hopeDelivery`` from then on."""

    at: datetime
    fields: dict[str, Any]


@dataclass(slots=True)
class Notes:
    """Fields of the detail by the World's number: they stand in the place of those rendered from the facts."""

    claims: dict[int, dict[str, Any]] = field(default_factory=dict)
    lines: dict[int, dict[str, Any]] = field(default_factory=dict)
    hopes: dict[int, list[HopeChange]] = field(default_factory=dict)

    def of_claim(self, number: int, fields: Mapping[str, Any]) -> None:
        self.claims.setdefault(number, {}).update(fields)

    def over(self, number: int, rendered: dict[str, Any]) -> dict[str, Any]:
        """``rendered`` of one claim with what was told of it; a field that does not show now stays away."""
        told = self.claims.get(number, {})
        return rendered | {name: value for name, value in told.items() if name in rendered}


NO_NOTES = Notes()
