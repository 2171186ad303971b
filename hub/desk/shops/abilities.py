"""What each mall can do, as a page shows it: the same matrix as `hub connectors`, filtered."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from hub.core.contract import Capability, CapabilityState, Support
from hub.desk.access import Actor, Permission, require
from hub.desk.acting.action import Action
from hub.desk.marks import mall_mark
from hub.desk.services import Services
from hub.desk.views import MallMark
from hub.registry import capability_matrix


class AbilityGroup(StrEnum):
    """What a capability is about, in the order of the page."""

    READ = "read"
    INQUIRY = "inquiry"
    ORDER = "order"
    CANCEL = "cancel"
    RETURN = "return"
    EXCHANGE = "exchange"
    SHOP = "shop"


_SHOP = frozenset(
    {
        Capability.CHECK,
        Capability.LIST_CARRIERS,
        Capability.READ_CATALOGUE,
        Capability.RECEIVE_EVENTS,
        Capability.CONSENT,
        Capability.IMPORT_FILES,
        Capability.EXPORT_FILES,
    }
)


def group_of(capability: Capability) -> AbilityGroup:
    if capability in _SHOP:
        return AbilityGroup.SHOP
    if capability is Capability.SEND_ATTACHMENT:
        return AbilityGroup.INQUIRY
    action = action_of(capability)
    if action is None:
        return AbilityGroup.READ
    if action.is_about_inquiry:
        return AbilityGroup.INQUIRY
    return AbilityGroup(action.claim_kind.value) if action.claim_kind else AbilityGroup.ORDER


def action_of(capability: Capability) -> Action | None:
    word = capability.value.replace("_", "-")
    return Action(word) if word in set(Action) else None


class MallColumn(Struct, frozen=True, kw_only=True):
    mark: MallMark
    tier: str


class AbilityRow(Struct, frozen=True, kw_only=True):
    """One capability over the malls shown; ``name_key`` is the key of its word."""

    capability: Capability
    group: AbilityGroup
    name_key: str
    states: tuple[CapabilityState, ...]


class Abilities(Struct, frozen=True, kw_only=True):
    """``counts``: of each state, over everything shown."""

    malls: tuple[MallColumn, ...]
    rows: tuple[AbilityRow, ...]
    counts: Mapping[Support, int]


def read_abilities(
    services: Services,
    *,
    actor: Actor,
    mall: str | None = None,
    group: AbilityGroup | None = None,
    state: Support | None = None,
) -> Abilities:
    """``state`` keeps the rows in which some mall shown stands so. Raises: ForbiddenError."""
    require(actor, Permission.WORK_CASES)
    malls = [each for each in capability_matrix(services.registry) if mall in {None, each.mall}]
    rows = [
        AbilityRow(
            capability=capability,
            group=group_of(capability),
            name_key=name_key(capability),
            states=tuple(each.capabilities[capability.value] for each in malls),
        )
        for capability in Capability
    ]
    wanted = [
        row
        for row in rows
        if group in {None, row.group} and (state is None or any(each.state is state for each in row.states))
    ]
    order = list(AbilityGroup)
    shown = [each.state for row in wanted for each in row.states]
    return Abilities(
        malls=tuple(MallColumn(mark=mall_mark(services.registry, each.mall), tier=each.tier) for each in malls),
        rows=tuple(sorted(wanted, key=lambda row: order.index(row.group))),
        counts={each: shown.count(each) for each in Support},
    )


def name_key(capability: Capability) -> str:
    action = action_of(capability)
    return f"action.{action.value}" if action else f"ability.{capability.value}"
