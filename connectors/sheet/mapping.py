"""One row of a file to one canonical record. Pure: a layout and a row in, a record or a reason out.

A row is one line of an order (with the claim that it tells of), one claim, or one question. Times
without an offset are of the shop's zone; amounts are of the shop's currency.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from connectors.sheet.formulas import ERRORS
from connectors.sheet.headings import folded
from connectors.sheet.tables import Cell, Row
from connectors.sheet.values import CellError, identity, moment_reader, money, quantity, text, word
from connectors.sheet.vocabulary import WORDS
from hub.core.files import FileKind, FileRow, Layout, RowProblem
from hub.core.model import (
    Address,
    Claim,
    ClaimKind,
    ClaimReason,
    ClaimState,
    Inquiry,
    InquiryKind,
    InquiryState,
    InventoryHint,
    Line,
    LineStatus,
    Message,
    MessageAuthor,
    Money,
    Order,
    Party,
    Product,
    Shipment,
)

T = TypeVar("T")
Cells = dict[str, Cell]

_encode = msgspec.json.Encoder().encode
#: a line number this short counts inside its order only
_SHORT: Final = 4
#: distinct unknown words that are counted by name: a wrong column must not fill the table of codes
_MOST_UNKNOWN: Final = 100
_SOMEBODYS_NUMBER: Final = re.compile(r"\d{3,}")


class Terms(Struct, frozen=True, kw_only=True):
    """What holds for every row of a shop. ``has_claims``: lines tell of their claims; ``claims_apart``: a
    file of their own tells of them too, so that nothing is concluded from a line without one.
    """

    zone: ZoneInfo
    currency: str
    has_claims: bool = True
    claims_apart: bool = False


class _RowError(Exception):
    def __init__(self, code: str, field: str) -> None:
        super().__init__(code)
        self.code = code
        self.field = field


class RowReader:
    """Reads the rows of one file in their order: lines without a number are told apart by their place.

    ``unknown`` counts words that no table holds.
    """

    def __init__(self, layout: Layout, *, headings: Sequence[str], terms: Terms, unknown: Counter[str]) -> None:
        self._kind = layout.kind
        self._terms = terms
        self._unknown = unknown
        self._words = {
            field: {word(each): meaning for each, meaning in words.items()} for field, words in layout.words.items()
        }
        self._headings = [heading or None for heading in headings]
        places = {folded(heading): place for place, heading in enumerate(headings) if heading}
        self._heading_of = {rule.field: rule.heading for rule in layout.columns}
        self._columns = [
            (rule.field, places[folded(rule.heading)]) for rule in layout.columns if folded(rule.heading) in places
        ]
        self._constants: Cells = dict(layout.constants)
        self._fields = {*(field for field, _ in self._columns), *self._constants}
        self._moment = moment_reader(terms.zone, layout.date_order)
        self._met: Counter[int] = Counter()
        # Of the row being read, as soon as it has named itself: a row that breaks afterwards keeps it.
        self._key = ""
        readers: dict[FileKind, Callable[[Cells], Order | Claim | Inquiry]] = {
            FileKind.ORDERS: self._order,
            FileKind.CLAIMS: self._claim_row,
            FileKind.INQUIRIES: self._inquiry,
        }
        self._read = readers[layout.kind]

    def read(self, number: int, row: Row) -> FileRow:
        """Never raises for what stands in a row."""
        width = len(row)
        cells: Cells = dict(self._constants)
        failed: str | None = None
        for field, place in self._columns:
            if place < width and (cell := row[place]) is not None and cell != "":
                if type(cell) is str and cell[0] == "#" and cell.strip() in ERRORS:
                    failed = failed or field
                else:
                    cells[field] = cell
        raw = _encode({heading: cell for heading, cell in zip(self._headings, row, strict=False) if heading})
        self._key = ""
        try:
            record = self._read(cells)
        except _RowError as error:
            return self._broken(number, raw, "formula_failed" if error.field == failed else error.code, error.field)
        if failed is not None:
            # What a formula did not give must not be taken for nothing.
            return self._broken(number, raw, "formula_failed", failed)
        return FileRow(row=number, key=self._key, raw=raw, record=record)

    def _broken(self, number: int, raw: bytes, code: str, field: str) -> FileRow:
        problem = RowProblem(code=code, row=number, column=self._heading_of.get(field), field=field)
        return FileRow(row=number, key=self._key, raw=raw, problem=problem)

    # cells

    def _take(self, cells: Cells, field: str, read: Callable[[Cell], T]) -> T | None:
        cell = cells.get(field)
        if cell is None:
            return None
        try:
            return read(cell)
        except CellError as error:
            raise _RowError(error.code, field) from error

    def _need(self, cells: Cells, field: str, read: Callable[[Cell], T | None]) -> T:
        found = self._take(cells, field, read)
        if found is None:
            raise _RowError("missing", field)
        return found

    def _amount(self, cells: Cells, field: str) -> Money | None:
        return self._take(cells, field, lambda cell: money(cell, self._terms.currency))

    def _meaning(self, field: str, spelt: str) -> str | None:
        """What a word of the mall means; an unknown one is counted."""
        folded_word = word(spelt)
        found = self._words.get(field, {}).get(folded_word) or WORDS[field].get(folded_word)
        if found is None and field == "claim_state":
            # Many files say kind and state in one word, as in the column of the order's state.
            _, _, found = WORDS["status"].get(folded_word, "").partition("+")
        if not found:
            name = f"{field}:{_SOMEBODYS_NUMBER.sub('…', spelt)[:40]}"
            if name in self._unknown or len(self._unknown) < _MOST_UNKNOWN:
                self._unknown[name] += 1
        return found or None

    # orders

    def _order(self, cells: Cells) -> Order:
        order_no = self._need(cells, "order_no", identity)
        line_no = self._line_no(cells, order_no)
        self._key = f"{order_no}/{line_no}"
        raw_status = self._need(cells, "status", text)
        meaning = self._meaning("status", raw_status)
        status, _, told = (meaning or "unknown").partition("+")
        count = self._need(cells, "quantity", quantity)
        claims = self._claims_of(cells, order_no, line_no, told, raw_status, count) if self._terms.has_claims else ()
        line = Line(
            line_no=line_no,
            status=LineStatus(status),
            raw_status=raw_status,
            quantity=count,
            product=self._product(cells),
            amount=self._line_amount(cells, count),
            planned_ship_at=self._take(cells, "planned_ship_at", self._moment),
            purchase_confirmed_at=self._take(cells, "purchase_confirmed_at", self._moment),
            mall_changed_at=self._take(cells, "changed_at", self._moment),
            shipment=self._shipment(cells),
        )
        return Order(
            order_no=order_no,
            ordered_at=self._take(cells, "ordered_at", self._moment),
            lines=(line,),
            claims=claims,
            claims_are_complete=self._terms.has_claims and not self._terms.claims_apart and meaning is not None,
            paid_at=self._take(cells, "paid_at", self._moment),
            currency=self._terms.currency,
            amount=self._amount(cells, "order_amount"),
            payment_method=text(cells.get("payment_method")),
            buyer=self._party(cells, "buyer"),
            receiver=self._party(cells, "receiver"),
            delivery_message=text(cells.get("delivery_message")),
            market=text(cells.get("market")),
            market_order_no=self._take(cells, "market_order_no", identity),
        )

    def _line_no(self, cells: Cells, order_no: str) -> str:
        """The mall's own number, made unique in the shop; without one, made from what was bought."""
        found = self._take(cells, "line_no", identity)
        if found is not None:
            return f"{order_no}-{found}" if len(found) <= _SHORT else found
        bought = (cells.get("product_code") or cells.get("product_name"), cells.get("option"))
        digest = blake2b("\0".join(word(text(cell) or "") for cell in bought).encode(), digest_size=4).hexdigest()
        base = f"{order_no}-{digest}"
        self._met[hash(base)] += 1
        occurrence = self._met[hash(base)]
        return base if occurrence == 1 else f"{base}.{occurrence}"

    def _product(self, cells: Cells) -> Product:
        supplier = text(cells.get("supplier"))
        return Product(
            name=self._need(cells, "product_name", text),
            code=self._take(cells, "product_code", identity),
            option=text(cells.get("option")),
            option_code=self._take(cells, "option_code", identity),
            seller_sku=self._take(cells, "seller_sku", identity),
            hints=(InventoryHint(name="supplier", value=supplier),) if supplier else (),
        )

    def _line_amount(self, cells: Cells, count: int) -> Money | None:
        amount = self._amount(cells, "amount")
        if amount is not None:
            return amount
        price = self._amount(cells, "unit_price")
        return None if price is None else Money(minor=price.minor * count, currency=price.currency)

    def _shipment(self, cells: Cells) -> Shipment | None:
        carrier = text(cells.get("carrier"))
        tracking_no = self._take(cells, "tracking_no", identity)
        dispatched_at = self._take(cells, "dispatched_at", self._moment)
        delivered_at = self._take(cells, "delivered_at", self._moment)
        if not (carrier or tracking_no or dispatched_at or delivered_at):
            return None
        return Shipment(
            carrier=carrier, tracking_no=tracking_no, dispatched_at=dispatched_at, delivered_at=delivered_at
        )

    def _party(self, cells: Cells, who: str) -> Party | None:
        name = text(cells.get(f"{who}_name"))
        phone = text(cells.get(f"{who}_phone"))
        second = text(cells.get(f"{who}_phone_second"))
        email = text(cells.get(f"{who}_email"))
        member_id = text(cells.get(f"{who}_id"))
        address = None
        if who == "receiver":
            zip_code, base = text(cells.get("zip_code")), text(cells.get("address"))
            detail = text(cells.get("address_detail"))
            if zip_code or base or detail:
                address = Address(zip_code=zip_code, base=base, detail=detail)
        if not (name or phone or second or email or member_id or address):
            return None
        return Party(name=name, phone=phone, phone_second=second, email=email, member_id=member_id, address=address)

    # claims

    def _claims_of(
        self, cells: Cells, order_no: str, line_no: str, told: str, raw_status: str, count: int
    ) -> tuple[Claim, ...]:
        """The claim of a line: of its own columns where they are filled, else what the line's state tells."""
        if cells.get("claim_state") is not None or cells.get("claim_kind") is not None:
            return (self._claim(cells, order_no, line_no, count),)
        if not told:
            return ()
        kind, _, state = told.partition(":")
        return (self._claim_as(cells, order_no, line_no, (kind, state, raw_status), count),)

    def _claim_row(self, cells: Cells) -> Claim:
        order_no = self._need(cells, "order_no", identity)
        line_no = self._line_no(cells, order_no)
        self._key = f"claim:{line_no}"
        self._need(cells, "claim_state", text)
        claim = self._claim(cells, order_no, line_no, None)
        self._key = claim.claim_key
        return claim

    def _claim(self, cells: Cells, order_no: str, line_no: str, count: int | None) -> Claim:
        spelt_state, spelt_kind = text(cells.get("claim_state")), text(cells.get("claim_kind"))
        meaning = self._meaning("claim_state", spelt_state) if spelt_state else None
        kind, _, state = (meaning or "").rpartition(":")
        if spelt_kind:
            kind = self._meaning("claim_kind", spelt_kind) or kind
        told = (kind or "unknown", state or "unknown", spelt_state or spelt_kind or "")
        return self._claim_as(cells, order_no, line_no, told, count)

    def _claim_as(
        self, cells: Cells, order_no: str, line_no: str, told: tuple[str, str, str], count: int | None
    ) -> Claim:
        kind, state, raw_state = told
        requested_at = self._take(cells, "claim_requested_at", self._moment)
        claim_no = self._take(cells, "claim_no", identity)
        reason = text(cells.get("claim_reason"))
        # The moment of the request is the same in every file; a number may come later.
        mark = requested_at.strftime("%Y%m%d%H%M%S") if requested_at else claim_no
        return Claim(
            claim_key=f"{line_no}:{kind}:{mark}" if mark else f"{line_no}:{kind}",
            order_no=order_no,
            line_no=line_no,
            kind=ClaimKind(kind),
            state=ClaimState(state),
            raw_state=raw_state,
            claim_no=claim_no,
            reason=ClaimReason((self._meaning("claim_reason", reason) if reason else None) or "unknown"),
            raw_reason=reason,
            reason_text=text(cells.get("claim_text")),
            quantity=self._take(cells, "claim_quantity", quantity) or count,
            requested_at=requested_at,
            ended_at=self._take(cells, "claim_ended_at", self._moment),
            collect_carrier=text(cells.get("collect_carrier")),
            collect_tracking_no=self._take(cells, "collect_tracking_no", identity),
            refund=self._amount(cells, "refund_amount"),
        )

    # inquiries

    def _inquiry(self, cells: Cells) -> Inquiry:
        given = self._take(cells, "inquiry_no", identity)
        self._key = given or ""
        asked_at = self._need(cells, "asked_at", self._moment)
        asked = self._need(cells, "text", text)
        order_no = self._take(cells, "order_no", identity)
        writer = self._party(cells, "writer")
        subject = text(cells.get("subject"))
        number = self._key = given or _made_number(asked_at, writer, order_no, subject or asked)
        answer, answered_at = text(cells.get("answer")), self._take(cells, "answered_at", self._moment)
        state, raw_state = self._inquiry_state(cells, answer)
        line_no = self._take(cells, "line_no", identity)
        if line_no and order_no and len(line_no) <= _SHORT:
            line_no = f"{order_no}-{line_no}"
        messages = [Message(message_no=f"{number}-q", author=MessageAuthor.CUSTOMER, text=asked, sent_at=asked_at)]
        if answer:
            said = Message(message_no=f"{number}-a", author=MessageAuthor.SELLER, text=answer, sent_at=answered_at)
            messages.append(said)
        return Inquiry(
            inquiry_no=number,
            thread_no=number,
            kind=self._inquiry_kind(cells, order_no),
            state=state,
            raw_state=raw_state,
            asked_at=asked_at,
            text=asked,
            subject=subject,
            answer=answer,
            answered_at=answered_at,
            order_no=order_no,
            line_nos=(line_no,) if line_no else (),
            product_code=self._take(cells, "product_code", identity),
            product_name=text(cells.get("product_name")),
            category=text(cells.get("category")),
            writer=writer,
            messages=tuple(messages),
        )

    def _inquiry_state(self, cells: Cells, answer: str | None) -> tuple[InquiryState, str]:
        if spelt := text(cells.get("inquiry_state")):
            return InquiryState(self._meaning("inquiry_state", spelt) or "unknown"), spelt
        if "answer" in self._fields:
            return (InquiryState.ANSWERED if answer else InquiryState.UNANSWERED), ""
        return InquiryState.UNKNOWN, ""

    def _inquiry_kind(self, cells: Cells, order_no: str | None) -> InquiryKind:
        spelt = text(cells.get("inquiry_kind"))
        if spelt and (meaning := self._meaning("inquiry_kind", spelt)):
            return InquiryKind(meaning)
        about_product = not order_no and ("product_name" in cells or "product_code" in cells)
        return InquiryKind.PRODUCT_INQUIRY if about_product else InquiryKind.ORDER_INQUIRY


def _made_number(asked_at: Any, writer: Party | None, order_no: str | None, asked: str) -> str:
    """A number for a question that has none, from what does not change about it."""
    who = (writer.member_id or writer.name or writer.phone or "") if writer else ""
    parts = "\0".join((asked_at.isoformat(), who, order_no or "", asked))
    return f"q{blake2b(parts.encode('utf-8', 'replace'), digest_size=8).hexdigest()}"
