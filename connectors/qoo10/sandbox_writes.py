"""What a seller may do to order lines at the emulated Qoo10: confirm, send, cancel, exchange; singly and in bulk.

Source: method tables of ShippingBasic and Claim (QAPI 1.0); confidence: sure for fields and published
codes, likely for the statuses that a method wants, a guess where said.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from connectors.qoo10 import sandbox_render as render
from connectors.qoo10.sandbox_forms import (
    LONGEST_CARRIER,
    LONGEST_MEMO,
    LONGEST_TRACKING,
    Failure,
    Params,
    read_moment,
    wrong_argument,
)
from hub.core.model import ClaimKind, ClaimReason, ClaimState
from hub.sandbox.facts import ClaimFact, LineFact, OrderFact
from hub.sandbox.world import World

_MOST_ROWS = 500
#: how far ahead a bulk confirmation may plan; the true bound is not published (guess)
_FARTHEST = timedelta(days=30)
_CANCEL_REASONS = {
    "": ClaimReason.OUT_OF_STOCK,
    "1": ClaimReason.OTHER,
    "2": ClaimReason.OTHER,
    "3": ClaimReason.LATE,
}
_DELAY_TYPES = ("", "1", "2", "3", "4")
_WRONG_STATUS = "注文状態を確認してください。"
_NO_SUCH_ORDER = "注文番号を確認してください。"


class Writes:
    """The methods by their names in small letters; each applies one form to the World."""

    def __init__(self, world: World, shop: str) -> None:
        self._world = world
        self._shop = shop
        self.methods: dict[str, Callable[[Params], Any]] = {
            "shippingbasic.setsellercheckyn_v2": self._confirm,
            "shippingbasic.setsellercheckynbulk": self._confirm_many,
            "shippingbasic.setsendinginfo": self._send_parcel,
            "shippingbasic.setsendinginfobulk": self._send_many,
            "claim.setcancelprocess": self._cancel,
            "claim.setclaimaccept": self._accept_exchange,
            "claim.setclaimredelivery": self._redeliver,
        }

    def find(self, number: str) -> tuple[OrderFact, LineFact] | None:
        """The line of an OrderNo of this shop; cancelled ones are found too."""
        try:
            line = self._world.line(render.line_number(number))
            order = self._world.order_of(line.number)
        except (KeyError, ValueError):
            return None
        return (order, line) if order.shop == self._shop else None

    def _line(self, number: str, *, missing: int) -> LineFact:
        found = self.find(number)
        if found is None:
            raise Failure(missing, _NO_SUCH_ORDER)
        return found[1]

    def _code(self, line: LineFact) -> int | None:
        """The line's status, ``None`` when it has vanished."""
        now = self._world.now()
        return render.status_code(line, now) if render.is_listed(line, now) else None

    # -- orders

    def _confirm(self, fields: Params) -> None:
        """Status 2 to 3. The day of a line in 3 can be moved here; whether the true mall allows it is unknown."""
        line = self._line(fields.get("OrderNo", ""), missing=-10001)
        planned = fields.get("EstShipDt", "")
        _check_delay(fields)
        day = read_moment(planned, code=-10001) if planned else None
        if self._code(line) not in (2, 3):
            raise Failure(-10001, _WRONG_STATUS)
        if day is not None and day.date() < self._today():
            raise wrong_argument()
        self._take(line, day)

    def _confirm_many(self, fields: Params) -> list[dict[str, Any]]:
        """Rows answer one by one, under ``cont_no``; the whole answers 0 even when some were refused."""

        def confirm(row: Params) -> None:
            line = self._line(row.get("OrderNo", ""), missing=-10001)
            code = self._code(line)
            if code == 3:
                raise Failure(-10012, "既に発送予定日が登録されています。")
            if code != 2:
                raise Failure(-10013, _WRONG_STATUS)
            if not row.get("EstShipDt"):
                raise Failure(-10016, "発送予定日を入力してください。")
            day = read_moment(row["EstShipDt"], code=-10001)
            if day.date() > self._today() + _FARTHEST:
                raise Failure(-10017, "発送予定日が設定可能な期間を超えています。")
            if day.date() < self._today():
                raise Failure(-10018, "発送予定日は本日以降を指定してください。")
            _check_delay(row)
            self._take(line, day)

        return _each(fields.get("SendPlanDtInfoJson", ""), confirm, number_name="cont_no")

    def _today(self) -> Any:
        return self._world.now().astimezone(render.JST).date()

    def _take(self, line: LineFact, day: datetime | None) -> None:
        if day is not None:
            self._world.plan_shipping(line, day)
        self._world.prepare(line)

    def _send_parcel(self, fields: Params) -> None:
        """Status 2 or 3 to 4; a second call overwrites the parcel (guess)."""
        company, tracking = fields.get("ShippingCorp", ""), fields.get("TrackingNo", "")
        if not company or not tracking or len(company) > LONGEST_CARRIER or len(tracking) > LONGEST_TRACKING:
            raise wrong_argument()
        line = self._line(fields.get("OrderNo", ""), missing=-10001)
        code = self._code(line)
        if code not in (2, 3, 4):
            raise Failure(-10001, _WRONG_STATUS)
        if code == 4:
            line.carrier, line.tracking_no = company, tracking
        else:
            self._world.dispatch(line, company, tracking)

    def _send_many(self, fields: Params) -> list[dict[str, Any]]:
        """As the single method, row by row; here the number comes back as ``contr_no``."""
        return _each(fields.get("ShippingInfoJson", ""), self._send_parcel, number_name="contr_no", carrier="transc_nm")

    # -- claims

    def _cancel(self, fields: Params) -> None:
        """A seller's cancel; an open request of the buyer ends with it (likely, not documented)."""
        reason = _CANCEL_REASONS.get(fields.get("CancelReason", ""))
        if reason is None or len(fields.get("SellerMemo", "")) > LONGEST_MEMO:
            raise wrong_argument()
        line = self._line(fields.get("ContrNo", ""), missing=-10002)
        if self._code(line) not in (1, 2, 3):
            raise Failure(-10004, "キャンセルできない注文状態です。")
        claim = self._world.open_claim(line)
        if claim is None:
            claim = self._world.request_claim(
                line, ClaimKind.CANCEL, reason, "販売者キャンセル", by="seller", state=ClaimState.APPROVED
            )
        elif claim.kind is not ClaimKind.CANCEL:
            raise Failure(-10004, "キャンセルできない注文状態です。")
        self._world.move_claim(line, claim, ClaimState.DONE, "seller")

    def _accept_exchange(self, fields: Params) -> None:
        """Claim 11 to 12. The seller's address for the goods that come back may be given; it is not shown anywhere."""
        line, claim = self._exchange(fields, codes=(11,))
        self._world.move_claim(line, claim, ClaimState.ACCEPTED, "seller")

    def _redeliver(self, fields: Params) -> None:
        """Claim 12 to 13. The carrier's field is spelt ``del_comapny_name``; the date has dashes, unlike elsewhere."""
        carrier, tracking = fields.get("del_comapny_name", ""), fields.get("invoice_no", "")
        if not carrier or not tracking or not _is_dashed(fields.get("redelivery_date", "")):
            raise wrong_argument()
        line, claim = self._exchange(fields, codes=(12,))
        self._world.reship(line, claim, tracking)

    def _exchange(self, fields: Params, *, codes: tuple[int, ...]) -> tuple[LineFact, ClaimFact]:
        """The open exchange in one of ``codes``; which code a wrong status gets is not published (guess)."""
        line = self._line(fields.get("orderNo", ""), missing=-10002)
        for shown in reversed(render.claims_shown(line, self._world.now())):
            if shown.fact is not None and shown.code in codes:
                return line, shown.fact
        raise Failure(-10001, "交換の状態を確認してください。")


