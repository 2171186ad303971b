"""the search's index keeps places that are many as bits"""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

#: bytes of a block's bits; those of the longest list, two for each place
_BYTES, _LISTED = 2048, 1536
_blocks = sa.table(
    "search_blocks",
    sa.column("block", sa.Integer()),
    sa.column("token", sa.Integer()),
    sa.column("members", sa.LargeBinary()),
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        # Else what is longer than 2,032 bytes stands in another table, and is fetched by an index of that.
        op.execute("ALTER TABLE search_blocks SET (toast_tuple_target = 4096)")
    size = sa.func.length(_blocks.c.members)
    _change((size > _LISTED) & (size != _BYTES + 1), _as_bits)


def downgrade() -> None:
    _change(sa.func.length(_blocks.c.members) == _BYTES + 1, _as_list)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE search_blocks RESET (toast_tuple_target)")


def _change(which: sa.ColumnElement[bool], changed: Callable[[bytes], bytes]) -> None:
    bind = op.get_bind()
    here = (_blocks.c.block == sa.bindparam("of_block")) & (_blocks.c.token == sa.bindparam("of_token"))
    update = sa.update(_blocks).where(here).values(members=sa.bindparam("new"))
    for block in range((bind.scalar(sa.select(sa.func.max(_blocks.c.block))) or 0) + 1):
        rows = bind.execute(sa.select(_blocks.c.token, _blocks.c.members).where(_blocks.c.block == block, which)).all()
        if rows:
            bind.execute(update, [{"of_block": block, "of_token": row[0], "new": changed(row[1])} for row in rows])


def _as_bits(members: bytes) -> bytes:
    bits = bytearray(_BYTES + 1)
    for low, high in zip(members[::2], members[1::2], strict=True):
        bits[(low | high << 8) >> 3] |= 1 << (low & 7)
    return bytes(bits)


def _as_list(members: bytes) -> bytes:
    places = (place for place in range(_BYTES * 8) if members[place >> 3] >> (place & 7) & 1)
    return b"".join(place.to_bytes(2, "little") for place in places)
