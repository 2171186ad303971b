"""The sentences of alerts, Korean and English: what is wrong, and what to do. The same on every channel."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from hub.store.alerts import Event, StoredAlert


class Sentence(Struct, frozen=True, kw_only=True):
    ko: str
    en: str


#: by kind
_SENTENCES: Final = {
    "incomplete": Sentence(
        ko="{shop}: 오전 6시까지 읽기가 끝나지 않았습니다({feeds}). "
        "연동 상태에서 원인을 확인하고 hub sync 를 실행하세요.",
        en="{shop}: not read completely by 06:00 ({feeds}). "
        "Look at the shop's status for the reason, then run hub sync.",
    ),
    "consent_ending": Sentence(
        ko="{shop}: 쇼핑몰 동의가 곧 끝납니다(남은 날 {days}일). "
        "연동 상태에서 샵의 동의 화면을 열어 다시 동의받으세요.",
        en="{shop}: the owner's consent ends soon (days left: {days}). Open the shop's consent page and ask again.",
    ),
    "consent_ended": Sentence(
        ko="{shop}: 유효한 쇼핑몰 동의가 없습니다. 연동 상태에서 샵의 동의 화면을 열어 동의받으세요.",
        en="{shop}: there is no consent of the owner. Open the shop's consent page and ask for it.",
    ),
    "breaker": Sentence(
        ko="{shop}: 쇼핑몰이 15분 넘게 응답하지 않습니다({error}). 자동으로 다시 시도합니다. "
        "계속되면 쇼핑몰 공지를 확인하세요.",
        en="{shop}: the mall has not answered for over 15 minutes ({error}). It is tried again by itself; "
        "if it stays, look at the mall's notices.",
    ),
    "failing": Sentence(
        ko="{shop}: 읽기가 15분 넘게 실패합니다({feed}, {error}). hub shop check {shop} 로 원인을 확인하세요.",
        en="{shop}: reading has failed for over 15 minutes ({feed}, {error}). "
        "Run hub shop check {shop} for the reason.",
    ),
    "quarantine": Sentence(
        ko="{shop}: 읽지 못한 기록이 하루 새 {before}건에서 {now}건으로 늘었습니다. "
        "hub quarantine list 로 확인하고 연동 담당자에게 알리세요.",
        en="{shop}: records that could not be read grew from {before} to {now} within a day. "
        "See hub quarantine list and tell whoever looks after the connector.",
    ),
    "worker": Sentence(
        ko="예약 작업자가 5분 넘게 보이지 않습니다. 샵을 자동으로 읽지 않습니다. hub worker 를 다시 시작하세요.",
        en="No worker was seen for over 5 minutes: shops are not read by themselves. Start hub worker again.",
    ),
    "action": Sentence(
        ko="{shop}: {action} 요청의 결과를 1시간 넘게 알 수 없습니다(번호 {id}). "
        "몰 어드민에서 처리 여부를 확인한 뒤에만 다시 시도하세요.",
        en="{shop}: the outcome of {action} has not been known for over an hour (number {id}). "
        "Look in the mall's admin before trying again.",
    ),
    "queue": Sentence(
        ko="{shop}: 웹훅으로 알려진 {waiting}건을 아직 읽지 못했습니다. hub worker 와 연동 상태를 확인하세요.",
        en="{shop}: {waiting} things told by webhook are still unread. Look at hub worker and at the shop's status.",
    ),
    "disk": Sentence(
        ko="디스크 여유 공간이 {free} MiB 남았습니다. 오래된 백업과 로그를 옮기거나 디스크를 늘리세요.",
        en="{free} MiB are left on the disk. Move old backups and logs away, or enlarge it.",
    ),
    "schema": Sentence(
        ko="데이터베이스 스키마가 이 프로그램과 다릅니다. 모든 프로세스를 같은 버전으로 다시 시작하세요.",
        en="The database schema is not this program's. Restart every process with the same version.",
    ),
    "counts": Sentence(
        ko="통계 집계 {differences}건이 원본 기록과 달라 바로잡았습니다. 통계 화면의 대조 기록을 확인하고, "
        "다시 생기면 개발 담당자에게 알리세요.",
        en="{differences} counts of the statistics differed from their events and were mended. "
        "Look at the checks on the statistics page; tell the developers if it happens again.",
    ),
    "report_mail": Sentence(
        ko="통계 메일 '{report}'을(를) 제대로 보내지 못했습니다({error}). 통계의 저장한 보기에서 발송 기록을 확인하고, "
        "필요하면 지금 보내기를 누르세요.",
        en="The report '{report}' was not mailed as it should have been ({error}). "
        "Look at its log under the saved views of the statistics; send it again from there if it is needed.",
    ),
    "test": Sentence(
        ko="시험 경보입니다. 아무 문제도 없습니다. 할 일은 없습니다.",
        en="This is a test. Nothing is wrong and there is nothing to do.",
    ),
}
_HEADS: Final = {
    Event.RAISED: Sentence(ko="경보", en="Alert"),
    Event.REMINDED: Sentence(ko="경보 계속", en="Alert still on"),
    Event.RECOVERED: Sentence(ko="해제", en="Over"),
}
_FEEDS_KO: Final = {"orders": "주문", "claims": "클레임", "inquiries": "문의"}
KINDS: Final = tuple(_SENTENCES)


def sentence(alert: StoredAlert) -> Sentence:
    """What is wrong and what to do. A kind of a newer program is shown by its name."""
    words = _SENTENCES.get(alert.kind, Sentence(ko=alert.kind, en=alert.kind))
    facts = _Facts(alert.facts)
    korean = _Facts({name: _korean(name, fact) for name, fact in alert.facts.items()})
    return Sentence(ko=words.ko.format_map(korean), en=words.en.format_map(facts))


def headline(event: Event) -> Sentence:
    return _HEADS[event]


def _korean(name: str, fact: str) -> str:
    if name not in {"feed", "feeds"}:
        return fact
    return ", ".join(_FEEDS_KO.get(feed, feed) for feed in fact.split(", "))


class _Facts(dict[str, str]):
    """A fact that an older row does not have is a question mark."""

    def __init__(self, facts: Mapping[str, str]) -> None:
        super().__init__(facts)

    def __missing__(self, name: str) -> str:
        return "?"
