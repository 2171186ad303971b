"""Every report that is counted from its rows, by name."""

from collections.abc import Mapping
from typing import Final

from hub.stats.agent_facts import AGENTS
from hub.stats.callback_facts import CALLBACKS
from hub.stats.care_facts import ASKS, BACKLOG, COMPENSATION, PROMISES
from hub.stats.cause_facts import CLAIM_CAUSES
from hub.stats.contact_facts import CONTACT_RATE
from hub.stats.dispatch_facts import DISPATCH
from hub.stats.facts import FactReport
from hub.stats.first_contact_facts import FIRST_CONTACT
from hub.stats.on_time import ON_TIME
from hub.stats.reason_facts import REASONS
from hub.stats.refund_facts import REFUNDS
from hub.stats.replies import REPLIES

FACT_REPORTS: Final[Mapping[str, FactReport]] = {
    report.name: report
    for report in (
        REASONS,
        CONTACT_RATE,
        FIRST_CONTACT,
        REPLIES,
        ON_TIME,
        BACKLOG,
        PROMISES,
        ASKS,
        COMPENSATION,
        REFUNDS,
        DISPATCH,
        CLAIM_CAUSES,
        AGENTS,
        CALLBACKS,
    )
}
