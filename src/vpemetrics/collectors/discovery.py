"""The words in which sources say what there is to collect, before anything is configured.

`discover` of a source gives `Discovery`s, of which there are three kinds:

- `Forge`              a place with many repositories: looked at, asked about, then proposed
- `LocalRepository`    a clone on this disk, for what no forge tells
- `SourceProposal`     settings that are clear already, as for a service whose token is at hand

Whoever proposes a configuration asks the questions; a forge says what its repositories show
(`RepositoryOverview`), and makes settings of the answers (`ForgeAnswers`).
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, ClassVar, Final, Literal

if TYPE_CHECKING:
    from vpemetrics.collectors.git.clone import Clone

DAYS: Final = 90
"""The days back that a first look counts."""

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
    """The times something happened in the last `DAYS` days, or the least that they are."""

    count: int = 0
    at_least: bool = False

    def __bool__(self) -> bool:
        return self.count > 0

    def __str__(self) -> str:
        return f"{'at least ' if self.at_least else ''}{self.count:,}"


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them together."""
    added = list(tallies)
    return Tally(
        count=sum(tally.count for tally in added), at_least=any(tally.at_least for tally in added)
    )


@dataclass(frozen=True, kw_only=True)
class EnvironmentOverview:
    """A place that is deployed to; `production` if deployments there were marked as such.

    `service` is what is deployed there; the empty text is the whole repository. `apart` is the
    expression that told the two apart in the name.
    """

    name: str
    production: bool
    deployments: Tally
    service: str = ""
    apart: str = ""


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
    folders: Mapping[str, str] = field(default_factory=dict)
    """The parts of the repository that go by the names of services, as far as they are known."""


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
    """Tell whether a label or issue type is for incidents, and not for what comes after them."""
    return bool(_INCIDENT.search(name)) and not _AROUND.search(name)


def sounds_like_deploying(name: str) -> bool:
    """Tell whether a workflow's name says that it brings something to production."""
    return bool(_DEPLOYS.search(name)) and not _REHEARSES.search(name)


@dataclass(frozen=True, kw_only=True)
class Survey:
    """The overviews of repositories, and what could not be looked at, a line each."""

    overviews: tuple[RepositoryOverview, ...]
    trouble: tuple[str, ...] = ()


Kind = Literal["environments", "workflow", "releases", "tags", "merges"]
"""The things that may be taken for a deployment, the best evidence first."""


@dataclass(frozen=True, kw_only=True)
class DeploymentRule:
    """A rule for deployments in some repositories (none: in all), with its reasons, a line each.

    `apart` is the expression by which the names of its environments tell services apart, if they
    do; what is of another kind than environments is deployed to `environment`.
    """

    kind: Kind
    workflow: str | None = None
    apart: str = ""
    environment: str | None = None
    repositories: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class IncidentRule:
    """The labels and types of issues that are incidents, with the reasons for each.

    `repositories` are those whose issues are looked at; none: each has its own.
    """

    labels: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    why_labels: str = ""
    why_types: str = ""

    def __bool__(self) -> bool:
        return bool(self.labels or self.types)


@dataclass(frozen=True, kw_only=True)
class ForgeAnswers:
    """The decisions about a forge: what is collected there, and what it means."""

    repositories: tuple[str, ...]
    deployments: tuple[DeploymentRule, ...]
    incidents: IncidentRule


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A setting with a remark behind it; `is_pattern` is a regular expression.

    One that `is_example` is commented out: it shows what could be set.
    """

    key: str
    value: str | int | bool | date | tuple[str, ...]
    remark: str = ""
    is_pattern: bool = False
    is_example: bool = False


@dataclass(frozen=True, kw_only=True)
class Comment:
    """A comment, broken into lines as long as it takes."""

    text: str


Line = Setting | Comment


@dataclass(frozen=True, kw_only=True)
class Section:
    """A table within a source's, or one of a list of them; a `note` stands above it.

    One that `is_example` is commented out.
    """

    name: str
    lines: tuple[Line, ...]
    is_list: bool = False
    is_example: bool = False
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class SourceProposal:
    """A source as it is going to stand in the configuration: `[sources.NAME]` with its settings.

    `about` stands above the first source that says so. `found` tells a person how it was come
    by, for one that nobody is asked about: "a token for the board in BOARD_TOKEN".
    """

    name: str
    type: str
    lines: tuple[Line, ...]
    sections: tuple[Section, ...] = ()
    about: str = ""
    found: str = ""


@dataclass(frozen=True, kw_only=True)
class Forge(ABC):
    """A forge, which knows more of repositories than git does.

    `host` is where people see it, `token` a reference to a token for it that was found, if any;
    `clones` are those that came from there. `is_guessed`: no person named it, only a clone does,
    so that the token may not be sent there unasked.
    """

    host: str
    token: str | None
    clones: "tuple[Clone, ...]"
    is_guessed: bool = False

    type: ClassVar[str]
    title: ClassVar[str]
    """The name that people call it by."""
    examples: ClassVar[str]
    """Names of repositories and patterns, as "acme/shop or acme/*"."""
    hint: ClassVar[str]
    """A pattern and its meaning, as "acme/* takes all of acme"."""
    tokens: ClassVar[str]
    """The places of a token, as "GITHUB_TOKEN or `gh auth login`"."""
    remedy: ClassVar[str]
    """The way to give it a token, as "set GITHUB_TOKEN, or log in with `gh auth login`"."""

    @property
    def names(self) -> tuple[str, ...]:
        """The repositories that clones here came from."""
        return tuple(dict.fromkeys(clone.name for clone in self.clones))

    @property
    def address(self) -> str:
        """The address that the token is sent to."""
        return f"https://{self.host}"

    @property
    def token_place(self) -> str:
        """The place of the token, as people call it."""
        return (self.token or "").removeprefix("env:")

    @abstractmethod
    def check(self, names: tuple[str, ...]) -> None:
        """Raise ValueError for names and patterns that its source would not take."""

    @abstractmethod
    def suggest(self) -> Sequence[str]:
        """The repositories in use that the token's owner sees, a few of them."""

    @abstractmethod
    def survey(self, names: Sequence[str], progress: Callable[[int, int], None]) -> Survey:
        """The overviews of repositories, by their names or patterns."""

    @abstractmethod
    def propose(self, answers: ForgeAnswers) -> SourceProposal:
        """The settings that say what was decided."""


DeployedInGit = Literal["tags", "commits"]
"""The things in git that may be deployments, where only git tells."""


@dataclass(frozen=True, kw_only=True)
class LocalRepository(ABC):
    """A clone on this disk as a source of its own."""

    clone: "Clone"

    @abstractmethod
    def survey(self) -> RepositoryOverview:
        """The overview of the repository; its `merges` are commits on the default branch."""

    @abstractmethod
    def propose(self, name: str, deployments: DeployedInGit, why: str) -> SourceProposal:
        """The settings of a source of this name, where tags or commits are deployments."""


Discovery = Forge | LocalRepository | SourceProposal
