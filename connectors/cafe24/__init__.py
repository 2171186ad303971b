"""Cafe24: the seller's own mall in Korea."""

from connectors.cafe24.connector import open_shop
from connectors.cafe24.settings import Cafe24Credentials
from hub.core.contract import Capability, CapabilityState, Feed, Manifest, Support

_YES = CapabilityState(state=Support.YES)

MANIFEST = Manifest(
    mall="cafe24",
    title="Cafe24",
    title_ko="카페24 자사몰",
    letter="C",
    colour="#1b5fd9",
    timezone="Asia/Seoul",
    default_base_url=None,
    capabilities={
        Capability.READ_ORDERS: _YES,
        Capability.READ_INQUIRIES: _YES,
        Capability.READ_ONE_ORDER: _YES,
        Capability.READ_ONE_INQUIRY: _YES,
        Capability.CHECK: _YES,
        Capability.ANSWER_INQUIRY: _YES,
        Capability.APPROVE_CANCEL: _YES,
        Capability.REFUSE_CANCEL: _YES,
    },
    feeds={
        Feed.ORDERS: Capability.READ_ORDERS,
        Feed.CLAIMS: Capability.READ_ORDERS,
        Feed.INQUIRIES: Capability.READ_INQUIRIES,
    },
    credentials=Cafe24Credentials,
    open=open_shop,
)

__all__ = ["MANIFEST"]
