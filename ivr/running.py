"""What an exchange runs, beside the spec that it should: another spec, queues and members that are not there.

Queues and members are compared on an exchange that runs a compiled spec only; a dialplan of the centre's own names them
as it likes.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from ivr.compile.asterisk_files import agent_of
from ivr.spec import Spec, pbx_queue


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """``hash`` and ``revision`` as the exchange's global variables say, ``None`` where they say nothing.

    ``queues``: name on the exchange -> names of its members.
    """

    hash: str | None
    revision: str | None
    queues: Mapping[str, frozenset[str]]


class Lack(StrEnum):
    OTHER_SPEC = "other_spec"
    NO_QUEUE = "no_queue"
    NO_MEMBER = "no_member"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the exchange has otherwise than the spec."""

    lack: Lack
    queue: str | None = None
    member: str | None = None


def compare_running(spec: Spec, running: Running, *, wanted_hash: str) -> list[Difference]:
    """In the order of the spec; empty where all is as it says, and where the exchange runs a dialplan of its own."""
    if running.hash is None:
        return []
    found = [] if running.hash == wanted_hash else [Difference(lack=Lack.OTHER_SPEC)]
    for name, queue in spec.queues.items():
        members = running.queues.get(pbx_queue(name))
        if members is None:
            found.append(Difference(lack=Lack.NO_QUEUE, queue=name))
            continue
        found += [
            Difference(lack=Lack.NO_MEMBER, queue=name, member=member)
            for member in queue.members
            if agent_of(member) not in members
        ]
    return found
