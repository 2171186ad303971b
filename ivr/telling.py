"""A walk in words, for people: one sentence for each happening, in Korean or English."""

from ivr.event import Kind
from ivr.walk import Happening, Walk

LANGUAGES = ("ko", "en")
_EN = {
    Kind.ENTER: "comes in on {place}",
    Kind.CLOSED: "closed: {detail}",
    Kind.KEY: "presses {detail}: {extra}",
    Kind.INVALID: "presses {detail}, which means nothing here",
    Kind.NO_INPUT: "presses nothing",
    Kind.GIVE_UP: "has used up {detail} tries",
    Kind.SWITCH: "changes from the {detail} line to the {extra} line",
    Kind.TRY_QUEUE: "is led to queue {queue}",
    Kind.QUEUE_RESULT: "queue {queue} says: {extra}",
    Kind.MOVE: "is handed on to queue {queue}",
    Kind.CALLBACK: "the wish for a callback is noted",
    Kind.SURVEY: "gives {detail} points",
    Kind.JOIN: "waits in {queue}",
    Kind.RING: "the phone of {agent} rang {wait:g} s in vain",
    Kind.CONNECT: "{agent} answers after {wait:g} s",
    Kind.COMPLETE: "the {detail} hangs up after {talk:g} s of talk",
    Kind.TRANSFER: "{agent} hands the caller on after {talk:g} s of talk",
    Kind.ABANDON: "hangs up after waiting {wait:g} s",
    Kind.LEAVE: "leaves the queue after {wait:g} s: {detail}",
    Kind.DISPOSITION: "{agent} notes the matter: {detail}",
    Kind.HANGUP: "the call ends",
}
_KO = {
    Kind.ENTER: "{place}로 들어옴",
    Kind.CLOSED: "영업 외: {detail}",
    Kind.KEY: "{detail} 누름: {extra}",
    Kind.INVALID: "{detail} 누름, 없는 번호",
    Kind.NO_INPUT: "아무것도 누르지 않음",
    Kind.GIVE_UP: "{detail}회 시도 모두 사용",
    Kind.SWITCH: "{detail} 라인에서 {extra} 라인으로 바뀜",
    Kind.TRY_QUEUE: "대기열로 안내: {queue}",
    Kind.QUEUE_RESULT: "대기열 {queue} 결과: {extra}",
    Kind.MOVE: "다른 대기열로 호전환: {queue}",
    Kind.CALLBACK: "콜백 요청 접수",
    Kind.SURVEY: "만족도 {detail}점",
    Kind.JOIN: "{queue} 대기 시작",
    Kind.RING: "{agent} 전화가 {wait:g}초 울렸으나 받지 않음",
    Kind.CONNECT: "{agent} {wait:g}초 만에 응답",
    Kind.COMPLETE: "통화 {talk:g}초 후 {detail} 쪽에서 끊음",
    Kind.TRANSFER: "{agent} 통화 {talk:g}초 후 호전환",
    Kind.ABANDON: "{wait:g}초 기다리다 끊음",
    Kind.LEAVE: "{wait:g}초 후 대기열을 떠남: {detail}",
    Kind.DISPOSITION: "{agent} 문의 주제 기록: {detail}",
    Kind.HANGUP: "통화 종료",
}
#: words of the records that a sentence holds
_WORDS_EN = {
    "hours": "outside the hours",
    "dnd": "switched off",
    "key": "by key",
    "joinempty": "nobody there",
    "TIMEOUT": "waited too long",
    "FULL": "full",
    "JOINEMPTY": "nobody there",
    "LEAVEEMPTY": "nobody is left",
    "CONTINUE": "served",
}
_WORDS_KO = {
    "hours": "업무시간 외",
    "holiday": "휴일",
    "dnd": "수신 중지",
    "order": "주문",
    "inquiry": "문의",
    "agent": "상담사",
    "caller": "고객",
    "callback": "콜백",
    "repeat": "다시 듣기",
    "back": "이전 메뉴",
    "hangup": "종료",
    "timeout": "대기 시간 초과",
    "empty": "상담사 없음",
    "key": "번호 누름",
    "full": "만원",
    "joinempty": "상담사 없음",
    "TIMEOUT": "대기 시간 초과",
    "FULL": "만원",
    "JOINEMPTY": "상담사 없음",
    "LEAVEEMPTY": "상담사 없음",
    "CONTINUE": "상담 완료",
}
_RESULTS_KO = {
    "answered": "응대",
    "abandoned_notice": "안내 중 포기",
    "abandoned_menu": "메뉴에서 포기",
    "abandoned_queue": "대기 중 포기",
    "left_queue": "대기열 이탈",
    "not_joined": "대기열 진입 실패",
    "closed": "영업 외",
    "ivr_giveup": "입력 없이 종료",
    "callback_requested": "콜백 요청",
    "unknown_did": "등록되지 않은 번호",
    "system_lost": "기록 유실",
}


def tell(happening: Happening, *, language: str) -> str:
    """One sentence. ``language``: "ko", else English. The caller's number is not told."""
    table = _KO if language == "ko" else _EN
    values = {name: getattr(happening, name) for name in ("queue", "agent", "wait", "talk")}
    shown = {name: _word(getattr(happening, name), language) for name in ("detail", "extra")}
    return table[happening.kind].format(**values, **shown, place=_place(happening, language))


def tell_result(walk: Walk, *, language: str) -> str:
    """The result, with its reason and whether it counts as a short wait."""
    name = _RESULTS_KO.get(walk.result, walk.result) if language == "ko" else walk.result.value
    notes = [_word(walk.reason or "", language)]
    if walk.is_short_abandon:
        notes.append("5초 미만" if language == "ko" else "under 5 s")
    told = ", ".join(note for note in notes if note)
    return f"{name} ({told})" if told else name


def _word(word: str, language: str) -> str:
    return (_WORDS_KO if language == "ko" else _WORDS_EN).get(word, word)


def _place(happening: Happening, language: str) -> str:
    if not happening.detail:
        return "등록되지 않은 번호" if language == "ko" else "a number that is none of ours"
    if language == "ko":
        return f"{happening.detail} {_word(happening.extra, language)} 라인으"
    return f"the {happening.extra} line of {happening.detail}"
