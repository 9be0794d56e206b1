"""Proposals for a configuration from what repositories show, each with its reason.

Pure: overviews come in, proposals go out, and a person may answer otherwise.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from vpemetrics.collectors.discovery import (
    DAYS,
    DeploymentRule,
    EnvironmentOverview,
    IncidentRule,
    Kind,
    RepositoryOverview,
    SourceProposal,
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
from vpemetrics.names import first_few, name_key
from vpemetrics.reports import words
from vpemetrics.rules import Rules, matches

KINDS: Final[Mapping[Kind, str]] = {
    "environments": "deployments that {forge} knows of",
    "workflow": "runs of a workflow",
    "releases": "releases",
    "tags": "version tags",
    "merges": "merges to the default branch",
}
"""The words for what may be taken for a deployment, the best evidence first."""

PRODUCTION: Final = "production"
# As in `cart/production`, and as in `cart-production` or `cart_prod-eu`.
_APART: Final = (
    re.compile("(?P<service>[^/]+)/(?P<environment>.+)"),
    re.compile(
        "(?P<service>.+?)[-_](?P<environment>"
        "(?:prod|production|live|staging|stage|stg|test|uat|qa|dev|int|preview|sandbox|canary)"
        "(?:[-_].+)?)"
    ),
)
_REGION: Final = re.compile("[a-z]{2,3}|emea|apac|latam|[a-z]{2}-.*", re.IGNORECASE)
"""The names before an environment that are no services, as in `eu-production`."""
_MOST: Final = 12

_COUNTED: Final[Mapping[Kind, str]] = {
    "environments": "deployment",
    "workflow": "successful run",
    "releases": "release",
    "tags": "version tag",
    "merges": "merged pull request",
}


@dataclass(frozen=True, kw_only=True)
class DeploymentEvidence:
    """Something in one repository that may have been its deployments, with their number.

    `names` are the environments, or the workflow; `ever` is how many there were before, too.
    `folders` are the parts of the repository that versions were released of; `apart` is the
    expression by which environments tell services apart.
    """

    repository: str
    kind: Kind
    tally: Tally
    ever: int = 0
    names: tuple[str, ...] = ()
    services: tuple[str, ...] = ("",)
    folders: Mapping[str, str] = field(default_factory=dict)
    apart: str = ""

    def __str__(self) -> str:
        noun = _COUNTED[self.kind]
        if self.ever and not self.tally:
            return f"{words.quantity(self.ever, noun)}, none of them in {DAYS} days"
        return f"{self._where}{describe_tally(self.tally, noun)}"

    @property
    def is_apart(self) -> bool:
        """Tell whether its environments tell services apart."""
        return bool(self.apart)

    @property
    def _where(self) -> str:
        what = {"environments": "environment", "workflow": "workflow"}.get(self.kind)
        if what is None:
            return ""
        several = "s" if len(self.names) > 1 else ""
        of = f" of {', '.join(filter(None, self.services))}" if self.is_apart else ""
        return f"{what}{several} {', '.join(f'`{name}`' for name in self.names)}{of}: "


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One way of telling deployments: which evidence counts, and what people call it."""

    name: str
    evidence: tuple[DeploymentEvidence, ...]

    @property
    def tally(self) -> Tally:
        """All deployments it would have found."""
        return total(evidence.tally for evidence in self.evidence)


@dataclass(frozen=True, kw_only=True)
class IncidentEvidence:
    """The labels and types of issues that may mark incidents, with how many issues have them."""

    labels: Mapping[str, Tally]
    types: Mapping[str, Tally]
    repositories: tuple[str, ...] = ()

    def rule(self) -> IncidentRule:
        """The rule that takes all of them, with the numbers as its reasons."""
        return IncidentRule(
            labels=tuple(self.labels),
            types=tuple(self.types),
            repositories=self.repositories,
            why_labels=_issues(self.labels),
            why_types=_issues(self.types),
        )


