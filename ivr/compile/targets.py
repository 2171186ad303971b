"""The telephone systems that a flow can be compiled to."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ivr.compile.asterisk_files import write_asterisk
from ivr.compile.freeswitch import write_freeswitch
from ivr.flow import Flow

#: name -> flow -> file name -> text
TARGETS: Mapping[str, Callable[[Flow], dict[str, str]]] = MappingProxyType(
    {"asterisk": write_asterisk, "freeswitch": write_freeswitch}
)
