"""`vpemetrics forget`: data that must go, for good."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vpemetrics.cli import options, output
from vpemetrics.cli.session import Session, command
from vpemetrics.cli.stores import existing_store
from vpemetrics.errors import FixInput

if TYPE_CHECKING:
    from vpemetrics.config.load import Configuration
    from vpemetrics.store import Store
    from vpemetrics.usecases.forgetting import ForgetPlan

FORMAT: Final = "vpemetrics-forget/1"

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="SOURCE|REPOSITORY", help="A source, or a repository as its records call it."
    ),
]
Before = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="Instead of a name: all that happened before this day."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Forget without being asked.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count only; nothing is forgotten.")]


@command
def forget(
    session: Session,
    name: Name = None,
    before: Before = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    json: options.Json = False,
) -> None:
    """Remove for good what a source told, or what is long past.

    Counts are shown first. Example: vpemetrics forget acme/shop --dry-run
    """
    if (name is None) == (before is None):
        raise typer.BadParameter("name a source or repository, or give --before DATE")
    configuration = session.configuration()
    _refuse_a_clones_own(session, configuration)
    with existing_store(session, configuration) as store:
        plan = _plan(store, configuration, name, before)
        if plan is None:
            return
        if not (json and yes):
            _show(plan, configuration, json=json)
        if dry_run or (json and not yes):
            return
        if not plan.is_empty and not yes:
            _ask(session, name, before)
        done = _forget(session, store, plan)
    if json:
        output.print_bytes(_json(done, forgotten=True))
    _warn_of_return(session, configuration, done)


def _refuse_a_clones_own(session: Session, configuration: "Configuration") -> None:
    choice = session.choose_store(configuration)
    if choice.of_clone:
        folder = Path(choice.location).parent
        raise FixInput(
            "this is a clone's own store, which is made anew of the clone whenever it is read\n"
            f"To be rid of it: rm -r {quote(str(folder))}"
        )


def _plan(
    store: "Store", configuration: "Configuration", name: str | None, before: str | None
) -> "ForgetPlan | None":
    """The plan for what was asked for; None where an earlier command did all of it."""
    from vpemetrics.errors import NotFound
    from vpemetrics.usecases.forgetting import finish, plan_for_name, plan_for_past, was_forgotten

    finish(store)  # what another process did not come to the end of
    if before is not None:
        day = options.parse_date(before, "--before")
        return plan_for_past(store, day, configuration.settings.organisation.timezone, os.environ)
    try:
        return plan_for_name(store, str(name), os.environ)
    except NotFound:
        if (when := was_forgotten(store, str(name))) is None:
            raise
    output.print_lines([f"Nothing of {name} is left; it was forgotten on {when:%Y-%m-%d}."])
    return None


def _forget(session: Session, store: "Store", plan: "ForgetPlan") -> "ForgetPlan":
    from vpemetrics.records import counts_text
    from vpemetrics.usecases.forgetting import finish
    from vpemetrics.usecases.forgetting import forget as forgotten

    with session.time_step("Forgetting"):
        done = forgotten(store, plan, now=datetime.now(UTC))
    with session.time_step("Giving back the room"):
        finish(store)
    session.note(f"forgotten: {counts_text(done.counts) or 'nothing, there was nothing'}")
    return done


def _ask(session: Session, name: str | None, before: str | None) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        what = quote(name) if name is not None else f"--before {before}"
        raise FixInput(
            "nothing was forgotten: there is no terminal to ask on\n"
            f"If this is to go: {session.hint(f'forget {what} --yes')}"
        )
    typer.confirm("Forget this for good?", default=False, abort=True, err=True)


def _show(plan: "ForgetPlan", configuration: "Configuration", *, json: bool) -> None:
    if json:
        output.print_bytes(_json(plan, forgotten=False))
        return
    lines = _lines(plan, configuration.settings.organisation.timezone)
    output.print_lines(lines)


def _lines(plan: "ForgetPlan", zone: str) -> Iterator[str]:
    from vpemetrics.reports.columns import align, plain
    from vpemetrics.window import date_of, to_micros

    if plan.is_empty:
        yield f"Nothing is known that would go with {plain(plan.name)}."
        return
    yield f"To forget: {plain(plan.name)}"
    rows: list[tuple[str, ...]] = [("", "", "from", "to")]
    for one in plan.extent.holdings:
        days = (str(date_of(to_micros(at), zone)) if at else "–" for at in (one.first, one.last))
        rows.append((one.kind.replace("_", " "), f"{one.count:,}", *days))
    if plan.mirrors:
        rows.append(("mirrors", f"{len(plan.mirrors):,}", "–", "–"))
    yield from (f"  {line}" for line in align(rows))
    if plan.extent.services:
        yield "All that was derived goes too; the next report works it out from what is left."
    if plan.request.before and plan.extent.holdings:
        yield "Mirrors stay: each is a copy of a whole repository, or nothing."
    for kind, count in plan.extent.undated.items():
        yield f"{count:,} {kind.replace('_', ' ')} stay: nothing says when they were."


def _warn_of_return(session: Session, configuration: "Configuration", done: "ForgetPlan") -> None:
    """Say that sources of the configuration bring back what is forgotten."""
    again = [name for name in done.extent.sources if name in configuration.settings.sources]
    if again:
        session.warn(
            f"{', '.join(again)} is still configured: the next collection asks for everything "
            "again\nTo keep it away, change the configuration first, and forget once more"
        )


def _json(plan: "ForgetPlan", *, forgotten: bool) -> bytes:
    from json import dumps

    from vpemetrics.window import format_instant

    said: dict[str, Any] = {
        "format": FORMAT,
        "what": plan.name,
        "forgotten": forgotten,
        "records": [
            {
                "kind": one.kind,
                "count": one.count,
                "from": one.first and format_instant(one.first),
                "to": one.last and format_instant(one.last),
            }
            for one in plan.extent.holdings
        ],
        "mirrors": len(plan.mirrors),
        "derived_services": plan.extent.services,
        "without_a_date": dict(plan.extent.undated),
        "sources": list(plan.extent.sources),
    }
    return dumps(said, indent=2, ensure_ascii=False).encode() + b"\n"
