"""Events: who may send them, which orders they name, what they never do."""

import json
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from hub.core.contract import Connector
from hub.core.errors import AccessError, MalformedResponseError
from hub.core.events import Delivery, Notice, ReceivesEvents
from hub.core.inbox import InboxKind
from tests.connectors.cafe24.mall import NOW, Mall

KEY = "key-of-the-app"


def opened(**credentials: object) -> ReceivesEvents:
    connector: Connector = Mall().open(**{"webhook_key": KEY, **credentials})
    assert isinstance(connector, ReceivesEvents)
    return connector


def delivery(
    event_no: object, resource: object = None, *, key: str | None = KEY, body: bytes | None = None
) -> Delivery:
    return Delivery(
        headers={"content-type": "application/json", **({} if key is None else {"x-api-key": key})},
        body=json.dumps({"event_no": event_no, "resource": resource}).encode() if body is None else body,
        received_at=NOW,
    )


def order_event(order_id: object, **fields: object) -> dict[str, object]:
    return {
        "mall_id": "demomall",
        "event_shop_no": "1",
        "event_code": "return_order_request",
        "order_id": order_id,
        "buyer_name": "김민수",
        "buyer_cellphone": "010-0000-0001",
        **fields,
    }


@pytest.mark.parametrize(
    "event_no", [90023, 90024, 90025, 90026, 90027, 90028, 90029, 90031, 90064, 90160, 90162, "90027"]
)
def test_an_order_event_asks_for_its_order(event_no: object) -> None:
    notice = opened().receive_events(delivery(event_no, order_event("20261101-0000005")))

    assert notice == Notice(orders=("20261101-0000005",))


def test_a_bulk_event_names_many_orders_in_one_text() -> None:
    joined = "20261101-0000005, 20261101-0000006,,20261101-0000005,../etc,20261101-0000007 "

    connector = opened()
    notice = connector.receive_events(delivery(90072, order_event(joined)))

    assert notice == Notice(orders=("20261101-0000005", "20261101-0000006", "20261101-0000007"))
    assert connector.unknown_codes == {"event.order_id": 1}


def test_more_orders_than_can_be_asked_for_at_once_ask_for_all_changes() -> None:
    numbers = [f"20261101-{number:07}" for number in range(150)]

    notice = opened().receive_events(delivery(90071, order_event(",".join(numbers))))

    assert notice == Notice(orders=tuple(numbers[:100]), reads_orders=True)


@pytest.mark.parametrize("order_id", ["", None, "x", "20261101-0000005/../../boards", ["a"], 7])
def test_an_order_event_without_a_number_asks_for_all_changes(order_id: object) -> None:
    assert opened().receive_events(delivery(90026, order_event(order_id))) == Notice(reads_orders=True)


@pytest.mark.parametrize("event_no", [90033, 90034, 90035, 90036, 90037, 90038, 90039])
def test_a_board_event_asks_for_the_boards(event_no: int) -> None:
    assert opened().receive_events(delivery(event_no, {"mall_id": "demomall"})) == Notice(reads_inquiries=True)


@pytest.mark.parametrize("event_no", [90066, 90068, 90069, 90090, 90093])
def test_events_without_use_ask_for_nothing_and_are_no_news(event_no: int) -> None:
    connector = opened()

    assert connector.receive_events(delivery(event_no, order_event("20261101-0000005"))) == Notice()
    assert connector.unknown_codes == {}


def test_an_event_of_tomorrow_is_counted() -> None:
    connector = opened()

    assert connector.receive_events(delivery(99001, {"anything": [1]})) == Notice()
    assert connector.unknown_codes == {"event_no:99001": 1}


@pytest.mark.parametrize("key", [None, "", "key-of-the-ap", KEY + "x", "키"])
def test_a_sender_without_the_key_is_refused(key: str | None) -> None:
    with pytest.raises(AccessError) as caught:
        opened().receive_events(delivery(90023, order_event("20261101-0000005"), key=key))

    assert KEY not in str(caught.value)


def test_without_a_configured_key_nobody_is_believed() -> None:
    with pytest.raises(AccessError, match="webhook_key"):
        opened(webhook_key=None).receive_events(delivery(90023, order_event("20261101-0000005"), key=""))


def test_an_event_of_another_mall_is_refused() -> None:
    with pytest.raises(AccessError, match="another mall"):
        opened().receive_events(delivery(90023, order_event("20261101-0000005", mall_id="elsewhere")))


def test_a_shop_number_that_is_not_read_is_left_alone() -> None:
    event = delivery(90023, order_event("20261101-0000005", event_shop_no="2"))

    assert opened().receive_events(event) == Notice()
    assert opened(shop_no=[1, 2]).receive_events(event) == Notice(orders=("20261101-0000005",))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"\xff", b'{"event_no": {}}', b'{"resource": {}}', b'{"event_no": "x"}', b"[" * 9000]
)
def test_a_body_that_is_none_of_the_malls(body: bytes) -> None:
    with pytest.raises(MalformedResponseError):
        opened().receive_events(delivery(0, body=body))


@pytest.mark.parametrize("event_no", [90077, 90078])
async def test_a_lost_app_is_kept_and_ends_the_consent(event_no: int) -> None:
    mall = Mall()
    connector = mall.open(webhook_key=KEY)
    await connector.renew_consent()
    before = await connector.consent()
    lost = delivery(event_no, {"mall_id": "demomall", "user_name": "김민수"})
    lost = Delivery(headers=lost.headers, body=lost.body, received_at=NOW + timedelta(hours=1))

    with capture_logs() as logs:
        notice = connector.receive_events(lost)

    assert (notice.orders, notice.reads_orders, notice.reads_inquiries) == ((), False, False)
    assert logs == [{"event": "consent.lost", "log_level": "warning", "event_no": event_no}]
    (kept,) = notice.kept
    assert json.loads(kept.body) == {"event_no": event_no}
    inbox = connector._context.inbox
    for _ in range(2):
        await inbox.put(kind=InboxKind.EVENT, key=kept.key, body=kept.body, at=lost.received_at, subject=kept.subject)
    after = await connector.consent()
    assert before is not None
    assert after is not None
    assert before.renew_by == NOW + timedelta(days=14)
    assert after.renew_by == lost.received_at

    # The owner installed it again.
    mall.clock.now = NOW + timedelta(hours=2)
    assert (await connector.renew_consent()).renew_by == NOW + timedelta(days=14, hours=2)
