"""`hub facts`: the steps of a purchase abroad, which no mall tells."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from hub.bootstrap import Hub
from hub.cli.console import ExitCode, complain, print_json, print_table, screen, with_hub
from hub.core.errors import ConfigurationError
from hub.desk.access import command_line_actor
from hub.desk.decisions.fact_sheet import FactSheet, read_fact_sheet
from hub.desk.decisions.facts_told import FactGiven, FactProblem, FactSource, read_moment
from hub.desk.decisions.line_facts import FactsResult, LineFactsView, read_line_facts, set_facts
from hub.policy.stage import StageFact

_Shop = Annotated[str, typer.Option(help="The shop.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_FIX = "A fact is FACT=WHEN: 2026-11-20, 2026-11-20T14:30, 'not yet' or 'unknown'."


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Purchases abroad: what became of a line before it is on its way.", no_args_is_help=True)
    group.command("set", help="Tell facts of one line, or of every line of an order.")(set_line)
    group.command("import", help="Tell facts of many lines by a CSV or spreadsheet.")(import_sheet)
    group.command("show", help="The facts of an order's lines, their stage and their history.")(show)
    app.add_typer(group, name="facts")


def set_line(
    facts: Annotated[list[str], typer.Argument(metavar="FACT=WHEN…", help=f"{', '.join(StageFact)}; {_FIX}")],
    shop: _Shop,
    order: Annotated[str | None, typer.Option(help="Order number.")] = None,
    line: Annotated[str | None, typer.Option(help="Line number.")] = None,
    number: Annotated[
        list[str] | None, typer.Option("--number", help="FACT=TEXT: order number or waybill abroad.")
    ] = None,
    as_json: _Json = False,
) -> int:
    numbers = dict(_pair(text, option="--number") for text in number or [])

    async def work(hub: Hub) -> FactsResult:
        given: list[FactGiven] = []
        for text in facts:
            fact, when = _pair(text, option="FACT")
            moment = read_moment(when, zone=hub.settings.zone)
            if moment is None:
                what = f"{fact.value}: {when!r} is no day and no time"
                raise ConfigurationError(what, fix=_FIX)
            given.append(
                FactGiven(
                    place=len(given) + 1,
                    shop=shop,
                    order_no=order,
                    line_no=line,
                    fact=fact,
                    moment=moment,
                    reference=numbers.get(fact),
                )
            )
        if unused := sorted(set(numbers) - {each.fact for each in given}):
            what = f"--number {unused[0]}: this fact is not told"
            raise ConfigurationError(what, fix=_FIX)
        return await set_facts(hub, actor=command_line_actor(), given=given, source=FactSource.AGENT)

    result = with_hub(work)
    return _report(result, given=len(facts), as_json=as_json, problems=result.problems, file=None)


def _pair(text: str, *, option: str) -> tuple[StageFact, str]:
    name, sign, value = text.partition("=")
    if not sign or name not in set(StageFact):
        what = f"{option}: {text!r} names no fact"
        raise ConfigurationError(what, fix=f"Facts: {', '.join(StageFact)}. {_FIX}")
    return StageFact(name), value.strip()


def import_sheet(
    file: Annotated[Path, typer.Argument(help="CSV (UTF-8, CP949, Shift_JIS), xlsx or xls.")],
    shop: Annotated[str | None, typer.Option(help="The shop of rows that name none.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become of it.")] = False,
    as_json: _Json = False,
) -> int:
    try:
        data = file.read_bytes()
    except OSError as error:
        what = f"{file}: {error.strerror}"
        raise ConfigurationError(what, fix="Name a file that this user can read.") from error

    async def work(hub: Hub) -> tuple[FactSheet, FactsResult]:
        sheet = read_fact_sheet(data, shop=shop, zone=hub.settings.zone)
        result = await set_facts(
            hub, actor=command_line_actor(), given=sheet.given, source=FactSource.FILE, is_trial=dry_run
        )
        return sheet, result

    sheet, result = with_hub(work)
    problems = sorted((*sheet.problems, *result.problems), key=lambda each: (each.row, each.column or ""))
    return _report(
        result, given=sheet.rows, as_json=as_json, problems=problems, file=file, count=len(sheet.problems), sheet=sheet
    )


def _report(
    result: FactsResult,
    *,
    given: int,
    as_json: bool,
    problems: Any,
    file: Path | None,
    count: int = 0,
    sheet: FactSheet | None = None,
) -> int:
    """``count`` problems were found before anything was stored."""
    total = result.problem_count + count
    if as_json:
        document = {
            "rows": given,
            "written": result.written,
            "unchanged": result.unchanged,
            "problem_count": total,
            "problems": [msgspec.to_builtins(each) for each in problems],
        }
        if sheet is not None:
            document["columns"] = [list(pair) for pair in sheet.columns]
        print_json(document)
    else:
        for each in problems:
            _complain_of(each, file)
        screen.print(f"{result.written} written, {result.unchanged} known already, {total} problems", markup=False)
    if not total:
        return ExitCode.ALL_DONE
    return ExitCode.PART_DONE if result.written or result.unchanged else ExitCode.NOTHING_DONE


def _complain_of(problem: FactProblem, file: Path | None) -> None:
    place = (f"{file}:{problem.row}" if problem.row else str(file)) if file else f"fact {problem.row}"
    told = f" ({problem.value!r})" if problem.value else ""
    column = f" {problem.column}:" if problem.column else ""
    complain(f"{place}:{column} {problem.reason}{told}", fix=problem.fix)


def show(
    shop: _Shop,
    order: Annotated[str, typer.Option(help="Order number.")],
    line: Annotated[str | None, typer.Option(help="Line number; absent: every line.")] = None,
    as_json: _Json = False,
) -> None:
    async def work(hub: Hub) -> tuple[LineFactsView, ...]:
        row = await hub.shop_store.named(shop)
        found = await read_line_facts(hub, actor=command_line_actor(), shop=row.name, order_no=order, line_no=line)
        if not found:
            what = f"the hub knows no such order or line in shop {shop!r}"
            raise ConfigurationError(what, fix="`hub sync` reads the orders of today.")
        return found

    views = with_hub(work)
    if as_json:
        print_json([msgspec.to_builtins(view) for view in views])
        return
    for view in views:
        finding = view.finding
        rows = [
            (each.fact, each.moment.state, each.moment.at, each.reference, each.source, each.by, each.set_at)
            for each in view.history
        ]
        title = f"{view.line_no} · stage {finding.stage}" + "".join(f", not told: {name}" for name in finding.missing)
        print_table(title, ("fact", "state", "at", "number", "source", "by", "told at"), rows)