def _check_delay(fields: Params) -> None:
    if fields.get("DelayType", "") not in _DELAY_TYPES or len(fields.get("DelayMemo", "")) > LONGEST_MEMO:
        raise wrong_argument()


def _is_dashed(text: str) -> bool:
    for form in ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S"):
        try:
            datetime.strptime(text, form)  # noqa: DTZ007 - only its form is judged
        except ValueError:
            continue
        return True
    return False


def _each(
    text: str, act: Callable[[Params], None], *, number_name: str, carrier: str | None = None
) -> list[dict[str, Any]]:
    """Apply ``act`` to every row of a JSON text and answer for each: ``result_cd`` 0 or why not."""
    try:
        rows = msgspec.json.decode(text, type=list[dict[str, str | int | None]])
    except msgspec.MsgspecError as error:
        raise wrong_argument() from error
    if len(rows) > _MOST_ROWS:
        raise Failure(-10011, "一度に処理できるのは500件までです。")
    answers = []
    for row in rows:
        fields = {name: "" if value is None else str(value) for name, value in row.items()}
        code, message = 0, "SUCCESS"
        try:
            act(fields)
        except Failure as failure:
            code, message = failure.code, str(failure)
        number = fields.get("OrderNo", "")
        answer: dict[str, Any] = {number_name: int(number) if number.isdecimal() else number, "result_cd": code}
        if carrier is not None:
            answer[carrier] = fields.get("ShippingCorp", "")
        answers.append(answer | {"ResultCode": code, "ResultMsg": message})
    return answers
