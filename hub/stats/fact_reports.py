"""Every report that is counted from its rows, by name."""

from collections.abc import Mapping
from typing import Final

from hub.stats.care_facts import ASKS, BACKLOG, COMPENSATION, PROMISES
from hub.stats.contact_facts import CONTACT_RATE
from hub.stats.facts import FactReport
from hub.stats.reason_facts import REASONS
from hub.stats.replies import ON_TIME, REPLIES

FACT_REPORTS: Final[Mapping[str, FactReport]] = {
    report.name: report for report in (REASONS, CONTACT_RATE, REPLIES, ON_TIME, BACKLOG, PROMISES, ASKS, COMPENSATION)
}
