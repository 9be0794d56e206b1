"""`vpemetrics init`: a first configuration from what is there, and the first report under it."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vpemetrics.cli import output
from vpemetrics.cli.check import check_sources
from vpemetrics.cli.collecting import collect_each
from vpemetrics.cli.report import show
from vpemetrics.cli.session import KNOWN, Session, command
from vpemetrics.errors import FixConfiguration, FixInput
from vpemetrics.hidden_characters import reveal, reveal_line
from vpemetrics.names import first_few

if TYPE_CHECKING:
    from vpemetrics.config.proposals import Proposal
    from vpemetrics.usecases.environment_scan import EnvironmentScan
    from vpemetrics.usecases.setup_questions import Ask, SetupQuestion

_FEW: Final = 6

Repositories = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[REPOSITORY]...",
        show_default=False,
        help="As acme/shop or 'acme/*'; default: where the clones here came from.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Take the proposals and ask nothing.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a configuration that is there.")]
NoCollect = Annotated[
    bool, typer.Option("--no-collect", help="Only write the configuration, collect nothing yet.")
]


@command
def init(
    session: Session,
    repositories: Repositories = None,
    yes: Yes = False,
    force: Force = False,
    no_collect: NoCollect = False,
) -> None:
    """Propose a configuration, collect and report.

    Looks at the git clones here and at where they came from, and asks at most five things.
    A token is taken from where it is usually kept, as GITHUB_TOKEN; without one git will do.
    Example: vpemetrics init 'acme/*' --yes
    """
    path = session.config or Path("vpemetrics.toml")
    if path.exists() and not force:
        raise FixInput(f"{path} is there already; with --force it is replaced")
    scan = _scan(session, path.absolute().parent)
    named = _check_names(scan, repositories or [])
    ask = _asker(session, yes=yes)
    _require_trust(session, scan, named, path, yes=yes)
    _write(session, path, _propose(session, scan, named, ask))
    if not no_collect and _wants_to_collect(session, yes=yes):
        _begin(session)
    else:
        session.note(f"now: {session.hint('collect')}")


def _scan(session: Session, home: Path) -> "EnvironmentScan":
    from vpemetrics.usecases.environment_scan import scan_environment

    now = datetime.now(UTC)
    with session.progress("Looking around"):
        return scan_environment(Path.cwd(), home, os.environ, now=now, announce=session.warn)


def _check_names(scan: "EnvironmentScan", repositories: Sequence[str]) -> tuple[str, ...]:
    """The repositories that were named; a usage error if they cannot be any."""
    from vpemetrics.usecases.setting_up import wanted_forge
    from vpemetrics.usecases.setup_questions import parse_repositories

    forge = wanted_forge(scan, repositories)
    try:
        return parse_repositories(",".join(repositories), forge) if forge else ()
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="REPOSITORY") from None


def _asker(session: Session, *, yes: bool) -> "Ask":
    if yes:
        return lambda question: _take_proposal(session, question)
    if not session.can_ask:
        raise FixInput(
            "there is no terminal to ask on\n"
            "With --yes the proposals are taken as they are, to be changed in the file"
        )
    return _prompt


def _require_trust(
    session: Session, scan: "EnvironmentScan", named: Sequence[str], path: Path, *, yes: bool
) -> None:
    """Go on only if tokens may be sent to hosts that no person named, but a clone's remote."""
    from vpemetrics.config.trust import VARIABLE, host_disclosure, untrusted
    from vpemetrics.usecases.setting_up import open_forges

    for forge in filter(lambda forge: forge.is_guessed, open_forges(scan, named)):
        sent = host_disclosure("init", forge.token or "", forge.address)
        if not untrusted(path, [sent], os.environ):
            continue
        only = f"only the remote of a clone names {sent.to}"
        if yes or not session.can_ask:
            raise FixConfiguration(
                f"{only}, so nothing was sent there, and {forge.token_place} stayed here\n"
                f"If it is your {forge.title}: {VARIABLE}={quote(sent.to)} "
                f"{session.hint('init --yes')}"
            )
        _tell(session, f"{only[0].upper()}{only[1:]}.", gap=True)
        with _interruptible():
            if not typer.confirm(f"Send {forge.token_place} there?", default=False, err=True):
                raise FixConfiguration("not allowed; nothing was sent")


def _take_proposal(session: Session, question: "SetupQuestion") -> str:
    session.note("", *question.known)
    try:
        question.understand(question.proposed)
    except ValueError as error:
        raise FixConfiguration(f"{question.text}: nothing can be proposed; {error}") from None
    session.note(f"{question.text}: {question.proposed}")
    return question.proposed


