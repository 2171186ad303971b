"""Tables of saved statistics: the view that somebody gave a name, when it is mailed, and each mail of it."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from hub.store.columns import metadata, row_id
from hub.store.work_tables import users

# A page of the statistics with its filters; the days follow from the span whenever it is opened.
saved_reports = Table(
    "saved_reports",
    metadata,
    row_id(),
    Column("owner_id", ForeignKey(users.c.id, ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    # path and query of the page, without its days
    Column("address", Text, nullable=False),
    # hub.stats.report_view.RelativeSpan
    Column("span", Text, nullable=False),
    Column("is_shared", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("uq_saved_reports_owner_id_name", "owner_id", "name", unique=True),
)

# When a saved report is mailed, and to whom. Times of the day are the centre's.
report_schedules = Table(
    "report_schedules",
    metadata,
    row_id(),
    Column("report_id", ForeignKey(saved_reports.c.id, ondelete="CASCADE"), nullable=False),
    # who made it
    Column("user_id", BigInteger),
    # hub.desk.reports.times.Every
    Column("every", Text, nullable=False),
    # weekday (0 is Monday) or day of the month; 0 of a daily one
    Column("on_day", Integer, nullable=False),
    # minutes after midnight
    Column("at_minute", Integer, nullable=False),
    # hub.desk.reports.times.OnRest
    Column("on_rest", Text, nullable=False),
    Column("locale", Text, nullable=False),
    # JSON list of addresses
    Column("recipients_sealed", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # whoever moves it on makes the mail: one of many workers
    Column("next_at", BigInteger, nullable=False),
    Index("ix_report_schedules_report_id", "report_id"),
    Index("ix_report_schedules_next_at", "next_at"),
)

# One mail for each due time, and for each press of the button. Rows are kept: they tell what was sent.
report_mails = Table(
    "report_mails",
    metadata,
    row_id(),
    Column("schedule_id", ForeignKey(report_schedules.c.id, ondelete="SET NULL")),
    # the schedule and the due time, or the form that asked: the same one is made once
    Column("mark", Text, nullable=False, unique=True),
    # the name of the report at that time
    Column("name", Text, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    # due times before this one that nobody was there for
    Column("missed", Integer, nullable=False),
    # who asked for it now; null: it was its time
    Column("asked_by", Text),
    # waiting | sending | sent | partly | unknown | failed
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    # null: nothing is left to do
    Column("try_at", BigInteger),
    Column("begun_at", BigInteger),
    Column("ended_at", BigInteger),
    # kind of the newest failure, never its text
    Column("error", Text),
    # to whom it went, JSON; rows of its table
    Column("recipients_sealed", LargeBinary),
    Column("rows", Integer),
    Index("ix_report_mails_schedule_id_id", "schedule_id", "id"),
    Index(
        "ix_report_mails_try_at",
        "try_at",
        sqlite_where=text("try_at IS NOT NULL"),
        postgresql_where=text("try_at IS NOT NULL"),
    ),
)
