"""The sheet of a shop before anybody has written one: what the hub knows of its mall, as markdown."""

import re
from collections.abc import Iterator
from typing import Final

from hub.core.contract import Support
from hub.desk.shops.cheat_sheets import Ability, SheetFacts
from hub.policy.due import MallClock
from hub.web.words import Words

_LONGEST_CODE: Final = 60
_NOT_PLAIN: Final = re.compile(r"([\\`*_\[\]<>|#&~])")


def default_text(facts: SheetFacts, t: Words) -> str:
    """In the language of ``t``."""
    return "\n".join(_lines(facts, t)).strip() + "\n"


def _lines(facts: SheetFacts, t: Words) -> Iterator[str]:
    manifest = facts.manifest
    if manifest is None:
        yield t("sheet.no_connector")
        return
    title = manifest.title_ko if t.locale == "ko" else manifest.title
    yield from (t("sheet.intro", mall=_plain(title)), "")
    yield from (f"# {t('sheet.terms')}", "")
    if facts.terms:
        yield from (f"| {t('sheet.ours')} | {t('sheet.theirs')} |", "|---|---|")
        for (prefix, code), raws in facts.terms.items():
            yield f"| {_plain(t(f'{prefix}.{code}'))} | {', '.join(_code(raw) for raw in raws)} |"
    else:
        yield t("sheet.no_terms")
    yield from ("", f"# {t('sheet.clocks')}", "")
    for clock in facts.clocks:
        yield f"- {_clock(clock, t)}"
    if not facts.clocks:
        yield t("sheet.no_clocks")
    yield from ("", f"# {t('sheet.missing')}", "")
    for ability in facts.missing:
        yield f"- **{_plain(t(ability.name_key))}** – {_way(ability, t)}"
    if not facts.missing:
        yield t("sheet.no_missing")
    if facts.warned:
        yield from ("", f"# {t('sheet.warned')}", "")
        for ability in facts.warned:
            warning = ability.state.warning_ko if t.locale == "ko" else ability.state.warning
            yield f"- **{_plain(t(ability.name_key))}** – {_plain(warning or ability.state.warning)}"
    yield from ("", f"# {t('sheet.numbers')}", "")
    yield f"- {t('sheet.answer_limit', count=f'{manifest.answer_limit:,}')}"
    yield f"- {t('sheet.timezone', zone=t.zone(manifest.timezone))}"


def _clock(clock: MallClock, t: Words) -> str:
    length = (
        t("sheet.business_days", count=clock.business_days, country=t.country(clock.country))
        if clock.business_days is not None
        else t("sheet.hours", count=clock.hours)
    )
    kinds = ", ".join(t(f"kind.{kind}") for kind in clock.kinds)
    after = t("sheet.after", since=t(f"sheet.since_{clock.since}"), length=length)
    return f"**{_plain(t(clock.label_key))}**: {after} ({_plain(kinds)}) – {_plain(t.source(clock.source))}"


def _way(ability: Ability, t: Words) -> str:
    state = ability.state
    way = (state.instead_ko if t.locale == "ko" else state.instead) or state.instead
    planned = f" ({t('can.planned')})" if state.state is Support.PLANNED else ""
    return (_plain(way) if way else t("sheet.no_way")) + planned


def _plain(text: str) -> str:
    """``text`` as words and nothing else, on one line."""
    return _NOT_PLAIN.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """A mall's code as it is; what would end the field is left out."""
    kept = "".join(char for char in text if char.isprintable() and char not in "`|\\")[:_LONGEST_CODE].strip()
    return f"`{kept}`" if kept else "–"
