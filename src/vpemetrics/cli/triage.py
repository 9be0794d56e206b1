"""`vpemetrics triage`: a person's decisions about failures and incidents."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vpemetrics.cli import output
from vpemetrics.cli.session import Session, command
from vpemetrics.cli.stores import existing_store

if TYPE_CHECKING:
    from vpemetrics.records import Triage
    from vpemetrics.store.pending_triage import Undecided

SHOWN: Final = 12

app: Final = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Record = Annotated[
    str, typer.Argument(metavar="RECORD", help="Id of an incident or a deployment, see `list`.")
]
Incident = Annotated[str, typer.Argument(metavar="INCIDENT", help="Id of an incident.")]
Cause = Annotated[
    str,
    typer.Argument(metavar="CAUSE", help="A deployment, pull request or commit that caused it."),
]


def _check_why(reason: str) -> str:
    if not reason.strip():
        raise typer.BadParameter("a decision needs a reason, in a few words")
    return reason


Why = Annotated[
    str,
    typer.Option(metavar="TEXT", help="The reason, for whoever asks later.", callback=_check_why),
]
Who = Annotated[
    str | None, typer.Option(metavar="NAME", help="Who decides; default: your login name.")
]


@app.callback()
def triage() -> None:
    """Decide about suspected failures and incidents without a cause."""


@app.command("list")
@command
def list_(
    session: Session,
    everything: Annotated[bool, typer.Option("--all", help="All of them, however many.")] = False,
) -> None:
    """List what waits for a decision, with ids to copy.

    Example: vpemetrics triage list --all
    """
    configuration = session.configuration()
    rules = configuration.rules()
    with existing_store(session, configuration) as store:
        from vpemetrics.usecases.triage import waiting

        with session.progress("Tracing services") as advance:
            found = waiting(store, rules, advance)
    lines = _listing(found, len(found) if everything else SHOWN, rules.zone)
    output.print_lines(lines)


@app.command()
@command
def confirm(
    session: Session,
    record: Record,
    why: Why,
    who: Who = None,
    restored: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="When a deployment worked again, as in 2026-09-01T14:30Z."
        ),
    ] = None,
) -> None:
    """Keep that a suspected deployment did fail.

    Example: vpemetrics triage confirm INC-212 --why "same stack trace"
    """
    restored_at = None if restored is None else _moment(restored)
    configuration = session.configuration()
    with existing_store(session, configuration) as store:
        from vpemetrics.usecases.triage import confirm as confirmed

        kept = confirmed(
            store,
            configuration.rules(),
            record,
            who=_who(who),
            why=why,
            when=_now(),
            restored_at=restored_at,
        )
    _tell(session, kept)


@app.command()
@command
def reject(session: Session, record: Record, why: Why, who: Who = None) -> None:
    """Keep that a deployment did not fail, or caused no incident.

    Example: vpemetrics triage reject INC-212 --why "the provider was down"
    """
    configuration = session.configuration()
    with existing_store(session, configuration) as store:
        from vpemetrics.usecases.triage import reject as rejected

        kept = rejected(store, configuration.rules(), record, who=_who(who), why=why, when=_now())
    _tell(session, kept)


@app.command()
@command
def link(session: Session, incident: Incident, cause: Cause, why: Why, who: Who = None) -> None:
    """Keep what caused an incident.

    Example: vpemetrics triage link INC-212 4f2c9e1 --why "found by bisecting"
    """
    configuration = session.configuration()
    with existing_store(session, configuration) as store:
        from vpemetrics.usecases.triage import link as linked
        from vpemetrics.usecases.triage import without_cause

        rules = configuration.rules()
        kept = linked(store, rules, incident, cause, who=_who(who), why=why, when=_now())
        if without_cause(store, rules, incident):
            session.warn(f"{kept.cause} did not reach production, so no figure changes yet")
    _tell(session, kept)


def _moment(text: str) -> datetime:
    from vpemetrics.window import parse_instant

    try:
        return parse_instant(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--restored") from None


def _now() -> datetime:
    return datetime.now(UTC)


def _who(who: str | None) -> str:
    """The name a decision is signed with."""
    from vpemetrics.login import login_name

    return who or login_name()


def _tell(session: Session, kept: "Triage") -> None:
    about = f"{kept.record} by {kept.cause}" if kept.cause else kept.record
    session.note(
        f"kept: {kept.verdict} {about}, signed {kept.who}; a later decision replaces this one",
        f"now: {session.hint(f'explain {kept.record}')}",
    )


def _listing(found: Sequence["Undecided"], shown: int, zone: str) -> Iterator[str]:
    suspected = [undecided for undecided in found if undecided.grade == "D"]
    unexplained = [undecided for undecided in found if undecided.grade != "D"]
    if not found:
        yield "Nothing waits for a decision."
        return
    if suspected:
        yield f"Suspected failures ({len(suspected)}): confirm RECORD, or reject RECORD"
        yield from _table(suspected[:shown], "suspected, and why", zone)
        yield from _rest(suspected, shown)
    if suspected and unexplained:
        yield ""
    if unexplained:
        yield f"Incidents without a cause ({len(unexplained)}): link RECORD CAUSE, or reject RECORD"
        yield from _table(unexplained[:shown], "what is known", zone)
        yield from _rest(unexplained, shown)


def _rest(found: Sequence["Undecided"], shown: int) -> Iterator[str]:
    if len(found) > shown:
        yield f"  … and {len(found) - shown} earlier ones (--all)"


def _table(found: Sequence["Undecided"], last: str, zone: str) -> Iterator[str]:
    from vpemetrics.reports.columns import align, cut

    rows = [_row(undecided, zone) for undecided in found]
    for line in align([("RECORD", "service", "when", last), *rows]):
        yield cut(f"  {line}", output.width()) if sys.stdout.isatty() else f"  {line}"


def _row(undecided: "Undecided", zone: str) -> tuple[str, ...]:
    from vpemetrics.reports import words
    from vpemetrics.reports.columns import plain
    from vpemetrics.window import from_micros

    when = "–" if undecided.at is None else words.moment(from_micros(undecided.at), zone)
    reason = " · ".join(filter(None, (_reason(undecided), undecided.title)))
    return plain(undecided.record), plain(undecided.service or "–"), when, plain(reason)


def _reason(undecided: "Undecided") -> str:
    if undecided.grade is None:
        return "it names no service that is deployed"
    if undecided.what == "time":
        return f"began soon after {undecided.deployment}"
    if undecided.deployment and undecided.deployment != undecided.record:
        return f"{undecided.deployment}, {undecided.detail}"
    return undecided.detail or ""
