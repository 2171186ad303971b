"""Asterisk 22: every file that the telephone needs besides the dialplan.

What a spec cannot know (passwords, the carrier's address) stands in files of the centre, which are read if they are
there and never written: ``pjsip-centre.conf``, ``manager-centre.conf``.

Source: Asterisk 22, apps/app_queue.c, main/cel.c, res/cdrel_custom/registry.c, main/manager.c and the sample
configurations; confidence: sure for queues, CEL and logger, likely for the trunk, which differs by carrier.
"""

from collections.abc import Iterable, Iterator

from ivr.compile.asterisk import FAREWELL_CONTEXT, header, keys_context, write_dialplan
from ivr.compile.text import safe
from ivr.flow import Flow, StepKind
from ivr.spec import notice_of, pbx_queue

#: a queue is told as empty when all of its members are in one of these states
NOBODY = "paused,unavailable,invalid,unknown"
#: share of calls answered within so many seconds, which the queue itself counts
SERVICE_LEVEL_SECONDS = 20
# Without these events all calls, transfers and steps are still told; VarSet and Newexten are two thirds of the rest.
_CEL_EVENTS = (
    "CHAN_START,CHAN_END,ANSWER,HANGUP,BRIDGE_ENTER,BRIDGE_EXIT,BLINDTRANSFER,ATTENDEDTRANSFER,"
    "LINKEDID_END,USER_DEFINED"
)
_CEL_FIELDS = (
    "eventtype,eventenum,eventtime,usereventname,name,num,ani,rdnis,dnid,exten,context,channame,appname,appdata,"
    "amaflags,accountcode,uniqueid,linkedid,bridgepeer,peeraccount,userfield,eventextra,tenantid"
)
_UNUSED_EVENTS = ("VarSet", "Newexten", "RTCPSent", "RTCPReceived", "ChannelTalkingStart", "ChannelTalkingStop")
#: played by Asterisk itself; a missing pbx-transfer ends a transfer by key without a word
STANDARD_SOUNDS = ("pbx-transfer", "pbx-invalid", "beep")


def write_asterisk(flow: Flow) -> dict[str, str]:
    """File name -> text, for /etc/asterisk; ``prompts.txt`` is a list for people.

    Raises: UnsafeTextError, ValueError for a spec that did not pass its check.
    """
    bodies = {
        "queues.conf": ("queues", _queues(flow)),
        "pjsip.conf": ("trunk and phones", _pjsip(flow)),
        "musiconhold.conf": ("music on hold", ["[hub]", "mode=files", "directory=moh"]),
        "manager.conf": ("the hub's access", _manager()),
        "cel.conf": ("channel events", ["[general]", "enable=yes", f"events={_CEL_EVENTS}"]),
        "cel_custom.conf": ("channel events, one JSON line each", _cel_custom()),
        "logger.conf": ("logs", _logger()),
        "cdr.conf": ("call detail records", _cdr()),
    }
    files = {name: "\n".join([header(title, flow), "", *body]) + "\n" for name, (title, body) in bodies.items()}
    return {"extensions.conf": write_dialplan(flow), **files, "prompts.txt": _prompts(flow)}


def _queues(flow: Flow) -> Iterator[str]:
    yield from (
        "[general]",
        "autofill=yes",
        "persistentmembers=yes",
        "; wrap-up counts across queues, and queue_log names agents, not devices",
        "shared_lastcall=yes",
        "log_membername_as_agent=yes",
        "",
        "[hub-queue](!)",
        "strategy=rrmemory",
        "musicclass=hub",
        "retry=1",
        "timeoutpriority=conf",
        "ringinuse=no",
        "autopause=no",
        f"joinempty={NOBODY}",
        f"leavewhenempty={NOBODY}",
        f"servicelevel={SERVICE_LEVEL_SECONDS}",
        "setinterfacevar=yes",
        "setqueuevar=yes",
        "setqueueentryvar=yes",
    )
    for step in flow.steps.values():
        if step.kind is not StepKind.QUEUE:
            continue
        queue = flow.queue(step)
        yield from ("", f"[{safe(pbx_queue(step.name))}](hub-queue)", f"timeout={queue.ring_s}")
        yield f"maxlen={queue.max_len}"
        if any(way.word.startswith("key-") for way in step.ways):
            yield f"context={keys_context(step, f'v{flow.spec.revision}')}"
        for member in queue.members:
            device = device_of(member)
            # A Local channel has no state of its own; its owner must add one to the line.
            state = "" if device.startswith("Local/") else f",{device}"
            yield f"member => {device},0,{agent_of(member)}{state}"


def device_of(member: str) -> str:
    """``agent1001`` -> ``PJSIP/agent1001``; a member that names its technology stays as it is."""
    return safe(member if "/" in member else f"PJSIP/{member}")