@dataclass(frozen=True, kw_only=True)
class ProposedService:
    """A service, the repository it is built from, its team, and who says so.

    `shares` is the repository that it has only a part of, if others are built from it too;
    `folder` is that part, where it is known.
    """

    name: str
    repository: str | None
    team: str | None = None
    said_by: str = ""
    shares: str | None = None
    folder: str | None = None


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A whole configuration; `environments` are all that were seen, with their deployments."""

    organisation: str
    zone: str
    production: tuple[str, ...]
    environments: Mapping[str, Tally]
    sources: tuple[SourceProposal, ...]
    services: tuple[ProposedService, ...]


def describe_tally(tally: Tally, noun: str) -> str:
    """The tally in words, as `at least 500 deployments in 90 days`."""
    least = "at least " if tally.at_least else ""
    return f"{least}{words.quantity(tally.count, noun)} in {DAYS} days"


def first_dozen(texts: Sequence[str]) -> str:
    """The first twelve texts, and how many more there are."""
    return first_few(texts, _MOST, rest=", and {} more")


def tell_apart(overview: RepositoryOverview) -> RepositoryOverview:
    """The repository with the services that its environments name, as in `cart/production`.

    Where production is of one of them only, a name may mean anything, and all stay as they are.
    """
    usual = Rules().environments
    for form in _APART:
        split = {found.name: form.fullmatch(found.name) for found in overview.environments}
        parts = [found.group("service", "environment") for found in split.values() if found]
        named = {service for service, of in parts if matches(of, usual)}
        if (
            len(
                [name for name in named if not _REGION.fullmatch(name) and not matches(name, usual)]
            )
            > 1
        ):
            return replace(
                overview,
                environments=tuple(
                    _apart(found, split[found.name]) for found in overview.environments
                ),
            )
    return overview


def _apart(environment: EnvironmentOverview, split: "re.Match[str] | None") -> EnvironmentOverview:
    if split is None:
        return environment
    return replace(
        environment,
        service=split["service"],
        name=split["environment"],
        apart=split.re.pattern,
    )


def is_production(environment: EnvironmentOverview) -> bool:
    """Tell whether it is production: the forge was told so, or its name says so (rule D2)."""
    return environment.production or matches(environment.name, Rules().environments)


def environments_of(overviews: Iterable[RepositoryOverview]) -> dict[str, Tally]:
    """All environments with their deployments, those of production first, then the busiest."""
    by_name: dict[str, list[EnvironmentOverview]] = {}
    for overview in overviews:
        for environment in overview.environments:
            by_name.setdefault(environment.name, []).append(environment)
    is_any = {name: any(map(is_production, found)) for name, found in by_name.items()}
    tallies = {
        name: total(environment.deployments for environment in found)
        for name, found in by_name.items()
    }
    order = sorted(tallies, key=lambda name: (not is_any[name], -tallies[name].count, name))
    return {name: tallies[name] for name in order}


def production_of(overviews: Iterable[RepositoryOverview]) -> tuple[str, ...]:
    """The environments proposed as production, the busiest first."""
    seen = list(overviews)
    chosen = {
        environment.name
        for overview in seen
        for environment in overview.environments
        if is_production(environment)
    }
    return tuple(name for name in environments_of(seen) if name in chosen)


def choices(
    overviews: Sequence[RepositoryOverview], production: Sequence[str], forge: str = "the forge"
) -> list[Choice]:
    """The ways of telling deployments that these repositories allow, the proposed one first.

    Proposed is the best evidence of each repository. Where no repository has any but merged
    pull requests, these are it: each merge is then taken for a deployment. `forge` is what
    people call the place that they are at.
    """
    by_kind: dict[Kind, tuple[DeploymentEvidence, ...]] = {
        kind: tuple(
            found for overview in overviews if (found := _evidence(overview, kind, production))
        )
        for kind in KINDS
    }
    single = {
        kind: Choice(name=KINDS[kind].format(forge=forge), evidence=found)
        for kind, found in by_kind.items()
        if found
    }
    best = _best(by_kind)
    kinds = {evidence.kind for evidence in best}
    if len(kinds) == 1:
        first = kinds.pop()
        chosen = replace(single[first], evidence=best)
        return [chosen, *(choice for kind, choice in single.items() if kind != first)]
    mixed = [Choice(name="in each repository what it has", evidence=best)] if best else []
    return [*mixed, *single.values()]


def rules_of(choice: Choice) -> tuple[DeploymentRule, ...]:
    """The rules that find the evidence of a choice; of a single rule, in all repositories.

    Environments that tell services apart have their rule before that for all others.
    """
    groups: dict[tuple[Kind, str | None, str], list[DeploymentEvidence]] = {}
    for evidence in sorted(choice.evidence, key=lambda evidence: not evidence.is_apart):
        workflow = evidence.names[0] if evidence.kind == "workflow" else None
        groups.setdefault((evidence.kind, workflow, evidence.apart), []).append(evidence)
    is_single = len({(kind, workflow) for kind, workflow, _ in groups}) == 1
    return tuple(
        DeploymentRule(
            kind=kind,
            workflow=workflow,
            apart=apart,
            environment=PRODUCTION if kind != "environments" else None,
            repositories=() if is_single and not apart else tuple(e.repository for e in found),
            reasons=tuple(_reasons(found)),
        )
        for (kind, workflow, apart), found in groups.items()
    )


def all_production(choice: Choice, environments: Sequence[str]) -> tuple[str, ...]:
    """The environments that count: those of the forge, and the one that other rules write."""
    kinds = {evidence.kind for evidence in choice.evidence}
    named = tuple(environments) if "environments" in kinds else ()
    is_written = kinds != {"environments"}
    return named + ((PRODUCTION,) if is_written and not matches(PRODUCTION, named) else ())


def incidents_of(
    overviews: Sequence[RepositoryOverview], deploying: Iterable[str]
) -> IncidentEvidence:
    """The labels and types of incidents; those of issues there were, else all there are.

    Where only repositories have them that deploy nothing, it is these that are looked at.
    """
    labels = _in_use(_add_up(overview.labels for overview in overviews))
    types = _in_use(_add_up(overview.types for overview in overviews))
    using = {
        overview.repository
        for overview in overviews
        if any(overview.labels.get(name) for name in labels)
        or any(overview.types.get(name) for name in types)
    }
    apart = using and using.isdisjoint(deploying)
    repositories = tuple(sorted(using)) if apart else ()
    return IncidentEvidence(labels=labels, types=types, repositories=repositories)


def services_of(
    overviews: Sequence[RepositoryOverview], choice: Choice
) -> tuple[ProposedService, ...]:
    """The services of what was deployed: their names, repositories and teams (rule D6)."""
    components = _components(overviews)
    short = Counter(name_key(_short(evidence.repository)) for evidence in choice.evidence)
    owners = {
        overview.repository: teams_of_all(parse_codeowners(overview.codeowners or ""))
        for overview in overviews
    }
    found: dict[str, ProposedService] = {}
    for evidence in choice.evidence:
        name = _short(evidence.repository)
        name = name if short[name_key(name)] == 1 else evidence.repository
        own = components.get(name_key(evidence.repository), ())
        for service in _services(evidence, name, own, owners.get(evidence.repository, ())):
            found.setdefault(name_key(service.name), service)
    return tuple(sorted(found.values(), key=lambda service: service.name.casefold()))


def drop_duplicates(services: Iterable[ProposedService]) -> tuple[ProposedService, ...]:
    """The services, each under a name and of a repository of its own.

    One whose name is taken goes by its repository; where that is taken too, it is the same.
    """
    found: dict[str, ProposedService] = {}
    repositories: set[str] = set()
    for service in services:
        taken = name_key(service.name) in found
        name = service.repository or service.name if taken else service.name
        own = {name_key(service.repository)} if service.repository else set[str]()
        if name_key(name) not in found and (service.folder or repositories.isdisjoint(own)):
            found[name_key(name)] = replace(service, name=name)
            repositories |= set() if service.folder else own
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
    named = [evidence for kind in by_kind if kind != "merges" for evidence in by_kind[kind]]
    late = [evidence for evidence in named if evidence.tally]
    for evidence in late or named or by_kind["merges"]:
        found.setdefault(evidence.repository, evidence)
    return tuple(found.values())


def _evidence(
    overview: RepositoryOverview, kind: Kind, production: Sequence[str]
) -> DeploymentEvidence | None:
    """The evidence of one kind that a repository has; None if it has nothing of it."""
    repository = overview.repository
    match kind:
        case "environments":
            found = _of_environments(overview, production)
        case "workflow":
            found = _of_workflows(overview)
        case "releases":
            found = _of_versions(repository, kind, overview.releases)
        case "tags":
            found = _of_versions(repository, kind, overview.tags)
        case "merges":
            found = DeploymentEvidence(repository=repository, kind=kind, tally=overview.merges)
    return found if found.tally or found.ever else None


def _of_environments(overview: RepositoryOverview, production: Sequence[str]) -> DeploymentEvidence:
    chosen = [found for found in overview.environments if matches(found.name, production)]
    used = [environment for environment in chosen if environment.deployments]
    return DeploymentEvidence(
        repository=overview.repository,
        kind="environments",
        tally=total(environment.deployments for environment in chosen),
        names=tuple(dict.fromkeys(environment.name for environment in used)),
        services=tuple(sorted({environment.service for environment in used})) or ("",),
        apart=next((found.apart for found in used if found.apart), ""),
    )


def _of_workflows(overview: RepositoryOverview) -> DeploymentEvidence:
    """The busiest of the workflows that deploy: others may be parts or relatives of it."""
    busiest = max(
        overview.workflows,
        key=lambda workflow: workflow.runs.count,
        default=WorkflowOverview(name="", runs=Tally()),
    )
    return DeploymentEvidence(
        repository=overview.repository, kind="workflow", tally=busiest.runs, names=(busiest.name,)
    )


def _of_versions(repository: str, kind: Kind, versions: Versions) -> DeploymentEvidence:
    return DeploymentEvidence(
        repository=repository,
        kind=kind,
        tally=versions.tally,
        ever=versions.ever,
        services=_parts(versions),
        folders=versions.folders,
    )


def _parts(versions: Versions) -> tuple[str, ...]:
    """The services that a folder tells; the rest is the whole repository (rule D3)."""
    told = [service for service in versions.services if service in versions.folders]
    rest = [] if len(told) == len(versions.services) and told else [""]
    return (*rest, *told)


def _reasons(evidence: Sequence[DeploymentEvidence]) -> Iterator[str]:
    for found in evidence[:_MOST]:
        yield f"{found.repository}: {found}"
    if len(evidence) > _MOST:
        yield f"and {len(evidence) - _MOST} repositories more"


def _issues(tallies: Mapping[str, Tally]) -> str:
    return first_dozen(
        [f"{name}: {describe_tally(tally, 'issue')}" for name, tally in tallies.items()]
    )


def _add_up(counts: Iterable[Mapping[str, Tally]]) -> dict[str, Tally]:
    found: dict[str, list[Tally]] = {}
    for tallies in counts:
        for name, tally in tallies.items():
            if sounds_like_incident(name):
                found.setdefault(name, []).append(tally)
    return {name: total(tallies) for name, tallies in sorted(found.items())}


def _in_use(counts: Mapping[str, Tally]) -> dict[str, Tally]:
    used = {name: tally for name, tally in counts.items() if tally}
    return used or dict(counts)


def _components(overviews: Iterable[RepositoryOverview]) -> dict[str, list[Component]]:
    """The components of Backstage by the key of the repository that their code is in."""
    found: dict[str, list[Component]] = {}
    for overview in overviews:
        for component in parse_catalog(overview.catalog or ""):
            home = name_key(component.repository or overview.repository)
            found.setdefault(home, []).append(component)
    return found


def _services(
    evidence: DeploymentEvidence, name: str, components: Sequence[Component], owners: Sequence[str]
) -> Iterator[ProposedService]:
    """The services of one repository: what deployments name, else a component, else itself."""
    alone = components[0] if len(components) == 1 else None
    by_name = {name_key(component.name): component for component in reversed(components)}
    several = len(set(evidence.services) - set(evidence.folders)) > 1
    for named in evidence.services:
        component = by_name.get(name_key(named)) if named else alone
        team, said_by = _team(component, components, owners)
        own_name = named or (alone.name if alone else name)
        folder = evidence.folders.get(named)
        yield ProposedService(
            name=own_name,
            repository=None if named and not folder else evidence.repository,
            team=team,
            said_by=said_by,
            shares=evidence.repository if several and not folder else None,
            folder=folder,
        )


def _team(
    component: Component | None, components: Sequence[Component], owners: Sequence[str]
) -> tuple[str | None, str]:
    teams = {found.team for found in ([component] if component else components)}
    if len(teams) == 1 and (team := teams.pop()):
        return team, "catalog-info.yaml"
    if owners:
        others = f", beside {', '.join(owners[1:])}" if len(owners) > 1 else ""
        return owners[0], f"CODEOWNERS{others}"
    return None, ""


def _short(repository: str) -> str:
    return repository.rpartition("/")[2]
