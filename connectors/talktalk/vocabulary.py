"""Every code of TalkTalk that the hub knows.

Source: Naver TalkTalk Chat Bot API V1, Handover API (BETA), Profile API V1; confidence: sure.
"""

from enum import StrEnum
from typing import Final


class EventKind(StrEnum):
    """Names of events. ``TEST`` is what the documentation's own trial call sends."""

    SEND = "send"
    ECHO = "echo"
    OPEN = "open"
    LEAVE = "leave"
    FRIEND = "friend"
    ACTION = "action"
    PERSISTENT_MENU = "persistentMenu"
    HANDOVER = "handover"
    PROFILE = "profile"
    TEST = "test"


#: tell nothing that an agent would want to know
SILENT: Final = frozenset({EventKind.FRIEND, EventKind.ACTION, EventKind.PERSISTENT_MENU, EventKind.TEST})
#: change what a conversation shows
TELLING: Final = frozenset({EventKind.SEND, EventKind.ECHO, EventKind.LEAVE, EventKind.HANDOVER})

#: what a person can agree to tell, each apart
PROFILE_FIELDS: Final = ("nickname", "cellphone", "address")
PROFILE_GIVEN: Final = "SUCCESS"
PROFILE_WITHDRAWN: Final = "WITHDRAW"
#: asked and not given: there is nothing to keep
PROFILE_NOT_GIVEN: Final = frozenset({"DISAGREE", "CANCEL"})

#: control of a handover event
TO_PERSON_OR_BACK: Final = "passThread"
TAKEN: Final = "takeThread"

#: resultCode of the sending API
OK: Final = "00"
WRONG_KEY: Final = "01"
WRONG_BODY: Final = "02"

STICKER: Final = "sticker"
#: ways of writing text that need no word about them
PLAIN_INPUT: Final = frozenset({"typing", "button", "vphone", "nameCard"})
