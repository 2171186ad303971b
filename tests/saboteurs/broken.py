"""Corner shops broken in one way each, with the rule that is there to notice it.

Each is a good connector with one small mistake of the kind that people make. What a mistake would do
to an agent is its docstring.
"""

import asyncio
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from hub.core import http
from hub.core.contract import Capability, CapabilityState, CheckItem, Outcome, Page, Reading, Support, WriteResult
from hub.core.errors import (
    AccessError,
    MalformedResponseError,
    MallError,
    OutcomeUnknownError,
    RejectedByMallError,
    UnavailableError,
)
from hub.core.events import Kept, Notice
from hub.core.model import LineStatus, Money, Order
from tests.contract.subject import Subject, subject_of
from tests.saboteurs.corner_shop import MANIFEST, client, connector, mapping
from tests.saboteurs.corner_shop.connector import CornerConnector
from tests.saboteurs.corner_shop.wire import GoodWire

GOOD = subject_of("tests.saboteurs.corner_shop", MANIFEST)

Break = Callable[[pytest.MonkeyPatch], Subject]


@dataclass(frozen=True)
class Saboteur:
    name: str
    caught_by: str
    make: Break


SABOTEURS: list[Saboteur] = []


def caught_by(rule: str) -> Callable[[Any], Any]:
    """Register a broken connector class, or a function that breaks things for the time of one test."""

    def register(broken: Any) -> Any:
        make = (lambda _patch: opened_by(broken)) if isinstance(broken, type) else broken
        SABOTEURS.append(Saboteur(broken.__name__, rule, make))
        return broken

    return register


def opened_by(kind: Any, **manifest: Any) -> Subject:
    return replace(GOOD, manifest=msgspec.structs.replace(MANIFEST, open=kind, **manifest))


def _folder(*, readme: str | None = None, cases: tuple[str, ...] = ("order", "question")) -> Path:
    """A copy of the corner shop's papers; the caller's changes are in it."""
    folder = Path(tempfile.mkdtemp())
    (folder / "cases").mkdir()
    text = (GOOD.folder / "README.md").read_text(encoding="utf-8") if readme is None else readme
    (folder / "README.md").write_text(text, encoding="utf-8")
    for case in cases:
        (folder / "cases" / f"{case}.json").write_bytes((GOOD.folder / "cases" / f"{case}.json").read_bytes())
    return folder


# -- papers


@caught_by("manifest_complete")
def paints_itself_red(_patch: pytest.MonkeyPatch) -> Subject:
    """A colour that no screen can print."""
    return opened_by(CornerConnector, colour="red")


@caught_by("capability_declared_is_implemented")
def declares_what_it_cannot(_patch: pytest.MonkeyPatch) -> Subject:
    """A button that fails when it is pressed."""
    yes = CapabilityState(state=Support.YES)
    return opened_by(CornerConnector, capabilities={**MANIFEST.capabilities, Capability.REFUSE_CANCEL: yes})


@caught_by("capability_declared_is_implemented")
class HidesWhatItCan(CornerConnector):
    """A way to act at the mall that the matrix denies."""

    async def refuse_cancel(self, action):
        return await self.approve_cancel(action)


@caught_by("absent_capability_names_the_way")
def names_no_way_out(_patch: pytest.MonkeyPatch) -> Subject:
    """The agent reads "not possible" and nothing else."""
    no = CapabilityState(state=Support.NO)
    return opened_by(CornerConnector, capabilities={**MANIFEST.capabilities, Capability.REFUSE_CANCEL: no})


@caught_by("absent_capability_names_the_way")
def leaves_a_write_for_later(_patch: pytest.MonkeyPatch) -> Subject:
    """The agent waits for a button that never comes, and nobody says where to click today."""
    capabilities = {name: state for name, state in MANIFEST.capabilities.items() if name is not Capability.MEMO}
    return opened_by(CornerConnector, capabilities=capabilities)


@caught_by("readme_complete")
def forgets_a_credential(_patch: pytest.MonkeyPatch) -> Subject:
    """Nobody knows what to write into the shop file."""
    readme = (GOOD.folder / "README.md").read_text(encoding="utf-8").replace("`secret`", "the other one")
    return replace(GOOD, folder=_folder(readme=readme))


@caught_by("cases_map_exactly")
def reads_naive_times_as_utc(patch: pytest.MonkeyPatch) -> Subject:
    """Every deadline is nine hours late."""
    patch.setattr(mapping, "moment", _as_utc)
    return GOOD


