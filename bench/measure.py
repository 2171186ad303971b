"""What the running process has cost so far."""

import resource
from pathlib import Path

from msgspec import Struct


class Cost(Struct, frozen=True, kw_only=True):
    """``cpu_seconds`` is user + system of this process alone, ``peak_mib`` its largest resident size."""

    cpu_seconds: float
    peak_mib: float


def cost() -> Cost:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return Cost(cpu_seconds=usage.ru_utime + usage.ru_stime, peak_mib=_peak_kib() / 1024)


def _peak_kib() -> int:
    """From /proc where there is one: ``ru_maxrss`` of a child counts the parent that it was forked from."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0])
