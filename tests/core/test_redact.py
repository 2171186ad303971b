"""No secret and no person in a log; one mask of a person everywhere."""

import json
import unicodedata

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from hub.core.model import Address, Party
from hub.core.redact import (
    MASK,
    mask_address,
    mask_email,
    mask_name,
    mask_party,
    mask_phone,
    mask_text,
    redact_event,
)

SECRETS = {
    "access_token": "s3cret-1",
    "client_secret": "s3cret-2",
    "Authorization": "Bearer s3cret-3",
    "GiosisCertificationKey": "s3cret-4",
    "api_key": "s3cret-5",
    "seller_key": "s3cret-6",
    "password": "s3cret-7",
    "cookie": "s3cret-8",
    "client_secret_sign": "s3cret-9",
}
PEOPLE = {
    "phone": "010-1234-5678",
    "buyer_name": "홍길동",
    "receiver": "임꺽정",
    "email": "hong@example.com",
    "address": "서울시 종로구 1",
    "text": "현관 비밀번호 1234",
    "question": "언제 오나요",
}


@pytest.mark.parametrize(("key", "value"), [*SECRETS.items(), *PEOPLE.items()], ids=[*SECRETS, *PEOPLE])
def test_a_telling_key_hides_its_value_at_any_depth(key: str, value: str):
    event = {
        "event": "mall.call.failed",
        key: value,
        "request": {"headers": [{key: value}], "body": {"rows": [{"deep": {key: [value, value]}}]}},
    }

    logged = json.dumps(redact_event(None, "info", event), ensure_ascii=False)

    assert value not in logged
    assert MASK * 3 in logged


@pytest.mark.parametrize(
    "text",
    ["call 010-1234-5678 now", "+82 10 1234 5678", "tel:01012345678", "mail hong@example.com!", "02-123-4567"],
)
def test_a_person_inside_a_harmless_value_is_masked(text: str):
    logged = json.dumps(redact_event(None, "info", {"event": "x", "detail": text}), ensure_ascii=False)

    assert "5678" not in logged or "1234" not in logged
    assert "hong@" not in logged


def test_figures_and_flags_stay():
    event = {"event": "sync.page.read", "shop": "main", "count": 100, "seconds": 1.5, "complete": True, "error": None}

    assert redact_event(None, "info", dict(event)) == event


def test_the_processor_works_in_a_chain(capsys: pytest.CaptureFixture[str]):
    logger = structlog.wrap_logger(
        structlog.PrintLogger(), processors=[redact_event, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )

    logger.info("auth.token.saved", shop="main", token="s3cret", tried="010-1234-5678")

    assert json.loads(capsys.readouterr().out) == {
        "event": "auth.token.saved",
        "shop": "main",
        "token": "•••",
        "tried": "010-••••-5678",
    }


@pytest.mark.parametrize(
    ("name", "masked"),
    [(None, None), ("", ""), ("홍", "•"), ("홍길", "홍•"), ("홍길동", "홍•동"), ("山田 花子", "山•••子")],
)
def test_names(name: str | None, masked: str | None):
    assert mask_name(name) == masked


#: one number, as malls, sheets and telephones send it
_ONE_MOBILE = (
    "010-1234-5678",
    "01012345678",
    "010 1234 5678",
    "010.1234.5678",
    "1012345678",
    "+82 10-1234-5678",
    "+821012345678",
    "821012345678",
    "+82 010-1234-5678",
    "０１０－１２３４－５６７８",
    "010-****-5678",
    "010****5678",
    " (010) 1234-5678",
)


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        (None, None),
        ("", ""),
        ("010-1234-5678", "010-••••-5678"),
        *((sent, "010-••••-5678") for sent in _ONE_MOBILE),
        ("011-234-5678", "011-•••-5678"),
        ("02-123-4567", "02-•••-4567"),
        ("0212345678", "02-••••-5678"),
        ("0311234567", "031-•••-4567"),
        ("1588-1234", "••••-1234"),
        ("050-71234-5678", "0507-••••-5678"),
        ("0507 1234 5678", "0507-••••-5678"),
        ("+81 90-1234-5678", "+81 90-••••-5678"),
        ("+819012345678", "+81 90-••••-5678"),
        ("819012345678", "+81 90-••••-5678"),
        ("090-1234-5678", "090-••••-5678"),
        ("03-1234-5678", "03-••••-5678"),
        ("+81 3-1234-5678", "+81 3-••••-5678"),
        ("+1 (415) 555-2671", "+1 ••••••-2671"),
        ("+44 20 7946 0958", "+44 ••••••-0958"),
        ("12345", "•-2345"),
        ("010-1234-5678 / 010-9999-8888", "••••••••••••••••••-8888"),
        ("홍길동", "•••"),
        ("-", "-"),
    ],
)
def test_phones(phone: str | None, masked: str | None):
    assert mask_phone(phone) == masked
    assert mask_phone(masked) == masked


@given(st.text(min_size=1, max_size=40))
def test_of_whatever_stands_for_a_phone_four_digits_and_the_area_are_left(phone: str):
    masked = mask_phone(phone) or ""
    digits = [char for char in masked if char.isdecimal()]
    sent = [char for char in unicodedata.normalize("NFKC", phone) if char.isdecimal()]

    assert len(digits) <= 8
    assert len(digits) < len(sent) or len(sent) <= 4
    assert not any(char.isalpha() for char in masked)


@given(st.text(min_size=1, max_size=40))
def test_a_masked_value_is_as_long_and_never_the_whole(name: str):
    masked = mask_name(name)

    assert masked is not None
    assert len(masked) == len(name)
    assert MASK in masked


def test_mail_addresses():
    assert mask_email("hong@example.com") == "h•••@example.com"
    assert mask_email("no address") == "•••"
    assert mask_email(None) is None


def test_an_address_keeps_its_region_only():
    address = Address(zip_code="03045", base="서울특별시 종로구 사직로 161", detail="101동 202호", country="KR")

    assert mask_address(address) == Address(zip_code=None, base="서울특별시 종로구", detail="•••", country="KR")
    assert mask_address(None) is None


def test_a_person_is_masked_in_every_field():
    person = Party(
        name="홍길동",
        name_kana="ホンギルドン",
        phone="010-1234-5678",
        phone_second="02-123-4567",
        email="hong@example.com",
        member_id="hong99",
        address=Address(zip_code="1", base="서울 종로구 사직로 1", detail="2호"),
    )

    masked = mask_party(person)

    assert masked is not None
    for field in Party.__struct_fields__:
        assert getattr(masked, field) != getattr(person, field), field


def test_text_keeps_what_is_no_person():
    assert mask_text("주문 20260310-0000012 3개, 12,000원") == "주문 20260310-0000012 3개, 12,000원"
    assert mask_text(None) is None
