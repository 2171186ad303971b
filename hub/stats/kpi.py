"""The registry of definitions: what each figure means, by which formula, in which variant. Pure.

Screens, command line and documents take their words from here, so that none of them says anything else.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from hub.stats.facts import FactReport

_FILE: Final = Path(__file__).parent / "kpis.toml"


class Kpi(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``variant`` tells which of several usual formulas it is, where there are several."""

    report: str
    name: str
    ko: str
    en: str
    formula_ko: str
    formula_en: str
    variant_ko: str | None = None
    variant_en: str | None = None
    source: str | None = None

    def title(self, locale: str) -> str:
        """With its variant, so that two figures of one name are told apart."""
        variant = self.variant(locale)
        name = self.ko if locale == "ko" else self.en
        return f"{name} ({variant})" if variant else name

    def formula(self, locale: str) -> str:
        return self.formula_ko if locale == "ko" else self.formula_en

    def variant(self, locale: str) -> str | None:
        return self.variant_ko if locale == "ko" else self.variant_en

    def definition(self, locale: str) -> str:
        variant = self.variant(locale)
        return f"{self.formula(locale)} [{variant}]" if variant else self.formula(locale)


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kpi: tuple[Kpi, ...]


@cache
def kpis() -> Mapping[tuple[str, str], Kpi]:
    """By report and name, in the order of the file."""
    found = msgspec.toml.decode(_FILE.read_bytes(), type=_File).kpi
    return {(kpi.report, kpi.name): kpi for kpi in found}


def definitions_of(report: FactReport, locale: str = "en") -> dict[str, str]:
    return {name: kpis()[report.name, name].definition(locale) for name in report.columns}
