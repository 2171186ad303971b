"""claims and their cases know the sub-shop of their order

Two sub-shops of one account may number an order alike. Where they do, what was stored without a sub-shop goes to the
lowest: nothing told which it belonged to, and the next reading of the orders puts it right.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0029"
branch_labels = None
depends_on = None

_orders = sa.table("orders", *map(sa.column, ("shop_id", "sub_shop", "order_no")))
_claims = sa.table("claims", *map(sa.column, ("shop_id", "sub_shop", "order_no", "claim_key")))
_cases = sa.table("cases", *map(sa.column, ("shop_id", "sub_shop", "order_no", "thread_no", "case_key")))
_payloads = sa.table("raw_payloads", *map(sa.column, ("shop_id", "feed", "key")))


def upgrade() -> None:
    for table in ("claims", "cases"):
        op.add_column(table, sa.Column("sub_shop", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.execute(sa.update(_claims).values(sub_shop=sa.func.coalesce(_lowest(_claims, _claims.c.order_no), "")))
    of_claims = _cases.c.order_no.is_not(None) & _cases.c.thread_no.is_(None)
    op.execute(
        sa.update(_cases).where(of_claims).values(sub_shop=sa.func.coalesce(_lowest(_cases, _cases.c.order_no), ""))
    )
    op.execute(
        sa.update(_cases).where(_cases.c.sub_shop != "").values(case_key=_cases.c.case_key + ":" + _cases.c.sub_shop)
    )
    # Until now these had the keys that those of the first shop number have.
    op.execute(
        sa.update(_claims)
        .where(_is_of_another(_claims.c.sub_shop))
        .values(claim_key=_front(_claims.c.sub_shop) + _claims.c.claim_key)
    )
    of_order = _lowest(_payloads, _payloads.c.key)
    op.execute(
        sa.update(_payloads)
        .where(_payloads.c.feed == "orders", _is_of_another(of_order))
        .values(key=_front(of_order) + _payloads.c.key)
    )


def downgrade() -> None:
    # One that would get another's key keeps its own.
    shorter = sa.func.length(_cases.c.case_key) - sa.func.length(_cases.c.sub_shop) - 1
    _rename(_cases, "case_key", sa.func.substr(_cases.c.case_key, 1, shorter), of=_cases.c.sub_shop != "")
    behind = sa.func.substr(_claims.c.claim_key, sa.func.length(_claims.c.sub_shop) + 6)
    _rename(_claims, "claim_key", behind, of=_is_of_another(_claims.c.sub_shop))
    for table in ("cases", "claims"):
        op.drop_column(table, "sub_shop")


def _lowest(table: sa.TableClause, order_no: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """The first sub-shop that has the order of a row."""
    of_number = (_orders.c.shop_id == table.c.shop_id) & (_orders.c.order_no == order_no)
    return sa.select(sa.func.min(_orders.c.sub_shop)).where(of_number).correlate(table).scalar_subquery()


def _is_of_another(sub_shop: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Of another shop number than 1. One mall alone has sub-shops, and it numbers them."""
    return sub_shop.not_in(("", "1"))


def _front(sub_shop: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    return "shop" + sub_shop + ":"


def _rename(table: sa.TableClause, name: str, key: sa.ColumnElement[str], *, of: sa.ColumnElement[bool]) -> None:
    taken = table.alias("taken")
    is_taken = sa.exists().where(taken.c.shop_id == table.c.shop_id, taken.c[name] == key).correlate(table)
    op.execute(sa.update(table).where(of, ~is_taken).values({name: key}))
