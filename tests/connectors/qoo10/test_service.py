"""The envelope, the key, what is retried, and the one write."""

import json
from datetime import timedelta

import httpx
import pytest

from connectors.qoo10.settings import Qoo10Credentials
from hub.core.contract import Answer, OpenKeys, Outcome, Span
from hub.core.errors import AccessError, ConfigurationError, RejectedByMallError, UnsupportedByMallError
from hub.core.model import Inquiry
from tests.connectors.qoo10.conftest import ISSUING, NOW, Call, Mall, all_readings, ok, refused

DAY = Span(since=NOW - timedelta(days=1), until=NOW)
CREATE = "CertificationAPI.CreateCertificationKey"
BAD_KEY = httpx.Response(200, json={"ErrorCode": -90001, "ErrorMsg": "存在しないAPIです。"})


def claims(connector):
    return all_readings(connector.read_claims(DAY, open_keys=OpenKeys(), cursor=None))


def key_mall(mall: Mall, *, good: str, issued: str):
    def answer(call: Call):
        if call.method == CREATE:
            assert call.headers["giosiscertificationkey"] == "api-key-of-test"
            assert (call.form["user_id"], call.form["pwd"]) == ("demo_shop", "pw-of-test")
            return ok(issued)
        return ok() if call.headers["giosiscertificationkey"] == good else BAD_KEY

    mall.answer = answer


async def test_a_key_is_issued_once_and_kept(mall: Mall):
    key_mall(mall, good="K_g_2_x", issued="K_g_2_x")

    await claims(mall.open(dict(ISSUING)))
    await claims(mall.open(dict(ISSUING)))

    assert [call.method for call in mall.calls].count(CREATE) == 1


async def test_a_refused_key_is_issued_anew_once(mall: Mall):
    key_mall(mall, good="old", issued="old")
    connector = mall.open(dict(ISSUING))
    await claims(connector)
    key_mall(mall, good="new", issued="new")

    await claims(connector)

    assert [call.method for call in mall.calls].count(CREATE) == 2


async def test_a_new_key_that_is_refused_is_not_issued_again(mall: Mall):
    key_mall(mall, good="good", issued="bad")
    connector = mall.open(dict(ISSUING))

    for _ in range(3):
        with pytest.raises(AccessError):
            await claims(connector)

    assert [call.method for call in mall.calls].count(CREATE) == 1


async def test_nor_by_the_runs_that_follow_until_a_day_has_gone(mall: Mall):
    key_mall(mall, good="good", issued="bad")
    for _ in range(4):
        connector = mall.open(dict(ISSUING))
        for _ in range(2):
            with pytest.raises(AccessError):
                await claims(connector)
        mall.clock.at += timedelta(hours=5)
    asked_in_a_day = [call.method for call in mall.calls].count(CREATE)
    mall.clock.at += timedelta(hours=5)
    key_mall(mall, good="good", issued="good")

    await claims(mall.open(dict(ISSUING)))

    assert (asked_in_a_day, [call.method for call in mall.calls].count(CREATE)) == (1, 2)


async def test_a_key_that_is_let_in_after_all_is_a_key_like_any_other(mall: Mall):
    key_mall(mall, good="good", issued="bad")
    connector = mall.open(dict(ISSUING))
    for _ in range(2):
        with pytest.raises(AccessError):
            await claims(connector)
    key_mall(mall, good="bad", issued="bad")
    await claims(connector)
    key_mall(mall, good="newer", issued="newer")

    await claims(mall.open(dict(ISSUING)))

    assert [call.method for call in mall.calls].count(CREATE) == 2


async def test_no_key_is_asked_for_again_by_the_feeds_of_one_run(mall: Mall):
    mall.answer = lambda call: refused(-10001, "pwd")
    connector = mall.open(dict(ISSUING))
    for _ in range(3):
        with pytest.raises(AccessError):
            await claims(connector)
    in_one_run = len(mall.calls)
    mall.clock.at += timedelta(minutes=2)

    with pytest.raises(AccessError):
        await claims(connector)

    assert (in_one_run, len(mall.calls)) == (1, 2)
    assert mall.calls[0].headers["content-type"] == "application/x-www-form-urlencoded; charset=UTF-8"


async def test_the_check_says_how_long_a_ready_key_lives(mall: Mall):
    async def key_item(**more: object):
        items = await mall.open({"seller_key": "S5bn", **more}).check()
        return next((item.is_ok, item.detail) for item in items if item.name == "key")

    assert await key_item(seller_key_issued_on="2026-11-01") == (True, "ends in 343 days")
    assert await key_item(seller_key_issued_on="2025-12-31") == (False, "ends in 38 days")
    assert (await key_item())[0]


