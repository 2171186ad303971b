"""What every method of the emulated Qoo10 shares: refusals and the reading of form fields.

Source: QAPI conventions; confidence: sure for the envelope, likely for the end of an eight-digit window.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors.qoo10 import sandbox_render as render

LONGEST_WINDOW = timedelta(days=90)
LONGEST_MEMO = 1000
LONGEST_CARRIER, LONGEST_TRACKING = 200, 50
Params = Mapping[str, str]


class Failure(Exception):  # noqa: N818 - a business answer, not a failure of the emulator
    """``ResultCode`` and ``ResultMsg`` of a refused call."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class BadKey(Exception):  # noqa: N818 - an answer of the gateway
    """``ErrorCode`` and ``ErrorMsg`` of a call that reached no method."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def wrong_argument() -> Failure:
    return Failure(-10001, "パラメータを確認してください。")


def read_window(
    start: str, end: str, *, code: int, code_of_long: int | None = None, longest: timedelta | None = LONGEST_WINDOW
) -> tuple[datetime, datetime]:
    """Both ends inclusive; an end of eight digits lasts until 23:59:59 (likely)."""
    since, until = read_moment(start, code=code), read_moment(end, code=code)
    if len(end) == 8:
        until += timedelta(days=1, seconds=-1)
    if until < since:
        raise Failure(code, "検索期間を確認してください。")
    if longest is not None and until.date() - since.date() > longest:
        raise Failure(code_of_long or code, "検索期間は90日以内で指定してください。")
    return since, until


def read_moment(text: str, *, code: int) -> datetime:
    """``yyyyMMdd`` or ``yyyyMMddHHmmss`` in Japan."""
    form = {8: "%Y%m%d", 14: "%Y%m%d%H%M%S"}.get(len(text))
    try:
        if form is None or not text.isdecimal():
            raise ValueError(text)  # noqa: TRY301 - one place words the refusal
        return datetime.strptime(text, form).replace(tzinfo=render.JST)
    except ValueError as error:
        raise Failure(code, "日付を確認してください。") from error
