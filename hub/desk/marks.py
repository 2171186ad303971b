"""How malls are marked on dense screens."""

from hub.desk.services import Malls
from hub.desk.views import MallMark


def mall_mark(malls: Malls, mall: str) -> MallMark:
    """The mall's own mark; a mall whose connector is gone still has its records, so it gets its initial."""
    manifest = malls.manifests.get(mall)
    if manifest is None:
        return MallMark(mall=mall, title=mall, title_ko=mall, letter=mall[:1].upper() or "?")
    return MallMark(mall=mall, title=manifest.title, title_ko=manifest.title_ko, letter=manifest.letter)
