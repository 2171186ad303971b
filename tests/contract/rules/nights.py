"""Bad nights: failing calls, ended tokens, limits, secrets that must not leak."""

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pydantic
from structlog.testing import capture_logs

from hub.core.contract import Capability
from hub.core.errors import AccessError, MallError, TransientMallError
from hub.core.http import ATTEMPTS
from tests.contract.rules.rule import rule
from tests.contract.street import Call, Street, html, remade
from tests.contract.subject import Subject


async def _logged_in(street: Street) -> None:
    """Have a token fetched, so that what comes next strikes the reading alone."""
    await street.read_new()
    street.wire.calls.clear()


def _once_each(fault: Callable[[Call], httpx.Response]) -> Callable[[Call], httpx.Response | None]:
    struck: set[tuple[str, str, bytes]] = set()

    def strike(call: Call) -> httpx.Response | None:
        if call.request in struck:
            return None
        struck.add(call.request)
        return fault(call)

    return strike


def _time_out(_call: Call) -> httpx.Response:
    raise httpx.ReadTimeout("no answer")


def _refuse_connection(_call: Call) -> httpx.Response:
    raise httpx.ConnectError("refused")


@rule(Capability.READ_ORDERS)
async def transient_error_is_retried(subject: Subject) -> None:
    """Every read fails once, in each of the ways a network knows: the run ends as on a good night."""
    street = Street(subject, orders=15)
    street.clock.is_one = True
    await _logged_in(street)
    wanted = (await street.read_new()).records()
    faults = (lambda _: html(500), lambda _: html(200), _time_out, _refuse_connection)
    for fault in faults:
        street.wire.before = _once_each(fault)
        assert (await street.read_new()).records() == wanted
    cut: set[tuple[str, str, bytes]] = set()

    def cut_off(call: Call, response: httpx.Response) -> httpx.Response:
        if call.request in cut:
            return response
        cut.add(call.request)
        return remade(response, response.content[: len(response.content) // 2])

    street.wire.before = lambda _: None
    street.wire.after = cut_off
    assert (await street.read_new()).records() == wanted


@rule(Capability.READ_ORDERS)
async def lasting_failure_is_loud(subject: Subject) -> None:
    """A mall that stays down ends the run with an error, after a bounded number of tries of each call."""
    street = Street(subject, orders=15)
    await _logged_in(street)
    for capability in street.feeds():
        for fault in (lambda _: html(500), _time_out):
            street.wire.calls.clear()
            street.wire.before = fault
            error = await _error_of(street, capability)
            assert isinstance(error, TransientMallError)
            assert max(Counter(call.request for call in street.wire.calls).values()) <= ATTEMPTS


@rule(Capability.READ_ORDERS)
async def error_inside_200_is_an_error(subject: Subject) -> None:
    """A page of HTML, a cut-off body or an answer of another shape is never taken for an empty list."""
    street = Street(subject, orders=15)
    await _logged_in(street)
    bodies = (b"<!DOCTYPE html><html></html>", b'{"', b"", b"null", b'"no"', b"[[]]")
    for capability in street.feeds():
        for body in bodies:
            street.wire.before = lambda _, body=body: httpx.Response(
                200, headers={"content-type": "application/json"}, content=body
            )
            error = await _error_of(street, capability)
            assert isinstance(error, MallError), f"{capability}: {body!r} was taken for an answer: {error!r}"


async def _error_of(street: Street, capability: Capability) -> BaseException | None:
    try:
        async with street.open() as connector:
            await street.pages(connector, capability)
    except Exception as error:  # noqa: BLE001  the rules judge what it is
        return error
    return None


@rule(Capability.READ_ORDERS, Capability.READ_ONE_ORDER)
async def token_is_renewed_once(subject: Subject) -> None:
    """The mall ends a token: one caller or ten at once, it is renewed the same number of times, and all are served."""
    alone = await _renewals(subject, callers=1)
    assert alone >= 1
    assert await _renewals(subject, callers=10) == alone


async def _renewals(subject: Subject, *, callers: int) -> int:
    """How often a token was saved while ``callers`` read at once after the mall had ended the one they held.

    Some malls give the same token again while it is young: there time must pass before there is another.
    """
    for hours in (0, 4):
        street = Street(subject, orders=40)
        async with street.open() as connector:
            book = await street.read(connector)
            targets = [(order.order_no, (line_no,)) for line_no, order in book.order_of.items()][:callers]
            street.wire.revoked |= street.secrets.texts()
            assert street.wire.revoked
            street.clock.pass_time(timedelta(hours=hours))
            puts = street.secrets.puts
            try:
                answers = await asyncio.gather(*(connector.read_order(*target) for target in targets))
            except AccessError:
                continue
            assert all(answers)
            return street.secrets.puts - puts
    raise AssertionError("a token that the mall ended is not replaced")


@rule(Capability.READ_ORDERS, Capability.READ_ONE_ORDER)
async def rate_is_kept(subject: Subject) -> None:
    """Eighty calls as fast as the connector lets them go: the mall, which enforces its limit, never has to say no."""
    street = Street(subject, orders=40, has_limits=True)
    async with street.open() as connector:
        book = await street.read(connector)
        targets = [(order.order_no, (line_no,)) for line_no, order in book.order_of.items()]
        for index in range(80):
            await connector.read_order(*targets[index % len(targets)])
        assert connector.calls.sent >= 80
        assert connector.calls.throttled == 0
    assert not [call for call in street.wire.calls if call.status == httpx.codes.TOO_MANY_REQUESTS]
    taken = (street.wire.calls[-1].at - street.wire.calls[0].at).total_seconds()
    assert taken > 0, "eighty calls in no time: no limit is kept at all"


@rule(Capability.READ_ORDERS)
async def no_secret_leaves(subject: Subject) -> None:
    """Neither credentials nor tokens stand in a log line, an error, or the repr of anything."""
    street = Street(subject, orders=15)
    seen: list[str] = []
    handler = _Keeper(seen)
    root = logging.getLogger()
    root.addHandler(handler)
    level, root.level = root.level, logging.INFO
    try:
        with capture_logs() as events:
            credentials = subject.manifest.credentials.read(street.table["credentials"], where="test")
            async with street.open() as connector:
                await street.read(connector)
                seen += [repr(connector), repr(street.context()), repr(credentials), str(credentials)]
            for fault in (_forbidden, _time_out, _refuse_connection, lambda _: html(500), lambda _: html(200)):
                street.wire.before = fault
                for capability in street.feeds():
                    error = await _error_of(street, capability)
                    assert error is not None
                    seen += ["".join(traceback.format_exception(error)), repr(error), repr(vars(error))]
        seen.append(repr(events))
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    text = "\n".join(seen)
    for secret in {*_secrets_of(credentials), *street.secrets.texts()}:
        assert secret not in text, f"a secret of {len(secret)} characters leaked"


def _forbidden(_call: Call) -> httpx.Response:
    return httpx.Response(401, headers={"content-type": "application/json"}, content=b'{"message": "no"}')


class _Keeper(logging.Handler):
    def __init__(self, kept: list[str]) -> None:
        super().__init__(logging.INFO)
        self._kept = kept

    def emit(self, record: logging.LogRecord) -> None:
        self._kept.append(record.getMessage())


def _secrets_of(credentials: Any) -> set[str]:
    values = (getattr(credentials, name) for name in type(credentials).model_fields)
    return {value.get_secret_value() for value in values if isinstance(value, pydantic.SecretStr)}
