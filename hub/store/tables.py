"""Every table. SQLite by default, PostgreSQL by URL; the same columns on both.

Times are whole milliseconds since 1970 UTC in ``BigInteger`` (``*_at``): exact, fast to bind, and
equal on both databases. Money is minor units beside an ISO currency. ``*_idx`` are blind indexes
(keyed hashes) of personal data, ``sealed`` columns hold personal data encrypted. ``content_hash``
is the digest of the canonical record that the row was written from: equal digest, nothing written.
Primary keys come from :func:`hub.store.ids.new_id`.
"""

from hub.store.alert_tables import alert_messages, alerts
from hub.store.assignment_tables import (
    case_moves,
    case_notes,
    case_seen,
    mentions,
    presence,
    saved_views,
    team_members,
    teams,
)
from hub.store.book_tables import book_drafts, mode_changes, rule_books
from hub.store.call_file_tables import agent_states, call_files, call_follows, call_problems
from hub.store.call_tables import call_notes, callback_calls, callbacks, dials, live_calls
from hub.store.case_tables import (
    asks,
    compensations,
    complaint_steps,
    decision_ticks,
    decisions,
    line_facts,
    promise_moves,
    promises,
    rebills,
)
from hub.store.columns import metadata
from hub.store.customer_tables import customer_identities, customer_links, customer_marks
from hub.store.live_tables import live_events
from hub.store.lock_tables import case_locks, reply_drafts
from hub.store.mall_tables import (
    claims,
    feed_states,
    inbox,
    inquiries,
    leases,
    lines,
    order_twins,
    orders,
    products,
    quarantine,
    raw_payloads,
    rereads,
    shop_secrets,
    shops,
    status_changes,
    stock_items,
    suppliers,
    thread_orders,
    webhooks,
)
from hub.store.opening_tables import cheat_sheets, opening_answers
from hub.store.phone_tables import phone_agents
from hub.store.report_tables import report_mails, report_schedules, saved_reports
from hub.store.rollup_tables import call_counts, count_changes, count_checks, inquiry_counts, reason_trees
from hub.store.search_tables import search_blocks, search_dead, search_documents, search_queue, search_state
from hub.store.truth_tables import breakers, call_quotas, incident_cases, incidents, reconciliations
from hub.store.work_tables import (
    access_log,
    actions,
    admin_steps,
    call_events,
    calls,
    cases,
    product_modes,
    sessions,
    users,
)

__all__ = [
    "access_log",
    "actions",
    "admin_steps",
    "agent_states",
    "alert_messages",
    "alerts",
    "asks",
    "book_drafts",
    "breakers",
    "call_counts",
    "call_events",
    "call_files",
    "call_follows",
    "call_notes",
    "call_problems",
    "call_quotas",
    "callback_calls",
    "callbacks",
    "calls",
    "case_locks",
    "case_moves",
    "case_notes",
    "case_seen",
    "cases",
    "cheat_sheets",
    "claims",
    "compensations",
    "complaint_steps",
    "count_changes",
    "count_checks",
    "customer_identities",
    "customer_links",
    "customer_marks",
    "decision_ticks",
    "decisions",
    "dials",
    "feed_states",
    "inbox",
    "incident_cases",
    "incidents",
    "inquiries",
    "inquiry_counts",
    "leases",
    "line_facts",
    "lines",
    "live_calls",
    "live_events",
    "mentions",
    "metadata",
    "mode_changes",
    "opening_answers",
    "order_twins",
    "orders",
    "phone_agents",
    "presence",
    "product_modes",
    "products",
    "promise_moves",
    "promises",
    "quarantine",
    "raw_payloads",
    "reason_trees",
    "rebills",
    "reconciliations",
    "reply_drafts",
    "report_mails",
    "report_schedules",
    "rereads",
    "rule_books",
    "saved_reports",
    "saved_views",
    "search_blocks",
    "search_dead",
    "search_documents",
    "search_queue",
    "search_state",
    "sessions",
    "shop_secrets",
    "shops",
    "status_changes",
    "stock_items",
    "suppliers",
    "team_members",
    "teams",
    "thread_orders",
    "users",
    "webhooks",
]
