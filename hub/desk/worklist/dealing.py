"""Which team a case belongs to, and who of it is next: pure rules, the same for every mall."""

import heapq
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from msgspec import Struct

#: nobody is dealt a case beyond this many open ones: the rest waits in the queue for who comes later
FULL: Final = 25


class TeamRule(Struct, frozen=True, kw_only=True):
    """What comes to a team by itself; an empty part means any, four empty parts mean nothing."""

    team_id: int
    malls: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    matters: frozenset[str] = frozenset()

    @property
    def narrowness(self) -> int:
        return sum(bool(part) for part in (self.malls, self.kinds, self.languages, self.matters))

    def fits(self, *, mall: str, kind: str, language: str, about: Collection[int] = ()) -> bool:
        """``kind`` is a group of kinds, ``language`` that of the mall's customers (ISO 639-1); ``about``: the teams
        with one of whose matters the case deals.
        """
        is_about = not self.matters or self.team_id in about
        return (
            bool(self.narrowness)
            and is_about
            and all(
                not part or word in part
                for part, word in ((self.malls, mall), (self.kinds, kind), (self.languages, language))
            )
        )


def team_for(
    rules: Iterable[TeamRule], *, mall: str, kind: str, language: str, about: Collection[int] = ()
) -> int | None:
    """The team whose rule is narrowest; of equals the oldest. ``None`` where no rule fits."""
    fitting = [rule for rule in rules if rule.fits(mall=mall, kind=kind, language=language, about=about)]
    best = min(fitting, key=lambda rule: (-rule.narrowness, rule.team_id), default=None)
    return best.team_id if best else None


class Seat(Struct, frozen=True, kw_only=True):
    """A member who is there. ``load``: open cases they have; ``dealt_at``: when they were dealt one last."""

    user_id: int
    load: int
    dealt_at: int = 0


def deal(case_ids: Sequence[int], seats: Iterable[Seat], *, full: int = FULL) -> tuple[tuple[int, int], ...]:
    """Give each case, in its order, to who has fewest; of equals to who waited longest: ``(case_id, user_id)``.

    What finds everybody full stays where it is.
    """
    waiting = [(seat.load, seat.dealt_at, seat.user_id) for seat in seats if seat.load < full]
    heapq.heapify(waiting)
    turn = max((dealt_at for _, dealt_at, _ in waiting), default=0)
    dealt = []
    for case_id in case_ids:
        if not waiting:
            break
        load, _, user_id = heapq.heappop(waiting)
        dealt.append((case_id, user_id))
        turn += 1
        if load + 1 < full:
            heapq.heappush(waiting, (load + 1, turn, user_id))
    return tuple(dealt)
