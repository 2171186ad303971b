"""`hub act answer-inquiry` and the guard: what stops it, what it is told, and that scripts go on as before."""

from typing import Any

from tests.cli.terminal import Terminal

REFUSAL = "세일 상품은 환불이 불가합니다."


def _inquiry(terminal: Terminal, mall: str) -> dict[str, Any]:
    rows = terminal.hub("export", "inquiries").rows
    return next(row for row in rows if row["mall"] == mall)


def _dry_run(terminal: Terminal, mall: str, text: str, *more: str) -> Any:
    inquiry = _inquiry(terminal, mall)
    about = ("--shop", inquiry["shop"], "--inquiry", inquiry["inquiry_no"])
    return terminal.hub("act", "answer-inquiry", *about, "--text", text, "--dry-run", *more)


def test_what_must_not_be_said_ends_with_its_names_and_what_to_do(read_only: Terminal) -> None:
    ran = _dry_run(read_only, "smartstore", f"{REFUSAL} 위약금이 발생합니다.", "--json", "--yes")

    assert (ran.code, ran.out) == (2, "")
    assert "unlawful_refusal (sale)" in ran.err
    assert "penalty (penalty)" in ran.err
    assert "--force-guard" in ran.err
    assert "세일" not in ran.err


def test_a_reason_overrides_the_guard(read_only: Terminal) -> None:
    ran = _dry_run(read_only, "smartstore", REFUSAL, "--json", "--force-guard", "고객의 말을 그대로 옮김")

    assert (ran.code, ran.document["outcome"]) == (0, "pending")
    assert [finding["kind"] for finding in ran.document["findings"]] == ["unlawful_refusal"]


def test_a_warning_is_told_and_stops_no_script(read_only: Terminal) -> None:
    ran = _dry_run(read_only, "qoo10", "안녕하세요. 오늘 출고합니다.", "--json")

    assert (ran.code, ran.document["outcome"]) == (0, "pending")
    assert [(each["kind"], each["level"]) for each in ran.document["findings"]] == [("language", "warning")]
    assert "language (not_japanese)" in ran.err


def test_a_harmless_answer_has_nothing_to_tell(read_only: Terminal) -> None:
    for mall in ("cafe24", "smartstore"):
        ran = _dry_run(read_only, mall, "문의 주셔서 감사합니다. 오늘 출고합니다.", "--json")

        assert (ran.code, ran.document["findings"]) == (0, [])
