"""The sounds that a spec plays: their names, and whether their files can be played."""

import io
import wave
from collections.abc import Callable, Iterator

from ivr.document import Document, Path
from ivr.graph import edges
from ivr.spec import STANDARD_NOTICES, Spec

LONGEST_PROMPT_SECONDS = 30
#: file types that are 8 kHz mono by definition (Asterisk's format modules; confidence: sure)
PLAIN_TYPES = (".ulaw", ".alaw", ".gsm", ".sln")
SOUND_TYPES = (".wav", *PLAIN_TYPES)
_RATE, _SAMPLE_BYTES = 8000, 2

#: name with type, as ``prompts/order.wav`` -> the file's bytes, ``None`` where there is no such file
ReadSound = Callable[[str], bytes | None]


def prompts_of(spec: Spec) -> list[tuple[Path, str]]:
    """Every sound that the spec plays, with its place in the document; a sound may be played at many places."""
    found: list[tuple[Path, str | None]] = [
        (("unknown_number_prompt",), spec.unknown_number_prompt),
        (("abuse_farewell_prompt",), spec.abuse_farewell_prompt),
    ]
    for name, line in spec.lines.items():
        for index, word in enumerate(line.notices):
            if word not in spec.notices and word in STANDARD_NOTICES:
                found.append((("lines", name, "notices", index), STANDARD_NOTICES[word].prompt))
        if line.closed is not None:
            found += [
                (("lines", name, "closed", word), getattr(line.closed, word)) for word in ("hours", "holiday", "dnd")
            ]
    found += [(("notices", name, "prompt"), notice.prompt) for name, notice in spec.notices.items()]
    found += [(("menus", name, "prompt"), menu.prompt) for name, menu in spec.menus.items()]
    for name, callback in spec.callbacks.items():
        words = ("prompt", "ask_number", "no_number")
        found += [(("callbacks", name, word), getattr(callback, word)) for word in words]
    for name, survey in spec.surveys.items():
        found += [(("surveys", name, word), getattr(survey, word)) for word in ("prompt", "thanks")]
    found += [(way.path, way.node[1]) for way in edges(spec) if way.node and way.node[0] == "hangup"]
    return [(path, prompt) for path, prompt in found if prompt]


def check_sounds(spec: Spec, document: Document, read: ReadSound) -> None:
    """Every sound is there, in a form that the PBX plays, and not longer than callers listen."""
    first: dict[str, Path] = {}
    for path, prompt in prompts_of(spec):
        first.setdefault(prompt, path)
    for prompt, path in first.items():
        found = next(_found(prompt, read), None)
        if found is None:
            document.report("prompt-missing", path, name=prompt)
        elif found[0] == ".wav":
            _check_wave(prompt, found[1], path, document)
        elif not found[1]:
            document.report("prompt-empty", path, name=prompt)


def _found(prompt: str, read: ReadSound) -> Iterator[tuple[str, bytes]]:
    for kind in SOUND_TYPES:
        content = read(f"{prompt}{kind}")
        if content is not None:
            yield kind, content


def _check_wave(prompt: str, content: bytes, path: Path, document: Document) -> None:
    try:
        with wave.open(io.BytesIO(content)) as sound:
            channels, rate, width, frames = (
                sound.getparams()[0],
                sound.getframerate(),
                sound.getsampwidth(),
                sound.getnframes(),
            )
    except (wave.Error, EOFError):
        document.report("prompt-format", path, name=prompt, format="no PCM WAV")
        return
    if (channels, rate, width) != (1, _RATE, _SAMPLE_BYTES):
        said = f"{rate} Hz, {width * 8} bit, {'mono' if channels == 1 else f'{channels} channels'}"
        document.report("prompt-format", path, name=prompt, format=said)
    elif not frames:
        document.report("prompt-empty", path, name=prompt)
    elif frames > LONGEST_PROMPT_SECONDS * _RATE:
        document.report("long-prompt", path, name=prompt, seconds=round(frames / _RATE), most=LONGEST_PROMPT_SECONDS)
