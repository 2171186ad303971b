"""Files through the desk's own path, over a real store: preview, import, history, replies."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from hub.bootstrap import Hub, open_hub
from hub.core.errors import ConfigurationError
from hub.core.files import FileKind, Layout, ReplyKind, UnreadableFileError, Upload
from hub.desk.access import Actor, ForbiddenError
from hub.desk.cases.case import NotFoundError
from hub.desk.files import preview as file_preview
from hub.desk.files.importing import (
    choose_layout,
    import_draft,
    import_upload,
    read_draft,
    read_file_shops,
    read_files,
    start_draft,
    take_original,
)
from hub.desk.files.preview import preview_draft, preview_upload
from hub.desk.files.replies import read_replies, take_replies, write_reply
from hub.desk.files.waiting import inquiries_to_answer, lines_to_send
from hub.settings import Settings
from hub.store.tables import access_log, lines, quarantine
from tests.desk.invented import NOW

HEAD = "주문번호,순번,상품명,수량,주문상태,주문일시,수취인,연락처"
FIRST = "A-1,1,머그컵,2,상품준비중,2026-11-20 10:00,홍길동,010-0000-0001"
SECOND = "A-1,2,접시,1,반품요청,2026-11-20 10:00,홍길동,010-0000-0001"
BAD = "A-2,1,머그컵,둘,배송중,2026-11-20 11:00,김철수,010-0000-0002"


def _upload(*rows: str, kind: FileKind = FileKind.ORDERS, head: str = HEAD) -> Upload:
    return Upload(kind=kind, name="주문.csv", body="\n".join((head, *rows)).encode("cp949"))


class Clock:
    now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def hub(tmp_path: Path, database_url: str, clock: Clock) -> AsyncIterator[Hub]:
    settings = Settings(home=tmp_path / "home", database_url=database_url, log_level="ERROR")
    async with open_hub(settings, now=clock) as hub:
        await hub.add_shop(name="welfare", mall="sheet", base_url=None, credentials={})
        await hub.add_shop(name="looking", mall="sheet", base_url=None, credentials={"level": "orders_only"})
        yield hub


async def _layout(hub: Hub, upload: Upload) -> Layout:
    connector = await hub.connector("welfare")
    return connector.look(upload).layout  # type: ignore[attr-defined]


async def _count(hub: Hub, table: object) -> int:
    async with hub.database.reading() as connection:
        return await connection.scalar(select(func.count()).select_from(table)) or 0


async def test_a_preview_tells_what_the_import_then_does(hub: Hub, supervisor: Actor, clock: Clock):
    upload = _upload(FIRST, SECOND, BAD)
    layout = await _layout(hub, upload)

    preview = await preview_upload(hub, shop="welfare", upload=upload, layout=layout)
    assert await _count(hub, lines) == 0
    result = await import_upload(hub, actor=supervisor, shop="welfare", upload=upload, layout=layout)

    assert (preview.rows, preview.counts.new, preview.errors) == (3, 2, 1)
    assert (result.is_new, result.error) == (True, None)
    note = result.note
    assert (note.rows, note.new, note.changed, note.unchanged, note.errors, note.complete) == (3, 2, 0, 0, 1, True)
    assert preview.first[0].who == "홍•동"
    clock.now += timedelta(hours=1)
    newer = _upload(FIRST.replace("상품준비중", "배송중"), SECOND)
    preview = await preview_upload(hub, shop="welfare", upload=newer, layout=layout)
    assert (preview.counts.new, preview.counts.changed, preview.counts.unchanged) == (0, 1, 1)
    note = (await import_upload(hub, actor=supervisor, shop="welfare", upload=newer)).note
    assert (note.new, note.changed, note.unchanged) == (0, 1, 1)


async def test_the_same_file_again_writes_nothing(hub: Hub, supervisor: Actor, clock: Clock):
    upload = _upload(FIRST, SECOND)
    layout = await _layout(hub, upload)
    await import_upload(hub, actor=supervisor, shop="welfare", upload=upload, layout=layout)
    clock.now += timedelta(hours=1)

    again = await import_upload(hub, actor=supervisor, shop="welfare", upload=upload)

    assert (again.is_new, again.note.new, again.note.changed, await _count(hub, lines)) == (False, 0, 0, 2)
    (file,) = await read_files(hub, actor=supervisor, shop="welfare")
    assert file.note is not None
    assert file.note.new == 2
    full = await hub.sync(["welfare"], full=True)
    orders = full.shops[0].feeds[0]
    assert (orders.new, orders.changed, orders.unchanged) == (0, 0, 2)


async def test_an_import_tells_of_columns_that_the_layout_does_not_know(hub: Hub, supervisor: Actor, clock: Clock):
    upload = _upload(FIRST)
    first = await import_upload(hub, actor=supervisor, shop="welfare", upload=upload, layout=await _layout(hub, upload))
    clock.now += timedelta(hours=1)
    head = HEAD.replace("수취인", "받는분") + ",메모란"

    result = await import_upload(hub, actor=supervisor, shop="welfare", upload=_upload(f"{SECOND},급함", head=head))

    assert first.warnings == ()
    assert result.warnings == (("new_known", "받는분 (G)"), ("new", "메모란 (I)"), ("gone", "수취인"))


async def test_a_mended_row_leaves_quarantine(hub: Hub, supervisor: Actor, clock: Clock):
    upload = _upload(BAD)
    await import_upload(hub, actor=supervisor, shop="welfare", upload=upload, layout=await _layout(hub, upload))
    clock.now += timedelta(hours=1)

    await import_upload(hub, actor=supervisor, shop="welfare", upload=_upload(BAD.replace("둘", "2")))

    async with hub.database.reading() as connection:
        rows = (await connection.execute(select(quarantine.c.resolved_at))).all()
    assert [row.resolved_at is not None for row in rows] == [True]


async def test_from_the_upload_to_the_history(hub: Hub, agent: Actor, supervisor: Actor):
    draft_id = await start_draft(hub, actor=supervisor, shop="welfare", upload=_upload(FIRST))
    draft = await read_draft(hub, actor=supervisor, draft_id=draft_id)
    assert (draft.fits, draft.is_changed, draft.kept) == (False, False, None)
    assert [column.samples for column in draft.look.columns[-2:]] == [("홍•동",), ("010-••••-0001",)]
    with pytest.raises(ForbiddenError):
        await choose_layout(hub, actor=agent, draft_id=draft_id, layout=draft.look.layout)
    await choose_layout(hub, actor=supervisor, draft_id=draft_id, layout=draft.look.layout)
    assert (await read_draft(hub, actor=supervisor, draft_id=draft_id)).is_changed
    assert (await preview_draft(hub, actor=supervisor, draft_id=draft_id)).counts.new == 1
    told: list[float] = []

    result = await import_draft(
        hub, actor=supervisor, draft_id=draft_id, on_progress=lambda share, _: told.append(share)
    )

    assert told[-1] == 1.0
    (file,) = await read_files(hub, actor=agent, shop="welfare")
    assert (file.name, file.by, file.note) == ("주문.csv", supervisor.name, result.note)
    with pytest.raises(NotFoundError):
        await read_draft(hub, actor=supervisor, draft_id=draft_id)


async def test_an_agent_imports_by_the_layout_that_holds(hub: Hub, agent: Actor, supervisor: Actor):
    upload = _upload(FIRST)
    with pytest.raises(ForbiddenError):
        await import_upload(hub, actor=agent, shop="welfare", upload=upload, layout=await _layout(hub, upload))
    await import_upload(hub, actor=supervisor, shop="welfare", upload=upload, layout=await _layout(hub, upload))

    draft_id = await start_draft(hub, actor=agent, shop="welfare", upload=_upload(SECOND))

    assert (await read_draft(hub, actor=agent, draft_id=draft_id)).fits
    assert (await import_draft(hub, actor=agent, draft_id=draft_id)).note.new == 1


async def test_a_draft_belongs_to_who_uploaded_it(hub: Hub, agent: Actor, supervisor: Actor):
    draft_id = await start_draft(hub, actor=agent, shop="welfare", upload=_upload(FIRST))
    other = Actor(user_id=13, login="park", name="박상담", role=agent.role)

    with pytest.raises(NotFoundError):
        await read_draft(hub, actor=other, draft_id=draft_id)
    assert await read_draft(hub, actor=supervisor, draft_id=draft_id)
    for strange in ("../keys.json", "", "x" * 22, "a/b"):
        with pytest.raises(NotFoundError):
            await read_draft(hub, actor=supervisor, draft_id=strange)


async def test_a_draft_is_sealed_and_swept_out_after_a_day(hub: Hub, agent: Actor, clock: Clock):
    await start_draft(hub, actor=agent, shop="welfare", upload=_upload(FIRST))
    (kept,) = (hub.settings.home / "uploads").iterdir()
    assert "홍길동".encode("cp949") not in kept.read_bytes()
    assert kept.stat().st_mode & 0o077 == 0
    clock.now += timedelta(days=10_000)

    await start_draft(hub, actor=agent, shop="welfare", upload=_upload(SECOND))

    assert kept not in set((hub.settings.home / "uploads").iterdir())


async def test_an_original_needs_the_right_and_a_reason_and_is_logged(hub: Hub, agent: Actor, supervisor: Actor):
    upload = _upload(FIRST)
    await import_upload(hub, actor=supervisor, shop="welfare", upload=upload, layout=await _layout(hub, upload))
    (file,) = await read_files(hub, actor=agent, shop="welfare")
    with pytest.raises(ForbiddenError):
        await take_original(hub, actor=agent, shop="welfare", key=file.key, reason="보고 싶어서")
    with pytest.raises(ConfigurationError, match="reason"):
        await take_original(hub, actor=supervisor, shop="welfare", key=file.key, reason=" ")
    with pytest.raises(NotFoundError):
        await take_original(hub, actor=supervisor, shop="looking", key=file.key, reason="다른 상점")

    assert (await take_original(hub, actor=supervisor, shop="welfare", key=file.key, reason="대조")) == upload

    async with hub.database.reading() as connection:
        rows = (await connection.execute(select(access_log.c.subject, access_log.c.reason))).all()
    assert (f"original {file.key[:12]} of welfare", "대조") in {tuple(row) for row in rows}


async def test_what_no_file_can_be_is_refused_before_anything_is_kept(hub: Hub, agent: Actor):
    with pytest.raises(UnreadableFileError):
        await start_draft(
            hub, actor=agent, shop="welfare", upload=Upload(kind=FileKind.ORDERS, name="x", body=b"PK\x03\x04")
        )
    with pytest.raises(ConfigurationError, match="takes no file"):
        await start_draft(hub, actor=agent, shop="looking", upload=_upload(FIRST, kind=FileKind.INQUIRIES))
    with pytest.raises(ConfigurationError, match="no shop named"):
        await start_draft(hub, actor=agent, shop="elsewhere", upload=_upload(FIRST))

    assert not (hub.settings.home / "uploads").exists()


async def test_a_long_file_is_compared_in_part_and_read_whole(
    hub: Hub, supervisor: Actor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(file_preview, "COMPARED", 2)
    upload = _upload(*(FIRST.replace("A-1", f"A-{number}") for number in range(4)), BAD)

    preview = await preview_upload(hub, shop="welfare", upload=upload, layout=await _layout(hub, upload))

    assert (preview.rows, preview.compared, preview.counts.new, preview.errors) == (5, 2, 2, 1)


async def test_replies_go_out_once(hub: Hub, agent: Actor, supervisor: Actor):
    questions = "문의번호,문의일시,문의내용,답변내용,작성자"
    asked = _upload("7,2026-11-20 09:00,010-0000-0009로 연락 주세요,,홍길동", kind=FileKind.INQUIRIES, head=questions)
    for upload in (_upload(FIRST, SECOND), asked):
        await import_upload(hub, actor=supervisor, shop="welfare", upload=upload, layout=await _layout(hub, upload))
    (line,) = await lines_to_send(hub, actor=agent, shop="welfare")
    (inquiry,) = await inquiries_to_answer(hub, actor=agent, shop="welfare")
    assert (line.order_no, line.line_no, line.product) == ("A-1", "A-1-1", "머그컵")
    assert (inquiry.writer, inquiry.text) == ("홍•동", "010-••••-0009로 연락 주세요")

    values = {"order_no": "A-1", "line_no": "A-1-1", "carrier": "CJ", "tracking_no": "6001"}
    await write_reply(hub, actor=agent, shop="welfare", kind=ReplyKind.TRACKING, values=values)

    (shop, looking) = (await read_file_shops(hub, actor=agent))[::-1]
    assert (shop.shop, shop.waiting[ReplyKind.TRACKING], looking.level) == ("welfare", 1, "orders_only")
    replies, _ = await read_replies(hub, actor=agent, shop="welfare", kind=ReplyKind.TRACKING)
    assert [reply.by for reply in replies] == [agent.name]
    file = await take_replies(hub, actor=agent, shop="welfare", kind=ReplyKind.TRACKING)
    assert file is not None
    assert file.rows == 1
    assert await take_replies(hub, actor=agent, shop="welfare", kind=ReplyKind.TRACKING) is None
