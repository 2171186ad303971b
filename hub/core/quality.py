"""The quality scale of connectors: which rules a tier asks for, and whether a connector has earned what it claims.

Every connector folder holds a ``quality.toml``: its tier and, for every rule, "done" or
``{ state = "todo", comment = "why" }`` (or "exempt"). The rules themselves are tests: tests/contract.
``python -m hub.cli.quality`` refuses a claim that is not earned.
"""

import tomllib
from collections.abc import Mapping
from enum import StrEnum

import msgspec
from msgspec import Struct

from hub.core.errors import ConfigurationError

UNRATED = "unrated"

#: rules by tier, lowest first; a tier asks for its own rules and those of every tier before it
TIERS: Mapping[str, tuple[str, ...]] = {
    "bronze": (
        "manifest_complete",
        "capability_declared_is_implemented",
        "absent_capability_names_the_way",
        "readme_complete",
        "cases_map_exactly",
        "cases_cover_what_is_read",
        "full_run_reads_the_truth",
        "pages_are_complete",
        "identity_is_unique_and_stable",
        "second_run_reads_the_same",
        "times_are_utc_and_money_is_whole",
        "unknown_code_stays_unknown",
        "shops_do_not_mix",
        "no_secret_leaves",
    ),
    "silver": (
        "progress_moves",
        "killed_run_resumes",
        "late_change_is_seen",
        "transient_error_is_retried",
        "lasting_failure_is_loud",
        "error_inside_200_is_an_error",
        "token_is_renewed_once",
        "rate_is_kept",
        "bad_record_is_set_aside_alone",
        "hostile_text_does_no_harm",
        "repeated_rows_do_no_harm",
        "stored_payload_maps_again",
    ),
    "gold": (
        "effect_is_read_back",
        "repeated_write_acts_once",
        "lost_answer_is_settled_by_reading",
        "look_never_sends",
        "unsure_write_is_not_called_done",
        "refused_write_is_sent_once",
        "check_is_harmless_and_helps",
        "admin_link_is_safe",
        "cases_cover_what_is_written",
        "new_wire_fields_are_reported",
        "carriers_are_listed",
        "catalogue_is_complete",
        "event_of_a_stranger_is_refused",
        "repeated_event_is_harmless",
        "consent_code_is_redeemed_once",
    ),
    "platinum": (
        "mapping_holds_for_any_input",
        "large_window_is_bounded",
        "real_traffic_replays",
        "live_check_is_dated",
    ),
}
RULES = tuple(rule for rules in TIERS.values() for rule in rules)


class RuleState(StrEnum):
    DONE = "done"
    TODO = "todo"
    EXEMPT = "exempt"


class Standing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a connector stands with one rule; what is not done says why."""

    state: RuleState
    comment: str = ""


class Quality(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One quality.toml. ``tier`` is a claim: :func:`earned_tier` says whether it is true."""

    tier: str
    rules: dict[str, RuleState | Standing]

    def standing(self, rule: str) -> Standing:
        found = self.rules[rule]
        return found if isinstance(found, Standing) else Standing(state=found)


def read_quality(text: str, *, where: str) -> Quality:
    """Read one quality.toml. Raises: ConfigurationError naming the rule that is unknown, missing or unexplained."""
    try:
        quality = msgspec.convert(tomllib.loads(text), Quality)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        what = f"{where}: {error}"
        raise ConfigurationError(what) from error
    if quality.tier not in {UNRATED, *TIERS}:
        what = f"{where}: no tier {quality.tier!r}"
        raise ConfigurationError(what, fix=f"Tiers: {', '.join([UNRATED, *TIERS])}.")
    if wrong := sorted(set(RULES) ^ set(quality.rules)):
        what = f"{where}: missing or unknown: {', '.join(wrong)}"
        raise ConfigurationError(what, fix="Name every rule of hub/core/quality.py once.")
    for rule in RULES:
        standing = quality.standing(rule)
        if standing.state is not RuleState.DONE and not standing.comment.strip():
            what = f"{where}: {rule} is {standing.state} without a comment"
            raise ConfigurationError(what, fix=f'Write {rule} = {{ state = "{standing.state}", comment = "why" }}.')
    return quality


def earned_tier(quality: Quality) -> str:
    """The highest tier of which every rule, and every rule below, is done or exempt."""
    earned = UNRATED
    for tier, rules in TIERS.items():
        if any(quality.standing(rule).state is RuleState.TODO for rule in rules):
            break
        earned = tier
    return earned


def unearned_claim(quality: Quality) -> str | None:
    """What is wrong with the claimed tier, if it is higher than the earned one."""
    order = [UNRATED, *TIERS]
    earned = earned_tier(quality)
    if order.index(quality.tier) <= order.index(earned):
        return None
    above = order[order.index(earned) + 1 : order.index(quality.tier) + 1]
    left = [rule for tier in above for rule in TIERS[tier] if quality.standing(rule).state is RuleState.TODO]
    return f"claims {quality.tier}, has earned {earned}: to do {', '.join(left)}"