async def test_a_key_past_its_year_is_renewed_before_use(mall: Mall):
    key_mall(mall, good="K", issued="K")
    connector = mall.open(dict(ISSUING))
    await claims(connector)
    mall.clock.at += timedelta(days=366)

    await claims(connector)

    assert [call.method for call in mall.calls].count(CREATE) == 2


async def test_a_ready_key_that_is_refused_goes_to_a_person(mall: Mall):
    mall.answer = lambda call: BAD_KEY

    with pytest.raises(AccessError) as caught:
        await claims(mall.open())

    assert (caught.value.mall_code, len(mall.calls)) == ("-90001", 1)
    assert "S5bnEXAMPLE" not in str(caught.value)


@pytest.mark.parametrize(
    "table",
    [{}, {"api_key": "a"}, {"seller_key": "s", **ISSUING}, {"seller_key": ""}, {"seller_key": "s", "surprise": 1}],
)
def test_exactly_one_form_of_credentials_is_taken(table):
    with pytest.raises(ConfigurationError) as caught:
        Qoo10Credentials.read(table, where="shop x")

    assert "pw-of-test" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<!DOCTYPE html><html>error 523</html>"),
        httpx.Response(200, text='{"ResultObject":[{"orderNo":1,'),
        httpx.Response(503, text="busy"),
        httpx.Response(429, headers={"Retry-After": "2"}),
        httpx.Response(403, text="<html>Attention Required! | Cloudflare</html>"),
    ],
    ids=["html with status 200", "cut off", "503", "429", "the CDN's refusal"],
)
async def test_a_passing_fault_is_retried(mall: Mall, answer: httpx.Response):
    mall.answer = lambda call: answer if len(mall.calls) < 3 else ok()

    assert await claims(mall.open()) == []
    assert len(mall.calls) == 4


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "7.5"}, 7.5),
        ({"Retry-After": "Sun, 22 Nov 2026 03:00:20 GMT"}, 20),
        ({"Retry-After": "Sun, 22 Nov 2026 05:00:30 GMT", "Date": "Sun, 22 Nov 2026 05:00:00 GMT"}, 30),
        ({"Retry-After": "soon"}, 5),
        ({}, 5),
    ],
)
async def test_a_pause_is_as_long_as_the_mall_asks(mall: Mall, headers: dict[str, str], seconds: float):
    mall.answer = lambda call: ok() if len(mall.calls) > 1 else httpx.Response(429, headers=headers)

    await claims(mall.open())

    assert (mall.clock.at - NOW).total_seconds() >= seconds
    assert (mall.clock.at - NOW).total_seconds() < seconds + 3


async def test_an_unknown_method_is_no_passing_fault(mall: Mall):
    mall.answer = lambda call: httpx.Response(200, text="Can't find method Info GetClaimInfo_V9")

    with pytest.raises(UnsupportedByMallError):
        await claims(mall.open())
    assert len(mall.calls) == 1


@pytest.mark.parametrize("code", ["-10002", -10002, -10002.0], ids=["text", "int", "decimal"])
async def test_a_refusal_in_status_200_is_sent_once(mall: Mall, code: object):
    mall.answer = lambda call: refused(code)

    with pytest.raises(RejectedByMallError) as caught:
        await claims(mall.open())
    assert (caught.value.mall_code, len(mall.calls)) == ("-10002", 1)


@pytest.mark.parametrize(
    "result", ["null", "[]", '""', "{}", '{"ClaimInfo":[]}', '{"ClaimInfo":null}', '{"TotalCount":0,"ClaimInfo":[]}']
)
async def test_every_form_of_nothing_is_an_empty_list(mall: Mall, result: str):
    mall.answer = lambda call: httpx.Response(200, text=f'{{"ResultObject":{result},"ResultCode":"0"}}')

    assert await claims(mall.open()) == []


@pytest.mark.parametrize(
    "wrapped", ["%s", "[%s]", '{"ClaimInfo":[%s]}', '{"ClaimInfo":%s}', '{"TotalCount":1,"ClaimInfo":[%s]}']
)
async def test_a_record_is_found_in_every_wrapping(mall: Mall, wrapped: str):
    claim = '{"claimStatus":"4","packNo":1,"orderNo":2,"orderQty":1}'
    body = f'{{"ResultObject":{wrapped % claim},"ResultCode":0}}'
    mall.answer = lambda call: httpx.Response(200, text=body)

    (reading,) = await claims(mall.open())

    assert (reading.error, reading.record.line_no) == (None, "2")


