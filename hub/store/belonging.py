"""What belongs to a claim: its order, its line, its case. Conditions for joins.

A number of an order is unique in its sub-shop only, that of a line in its order only.
"""

from sqlalchemy import ColumnElement, and_, case, select

from hub.store.tables import cases, claims, lines, orders


def order_of_claim() -> ColumnElement[bool]:
    """The order whose line a claim is about."""
    return and_(
        orders.c.shop_id == claims.c.shop_id,
        orders.c.order_no == claims.c.order_no,
        orders.c.sub_shop == claims.c.sub_shop,
    )


def line_of_claim() -> ColumnElement[bool]:
    """The line that a claim is about."""
    of_order = select(orders.c.id).where(order_of_claim()).correlate(claims)
    return and_(
        lines.c.shop_id == claims.c.shop_id, lines.c.line_no == claims.c.line_no, lines.c.order_id.in_(of_order)
    )


def case_of_claim() -> ColumnElement[bool]:
    """The case in which a claim is worked."""
    of_sub_shop = case((claims.c.sub_shop == "", ""), else_=":" + claims.c.sub_shop)
    key = "claim:" + claims.c.order_no + ":" + claims.c.kind + of_sub_shop
    return and_(cases.c.shop_id == claims.c.shop_id, cases.c.case_key == key)


def order_of_case() -> ColumnElement[bool]:
    """The order that a case is about. Where a case does not tell the sub-shop, as that of an inquiry, every order of
    the number may be meant.
    """
    return and_(
        orders.c.shop_id == cases.c.shop_id,
        orders.c.order_no == cases.c.order_no,
        cases.c.sub_shop.in_(("", orders.c.sub_shop)),
    )