def _prompt(question: "SetupQuestion") -> str:
    """A person's answer, asked for until it is one."""
    output.print_beside("\n".join(["", *map(reveal_line, question.known)]))
    with _interruptible():
        answer: str = typer.prompt(
            reveal(question.text),
            default=question.proposed or None,
            err=True,
            value_proc=_understood(question.understand),
        )
    return answer


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C and the end of input end the command as anywhere else."""
    try:
        yield
    except typer.Abort:
        raise KeyboardInterrupt from None


def _understood(understand: Callable[[str], object]) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            understand(text)
        except ValueError as error:
            raise typer.BadParameter(f"expected {error}") from None
        return text

    return check


def _propose(
    session: Session, scan: "EnvironmentScan", wanted: Sequence[str], ask: "Ask"
) -> "Proposal":
    """The configuration to write, once everything was looked at and asked."""
    from vpemetrics.usecases.environment_scan import local_zone
    from vpemetrics.usecases.setting_up import Conversation, propose

    for line in scan.trouble:
        session.warn(line)
    _tell(session, _describe(scan))
    talk = Conversation(
        ask=ask,
        tell=lambda text: _tell(session, text),
        warn=session.warn,
        progress=session.progress,
    )
    return propose(scan, wanted, talk, local_zone(os.environ))


def _describe(scan: "EnvironmentScan") -> str:
    """The clones that are here, and the tokens that are not."""
    clones = first_few([clone.name for clone in scan.clones], _FEW)
    kind = "a clone" if len(scan.clones) == 1 else "clones"
    parts = [f"Found {kind} of {clones}" if clones else "Found no git clone here"]
    for forge in scan.forges:
        token = f"a token for {forge.host} in {forge.token_place}"
        parts.append(token if forge.token else f"no token for {forge.title}")
    parts += (source.found for source in scan.ready if source.found)
    return f"{', and '.join(parts)}."


def _write(session: Session, path: Path, proposal: "Proposal") -> None:
    from vpemetrics.config.writing import render
    from vpemetrics.files import write
    from vpemetrics.reports import words

    content = render(proposal, datetime.now(UTC).date())
    # First: whoever stops it between the two leaves no file that its own author has to trust.
    _trust(path, content)
    write(path, content.encode())
    teams = {service.team for service in proposal.services if service.team}
    owned = f" of {words.quantity(len(teams), 'team')}" if teams else ", whose teams nothing names"
    _tell(
        session,
        f"Wrote {path}: {words.quantity(len(proposal.services), 'service')}{owned}; "
        f"deployments to {', '.join(proposal.production)} count; "
        f"weeks begin at midnight in {proposal.zone}. All of it is yours to change.",
        gap=True,
    )
    for repository in sorted({found.shares for found in proposal.services if found.shares}):
        names = [found.name for found in proposal.services if found.shares == repository]
        session.warn(
            f"{', '.join(names)} share {repository}: give each its paths in {path}; until then "
            "every change there counts for all of them, and seems to take too long"
        )


def _trust(path: Path, content: str) -> None:
    """Allow what the configuration sends that is to be written: a person said all of it."""
    from vpemetrics.config.load import check
    from vpemetrics.config.sources import configured_sources
    from vpemetrics.config.trust import allow

    sources = configured_sources(check(path, content, os.environ))
    sent = (sent for source in sources for sent in source.disclosures)
    allow(path, sent, os.environ, datetime.now(UTC))


def _tell(session: Session, *parts: str, gap: bool = False) -> None:
    """Say something in lines that fit the terminal, below an empty one if wanted."""
    from vpemetrics.reports.columns import wrap

    lines = [line for part in parts for line in wrap(part, output.width())]
    session.note(*[""] * gap, *lines)


def _wants_to_collect(session: Session, *, yes: bool) -> bool:
    """Ask whether to collect now, after saying what that will take."""
    for parts in _obstacles(session):
        _tell(session, *parts)
    if yes:
        return True
    with _interruptible():
        return typer.confirm("\nCollect now and report?", default=True, err=True)


def _obstacles(session: Session) -> Iterator[Sequence[str]]:
    """The findings of a check that stand in the way of the first collection, and its cost."""
    for checked in check_sources(session, session.configuration(), []):
        for finding in checked.findings:
            if finding.topic == "cost" or finding.level != "ok":
                mend = [f"→ {finding.mend}"] if finding.mend else []
                yield [f"{checked.name}: {finding.text}", *mend]


def _begin(session: Session) -> None:
    """The first collection, and the report of it."""
    from vpemetrics.config.sources import configured_sources
    from vpemetrics.store import Store
    from vpemetrics.usecases.audit import note_trust
    from vpemetrics.usecases.clone_problems import with_clone_problems
    from vpemetrics.usecases.environment_scan import is_shown_to_git
    from vpemetrics.usecases.reporting import report

    configuration = session.configuration()
    choice = session.choose_store(configuration)
    session.note(str(choice))
    if is_shown_to_git(choice.location):
        _tell(session, f"Keep it out of git: echo '{Path(choice.location).name}*' >> .gitignore")
    with Store.open(choice.location) as store:
        note_trust(store, configuration.path, os.environ)
        sources = configured_sources(configuration)
        results = collect_each(session, store, sources, configuration.rules())
        for bug in filter(None, (result.bug for result in results)):
            raise bug
        if not store.batch():
            raise typer.Exit(KNOWN)
        with session.progress("Tracing services") as advance:
            found = report(store, configuration.rules(), progress=advance)
        found = with_clone_problems(found, configuration.rules(), store, sources)
    show(session, found, output.TERMINAL)
    if any(result.error for result in results):
        raise typer.Exit(KNOWN)