async def test_control_characters_surrogates_and_huge_texts_are_read(mall: Mall):
    start = '{"ResultCode":0,"ResultObject":[{"claimStatus":"4","packNo":1,"orderNo":2,"orderQty":1,'
    text = "\\u0000a\nb\\ud800" + "長" * 3_000_000
    mall.answer = lambda call: httpx.Response(200, content=f'{start}"reason":"{text}"}}]}}'.encode())

    (reading,) = await claims(mall.open())

    assert reading.record.raw_reason == "a\nb?" + "長" * 3_000_000


def inquiry(status: str = "S1") -> dict[str, object]:
    return {"INQ_TYPE": "MSG", "QUESTION_NO": 10, "SEQ_NO": 11, "INQ_DT": "2026-11-20 13:05:00", "STATUS": status}


class Desk:
    """A mall that holds one inquiry; ``on_answer`` says what becomes of an answer."""

    def __init__(self, mall: Mall) -> None:
        self.status = "S1"
        self.posted: list[dict[str, str]] = []
        self.on_answer = self.take
        mall.answer = self.answer

    def answer(self, call: Call) -> httpx.Response:
        if call.method == "CSCenter.SetInquiryMessage":
            self.posted.append(call.form)
            return self.on_answer()
        return ok([inquiry(self.status)] if call.form["proc_status"] == self.status else [])

    def take(self) -> httpx.Response:
        self.status = "S3"
        return ok({"SEQ_NO": 12})

    def take_and_fall_silent(self) -> httpx.Response:
        self.status = "S3"
        raise httpx.ReadTimeout("silence")


def asked() -> Inquiry:
    from connectors.qoo10.mapping import read_inquiry

    record = read_inquiry(json.dumps(inquiry()).encode(), unknown={}).record
    assert isinstance(record, Inquiry)
    return record


async def test_an_answer_is_posted_once_and_read_back(mall: Mall):
    desk, connector = Desk(mall), mall.open()

    result = await connector.answer_inquiry(Answer(inquiry=asked(), text="本日発送します。"))
    again = await connector.answer_inquiry(Answer(inquiry=asked(), text="本日発送します。"))

    assert (result.outcome, result.readings[0].record.raw_state) == (Outcome.DONE, "S3")
    assert again.outcome is Outcome.REFUSED
    assert [(form["inq_type"], form["question_no"], form["seq_no"], form["contents"]) for form in desk.posted] == [
        ("MSG", "10", "11", "本日発送します。")
    ]


async def test_a_lost_answer_is_settled_by_the_status(mall: Mall):
    desk, connector = Desk(mall), mall.open()
    desk.on_answer = desk.take_and_fall_silent

    result = await connector.answer_inquiry(Answer(inquiry=asked(), text="はい"))

    assert (result.outcome, len(desk.posted)) == (Outcome.DONE, 1)


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(502), httpx.Response(200, json={"ResultMsg": "SUCCESS"})],
    ids=["502", "no result code"],
)
async def test_a_lost_answer_that_is_not_shown_stays_unknown(mall: Mall, answer: httpx.Response):
    desk, connector = Desk(mall), mall.open()
    desk.on_answer = lambda: answer

    result = await connector.answer_inquiry(Answer(inquiry=asked(), text="はい"))

    assert (result.outcome, len(desk.posted)) == (Outcome.UNKNOWN, 1)
    assert result.lines[0].mall_message


async def test_a_refused_answer_is_sent_once(mall: Mall):
    desk, connector = Desk(mall), mall.open()
    desk.on_answer = lambda: refused(-10002, "fail")

    result = await connector.answer_inquiry(Answer(inquiry=asked(), text="はい"))

    assert (result.outcome, result.lines[0].mall_message, len(desk.posted)) == (Outcome.REFUSED, "fail", 1)


async def test_a_text_over_the_limit_is_refused_before_any_call(mall: Mall):
    with pytest.raises(RejectedByMallError):
        await mall.open().answer_inquiry(Answer(inquiry=asked(), text="あ" * 4001))
    assert mall.calls == []


async def test_the_check_names_what_is_wrong(mall: Mall):
    mall.answer = lambda call: refused(-90003) if "Claim" in call.method else ok()

    items = await mall.open().check()

    assert [(item.name, item.is_ok) for item in items] == [
        ("orders", True),
        ("claims", False),
        ("inquiries", True),
        ("key", True),
    ]
    assert all(item.fix for item in items if not item.is_ok)