def agent_of(member: str) -> str:
    return safe(member.rpartition("/")[2].partition("@")[0])


def _phones(flow: Flow) -> list[str]:
    members = (member for queue in flow.spec.queues.values() for member in queue.members)
    return sorted({agent_of(member) for member in members if device_of(member).startswith("PJSIP/")})


def _pjsip(flow: Flow) -> Iterator[str]:
    yield from (
        "; pjsip-centre.conf gives the aor [carrier] and what belongs to it (identify or registration, its address),",
        "; and the password of each phone: [agent1001] type=auth, username, password.",
        "",
        "[transport-udp]",
        "type=transport",
        "protocol=udp",
        "bind=0.0.0.0:5060",
        "",
        "[trunk]",
        "type=endpoint",
        "transport=transport-udp",
        "context=from-trunk",
        "disallow=all",
        "allow=alaw,ulaw",
        "dtmf_mode=rfc4733",
        "direct_media=no",
        "trust_id_inbound=yes",
        "aors=carrier",
        "",
        "[hub-phone](!)",
        "type=endpoint",
        "transport=transport-udp",
        "context=hub-phones",
        "disallow=all",
        "allow=alaw,ulaw",
        "dtmf_mode=rfc4733",
        "direct_media=no",
        "; one call at a time: a queue does not ring a phone that is in use",
        "device_state_busy_at=1",
    )
    for phone in _phones(flow):
        yield from ("", f"[{phone}](hub-phone)", f"aors={phone}", f"auth={phone}")
        yield from (f"[{phone}]", "type=aor", "max_contacts=1", "remove_existing=yes")
    yield from ("", '#tryinclude "pjsip-centre.conf"')


def _manager() -> Iterator[str]:
    yield from (
        "[general]",
        "enabled=yes",
        "webenabled=no",
        "bindaddr=127.0.0.1",
        "port=5038",
        "; without it an event has no time of its own",
        "timestampevents=yes",
        "",
        "; manager-centre.conf names the user: [hub](hub-rights) and its secret",
        "[hub-rights](!)",
        "deny=0.0.0.0/0.0.0.0",
        "permit=127.0.0.1/255.255.255.255",
        "read=system,call,agent,user,reporting",
        "write=system,call,agent,user,reporting,originate",
    )
    yield from (f"eventfilter(action(exclude),name({event})) =" for event in _UNUSED_EVENTS)
    yield from ("", '#tryinclude "manager-centre.conf"')


def _cel_custom() -> Iterable[str]:
    return (
        "; a name that is not known here keeps the whole module from loading",
        "[cel.jsonl]",
        "format=json",
        f"fields={_CEL_FIELDS}",
    )


def _logger() -> Iterable[str]:
    return (
        "[general]",
        "dateformat=%F %T.%3q",
        "queue_log=yes",
        "queue_log_to_file=yes",
        "queue_log_name=queue_log",
        "rotatestrategy=rotate",
        "",
        "[logfiles]",
        "messages=notice,warning,error",
    )


def _cdr() -> Iterable[str]:
    return (
        "; for the carrier's bill only: one call makes several rows",
        "[general]",
        "enable=yes",
        "unanswered=yes",
        "endbeforehexten=yes",
        "initiatedseconds=yes",
        "",
        "[csv]",
        "usegmtime=yes",
        "loguniqueid=yes",
        "loguserfield=yes",
        "newcdrcolumns=yes",
        "accountlogs=no",
    )


def prompts_of(flow: Flow) -> dict[str, list[str]]:
    """Prompt -> ids of the steps that play it, both in the order of the spec."""
    played: dict[str, list[str]] = {}
    if flow.spec.abuse_farewell_prompt:
        played[safe(flow.spec.abuse_farewell_prompt)] = [FAREWELL_CONTEXT]
    for step in flow.steps.values():
        names = [step.prompt]
        if step.kind is StepKind.NOTICE and (notice := notice_of(flow.spec, step.name)):
            names = [notice.prompt]
        if step.kind is StepKind.CALLBACK:
            names += [flow.callback(step).ask_number, flow.callback(step).no_number]
        if step.kind is StepKind.SURVEY:
            names.append(flow.survey(step).thanks)
        for name in names:
            if name:
                played.setdefault(safe(name), []).append(step.id)
    return played


def _prompts(flow: Flow) -> str:
    lines = [
        header("announcements", flow),
        "; each as a file of 8 kHz, 16 bit, mono in sounds/<language>/; a missing one is skipped in silence",
        *(f"{prompt}.wav\t{', '.join(steps)}" for prompt, steps in prompts_of(flow).items()),
        *(f"{sound}.wav\tplayed by Asterisk itself" for sound in STANDARD_SOUNDS),
    ]
    return "\n".join(lines) + "\n"
