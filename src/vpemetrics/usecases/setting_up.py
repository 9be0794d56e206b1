"""A first configuration: forges are asked, then a person, and a proposal comes out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final

from vpemetrics.collectors.discovery import (
    DAYS,
    DeployedInGit,
    Forge,
    ForgeAnswers,
    LocalRepository,
    RepositoryOverview,
    SourceProposal,
    Survey,
)
from vpemetrics.config.proposals import (
    PRODUCTION,
    Choice,
    DeploymentEvidence,
    Proposal,
    ProposedService,
    all_production,
    choices,
    describe_tally,
    drop_duplicates,
    environments_of,
    organisation_of,
    rules_of,
    services_of,
    tell_apart,
)
from vpemetrics.errors import FixConfiguration, FixInput
from vpemetrics.names import first_few
from vpemetrics.reports import words
from vpemetrics.rules import matches
from vpemetrics.usecases.environment_scan import EnvironmentScan
from vpemetrics.usecases.setup_questions import (
    Ask,
    ask_deployments,
    ask_git,
    ask_incidents,
    ask_production,
    ask_repositories,
)

_FEW: Final = 6


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """The ways to a person: to ask, to tell and warn, and to show how far a look has come."""

    ask: Ask
    tell: Callable[[str], None]
    warn: Callable[[str], None]
    progress: Callable[[str], AbstractContextManager[Callable[[int, int], None]]]


@dataclass(frozen=True, kw_only=True)
class _SourcePart:
    """A part of the configuration: a source, and what its repositories say of the rest."""

    source: SourceProposal
    overviews: Sequence[RepositoryOverview]
    production: Sequence[str]
    services: Sequence[ProposedService]


def wanted_forge(scan: EnvironmentScan, wanted: Sequence[str]) -> Forge | None:
    """The forge that named repositories are on; None if none are named.

    Of the forges with a token, or else of all, it is the first that clones here came from.
    """
    if not wanted or not scan.forges:
        return None
    return max(scan.forges, key=lambda forge: (bool(forge.token), bool(forge.clones)))


def propose(
    scan: EnvironmentScan, wanted: Sequence[str], talk: Conversation, zone: str
) -> Proposal:
    """The configuration for repositories of forges and for other clones, as far as is known.

    `wanted` are the repositories that were named. FixConfiguration where nothing can be proposed.
    """
    forges = open_forges(scan, wanted)
    if forges:
        return _propose_forges(scan, forges, wanted, talk, zone)
    if forge := wanted_forge(scan, wanted):
        raise FixConfiguration(f"repositories on {forge.title} need a token: {forge.remedy}")
    for forge in scan.forges:
        if forge.clones:
            talk.tell(
                f"Without a token for {forge.title} ({forge.tokens}) there is git alone: no "
                "environments, no reviews and no incidents."
            )
    return _propose_git(scan, talk, zone)


def open_forges(scan: EnvironmentScan, wanted: Sequence[str]) -> list[Forge]:
    """The forges to ask: with a token, and a reason to ask just them."""
    if forge := wanted_forge(scan, wanted):
        return [forge] if forge.token else []
    return [forge for forge in scan.forges if forge.token and (forge.clones or not scan.clones)]


def _propose_forges(
    scan: EnvironmentScan,
    forges: Sequence[Forge],
    wanted: Sequence[str],
    talk: Conversation,
    zone: str,
) -> Proposal:
    parts = [_propose_forge(forge, wanted, talk) for forge in forges]
    of_forges = {clone.git.path for forge in forges for clone in forge.clones}
    local = [found for found in scan.local if found.clone.git.path not in of_forges]
    others = [(found, found.survey()) for found in local]
    _tell_untagged(others, talk)
    return _proposal(scan, parts, others, zone)


def _propose_forge(forge: Forge, wanted: Sequence[str], talk: Conversation) -> _SourcePart:
    """The source for a forge, after a look at its repositories and questions about them."""
    names = tuple(wanted) or ask_repositories(forge, talk.ask)
    with talk.progress("Looking at repositories") as advance:
        found = forge.survey(names, advance)
    overviews = [tell_apart(overview) for overview in _check_survey(found, names, talk)]
    environments = ask_production(forge, overviews, talk.ask)
    choice = ask_deployments(forge, overviews, environments, talk.ask)
    incidents = ask_incidents(overviews, choice, talk.ask)
    answers = ForgeAnswers(repositories=names, deployments=rules_of(choice), incidents=incidents)
    return _SourcePart(
        source=forge.propose(answers),
        overviews=overviews,
        production=all_production(choice, environments) or (PRODUCTION,),
        services=services_of(overviews, choice),
    )


def _check_survey(
    found: Survey, names: Sequence[str], talk: Conversation
) -> Sequence[RepositoryOverview]:
    """The overviews of a survey, once what could not be looked at is told."""
    for line in found.trouble:
        talk.warn(line)
    if not found.overviews:
        raise FixInput(
            f"none of {', '.join(names)} can be looked at\n"
            "The token may lack access to them, or nothing was pushed there of late"
        )
    return found.overviews


def _propose_git(scan: EnvironmentScan, talk: Conversation, zone: str) -> Proposal:
    """The configuration for clones alone, and for sources that are clear already."""
    if not scan.local and not scan.ready:
        raise _nothing_to_propose(scan.forges)
    others = [(found, found.survey()) for found in scan.local]
    _tell_untagged(others, talk)
    if len(others) == 1:
        others = [ask_git(*others[0], talk.ask)]
    return _proposal(scan, [], others, zone)


def _tell_untagged(
    others: Iterable[tuple[LocalRepository, RepositoryOverview]], talk: Conversation
) -> None:
    """Say of which clones every commit is taken for a deployment, and how that can be otherwise."""
    names = [overview.repository for _, overview in others if not overview.tags.ever]
    if not names:
        return
    many = len(names) > 1
    talk.tell(
        f"There {'are' if many else 'is'} no version tag{'s' if many else ''} in "
        f"{first_few(names, _FEW)}, so every commit on the default branch is taken for a "
        "deployment to production. If tags are your deployments, `git fetch --tags` brings them, "
        "and `init --force` looks again; if neither is, docs/collectors.md says what else can be."
    )


def _nothing_to_propose(forges: Sequence[Forge]) -> FixConfiguration:
    lacking = "".join(f", and no token for {forge.title}" for forge in forges)
    remedies = "".join(f", or give a token: {forge.remedy}" for forge in forges)
    return FixConfiguration(
        f"there is nothing here to propose: no git clone in this folder{lacking}\n"
        f"Go into a clone or a folder of clones{remedies}"
    )


def _proposal(
    scan: EnvironmentScan,
    parts: Sequence[_SourcePart],
    others: Sequence[tuple[LocalRepository, RepositoryOverview]],
    zone: str,
) -> Proposal:
    """The whole configuration, of forges and of clones from elsewhere."""
    overviews = [overview for part in parts for overview in part.overviews]
    named = overviews or [overview for _, overview in others]
    of_git = [service for _, overview in others for service in _services_in_git(overview)]
    of_forges = [service for part in parts for service in part.services]
    taken: set[str] = set()
    sources = [_rename(part.source, taken) for part in parts]
    taken |= {forge.type for forge in scan.forges}
    sources += _git_sources(others, taken)
    sources += (_rename(found, taken) for found in scan.ready)
    return Proposal(
        organisation=organisation_of(overview.repository for overview in named),
        zone=zone,
        production=_production(parts, is_in_git=bool(others)),
        environments=environments_of(overviews),
        sources=tuple(sources),
        services=drop_duplicates([*of_forges, *of_git]),
    )


def _production(parts: Sequence[_SourcePart], *, is_in_git: bool) -> tuple[str, ...]:
    """The environments that count, among them the one of git sources."""
    found = tuple(dict.fromkeys(name for part in parts for name in part.production))
    needs_own = is_in_git or not found
    return found + ((PRODUCTION,) if needs_own and not matches(PRODUCTION, found) else ())


def _git_sources(
    others: Iterable[tuple[LocalRepository, RepositoryOverview]], taken: set[str]
) -> Iterator[SourceProposal]:
    for found, overview in others:
        name = _new_name(overview.repository.rpartition("/")[2] or "clone", taken)
        late = f"{overview.tags.tally} of them in {DAYS} days"
        tags = f"{words.quantity(overview.tags.ever, 'version tag')}, {late}"
        deployments: DeployedInGit = "tags" if overview.tags.ever else "commits"
        why = tags if overview.tags.ever else describe_tally(overview.merges, "commit")
        yield found.propose(name, deployments, why)


def _rename(source: SourceProposal, taken: set[str]) -> SourceProposal:
    return replace(source, name=_new_name(source.name, taken))


def _new_name(name: str, taken: set[str]) -> str:
    wanted, number = name, 1
    while wanted in taken:
        number += 1
        wanted = f"{name}-{number}"
    taken.add(wanted)
    return wanted


def _services_in_git(overview: RepositoryOverview) -> Iterator[ProposedService]:
    """The services of a clone, which is one itself where nothing happened of late."""
    commits = DeploymentEvidence(
        repository=overview.repository, kind="merges", tally=overview.merges
    )
    first, *_ = [*choices([overview], ()), Choice(name="", evidence=(commits,))]
    return iter(services_of([overview], first))
