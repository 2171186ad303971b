"""What hangs on a case: whom we asked, what we promised, decided and gave."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from hub.store.columns import metadata, row_id
from hub.store.mall_tables import shops
from hub.store.work_tables import cases

# A question to a contact about a case. Answered by link, or typed by the agent who called.
asks = Table(
    "asks",
    metadata,
    row_id(),
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), nullable=False),
    # routing.contacts.Contact.key when asked; name and organisation as they were then
    Column("contact_key", Text, nullable=False),
    Column("contact_name", Text, nullable=False),
    Column("organisation", Text),
    # md | partner | logistics
    Column("role", Text, nullable=False),
    # routing.chain.Matter
    Column("matter", Text, nullable=False),
    # mail | webhook | call
    Column("channel", Text, nullable=False),
    Column("text_sealed", LargeBinary, nullable=False),
    # open | answered | escalated | withdrawn
    Column("state", Text, nullable=False),
    Column("asked_by", BigInteger),
    Column("asked_at", BigInteger, nullable=False),
    # null: not yet sent, or told by telephone
    Column("sent_at", BigInteger),
    # kind of the newest failure, tries so far, when to try again
    Column("send_error", Text),
    Column("sends", Integer, nullable=False, server_default=text("0")),
    Column("send_at", BigInteger),
    # when to remind, and when to ask the next in the chain
    Column("remind_at", BigInteger),
    Column("reminded_at", BigInteger),
    Column("escalate_at", BigInteger),
    # the ask that this one follows when nobody answered it
    Column("follows_id", BigInteger),
    Column("answered_at", BigInteger),
    Column("answer_sealed", LargeBinary),
    # link | agent
    Column("answered_via", Text),
    Column("answered_by", BigInteger),
    # from sending to the answer, in minutes of the contact's opening hours
    Column("answer_minutes", Integer),
    # when an agent saw the answer: from then on the link changes it no more
    Column("answer_read_at", BigInteger),
    # digest of the link's secret: a stolen table answers nothing
    Column("link_hash", LargeBinary, unique=True),
    Column("link_expires_at", BigInteger),
    # chosen by a form: the same form sent twice asks once
    Column("token", Text, unique=True),
    Index("ix_asks_case_id", "case_id"),
    Index("ix_asks_contact_key_asked_at", "contact_key", "asked_at"),
    Index("ix_asks_organisation_asked_at", "organisation", "asked_at"),
    Index("ix_asks_state_remind_at", "state", "remind_at"),
    Index("ix_asks_state_send_at", "state", "send_at"),
)

# Told to somebody: what, and by when. Kept only by a contact, or by an agreed change before it was due.
promises = Table(
    "promises",
    metadata,
    row_id(),
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), nullable=False),
    Column("what_sealed", LargeBinary, nullable=False),
    # customer | partner | logistics | md | mall | us
    Column("to_whom", Text, nullable=False),
    # call | answer | chat | mail | none
    Column("channel", Text, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    # open | kept | changed | broken; a broken one stays broken when it is kept late
    Column("state", Text, nullable=False),
    Column("owner_id", BigInteger),
    Column("made_by", BigInteger),
    Column("made_at", BigInteger, nullable=False),
    # the ask whose answer it rests on
    Column("ask_id", BigInteger),
    Column("reminded_at", BigInteger),
    # the contact that kept it: "action 12", "call abc", "said 7"; also set on a broken one that was kept late
    Column("kept_by", Text),
    Column("kept_at", BigInteger),
    # whom they spoke to, as an agent says
    Column("kept_with_sealed", LargeBinary),
    Column("broken_at", BigInteger),
    # hub.desk.care.promise_views.BrokenReason, and in words
    Column("broken_reason", Text),
    Column("broken_text_sealed", LargeBinary),
    # the promise that an agreed change put in its place
    Column("changed_to_id", BigInteger),
    Column("token", Text, unique=True),
    Index("ix_promises_case_id", "case_id"),
    Index("ix_promises_changed_to_id", "changed_to_id"),
    Index("ix_promises_state_due_at", "state", "due_at"),
    Index("ix_promises_owner_id_state_due_at", "owner_id", "state", "due_at"),
)

# Who gave an open promise to whom: at the end of a shift, or one by one.
promise_moves = Table(
    "promise_moves",
    metadata,
    row_id(),
    Column("promise_id", ForeignKey(promises.c.id, ondelete="CASCADE"), nullable=False),
    Column("from_id", BigInteger),
    Column("to_id", BigInteger, nullable=False),
    Column("moved_by", BigInteger),
    Column("moved_at", BigInteger, nullable=False),
    Index("ix_promise_moves_promise_id", "promise_id"),
)

# Steps of a complaint: intake, cause, solution, compensation, prevention. The newest row of a step counts.
# Beside them hard_case, whose ``cause`` is marked or cleared.
complaint_steps = Table(
    "complaint_steps",
    metadata,
    row_id(),
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), nullable=False),
    Column("step", Text, nullable=False),
    Column("text_sealed", LargeBinary),
    # of the step cause: product | delivery | expectation, and a code below it
    Column("cause_group", Text),
    Column("cause", Text),
    Column("done_by", BigInteger),
    Column("done_at", BigInteger, nullable=False),
    Index("ix_complaint_steps_case_id", "case_id"),
)

# Money and goods given beyond what is owed. Rows are added; a mistake is reversed by a row of its own.
compensations = Table(
    "compensations",
    metadata,
    row_id(),
    Column("case_id", ForeignKey(cases.c.id, ondelete="SET NULL")),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    Column("order_no", Text),
    Column("line_no", Text),
    # points | coupon | partial_refund | gift | fee_waived
    Column("kind", Text, nullable=False),
    # asked: waits for a supervisor | declined | sending: on its way to the mall | given | not_given: the mall refused
    Column("state", Text, nullable=False),
    # whether the mall's API gives it; a person does otherwise
    Column("is_at_mall", Boolean, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("reason", Text, nullable=False),
    # whose share, and how much of amount_minor it is
    Column("partner", Text),
    Column("partner_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("policy_version", Integer),
    Column("note_sealed", LargeBinary),
    # the action at the mall that gave it, where its API can
    Column("action_id", BigInteger),
    Column("given_by", BigInteger),
    Column("approved_by", BigInteger),
    Column("given_at", BigInteger, nullable=False),
    # the row that this one takes back; amounts are negative then
    Column("reverses_id", BigInteger, unique=True),
    Column("token", Text, unique=True),
    Index("ix_compensations_case_id", "case_id"),
    Index("ix_compensations_shop_id_order_no", "shop_id", "order_no"),
    Index("ix_compensations_given_at_id", "given_at", "id"),
    Index("ix_compensations_partner_given_at", "partner", "given_at"),
)

# What no mall knows of a line: the steps of a purchase abroad. The newest row of a fact counts.
line_facts = Table(
    "line_facts",
    metadata,
    row_id(),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    Column("order_no", Text, nullable=False),
    Column("line_no", Text, nullable=False),
    # hub.policy.stage.StageFact
    Column("fact", Text, nullable=False),
    # happened | not_happened | unknown: told by mistake, and nobody knows better
    Column("state", Text, nullable=False),
    # when it happened
    Column("at", BigInteger),
    # only the day is known: at is its start in the centre's zone
    Column("is_day", Boolean, nullable=False),
    # overseas order number, waybill, forwarder's number
    Column("reference", Text),
    # agent | file | api
    Column("source", Text, nullable=False),
    Column("set_by", BigInteger),
    Column("set_at", BigInteger, nullable=False),
    Index("ix_line_facts_shop_id_order_no_line_no", "shop_id", "order_no", "line_no"),
)

# A decision as it was made: the whole card, with the version of the policy that made it.
decisions = Table(
    "decisions",
    metadata,
    row_id(),
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE")),
    Column("shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    Column("order_no", Text, nullable=False),
    Column("line_no", Text, nullable=False),
    # cancel | return | exchange | …
    Column("request", Text, nullable=False),
    # allow | refuse | ask
    Column("decision", Text, nullable=False),
    # JSON of hub.policy.card.Card
    Column("card", Text, nullable=False),
    Column("policy_version", Integer),
    # JSON: {"evidence", "message_sent", "alternative_offered"} of a refusal
    Column("grounds_sealed", LargeBinary),
    Column("decided_by", BigInteger),
    Column("decided_at", BigInteger, nullable=False),
    Index("ix_decisions_case_id", "case_id"),
    Index("ix_decisions_shop_id_order_no_line_no", "shop_id", "order_no", "line_no"),
)

# Steps of a card that somebody has done. Taken back at ``undone_at``.
decision_ticks = Table(
    "decision_ticks",
    metadata,
    row_id(),
    Column("case_id", ForeignKey(cases.c.id, ondelete="CASCADE"), nullable=False),
    Column("line_no", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("ticked_by", BigInteger),
    Column("ticked_at", BigInteger, nullable=False),
    Column("undone_at", BigInteger),
    Index("ix_decision_ticks_case_id", "case_id"),
)

# A line paid anew in place of one that was cancelled after delivery: the goods are there, nothing may be sent.
rebills = Table(
    "rebills",
    metadata,
    row_id(),
    Column("old_shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    Column("old_order_no", Text, nullable=False),
    Column("old_line_no", Text, nullable=False),
    Column("new_shop_id", ForeignKey(shops.c.id, ondelete="CASCADE"), nullable=False),
    Column("new_order_no", Text, nullable=False),
    Column("new_line_no", Text, nullable=False),
    # hub.desk.acting.rebill.RebillReason
    Column("reason", Text, nullable=False),
    Column("asked_by", BigInteger),
    Column("asked_at", BigInteger, nullable=False),
    # null: waits for a supervisor
    Column("approved_by", BigInteger),
    Column("approved_at", BigInteger),
    Column("undone_by", BigInteger),
    Column("undone_at", BigInteger),
    # approved and not undone
    Column("is_active", Boolean, nullable=False),
    Index("ix_rebills_new_shop_id_new_order_no", "new_shop_id", "new_order_no"),
    Index("ix_rebills_old_shop_id_old_order_no", "old_shop_id", "old_order_no"),
)
