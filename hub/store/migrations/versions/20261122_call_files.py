"""files of call records, and what in them could not be read"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call_files",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("head_length", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("ignored", sa.BigInteger(), nullable=False),
        sa.Column("unreadable", sa.BigInteger(), nullable=False),
        sa.Column("clock_jumps", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_files")),
    )
    op.create_index("ix_call_files_path_pbx", "call_files", ["path", "pbx"], unique=False)
    op.create_table(
        "call_problems",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("line_no", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["call_files.id"], name=op.f("fk_call_problems_file_id_call_files"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_problems")),
        sa.UniqueConstraint("file_id", "line_no", name=op.f("uq_call_problems_file_id_line_no")),
    )
    # The statistics ask for a caller's calls just before and after one.
    op.drop_index("ix_calls_caller_idx", table_name="calls")
    op.create_index("ix_calls_caller_idx_entered_at", "calls", ["caller_idx", "entered_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_calls_caller_idx_entered_at", table_name="calls")
    op.create_index("ix_calls_caller_idx", "calls", ["caller_idx"], unique=False)
    op.drop_table("call_problems")
    op.drop_table("call_files")
