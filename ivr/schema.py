"""The JSON Schema of a spec, for editors that help while one is written."""

from typing import Any

import msgspec

from ivr.spec import SPEC_VERSION, Spec


def spec_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the spec's form; what its parts mean together is known to ``check_spec`` alone.

    Strict like the reader: an unknown field is refused.
    """
    schema = msgspec.json.schema(Spec)
    for definition in schema["$defs"].values():
        if "properties" in definition:
            definition["additionalProperties"] = False
    schema["$defs"]["Spec"]["properties"]["spec_version"] |= {"minimum": 1, "maximum": SPEC_VERSION}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"IVR spec, version {SPEC_VERSION}",
        **schema,
    }


def spec_schema_text() -> str:
    """As it is published: two blanks deep, a line break at the end."""
    return msgspec.json.format(msgspec.json.encode(spec_schema()), indent=2).decode() + "\n"
