"""the index of the search; what is there already is queued for it"""

import time

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0017"
branch_labels = None
depends_on = None

#: as in hub.store.search_documents
_SOURCES = {
    "order": "orders",
    "inquiry": "inquiries",
    "claim": "claims",
    "case_note": "case_notes",
    "complaint_step": "complaint_steps",
}


def upgrade() -> None:
    op.create_table(
        "search_queue",
        sa.Column("row_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row_id", "source", name=op.f("pk_search_queue")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_documents",
        sa.Column("row_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("no", sa.BigInteger(), nullable=False),
        sa.Column("shop_id", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("row_id", "source", name=op.f("pk_search_documents")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_search_documents_no", "search_documents", ["no"], unique=True)
    op.create_table(
        "search_blocks",
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("token", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("members", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block", "token", name=op.f("pk_search_blocks")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_dead",
        sa.Column("no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_search_dead")),
    )
    op.create_table(
        "search_state",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("next_no", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_state")),
    )
    for source, table in _SOURCES.items():
        fill = f"INSERT INTO search_queue (row_id, source, queued_at) SELECT id, '{source}', :at FROM {table}"  # noqa: S608
        op.execute(sa.text(fill).bindparams(at=int(time.time() * 1000)))


def downgrade() -> None:
    for table in ("search_state", "search_dead", "search_blocks"):
        op.drop_table(table)
    op.drop_index("ix_search_documents_no", table_name="search_documents")
    op.drop_table("search_documents")
    op.drop_table("search_queue")
