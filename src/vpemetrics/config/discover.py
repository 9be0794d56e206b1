"""From what repositories show to what a configuration should say: proposals, each with its reason.

Pure: what was seen comes in, what to propose goes out, and a person may answer otherwise.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from vpemetrics.collectors.discovery import (
    DAYS,
    EnvironmentOverview,
    RepositoryOverview,
    Tally,
    Versions,
    WorkflowOverview,
    sounds_like_incident,
    total,
)
from vpemetrics.config.ownership import (
    Component,
    parse_catalog,
    parse_codeowners,
    teams_of_all,
)
from vpemetrics.reports import words
from vpemetrics.rules import Rules, matches

Kind = Literal["environments", "workflow", "releases", "tags", "merges"]

KINDS: Final[Mapping[Kind, str]] = {
    "environments": "deployments that GitHub knows of",
    "workflow": "runs of a workflow",
    "releases": "releases",
    "tags": "version tags",
    "merges": "merges to the default branch",
}
"""What may be taken for a deployment, the best evidence first."""

PRODUCTION: Final = "production"
APART: Final = "(?P<service>[^/]+)/(?P<environment>.+)"
"""Environments that name the service they are of, as in `cart/production`."""

_COUNTED: Final[Mapping[Kind, str]] = {
    "environments": "deployment",
    "workflow": "successful run",
    "releases": "release",
    "tags": "version tag",
    "merges": "merged pull request",
}


@dataclass(frozen=True, kw_only=True)
class DeploymentEvidence:
    """What in one repository may have been its deployments, and how many there were.

    `names` are the environments, or the workflow; `ever` is how many there were before, too.
    """

    repository: str
    kind: Kind
    tally: Tally
    ever: int = 0
    names: tuple[str, ...] = ()
    services: tuple[str, ...] = ("",)

    def __str__(self) -> str:
        noun = _COUNTED[self.kind]
        if self.ever and not self.tally:
            return f"{words.quantity(self.ever, noun)}, none of them in {DAYS} days"
        return f"{self._where}{counted(self.tally, noun)}"

    @property
    def apart(self) -> bool:
        """Whether its environments tell services apart."""
        return self.kind == "environments" and any(self.services)

    @property
    def _where(self) -> str:
        what = {"environments": "environment", "workflow": "workflow"}.get(self.kind)
        if what is None:
            return ""
        several = "s" if len(self.names) > 1 else ""
        of = f" of {', '.join(filter(None, self.services))}" if self.apart else ""
        return f"{what}{several} {', '.join(f'`{name}`' for name in self.names)}{of}: "


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One way of telling deployments: which evidence counts, and what people call it."""

    name: str
    evidence: tuple[DeploymentEvidence, ...]

    @property
    def tally(self) -> Tally:
        """All deployments it would have found."""
        return total(one.tally for one in self.evidence)


@dataclass(frozen=True, kw_only=True)
class DeploymentRule:
    """One table of rules, and the evidence for it; no repositories means all of them.

    `apart`: its environments tell services apart.
    """

    kind: Kind
    evidence: tuple[DeploymentEvidence, ...]
    workflow: str | None = None
    apart: bool = False
    repositories: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class IncidentRule:
    """Which issues are incidents, and how many of each label and type there were."""

    labels: Mapping[str, Tally]
    types: Mapping[str, Tally]
    repositories: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.labels or self.types)


@dataclass(frozen=True, kw_only=True)
class ProposedService:
    """A service, the repository it is built from, its team, and who says so.

    `shares` is the repository that it has only a part of, if others are built from it too.
    """

    name: str
    repository: str | None
    team: str | None = None
    said_by: str = ""
    shares: str | None = None


@dataclass(frozen=True, kw_only=True)
class GitHubProposal:
    """A GitHub source: who asks whom for which repositories, and what means what there."""

    url: str
    token: str
    repositories: tuple[str, ...]
    rules: tuple[DeploymentRule, ...]
    incidents: IncidentRule


