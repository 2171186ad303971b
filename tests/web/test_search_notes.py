"""Notes of telephone calls among what the box finds."""

import re

from hub.desk.search.tending import take_all_in
from hub.store.database import to_ms
from hub.store.sealed import CALL_NOTE_PLACE
from hub.store.search_documents import Source
from hub.store.search_index import queue_for_search
from hub.store.tables import call_notes
from tests.desk.invented import NOW, Rig
from tests.web.conftest import Browser


async def _noted(rig: Rig, text: str) -> None:
    async with rig.database.writing() as connection:
        sealed = rig.database.box.seal(text.encode(), CALL_NOTE_PLACE)
        row = {"id": 1, "pbx": "main", "call_id": "1", "member": "agent1", "leg": "1", "queue": "q", "is_abuse": True}
        await connection.execute(
            call_notes.insert().values(**row, topic="delivery.late", text_sealed=sealed, noted_at=to_ms(NOW))
        )
        await queue_for_search(rig.database, connection, Source.CALL_NOTE, [1], at=0)
    await take_all_in(rig)


def test_a_note_of_a_call_stands_among_what_was_found(supervisor: Browser) -> None:
    text = "택배 기사에게 욕설 <script>alert(1)</script> 010-9876-5432"
    supervisor.client.blocking_portal.call(lambda: _noted(supervisor.rig, text))

    page = supervisor.post("/search", q="욕설").text
    quick = supervisor.post("/search/quick", swap=True, q="욕설").text

    for shown in (page, quick):
        assert "통화 메모" in shown
        assert re.search(r"배송 · .*택배 기사에게 욕설 &lt;script&gt;", shown)
        assert "9876" not in shown
    assert "찾지 못했습니다" not in page
