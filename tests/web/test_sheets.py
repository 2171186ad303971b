"""The notes on a mall: markdown that can do no harm, the text the hub makes, both pages, and the checklist."""

import pytest

from hub.core.contract import Capability, CapabilityState, Support
from hub.desk.shops.cheat_sheets import Ability, SheetFacts
from hub.policy.due import CaseKind, MallClock, Since
from hub.web.markdown import render_markdown
from hub.web.shops.sheet_text import default_text
from hub.web.words import Words
from tests.desk.invented import manifest
from tests.web.conftest import Browser


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "![x](data:image/png;base64,AA)",
        "[x](javascript:alert(1))",
        "[x](//elsewhere.example)",
        "[x](vbscript:x) [y](data:text/html,x)",
        "<javascript:alert(1)>",
        "> " * 500 + "deep",
    ],
)
def test_markdown_brings_no_markup_script_or_picture(text: str):
    html = str(render_markdown(text))

    assert "<script" not in html
    assert "<img" not in html
    assert "href" not in html
    assert 'onerror="' not in html


def test_markdown_is_what_it_says():
    html = str(
        render_markdown("# 말\n\n| a | b |\n|---|--:|\n| `N20` | [관리자](https://admin.example) |\n\n[규칙](/books)")
    )

    assert "<h3>말</h3>" in html
    assert "style" not in html
    assert "<img" not in str(render_markdown("![x](https://elsewhere.example/x.png)"))
    assert '<a href="https://admin.example" target="_blank" rel="noopener noreferrer">관리자</a>' in html
    assert '<a href="/books">규칙</a>' in html
    assert "<code>N20</code>" in html


@pytest.mark.parametrize("locale", ["ko", "en"])
def test_the_hubs_own_text_tells_words_clocks_and_ways(locale: str):
    way = CapabilityState(state=Support.NO, instead="QSM > [Cancel]", instead_ko="QSM > [취소]")
    clock = MallClock(
        mall="japan",
        kinds=(CaseKind.DISPATCH,),
        since=Since.PAID,
        business_days=3,
        country="JP",
        label_key="due.mall.dispatch",
        source="a_rule",
        confidence="sure",
    )
    facts = SheetFacts(
        manifest=manifest("japan", "J", country="JP", without=(Capability.REFUSE_CANCEL,)),
        clocks=(clock,),
        missing=(Ability(name_key="action.refuse-cancel", state=way),),
        warned=(),
        terms={("line", "paid"): ("N`20|", "<b>")},
    )

    html = str(render_markdown(default_text(facts, Words(locale))))

    assert ("QSM &gt; [취소]" if locale == "ko" else "QSM &gt; [Cancel]") in html
    assert "<code>N20</code>, <code>&lt;b&gt;</code>" in html
    assert "a_rule" in html
    assert "sheet." not in html


def test_over_a_case_the_sheet_of_its_mall_and_on_a_page_of_its_own(supervisor: Browser):
    case_id = supervisor.case_id("alpha-main", order_no="A-1")
    part = supervisor.get(f"/cases/{case_id}/sheet", swap=True).text
    assert "몰 안내" in part
    assert "<html" not in part
    at = "/shops/alpha-main/sheet"
    fields = {"body": "# 우리 <b>몰</b>", "note": "처음", "based_on": "0"}

    preview = supervisor.post(f"{at}?lang=ko", change="preview", **fields)
    assert "미리보기입니다" in preview.text
    nobody = supervisor.post(f"{at}?lang=ko", change="write", **{**fields, "note": ""})
    assert nobody.status_code == 422
    assert "# 우리 &lt;b&gt;몰&lt;/b&gt;" in nobody.text
    written = supervisor.post(f"{at}?lang=ko", change="write", **fields)
    assert written.headers["location"] == f"{at}?lang=ko&notice=sheet_written"

    assert "<h3>우리 &lt;b&gt;몰&lt;/b&gt;</h3>" in supervisor.get(f"/cases/{case_id}/sheet", swap=True).text
    assert "Version 1" not in supervisor.get(f"{at}?lang=en").text
    assert supervisor.get(f"{at}?version=9").status_code == 404
    assert supervisor.get("/shops/nowhere/sheet").status_code == 404


def test_the_checklist_is_on_its_page_and_beside_the_shops(supervisor: Browser):
    at = "/shops/alpha-main/opening"
    refused = supervisor.post(at, item="contacts", change="ticked")
    assert refused.status_code == 422
    assert "사유를 적고 면제하세요" in refused.text
    assert supervisor.post(at, item="gold", change="ticked").status_code == 422

    answer = supervisor.post(at, item="contacts", change="waived", reason="<i>혼자</i>")

    assert answer.headers["location"] == f"{at}?notice=opening_kept"
    assert "&lt;i&gt;혼자&lt;/i&gt;" in supervisor.get(answer.headers["location"]).text
    assert f'href="{at}"' in supervisor.get("/shops").text
