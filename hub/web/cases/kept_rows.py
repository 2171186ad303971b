"""Rows of the worklist as HTML, kept for all to whom they look alike.

The same fifty rows stand on the screens of thirty agents, and are asked for again with each piece of news: to make
them anew was most of the time that a list took.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from markupsafe import Markup

from hub.desk.views import CaseRow

#: of some 1.5 kB each
_MOST: Final = 4_000


class KeptRows:
    """As long as the clock shows the same minute: rows tell ages, and time that is left, in minutes."""

    def __init__(self) -> None:
        self._minute: datetime | None = None
        self._rows: dict[tuple[object, ...], Markup] = {}

    def of_page(self, now: datetime, locale: str) -> Callable[..., Markup]:
        """``kept(make, row, …)`` for one page: ``make(row)``, or what that gave before.

        What follows the row is all that its look depends on besides itself and the language.
        """
        minute = now.replace(second=0, microsecond=0)
        if minute != self._minute or len(self._rows) > _MOST:
            self._minute, self._rows = minute, {}
        rows = self._rows

        def kept(make: Callable[[CaseRow], Markup], row: CaseRow, *looks: object) -> Markup:
            key = (row, locale, looks)
            html = rows.get(key)
            if html is None:
                html = rows[key] = make(row)
            return html

        return kept
