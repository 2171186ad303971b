"""The drawn flow: every way of the spec stands in it, readable by machines, hostile names do no harm."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from ivr import demo_spec_text
from ivr.cards import cards_of
from ivr.check import load_spec
from ivr.drawing import draw_flow
from ivr.flow import CLOSED_WORDS, flow_of
from ivr.holiday_list import DayKind, listed_days
from ivr.schema import spec_schema, spec_schema_text
from ivr.spec import Spec
from tests.ivr.specs import specs

SVG = "{http://www.w3.org/2000/svg}"
FLOW = flow_of(load_spec(demo_spec_text(), source="demo.yaml"))


def texts(drawn: str) -> list[str]:
    return ["".join(each.itertext()) for each in ET.fromstring(drawn).iter(f"{SVG}text")]


def test_the_demo_has_a_card_for_each_line_menu_and_queue_and_an_edge_for_each_way_between_them():
    root = ET.fromstring(draw_flow(FLOW, language="ko"))

    cards = {each.get("id") for each in root.iter(f"{SVG}g") if each.get("role") == "group"}
    assert cards == {
        *(f"line:{name}" for name in FLOW.spec.lines),
        *(f"menu:{name}" for name in FLOW.spec.menus),
        *(f"queue:{name}" for name in FLOW.spec.queues),
        "unknown-number",
    }
    edges = [each for each in root.iter(f"{SVG}g") if each.get("class") == "flow-edge"]
    assert len(edges) == 6 + 6 * 2  # a line to its menu; a menu to two queues
    assert {each.find(f"{SVG}text").text for each in edges} == {"영업 중", "1 · 0", "2"}


@pytest.mark.parametrize(
    ("language", "words"), [("ko", ["종료", "콜백", "대기열"]), ("en", ["End", "Callback", "Queue"])]
)
def test_it_speaks_both_languages_and_names_itself(language, words):
    drawn = draw_flow(FLOW, language=language)
    root = ET.fromstring(drawn)

    assert root.find(f"{SVG}title").text
    assert root.find(f"{SVG}desc").text
    assert root.get("aria-labelledby") == "flow-title flow-desc"
    assert all(any(word in text for text in texts(drawn)) for word in words)


def test_counts_stand_at_their_ways():
    drawn = draw_flow(FLOW, language="ko", counts={"cafe24-order.key.1": 40, "cafe24-order.key.0": 2})

    assert "1 · 0 42건" in texts(drawn)
    assert "0건" in texts(drawn)
    assert not any("건" in text for text in texts(draw_flow(FLOW, language="ko")))


def test_a_page_gives_its_own_colours():
    assert "<style>" in draw_flow(FLOW)
    assert "<style>" not in draw_flow(FLOW, has_style=False)


@given(specs())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_spec_can_be_drawn_with_every_way_of_it(spec: Spec):
    flow = flow_of(spec)

    drawn = draw_flow(flow, language="en")

    assert ET.fromstring(drawn).tag == f"{SVG}svg"
    assert draw_flow(flow, language="en") == drawn
    shown = {way for card in cards_of(flow, language="en") for row in card.rows for way in row.ways}
    wanted = {way.id for name in spec.menus for way in flow.steps[f"menu:{name}"].ways}
    wanted |= {f"{name}.on.{word}" for name, queue in spec.queues.items() for word in queue.on}
    wanted |= {f"{name}.closed.{word}" for name in spec.lines for word in CLOSED_WORDS}
    assert wanted <= shown


def test_cards_do_not_lie_on_each_other():
    boxes = [
        tuple(int(each.get(word)) for word in ("x", "y", "width", "height"))
        for group in ET.fromstring(draw_flow(FLOW)).iter(f"{SVG}g")
        if group.get("role") == "group"
        for each in [group.find(f"{SVG}rect")]
    ]

    for index, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, other_width, other_height in boxes[:index]:
            is_apart = x + width <= other_x or other_x + other_width <= x
            assert is_apart or y + height <= other_y or other_y + other_height <= y


# ---------------------------------------------------------------- the schema


def test_the_published_schema_is_the_spec_s_own():
    published = Path(__file__).parents[2] / "docs" / "ivr.schema.json"

    assert published.read_text(encoding="utf-8") == spec_schema_text(), (
        "write it anew: hub ivr schema > docs/ivr.schema.json"
    )


def test_the_schema_is_as_strict_as_the_reader():
    schema = spec_schema()

    assert schema["$ref"] == "#/$defs/Spec"
    assert all(each["additionalProperties"] is False for each in schema["$defs"].values() if "properties" in each)
    assert set(schema["$defs"]["Spec"]["properties"]) == set(Spec.__struct_fields__)


# ---------------------------------------------------------------- holidays


def test_days_are_listed_with_their_names_for_a_person_to_look_through():
    days = {day.date: day for day in listed_days(FLOW.spec, language="ko") if day.calendar == "weekdays"}

    assert (days["2026-12-25"].kind, days["2026-12-25"].name) == (DayKind.CLOSED, "기독탄신일")
    english = listed_days(FLOW.spec, language="en")
    assert "Christmas Day" in {day.name for day in english}


def test_public_holidays_are_closed_days_once_the_spec_is_loaded():
    text = demo_spec_text()
    named = '    holidays: {country: KR, years: [2026, 2027], worked: ["2027-05-01"]}\n'
    start = text.index("    closed:\n", text.index("  weekdays:\n"))
    end = text.index("  weekdays-and-saturday:\n")
    by_hand, by_library = (
        load_spec(each, source="x").calendars["weekdays"].closed for each in (text, text[:start] + named + text[end:])
    )

    assert by_library == tuple(day for day in by_hand if day != "2027-05-01")
