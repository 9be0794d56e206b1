"""`vpemetrics explain`: where a number comes from, or what was made of a record."""

from typing import Annotated

import typer

from vpemetrics.cli import options, output
from vpemetrics.cli.session import Session, command
from vpemetrics.cli.stores import existing_store, rules_in_force

What = Annotated[
    str,
    typer.Argument(
        metavar="METRIC|RECORD",
        show_default=False,
        help="A metric (lead-time, cfr, mttr, …), a sha, #123, owner/repository#123, the id of "
        "a deployment or incident, or a service.",
    ),
]
Week = Annotated[
    str | None,
    typer.Option(metavar="2026-W36", help="An ISO week; default: the report's longer window."),
]
All = Annotated[bool, typer.Option("--all", help="Every record, however many there are.")]


@command
def explain(
    session: Session,
    what: What,
    week: Week = None,
    month: options.Month = None,
    quarter: options.Quarter = None,
    start: options.From = None,
    end: options.To = None,
    service: options.Service = None,
    team: options.Team = None,
    complete: All = False,
    json: options.Json = False,
) -> None:
    """Print the records behind a figure, or how one was counted.

    Without a window it is the figure of the longer one that `report` shows.

    Example: vpemetrics explain cfr --week 2026-W36 --service checkout
    """
    options.exclusive_scope(service, team)
    configuration = session.configuration()
    zone = configuration.rules().zone
    window = options.window(
        week=week, month=month, quarter=quarter, start=start, end=end, zone=zone
    )
    with existing_store(session, configuration) as store:
        from vpemetrics.cli.clone import find_commit
        from vpemetrics.explain.lookup import no_commit
        from vpemetrics.explain.rendering import render, render_json
        from vpemetrics.usecases import explain as usecase
        from vpemetrics.usecases.reporting import Asked

        asked = Asked(window=window, service=service, team=team)
        named = find_commit if session.choose_store(configuration).of_clone else no_commit
        with session.progress("Tracing services") as advance:
            rules = rules_in_force(session, configuration, store)
            found = usecase.explain(store, rules, what, asked, advance, named)
    if found.subject != "metric" and (window or service or team):
        session.warn("a record has no window and no scope; those options only choose figures")
    if json:
        output.print_json(render_json(found))
    else:
        output.print_text(render(found, width=output.width(), complete=complete))
