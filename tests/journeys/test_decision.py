"""Decisions with the customer on the telephone: a refusal with its steps, a purchase abroad, a policy that changes."""

from datetime import timedelta

from tests.journeys.conftest import OpenWindow, Window
from tests.journeys.scene import Request, Scene
from tests.journeys.window import HEIGHT, NARROW, Locator, Page, assert_fits, expect


def _open(window: Window, request: Request) -> Page:
    page = window.go("/cases")
    page.locator("#find").fill(request.row["order_no"])
    page.keyboard.press("Enter")
    page.locator(".case-links").get_by_role("link", name="취소", exact=True).click()
    _unfold(page)
    return page


def _unfold(page: Page) -> None:
    fold = page.locator("#decision .verdict-fold")
    expect(fold).to_be_visible()
    page.wait_for_load_state()
    if fold.get_attribute("open") is None:
        fold.locator("> summary").click()


def _choose(card: Locator, name: str, value: str) -> None:
    card.locator(f"select[name='{name}']").select_option(value)


def _in_summary(page: Page, word: str) -> None:
    expect(page.locator("#decision .verdict-fold > summary")).to_contain_text(word)


def test_a_refusal_at_qoo10_goes_step_by_step(agent: Window, scene: Scene) -> None:
    page = _open(agent, scene.at_qsm)
    card = page.locator("#decision")
    _choose(card, "made_to_order", "yes")
    expect(card.locator("select[name='made_to_order']")).to_have_value("yes")
    _choose(card, "notice", "yes")
    _in_summary(page, "거절")
    expect(card).to_contain_text("필요한 증거")
    expect(card.locator(".verdict-draft").first).to_contain_text("일본어")

    # What is typed stays when the facts change.
    card.locator("textarea[name='evidence']").fill("주문 옵션 이니셜 각인")
    agent.expect_trouble("422")
    card.get_by_role("button", name="판단 저장").click()
    expect(card.get_by_role("alert")).to_contain_text("고객에게 보낸 내용")
    expect(card.locator("textarea[name='evidence']")).to_have_value("주문 옵션 이니셜 각인")
    card.locator("textarea[name='message_sent']").fill("刻印済みのためキャンセルできません")
    card.locator("textarea[name='alternative_offered']").fill("받은 뒤 교환 안내")
    card.get_by_role("button", name="판단 저장").click()
    expect(card.get_by_role("status")).to_contain_text("판단을 저장했습니다")

    page.reload()
    page.locator(".offers .tick", has_text="취소 거부").first.click()
    expect(page.locator("#notice")).to_contain_text("먼저 할 일이 있습니다")
    _unfold(page)
    _choose(card, "made_to_order", "yes")
    expect(card.locator("select[name='made_to_order']")).to_have_value("yes")
    _choose(card, "notice", "yes")
    _in_summary(page, "거절")
    for key in ("contact_customer", "state_reason", "offer_alternative", "keep_evidence"):
        # Waited for: a step that was not there yet would be left open.
        card.locator(f"#step-{key}").click()
        expect(card.locator(f"#step-{key}")).to_have_attribute("aria-pressed", "true")
    page.locator(".offers .tick", has_text="취소 거부").first.click()
    expect(page.locator("#notice")).to_contain_text("어드민에서 처리한 것으로 기록했습니다")


def test_a_purchase_abroad_in_stage_2_costs_item_by_item_and_keeps_its_version(
    agent: Window, supervisor: Window, scene: Scene
) -> None:
    page = _open(agent, scene.abroad)
    yesterday = f"{agent.desk.hub.now().astimezone(agent.desk.hub.settings.zone) - timedelta(days=1):%Y-%m-%d}"
    facts = page.locator("#line-facts")
    facts.locator("summary").first.click()
    facts.locator("input[name='overseas_ordered.day']").fill(yesterday)
    facts.locator("input[name='overseas_dispatched.day']").fill(yesterday)
    facts.locator("select[name='forwarder_in.state']").select_option("not_happened")
    facts.get_by_role("button", name="저장").click()
    card = page.locator("#decision")
    # The card follows the facts without being asked.
    expect(card).to_contain_text("2단계")
    _in_summary(page, "확인 필요")

    card.locator("input[name='return_cost']").fill("12,000")
    card.locator("input[name='return_cost']").press("Tab")
    expect(card).to_contain_text("12,000원")
    _choose(card, "disclosed", "yes")

    _in_summary(page, "가능")
    expect(card.locator(".verdict-costs")).to_contain_text("배대지 반송비")
    expect(card.locator(".verdict-costs tfoot")).to_contain_text("12,000원")
    expect(card.locator(".verdict-warnings")).to_contain_text("공정위")
    card.get_by_role("button", name="판단 저장").click()
    expect(card.get_by_role("status")).to_contain_text("판단을 저장했습니다")
    before = card.locator(".verdict-saved summary").first.inner_text()

    boss = supervisor.go("/books/policy/switches/new")
    boss.get_by_label("샵").fill("main-qoo10")
    boss.get_by_label("지연·품절 포인트").fill("100")
    boss.get_by_role("button", name="변경안에 저장").click()
    boss.get_by_role("link", name="미리보기").click()
    boss.get_by_label("변경 사유").fill("시험")
    boss.get_by_role("button", name="적용하기").click()
    expect(boss.get_by_text("적용했습니다.")).to_be_visible()

    page.reload()
    _unfold(page)
    saved = page.locator("#decision .verdict-saved details").first
    now = page.locator("#decision-form .verdict-rules > summary").inner_text()
    assert ("정책" in before, now in before) == (True, False)
    saved.locator("summary").first.click()
    expect(saved.locator(".verdict-costs tfoot")).to_contain_text("12,000원")
    expect(saved.locator(".verdict-rules > summary")).not_to_have_text(now)


def test_the_card_fits(open_window: OpenWindow) -> None:
    page = open_window("admin").go("/cases?kind=return")
    page.locator("[data-row]").first.click()
    expect(page.locator("#decision")).to_be_visible()

    assert_fits(page)
    page.set_viewport_size({"width": NARROW, "height": HEIGHT})
    area = page.locator("#case-area .case").evaluate("each => [each.scrollWidth, each.clientWidth]")
    assert area[0] <= area[1]
