"""`vpemetrics chart`: one of the charts, as a picture in a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vpemetrics.cli import options
from vpemetrics.cli.session import Session, command
from vpemetrics.cli.stores import existing_store, rules_in_force
from vpemetrics.files import write
from vpemetrics.names import load
from vpemetrics.reports.registry import CHARTS, PICTURES

if TYPE_CHECKING:
    from vpemetrics.reports.charts.chart import ChartPicture

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", show_default=False, help=f"Which chart: {', '.join(CHARTS)}."),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        show_default=False,
        help="The file to write; its ending is the format, .svg or .png.",
    ),
]


@command
def chart(
    session: Session,
    name: Name,
    output: Output,
    week: options.Week = None,
    month: options.Month = None,
    quarter: options.Quarter = None,
    start: options.From = None,
    end: options.To = None,
    service: options.Service = None,
    team: options.Team = None,
) -> None:
    """Draw one chart over the half year to a week, or longer.

    Example: vpemetrics chart deployments -o deployments.svg
    """
    options.exclusive_scope(service, team)
    drawn_by, made_by = CHARTS[_chart_name(name)], PICTURES[_ending(output)]
    configuration = session.configuration()
    zone = configuration.rules().zone
    window = options.window(
        week=week, month=month, quarter=quarter, start=start, end=end, zone=zone
    )
    with existing_store(session, configuration) as store:
        from vpemetrics.usecases.reporting import Asked, report

        asked = Asked(window=window, service=service, team=team, parts=False)
        with session.progress("Tracing services") as advance:
            result = report(store, rules_in_force(session, configuration, store), asked, advance)
    with session.progress("Drawing"):
        picture: ChartPicture = load(drawn_by)(result)
        content: bytes = load(made_by)(picture)
    write(output, content)
    session.note(f"wrote {output}: {picture.title}")


def _chart_name(given: str) -> str:
    """The chart's own name; hyphens and capitals do not matter. A usage error names the nearest."""
    name = given.casefold().replace("-", "_")
    if name in CHARTS:
        return name
    from vpemetrics.names import nearest

    close = nearest(name, CHARTS)
    hint = f"did you mean {close}?" if close else f"there are {', '.join(CHARTS)}"
    raise typer.BadParameter(f"there is no chart {given!r}; {hint}", param_hint="NAME")


def _ending(path: Path) -> str:
    ending = path.suffix.lower()
    if ending not in PICTURES:
        raise typer.BadParameter(
            f"{path}: the ending says the format, and there are {', '.join(PICTURES)}",
            param_hint="--output",
        )
    return ending
