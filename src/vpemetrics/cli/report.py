"""`vpemetrics report`: the figures of a week, or of any window."""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vpemetrics.cli import options, output
from vpemetrics.cli.session import Session, command
from vpemetrics.cli.stores import existing_store, rules_in_force, sources_to_read
from vpemetrics.files import write
from vpemetrics.reports.registry import DRAWN, WITH_PARTS, render_as

if TYPE_CHECKING:
    from vpemetrics.reports.model import Report
    from vpemetrics.store import Store

_FRESH_DAYS: Final = 8

Output = Annotated[
    list[Path] | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Write a file; its ending is the format. Repeatable."
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="NAME", help=f"Format on stdout: {', '.join(output.CHOICES)}."
    ),
]


@command
def report(
    session: Session,
    week: options.Week = None,
    month: options.Month = None,
    quarter: options.Quarter = None,
    start: options.From = None,
    end: options.To = None,
    service: options.Service = None,
    team: options.Team = None,
    destinations: Output = None,
    format_: Format = None,
    json: options.Json = False,
) -> None:
    """Print the five metrics of a week, and what lies behind them.

    Example: vpemetrics report --week 2026-W36 --team payments -o report.json
    """
    options.exclusive_scope(service, team)
    files = {path: output.format_of(path) for path in destinations or []}
    on_stdout = output.choose_format(format_, json=json)
    configuration = session.configuration()
    zone = configuration.rules().zone
    window = options.window(
        week=week, month=month, quarter=quarter, start=start, end=end, zone=zone
    )
    with existing_store(session, configuration, at_length=True) as store:
        from vpemetrics.usecases.clone_problems import with_clone_problems
        from vpemetrics.usecases.reporting import Asked
        from vpemetrics.usecases.reporting import report as reported

        wanted = {on_stdout, *files.values()}
        asked = Asked(
            window=window,
            service=service,
            team=team,
            parts=bool(wanted & WITH_PARTS),
            drawn=bool(wanted & DRAWN),
        )
        rules = rules_in_force(session, configuration, store)
        with session.progress("Tracing services") as advance:
            result = reported(store, rules, asked, advance)
        result = with_clone_problems(result, rules, store, sources_to_read(session, configuration))
        _tell_lacking(session, store, configuration.settings.sources)
    _tell_age(session, result)
    for path, format_of in files.items():
        write(path, render_as(result, format_of))
        session.note(f"wrote {path}")
    if on_stdout or not files:
        show(session, result, on_stdout or output.TERMINAL)


def _tell_lacking(session: Session, store: "Store", configured: Iterable[str]) -> None:
    """Say which configured sources the report knows nothing of, or nothing new."""
    from vpemetrics.usecases.status import lacking

    for name, error in lacking(store, configured).items():
        if error:
            session.warn(f"{name}: its last collection failed, so this may lack news: {error}")
        else:
            session.warn(
                f"{name} was never collected, so nothing of it is in here; "
                f"run `{session.hint('collect')}`"
            )


def _tell_age(session: Session, report: "Report") -> None:
    """Say when the newest data is more than a week old: only the shell knows what day it is."""
    if report.data_as_of is None:
        return
    days = (datetime.now(UTC) - report.data_as_of).days
    if days > _FRESH_DAYS:
        session.note(f"the newest data is {days} days old")


def show(session: Session, result: "Report", format_: str) -> None:
    """Put a report on stdout, in colour and as wide as the terminal where that is the format."""
    if format_ != output.TERMINAL:
        output.print_bytes(render_as(result, format_))
        return
    from vpemetrics.reports import terminal

    colors = session.colors(sys.stdout)
    output.print_painted(terminal.render(result, width=output.width(), color=colors))