@dataclass(frozen=True, kw_only=True)
class GitProposal:
    """A git source: a clone, and what in it was a deployment, `tags` or `commits`."""

    name: str
    path: str
    deployments: Literal["tags", "commits"]
    why: str


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A whole configuration; `environments` are all that were seen, with their deployments."""

    organisation: str
    zone: str
    production: tuple[str, ...]
    environments: Mapping[str, Tally]
    sources: tuple[GitHubProposal | GitProposal, ...]
    services: tuple[ProposedService, ...]


def counted(tally: Tally, noun: str) -> str:
    """As in `at least 500 deployments in 90 days`."""
    least = "at least " if tally.at_least else ""
    return f"{least}{words.quantity(tally.count, noun)} in {DAYS} days"


def told_apart(sight: RepositoryOverview) -> RepositoryOverview:
    """The repository with the services that its environments name, as in `cart/production`.

    Where production is of one of them only, a name may mean anything, and all stay as they are.
    """
    usual = Rules().environments
    split = {one.name: re.fullmatch(APART, one.name) for one in sight.environments}
    parts = [found.group("service", "environment") for found in split.values() if found]
    named = {service for service, of in parts if matches(of, usual) and not matches(service, usual)}
    if len(named) < 2:
        return sight
    return replace(
        sight,
        environments=tuple(
            replace(one, service=found["service"], name=found["environment"]) if found else one
            for one, found in ((one, split[one.name]) for one in sight.environments)
        ),
    )


def is_production(environment: EnvironmentOverview) -> bool:
    """Whether it is production: GitHub was told so, or its name says so (rule D2)."""
    return environment.production or matches(environment.name, Rules().environments)


def environments_of(sights: Iterable[RepositoryOverview]) -> dict[str, Tally]:
    """All environments with their deployments, those of production first, then the busiest."""
    found: dict[str, list[EnvironmentOverview]] = {}
    for sight in sights:
        for one in sight.environments:
            found.setdefault(one.name, []).append(one)

    def place(name: str) -> tuple[bool, int, str]:
        ones = found[name]
        return not any(map(is_production, ones)), -sum(o.deployments.count for o in ones), name

    return {name: total(o.deployments for o in found[name]) for name in sorted(found, key=place)}


def production_of(sights: Iterable[RepositoryOverview]) -> tuple[str, ...]:
    """The environments proposed as production, the busiest first."""
    seen = list(sights)
    chosen = {one.name for sight in seen for one in sight.environments if is_production(one)}
    return tuple(name for name in environments_of(seen) if name in chosen)


def choices(sights: Sequence[RepositoryOverview], production: Sequence[str]) -> list[Choice]:
    """The ways of telling deployments that these repositories allow, the proposed one first.

    Proposed is the best evidence of each repository. Where no repository has any but merged
    pull requests, these are it: each merge is then taken for a deployment.
    """
    by_kind: dict[Kind, tuple[DeploymentEvidence, ...]] = {
        kind: tuple(filter(None, (_evidence(one, kind, production) for one in sights)))
        for kind in KINDS
    }
    single = {
        kind: Choice(name=KINDS[kind], evidence=found) for kind, found in by_kind.items() if found
    }
    best = _best(by_kind)
    kinds = {one.kind for one in best}
    if len(kinds) == 1:
        first = kinds.pop()
        chosen = Choice(name=KINDS[first], evidence=best)
        return [chosen, *(one for kind, one in single.items() if kind != first)]
    mixed = [Choice(name="in each repository what it has", evidence=best)] if best else []
    return [*mixed, *single.values()]


def rules_of(choice: Choice) -> tuple[DeploymentRule, ...]:
    """The rules that find the evidence of a choice; of a single rule, in all repositories.

    Environments that tell services apart have their rule before that for all others.
    """
    groups: dict[tuple[Kind, str | None, bool], list[DeploymentEvidence]] = {}
    for one in sorted(choice.evidence, key=lambda one: not one.apart):
        workflow = one.names[0] if one.kind == "workflow" else None
        groups.setdefault((one.kind, workflow, one.apart), []).append(one)
    single = len({(kind, workflow) for kind, workflow, _ in groups}) == 1
    return tuple(
        DeploymentRule(
            kind=kind,
            workflow=workflow,
            apart=apart,
            evidence=tuple(found),
            repositories=() if single and not apart else tuple(one.repository for one in found),
        )
        for (kind, workflow, apart), found in groups.items()
    )


def all_production(choice: Choice, environments: Sequence[str]) -> tuple[str, ...]:
    """The environments that count: those of GitHub, and the one that other rules write."""
    kinds = {one.kind for one in choice.evidence}
    named = tuple(environments) if "environments" in kinds else ()
    is_written = kinds != {"environments"}
    return named + ((PRODUCTION,) if is_written and not matches(PRODUCTION, named) else ())


def incidents_of(sights: Sequence[RepositoryOverview], deploying: Iterable[str]) -> IncidentRule:
    """The labels and types of incidents; those of issues there were, else all there are.

    Where only repositories have them that deploy nothing, it is these that are looked at.
    """
    labels = _in_use(_summed(sight.labels for sight in sights))
    types = _in_use(_summed(sight.types for sight in sights))
    using = {
        sight.repository
        for sight in sights
        if any(sight.labels.get(name) for name in labels)
        or any(sight.types.get(name) for name in types)
    }
    apart = using and using.isdisjoint(deploying)
    repositories = tuple(sorted(using)) if apart else ()
    return IncidentRule(labels=labels, types=types, repositories=repositories)


def services_of(
    sights: Sequence[RepositoryOverview], choice: Choice
) -> tuple[ProposedService, ...]:
    """The services of what was deployed: their names, repositories and teams (rule D6)."""
    components = _components(sights)
    short = Counter(_short(one.repository) for one in choice.evidence)
    owners = {sight.repository: teams_of_all(parse_codeowners(sight.codeowners or ""))
              for sight in sights}  # fmt: skip
    found: dict[str, ProposedService] = {}
    for one in choice.evidence:
        name = _short(one.repository)
        name = name if short[name] == 1 else one.repository
        mine = components.get(one.repository, ())
        for service in _services(one, name, mine, owners.get(one.repository, ())):
            found.setdefault(service.name, service)
    return tuple(sorted(found.values(), key=lambda service: service.name.casefold()))


def distinct(services: Iterable[ProposedService]) -> tuple[ProposedService, ...]:
    """The services, each under a name and of a repository of its own.

    One whose name is taken goes by its repository; where that is taken too, it is the same.
    """
    found: dict[str, ProposedService] = {}
    repositories: set[str] = set()
    for one in services:
        name = one.name if one.name not in found else one.repository or one.name
        if name not in found and one.repository not in repositories:
            found[name] = replace(one, name=name)
            repositories |= {one.repository} if one.repository else set()
    return tuple(found.values())


def organisation_of(repositories: Iterable[str]) -> str:
    """A name for the head of reports: the owner of most repositories, capitalised if it was not."""
    owners = Counter(name.rpartition("/")[0] for name in repositories if "/" in name)
    if not owners:
        return Rules().organisation
    owner = owners.most_common(1)[0][0]
    return owner if owner != owner.lower() else owner.replace("-", " ").capitalize()


def _best(by_kind: Mapping[Kind, Sequence[DeploymentEvidence]]) -> tuple[DeploymentEvidence, ...]:
    """The best evidence of each repository, as far as it is of late.

    Where there is none of late, older versions will do; where there are none, merges.
    """
    found: dict[str, DeploymentEvidence] = {}
    told = [one for kind, ones in by_kind.items() if kind != "merges" for one in ones]
    for one in [one for one in told if one.tally] or told or by_kind["merges"]:
        found.setdefault(one.repository, one)
    return tuple(found.values())


def _evidence(
    sight: RepositoryOverview, kind: Kind, production: Sequence[str]
) -> DeploymentEvidence | None:
    """What a repository has of one kind; None if it has nothing of it."""
    match kind:
        case "environments":
            found = _of_environments(sight, production)
        case "workflow":
            found = _of_workflows(sight)
        case "releases":
            found = _of_versions(sight.repository, kind, sight.releases)
        case "tags":
            found = _of_versions(sight.repository, kind, sight.tags)
        case "merges":
            found = DeploymentEvidence(repository=sight.repository, kind=kind, tally=sight.merges)
    return found if found.tally or found.ever else None


def _of_environments(sight: RepositoryOverview, production: Sequence[str]) -> DeploymentEvidence:
    mine = [one for one in sight.environments if matches(one.name, production)]
    used = [one for one in mine if one.deployments]
    return DeploymentEvidence(
        repository=sight.repository,
        kind="environments",
        tally=total(one.deployments for one in mine),
        names=tuple(dict.fromkeys(one.name for one in used)),
        services=tuple(sorted({one.service for one in used})) or ("",),
    )


def _of_workflows(sight: RepositoryOverview) -> DeploymentEvidence:
    """The busiest of the workflows that deploy: others may be parts or relatives of it."""
    busiest = max(
        sight.workflows,
        key=lambda one: one.runs.count,
        default=WorkflowOverview(name="", runs=Tally()),
    )
    return DeploymentEvidence(
        repository=sight.repository, kind="workflow", tally=busiest.runs, names=(busiest.name,)
    )


def _of_versions(repository: str, kind: Kind, versions: Versions) -> DeploymentEvidence:
    return DeploymentEvidence(
        repository=repository,
        kind=kind,
        tally=versions.tally,
        ever=versions.ever,
        services=versions.services,
    )


def _summed(counts: Iterable[Mapping[str, Tally]]) -> dict[str, Tally]:
    found: dict[str, list[Tally]] = {}
    for some in counts:
        for name, tally in some.items():
            if sounds_like_incident(name):
                found.setdefault(name, []).append(tally)
    return {name: total(ones) for name, ones in sorted(found.items())}


def _in_use(counts: Mapping[str, Tally]) -> dict[str, Tally]:
    used = {name: tally for name, tally in counts.items() if tally}
    return used or dict(counts)


def _components(sights: Iterable[RepositoryOverview]) -> dict[str, list[Component]]:
    """The components of Backstage by the repository that their code is in."""
    found: dict[str, list[Component]] = {}
    for sight in sights:
        for one in parse_catalog(sight.catalog or ""):
            found.setdefault(one.repository or sight.repository, []).append(one)
    return found


def _services(
    evidence: DeploymentEvidence, name: str, components: Sequence[Component], owners: Sequence[str]
) -> Iterator[ProposedService]:
    """The services of one repository: what deployments name, else a component, else itself."""
    alone = components[0] if len(components) == 1 else None
    for said in evidence.services:
        of = next((one for one in components if one.name == said), None) if said else alone
        team, said_by = _team(of, components, owners)
        own_name = said or (alone.name if alone else name)
        yield ProposedService(
            name=own_name,
            repository=None if said else evidence.repository,
            team=team,
            said_by=said_by,
            shares=evidence.repository if len(evidence.services) > 1 else None,
        )


def _team(
    component: Component | None, components: Sequence[Component], owners: Sequence[str]
) -> tuple[str | None, str]:
    teams = {one.team for one in ([component] if component else components)}
    if len(teams) == 1 and (team := teams.pop()):
        return team, "catalog-info.yaml"
    if owners:
        others = f", beside {', '.join(owners[1:])}" if len(owners) > 1 else ""
        return owners[0], f"CODEOWNERS{others}"
    return None, ""


def _short(repository: str) -> str:
    return repository.rpartition("/")[2]