@caught_by("full_run_reads_the_truth")
def reads_every_time_as_utc(patch: pytest.MonkeyPatch) -> Subject:
    """The same, seen from the emulated mall."""
    patch.setattr(mapping, "moment", _as_utc)
    return GOOD


def _as_utc(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


@caught_by("cases_map_exactly")
def records_no_source(_patch: pytest.MonkeyPatch) -> Subject:
    """A case that nobody can check against the mall's documents."""
    folder = _folder()
    case = json.loads((folder / "cases" / "order.json").read_bytes()) | {"source": " "}
    (folder / "cases" / "order.json").write_text(json.dumps(case), encoding="utf-8")
    return replace(GOOD, folder=folder)


@caught_by("cases_cover_what_is_read")
def records_no_question(_patch: pytest.MonkeyPatch) -> Subject:
    """A feed that no recorded answer of the mall stands for."""
    return replace(GOOD, folder=_folder(cases=("order",)))


# -- reading


class Paging(CornerConnector):
    """What every broken pager bends: the pages as they come."""

    async def pages(self, *about, **more):
        kept = [page async for page in super().pages(*about, **more)]
        for page in self.bend(kept):
            yield page

    def bend(self, pages: list[Page]) -> list[Page]:
        raise NotImplementedError


@caught_by("pages_are_complete")
class DropsTheLastPage(Paging):
    """The newest orders of a busy day never arrive."""

    def bend(self, pages):
        return pages[:-1] if len(pages) > 1 else pages


@caught_by("full_run_reads_the_truth")
class DropsOneRowPerPage(Paging):
    """One order in ten never arrives."""

    def bend(self, pages):
        return [msgspec.structs.replace(page, readings=page.readings[:-1]) for page in pages]


@caught_by("identity_is_unique_and_stable")
class KeysByPlace(Paging):
    """The second page overwrites the first one."""

    def bend(self, pages):
        return [
            msgspec.structs.replace(
                page,
                readings=tuple(
                    msgspec.structs.replace(reading, key=str(place)) for place, reading in enumerate(page.readings)
                ),
            )
            for page in pages
        ]


@caught_by("second_run_reads_the_same")
class CountsItsReadings(CornerConnector):
    """Every run stores everything anew."""

    made = 0

    def to_order(self, raw):
        CountsItsReadings.made += 1
        reading = super().to_order(raw)
        if isinstance(reading.record, Order):
            record = msgspec.structs.replace(reading.record, sub_shop=str(self.made))
            return msgspec.structs.replace(reading, record=record)
        return reading


@caught_by("times_are_utc_and_money_is_whole")
def takes_float_money(patch: pytest.MonkeyPatch) -> Subject:
    """Sums that are off by a few won."""
    patch.setattr(mapping, "Money", lambda *, minor, currency: Money(minor=float(minor), currency=currency))
    return GOOD


@caught_by("times_are_utc_and_money_is_whole")
def keeps_times_naive(patch: pytest.MonkeyPatch) -> Subject:
    """Times that mean something else on every machine."""
    patch.setattr(mapping, "moment", lambda text: _as_utc(text).replace(tzinfo=None))
    return GOOD


@caught_by("progress_moves")
class ShowsNoProgress(Paging):
    """A bar that stands still for an hour."""

    def bend(self, pages):
        return [msgspec.structs.replace(page, progress=0.0) for page in pages]


@caught_by("killed_run_resumes")
class IgnoresTheCursor(CornerConnector):
    """A run that is killed every hour never ends."""

    def read_orders(self, span, *, open_keys, cursor):
        return super().read_orders(span, open_keys=open_keys, cursor=None)


@caught_by("killed_run_resumes")
class MovesTheCursorBeforeEmitting(Paging):
    """A killed run leaves a hole of one page."""

    def bend(self, pages):
        following = [page.cursor for page in pages[1:]] + [pages[-1].cursor]
        return [msgspec.structs.replace(page, cursor=cursor) for page, cursor in zip(pages, following, strict=True)]


@caught_by("late_change_is_seen")
class ForgetsWhatIsOpen(CornerConnector):
    """A return of last month's order is never seen."""

    def read_orders(self, span, *, open_keys, cursor):
        return super().read_orders(span, open_keys=type(open_keys)(), cursor=cursor)


@caught_by("shops_do_not_mix")
class MixesTwoShops(CornerConnector):
    """One seller reads the other's customers."""

    by_number: dict[bytes, Reading] = {}  # noqa: RUF012  shared on purpose

    def to_order(self, raw):
        number = msgspec.json.decode(raw)["no"]
        return self.by_number.setdefault(number, super().to_order(raw))


# -- hostile records


@caught_by("unknown_code_stays_unknown")
def guesses_a_status(patch: pytest.MonkeyPatch) -> Subject:
    """A stopped line looks as if it were on its way."""
    word = mapping.word

    def guess(field, code, table, unknown_word, unknown):
        found = word(field, code, table, unknown_word, unknown)
        return LineStatus.PAID if found is LineStatus.UNKNOWN else found

    patch.setattr(mapping, "word", guess)
    return GOOD


@caught_by("unknown_code_stays_unknown")
def counts_no_unknown_code(patch: pytest.MonkeyPatch) -> Subject:
    """A new code of the mall goes unnoticed for months."""
    patch.setattr(mapping, "word", lambda _field, code, table, unknown_word, _unknown: table.get(code, unknown_word))
    return GOOD


@caught_by("bad_record_is_set_aside_alone")
class CrashesOnABadRecord(CornerConnector):
    """One broken order stops the whole shop."""

    def to_order(self, raw):
        reading = super().to_order(raw)
        if reading.error is not None:
            raise ValueError(reading.error)
        return reading


@caught_by("bad_record_is_set_aside_alone")
class DropsAPageForABadRecord(Paging):
    """One broken order hides nine others."""

    def bend(self, pages):
        return [
            msgspec.structs.replace(page, readings=()) if any(row.error for row in page.readings) else page
            for page in pages
        ]


@caught_by("repeated_rows_do_no_harm")
class StopsAtARepeatedRow(CornerConnector):
    """An order that moves to the next page while it is read ends the night's run."""

    def __init__(self, context):
        super().__init__(context)
        self.seen = set()

    def to_order(self, raw):
        reading = super().to_order(raw)
        if reading.key in self.seen:
            raise MalformedResponseError("told twice")
        self.seen.add(reading.key)
        return reading


@caught_by("hostile_text_does_no_harm")
def keeps_nul(patch: pytest.MonkeyPatch) -> Subject:
    """The database refuses the page, every night."""
    patch.setattr(mapping, "plain", lambda text: text)
    return GOOD


@caught_by("stored_payload_maps_again")
class MapsOnlyWhatItCanAskFor(CornerConnector):
    """A mended mapping never reaches what is stored."""

    def remap(self, feed, key, raw):
        return Reading(key=key, raw=raw, error="read it again")


@caught_by("stored_payload_maps_again")
class RemapsByAnotherRule(CornerConnector):
    """A replay "repairs" every record into something that no reading ever gave."""

    def remap(self, feed, key, raw):
        reading = super().remap(feed, key, raw)
        if isinstance(reading.record, Order):
            return msgspec.structs.replace(reading, record=msgspec.structs.replace(reading.record, sub_shop="1"))
        return reading


# -- bad nights


@caught_by("transient_error_is_retried")
def gives_up_at_once(patch: pytest.MonkeyPatch) -> Subject:
    """One lost packet, and the night's run is not complete."""
    patch.setattr(http, "ATTEMPTS", 1)
    return GOOD


@caught_by("lasting_failure_is_loud")
class SwallowsFailures(CornerConnector):
    """A dead mall looks like a quiet day."""

    async def pages(self, *about, **more):
        try:
            async for page in super().pages(*about, **more):
                yield page
        except MallError:
            return


@caught_by("error_inside_200_is_an_error")
def takes_an_error_page_for_nothing(patch: pytest.MonkeyPatch) -> Subject:
    """Maintenance looks like a day without orders."""
    patch.setattr(client, "classify", lambda _response: None)
    rows = client.CornerClient.rows

    async def lenient(self, *about, **more):
        try:
            return await rows(self, *about, **more)
        except MallError:
            return client.Rows(rows=[])

    patch.setattr(client.CornerClient, "rows", lenient)
    return GOOD


@caught_by("token_is_renewed_once")
def never_renews_the_token(patch: pytest.MonkeyPatch) -> Subject:
    """After an hour every call is refused."""
    renew = http.TokenAuth.token

    async def keep(self, *, refused=None):
        return self._token or await renew(self, refused=refused)

    patch.setattr(http.TokenAuth, "token", keep)
    return GOOD


@caught_by("token_is_renewed_once")
def renews_for_every_caller(patch: pytest.MonkeyPatch) -> Subject:
    """Ten workers end each other's tokens."""
    renew = http.TokenAuth.token

    async def fetch_anyway(self, *, refused=None):
        if refused is None:
            return await renew(self)
        await asyncio.sleep(0)
        token = await self.fetch(None)
        await self._secrets.put(self._name, token)
        return token

    patch.setattr(http.TokenAuth, "token", fetch_anyway)
    return GOOD


@caught_by("rate_is_kept")
def ignores_the_rate(patch: pytest.MonkeyPatch) -> Subject:
    """The mall shuts the shop out."""

    async def take(self, *, is_urgent=None):
        return self._clock()

    patch.setattr(http.Bucket, "take", take)
    return GOOD


@caught_by("no_secret_leaves")
def leaks_a_key_in_an_error(patch: pytest.MonkeyPatch) -> Subject:
    """The token stands in a ticket, in the log, on a screen."""

    def classify(response: httpx.Response) -> MallError | None:
        if response.is_server_error:
            return UnavailableError(f"no answer to {response.request.headers.get('Authorization')}")
        return classify_well(response)

    classify_well = client.classify
    patch.setattr(client, "classify", classify)
    return GOOD


@caught_by("no_secret_leaves")
class ShowsItsSecrets(CornerConnector):
    """Every traceback holds the password."""

    def __init__(self, context):
        super().__init__(context)
        self.secret = context.credentials["secret"]

    def __repr__(self):
        return f"CornerConnector({self.secret})"


# -- acting


@caught_by("effect_is_read_back")
class BelievesItself(CornerConnector):
    """The screen shows what was wished, not what is."""

    async def act(self, path, body, read):
        return msgspec.structs.replace(await super().act(path, body, read), readings=())


@caught_by("repeated_write_acts_once")
class AsksNothingBefore(CornerConnector):
    """Two clicks, two answers to the customer."""

    async def act(self, path, body, read):
        await self.client.write(path, body)
        reading, _ = await read()
        return connector._result(Outcome.DONE, reading)


@caught_by("repeated_write_acts_once")
class PostsTwice(CornerConnector):
    """The customer gets every answer twice."""

    async def act(self, path, body, read):
        result = await super().act(path, body, read)
        await self.client.http.client.post(path, json=body)
        return result


@caught_by("lost_answer_is_settled_by_reading")
class RepeatsALostWrite(CornerConnector):
    """A lost answer makes two refunds."""

    async def act(self, path, body, read):
        try:
            await self.client.write(path, body)
        except OutcomeUnknownError:
            await self.client.write(path, body)
        return connector._result(Outcome.DONE, (await read())[0])


@caught_by("look_never_sends")
class SendsInsteadOfLooking(CornerConnector):
    """Whoever asks what became of a refund makes another one."""

    async def look_again(self, read):
        return await self.act("/lines/1/approve", {}, read)

    async def answer_inquiry(self, answer):
        return await super().answer_inquiry(msgspec.structs.replace(answer, is_only_look=False))


@caught_by("unsure_write_is_not_called_done")
class CallsALostAnswerDone(CornerConnector):
    """Nobody looks after the customer again."""

    async def act(self, path, body, read):
        result = await super().act(path, body, read)
        return WriteResult(outcome=Outcome.DONE) if result.outcome is Outcome.UNKNOWN else result


@caught_by("refused_write_is_sent_once")
class RetriesARefusal(CornerConnector):
    """The mall counts three wrong calls where one was made."""

    async def act(self, path, body, read):
        for _ in range(2):
            try:
                await self.client.write(path, body)
            except RejectedByMallError:
                continue
            break
        return connector._result(Outcome.REFUSED, (await read())[0])


@caught_by("cases_cover_what_is_written")
def takes_every_200_for_a_yes(patch: pytest.MonkeyPatch) -> Subject:
    """The parcel was refused, the customer was told that it is on its way."""

    async def write(self, path, body):
        await self.http.write("POST", path, operation=path.rsplit("/", 1)[-1], json=body)

    patch.setattr(client.CornerClient, "write", write)
    return GOOD


@caught_by("cases_cover_what_is_written")
class SendsAFieldMore(CornerConnector):
    """A mall that checks its input refuses the whole call."""

    async def act(self, path, body, read):
        return await super().act(path, {**body, "by": "hub"}, read)


@caught_by("cases_cover_what_is_written")
class LooksOnceTooOften(CornerConnector):
    """A call of the limit for nothing, at every click."""

    async def act(self, path, body, read):
        await read()
        return await super().act(path, body, read)


@caught_by("cases_cover_what_is_written")
class KeepsTheMallsWordsToItself(CornerConnector):
    """ "Refused", and nobody knows why."""

    async def act(self, path, body, read):
        result = await super().act(path, body, read)
        lines = tuple(msgspec.structs.replace(line, mall_message=None) for line in result.lines)
        return msgspec.structs.replace(result, lines=lines)


@caught_by("cases_cover_what_is_written")
def records_no_write(_patch: pytest.MonkeyPatch) -> Subject:
    """A body that was never compared with the mall's document."""
    return replace(GOOD, folder=_folder())


@caught_by("new_wire_fields_are_reported")
class SeesNoNewField(CornerConnector):
    """A new version of the API goes unnoticed until something breaks."""

    def look(self, raw, shape, where):
        return


@caught_by("new_wire_fields_are_reported")
class TakesOldFieldsForNew(CornerConnector):
    """A warning that always stands is read by nobody."""

    def look(self, raw, shape, where):
        super().look(raw, GoodWire, where)


@caught_by("check_is_harmless_and_helps")
class ChecksWithoutAFix(CornerConnector):
    """ "Not OK", and nobody knows what to do."""

    async def check(self):
        return tuple(CheckItem(name=item.name, is_ok=item.is_ok) for item in await super().check())


@caught_by("check_is_harmless_and_helps")
class ChecksByActing(CornerConnector):
    """The test of a permission answers a customer."""

    async def check(self):
        items = await super().check()
        if all(item.is_ok for item in items):
            rows = (await self.client.rows("questions", after="", since=datetime(2020, 1, 1, tzinfo=UTC))).rows
            number = msgspec.json.decode(rows[0])["no"]
            await self.client.write(f"/questions/{number}/answer", {"text": "test"})
        return items


@caught_by("admin_link_is_safe")
class PastesNumbersIntoLinks(CornerConnector):
    """A customer's text decides where the agent's click goes."""

    def admin_link(self, *, order_no=None, line_no=None, inquiry=None):
        return f"https://admin.corner.example/orders/{order_no}"


# -- around it


@caught_by("carriers_are_listed")
class ListsACarrierTwice(CornerConnector):
    """Two lines of one select send the same code."""

    async def list_carriers(self):
        carriers = await super().list_carriers()
        return (*carriers, carriers[0])


@caught_by("catalogue_is_complete")
class ForgetsTheLastGoods(CornerConnector):
    """Nobody knows whose stock the newest goods are."""

    async def read_catalogue(self, *, cursor):
        pages = [page async for page in super().read_catalogue(cursor=cursor)]
        for page in pages[:-1]:
            yield page


@caught_by("catalogue_is_complete")
class StartsTheCatalogueTooFar(CornerConnector):
    """A run that was interrupted leaves a hole."""

    async def read_catalogue(self, *, cursor):
        async for page in super().read_catalogue(cursor=str(int(cursor) + 1) if cursor else None):
            yield page


@caught_by("event_of_a_stranger_is_refused")
class ListensToAnybody(CornerConnector):
    """Whoever finds the address makes the hub read all day."""

    def receive_events(self, delivery):
        try:
            return super().receive_events(delivery)
        except AccessError:
            return Notice(reads_orders=True)


@caught_by("repeated_event_is_harmless")
class KeepsEveryEventAnew(CornerConnector):
    """The customer's sentence stands twice in the chat."""

    kept = 0

    def receive_events(self, delivery):
        self.kept += 1
        notice = super().receive_events(delivery)
        return msgspec.structs.replace(notice, kept=(Kept(key=str(self.kept), subject="x", body=delivery.body),))


@caught_by("consent_code_is_redeemed_once")
class TriesACodeTwice(CornerConnector):
    """The mall takes a second use for a theft and ends the first."""

    async def redeem_consent(self, *, code, redirect_uri):
        try:
            return await super().redeem_consent(code=code, redirect_uri=redirect_uri)
        except AccessError:
            return await super().redeem_consent(code=code, redirect_uri=redirect_uri)


@caught_by("consent_code_is_redeemed_once")
class ForgetsTheState(CornerConnector):
    """Anybody can tie his own shop to the agent who clicks a link."""

    def consent_url(self, *, state, redirect_uri):
        return super().consent_url(state="", redirect_uri=redirect_uri)
