"""Who a record belongs to."""

from msgspec import Struct


class ShopRef(Struct, frozen=True, kw_only=True):
    """One seller account on one mall. ``name`` is unique in the hub, ``mall`` is the kind of site.

    Every key a mall gives is unique inside one shop only, never over shops.
    """

    name: str
    mall: str
