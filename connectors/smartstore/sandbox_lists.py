"""Lists of the emulated SmartStore that hold for a while: channels, answer templates, logistics firms.

Source: Naver Commerce API 2.73, pages seller, contents and logistics; confidence: sure for the names. The
pages call channels and templates lists and show one object each (a list here).
"""

from typing import Any

from connectors.smartstore.sandbox_gate import Call
from hub.sandbox.world import World


class Lists:
    def __init__(self, world: World, shop: str) -> None:
        self._world = world
        self._shop = shop

    def channels(self, _call: Call) -> list[dict[str, Any]]:
        return [
            {
                "channelNo": 100_200_300,
                "channelType": "STOREFARM",
                "name": "허브 테스트 스토어",
                "url": "https://smartstore.naver.com/hub-sandbox",
                "talkTalkAccountId": "w4hubs",
            }
        ]

    def templates(self, _call: Call) -> list[dict[str, Any]]:
        """Answer templates of product questions."""
        return [
            {"questionType": "DELIVERY", "subject": "배송", "content": "결제일로부터 1~3일 안에 발송합니다."},
            {"questionType": "PRODUCT", "subject": "재입고", "content": "입고되면 알려 드리겠습니다."},
        ]

    def logistics_companies(self, _call: Call) -> dict[str, Any]:
        """The firms that keep the stock of something this shop sells."""
        codes = sorted(
            {
                line.item.logistics_company
                for order in self._world.orders(self._shop)
                for line in order.lines
                if line.item.logistics_company
            }
        )
        return {
            "logisticsCompanies": [
                {
                    "logisticsCompanyId": code,
                    "logisticsCompanyName": f"물류사 {code}",
                    "deliveryTypes": "ARRIVAL_GUARANTEE",
                }
                for code in codes
            ]
        }
