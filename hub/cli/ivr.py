"""`hub ivr`: the telephone's spec, its call records and what they count to."""

import typer

from hub.cli.ivr_compile import compile_spec
from hub.cli.ivr_import import counts, import_records, problems
from hub.cli.ivr_simulate import simulate
from hub.cli.ivr_spec import check, graph, schema, ways


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The telephone: spec, call records, counts.", no_args_is_help=True)
    group.command("check", help="Every error and warning of an IVR spec, with line and fix.")(check)
    group.command("graph", help="Draw the flow of a spec as SVG.")(graph)
    group.command("ways", help="Calls on each way through the menu.")(ways)
    group.command("schema", help="The JSON Schema of a spec.")(schema)
    group.command("simulate", help="A call through the spec, or a script of calls with what shall come of them.")(
        simulate
    )
    group.command("compile", help="The spec as files for a PBX; --diff: against what is deployed.")(compile_spec)
    group.command("import", help="Read call records: queue_log, CEL, AMI or CDR, told apart by content.")(
        import_records
    )
    group.command("problems", help="Files of call records that were read, and the lines in them that could not be.")(
        problems
    )
    group.command("counts", help="Calls per mall, line and hour.")(counts)
    app.add_typer(group, name="ivr")
