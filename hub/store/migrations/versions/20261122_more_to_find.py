"""indexes of claim numbers and of parcels of claims; notes of calls and of moves are queued for the search"""

import time

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_NUMBERS = ("claim_no", "collect_tracking_no", "reship_tracking_no")
#: as in hub.store.search_documents: source, table, what is not empty where it says something
_SOURCES = (("case_move", "case_moves", "note_sealed"), ("call_note", "call_notes", "text_sealed"))


def upgrade() -> None:
    for column in _NUMBERS:
        given = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_claims_{column}", "claims", [column], sqlite_where=given, postgresql_where=given)
    for source, table, text in _SOURCES:
        fill = (
            "INSERT INTO search_queue (row_id, source, queued_at) "  # noqa: S608
            f"SELECT id, '{source}', :at FROM {table} WHERE {text} IS NOT NULL"
        )
        op.execute(sa.text(fill).bindparams(at=int(time.time() * 1000)))


def downgrade() -> None:
    for source, _, _ in _SOURCES:
        op.execute(f"DELETE FROM search_queue WHERE source = '{source}'")  # noqa: S608
        op.execute(f"INSERT INTO search_dead (no, since) SELECT no, 0 FROM search_documents WHERE source = '{source}'")  # noqa: S608
        op.execute(f"DELETE FROM search_documents WHERE source = '{source}'")  # noqa: S608
    for column in reversed(_NUMBERS):
        op.drop_index(f"ix_claims_{column}", table_name="claims")
