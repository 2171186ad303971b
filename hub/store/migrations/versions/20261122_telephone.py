"""the telephone while it rings, what agents note of their calls, callbacks"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("phone_member", sa.Text(), nullable=True))
    op.create_index("ix_users_phone_member", "users", ["phone_member"], unique=True)
    op.create_table(
        "call_notes",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("leg", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("is_abuse", sa.Boolean(), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("rest_began_at", sa.BigInteger(), nullable=True),
        sa.Column("rest_ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_notes")),
        sa.UniqueConstraint("pbx", "call_id", "member", name=op.f("uq_call_notes_pbx_call_id_member")),
    )
    op.create_index("ix_call_notes_user_id_noted_at", "call_notes", ["user_id", "noted_at"], unique=False)
    op.create_table(
        "dials",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("mall", sa.Text(), nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("callback_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dials")),
    )
    op.create_index("ix_dials_user_id_asked_at", "dials", ["user_id", "asked_at"], unique=False)
    op.create_table(
        "live_calls",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("leg", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=True),
        sa.Column("mall", sa.Text(), nullable=True),
        sa.Column("line", sa.Text(), nullable=True),
        sa.Column("caller_idx", sa.LargeBinary(), nullable=True),
        sa.Column("caller_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("rang_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_calls")),
        sa.UniqueConstraint("pbx", "call_id", "member", name=op.f("uq_live_calls_pbx_call_id_member")),
    )
    op.create_index("ix_live_calls_user_id_updated_at", "live_calls", ["user_id", "updated_at"], unique=False)
    op.create_table(
        "callbacks",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("mall", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=True),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("caller_idx", sa.LargeBinary(), nullable=False),
        sa.Column("caller_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("first_tried_at", sa.BigInteger(), nullable=True),
        sa.Column("reached_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_callbacks_case_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callbacks")),
    )
    op.create_index("ix_callbacks_case_id", "callbacks", ["case_id"], unique=False)
    op.create_index(
        "ix_callbacks_mall_caller_idx",
        "callbacks",
        ["mall", "caller_idx"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "callback_calls",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("callback_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["callback_id"], ["callbacks.id"], name=op.f("fk_callback_calls_callback_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_callback_calls")),
    )
    op.create_index("ix_callback_calls_callback_id", "callback_calls", ["callback_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_callback_calls_callback_id", table_name="callback_calls")
    op.drop_table("callback_calls")
    op.drop_index(
        "ix_callbacks_mall_caller_idx",
        table_name="callbacks",
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index("ix_callbacks_case_id", table_name="callbacks")
    op.drop_table("callbacks")
    op.drop_index("ix_live_calls_user_id_updated_at", table_name="live_calls")
    op.drop_table("live_calls")
    op.drop_index("ix_dials_user_id_asked_at", table_name="dials")
    op.drop_table("dials")
    op.drop_index("ix_call_notes_user_id_noted_at", table_name="call_notes")
    op.drop_table("call_notes")
    op.drop_index("ix_users_phone_member", table_name="users")
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_column("phone_member")
