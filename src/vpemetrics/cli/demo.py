"""`vpemetrics demo`: everything tried out on an organisation that does not exist."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from zoneinfo import ZoneInfo

import typer

from vpemetrics.cli import output
from vpemetrics.cli.options import parse_date
from vpemetrics.cli.report import show
from vpemetrics.cli.session import Session, command, program_name
from vpemetrics.files import write
from vpemetrics.reports.registry import ENDINGS, render_as

if TYPE_CHECKING:
    from vpemetrics.reports.model import Report

NAME: Final = "week"

Folder = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="Where it goes; empty, or an earlier demo.")
]

Until = Annotated[
    str | None,
    typer.Option(
        metavar="DATE",
        show_default="today",
        help="It ends with the last complete week before this date.",
    ),
]


@command
def demo(session: Session, folder: Folder = Path("vpemetrics-demo"), until: Until = None) -> None:
    """Make up an organisation, and report on it in its own folder.

    Five teams and twelve services over sixty weeks; but for its dates the same every time.
    Example: vpemetrics demo
    """
    if session.config or session.store:
        raise typer.BadParameter("a demo has a configuration and a store of its own in its folder")

    from vpemetrics.demo.acme import ZONE, calendar_before
    from vpemetrics.usecases import demo as usecase

    today = datetime.now(ZoneInfo(ZONE)).date()
    calendar = calendar_before(parse_date(until, "--until") if until else today)
    with session.progress("Writing records"):
        usecase.lay_out(folder, calendar)
    with session.progress("Collecting them") as advance:
        advance(0, 0)
        usecase.fill_store(folder, calendar, session.detail, advance)
    report = _report(session, folder)
    with session.progress("Writing reports"):
        files = _write_reports(report, folder / usecase.REPORTS)
    show(session, report, output.TERMINAL)
    _tell(session, folder, files)


def _write_reports(report: "Report", folder: Path) -> Sequence[Path]:
    """Write the report into a folder, a file for each format there is; return their paths."""
    files = {folder / f"{NAME}{ending}": format_ for ending, format_ in _first_endings().items()}
    for path, format_ in files.items():
        write(path, render_as(report, format_))
    return tuple(files)


def _first_endings() -> dict[str, str]:
    """One ending for each format."""
    endings: dict[str, str] = {}
    for ending, format_ in ENDINGS.items():
        endings.setdefault(format_, ending)
    return {ending: format_ for format_, ending in endings.items()}


def _report(session: Session, folder: Path) -> "Report":
    from vpemetrics.store import Store
    from vpemetrics.usecases import demo as usecase
    from vpemetrics.usecases.reporting import report

    with (
        session.progress("Tracing services") as advance,
        Store.open(folder / usecase.STORE, must_exist=True) as store,
    ):
        return report(store, usecase.rules_of(folder), progress=advance)


def _tell(session: Session, folder: Path, files: Sequence[Path]) -> None:
    here = replace(session, config=folder / "vpemetrics.toml")
    session.note(
        "",
        "This organisation is made up. Its week is also in",
        *(f"  {path}" for path in files),
        f"Look further:  {here.hint('explain change_fail_rate')}",
        f"               {here.hint('report --team storefront')}",
        f"See your own:  cd your-clone && {program_name(anywhere=True)} report",
    )
