"""What a first look at a repository shows, before anything says what it means."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

DAYS: Final = 90
"""How far back a first look counts."""

_INCIDENT: Final = re.compile(r"incident|outage", re.IGNORECASE)
_AROUND: Final = re.compile(r"post|follow|action|review|template|\bno[nt]?\b", re.IGNORECASE)
_DEPLOYS: Final = re.compile(
    r"(?<![a-z])(?:deploy(?:s|ment)?|release|roll-?out|ship|promote|cd)(?![a-z])", re.IGNORECASE
)
_REHEARSES: Final = re.compile(
    r"(?<![a-z])(?:preview|stag(?:e|ing)|dev|tests?|docs?|pages|sandbox|nightly|qa|pr|clean-?up|"
    r"destroy|draft(?:er)?|notes|dry)(?![a-z])",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How often something happened in the last `DAYS` days, or at least how often."""

    count: int = 0
    at_least: bool = False

    def __bool__(self) -> bool:
        return self.count > 0

    def __str__(self) -> str:
        return f"{'at least ' if self.at_least else ''}{self.count:,}"


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them together."""
    found = list(tallies)
    return Tally(count=sum(one.count for one in found), at_least=any(one.at_least for one in found))


@dataclass(frozen=True, kw_only=True)
class EnvironmentOverview:
    """Where a repository is deployed to; `production` if deployments there were marked as such.

    `service` is what is deployed there; the empty text is the whole repository.
    """

    name: str
    production: bool
    deployments: Tally
    service: str = ""


@dataclass(frozen=True, kw_only=True)
class WorkflowOverview:
    """A workflow whose name says that it deploys, and its runs that succeeded."""

    name: str
    runs: Tally


@dataclass(frozen=True, kw_only=True)
class Versions:
    """Versions released or tagged, pre-releases left out.

    `tally` counts the latest of them, `ever` all that were seen. `services` are what their names
    say was released; the empty text is the whole repository.
    """

    tally: Tally = Tally()
    ever: int = 0
    services: tuple[str, ...] = ("",)


@dataclass(frozen=True, kw_only=True)
class RepositoryOverview:
    """A repository as it presents itself.

    `merges` are its merged pull requests; `labels` and `types` those of issues that sound like
    incidents, with how many issues have them. `codeowners` and `catalog` are the texts of the
    files of that name. `trouble` says, a line each, what could not be looked at.
    """

    repository: str
    environments: tuple[EnvironmentOverview, ...] = ()
    workflows: tuple[WorkflowOverview, ...] = ()
    releases: Versions = Versions()
    tags: Versions = Versions()
    merges: Tally = Tally()
    labels: Mapping[str, Tally] = field(default_factory=dict)
    types: Mapping[str, Tally] = field(default_factory=dict)
    codeowners: str | None = None
    catalog: str | None = None
    trouble: tuple[str, ...] = ()


def sounds_like_incident(name: str) -> bool:
    """Whether a label or issue type is for incidents, and not for what comes after them."""
    return bool(_INCIDENT.search(name)) and not _AROUND.search(name)


def sounds_like_deploying(name: str) -> bool:
    """Whether a workflow's name says that it brings something to production."""
    return bool(_DEPLOYS.search(name)) and not _REHEARSES.search(name)
