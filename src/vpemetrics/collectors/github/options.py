"""The settings of a GitHub source."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Annotated, ClassVar, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field

from vpemetrics.collectors.base import Vendor
from vpemetrics.collectors.sizes import parse_size
from vpemetrics.patterns import Pattern

From = Literal["environments", "workflow", "releases", "tags", "merges"]

_EXACT: Final = {"extra": "forbid"}
_REPOSITORY: Final = re.compile(r"!?[\w.*?-]+/[\w.*?-]+")
_LITERAL: Final = re.compile(r"[\w.-]+/[\w.-]+")
_WAIT: Final = re.compile(r"(\d{1,6}) ?(s|min|h|d)")
_UNITS: Final = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_GROUPS: Final = frozenset({"service", "environment"})


def web_address(url: str) -> str:
    """The address of a GitHub's repositories, by that of its REST API."""
    # https://docs.github.com/en/enterprise-server@latest/rest/enterprise-admin#endpoint-urls
    parts = urlsplit(url)
    host = parts.netloc.removeprefix("api.") if parts.netloc.startswith("api.") else parts.netloc
    return f"{parts.scheme}://{host}{parts.path.removesuffix('/').removesuffix('/api/v3')}"


@dataclass(frozen=True, kw_only=True)
class App:
    """A GitHub App: its id, and a reference to its private key, as in `file:key.pem`."""

    __pydantic_config__: ClassVar = _EXACT
    id: int
    private_key: str


@dataclass(frozen=True, kw_only=True)
class Incidents:
    """The issues that are incidents: those with one of the labels, or of one of the types.

    `repositories` are where to look; by default each repository has its own.
    """

    __pydantic_config__: ClassVar = _EXACT
    labels: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.repositories:
            if not _LITERAL.fullmatch(name):
                raise ValueError(f'incidents: {name!r} is no repository such as "acme/incidents"')
        if self.repositories and not self:
            raise ValueError("incidents: needs labels or types, which tell them from other issues")

    def __bool__(self) -> bool:
        return bool(self.labels or self.types)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule for deployments in the repositories that fit some patterns (by default in all).

    With `environments` it is GitHub's own, where `environment` is a pattern of the environments
    or, if it has groups, a regular expression that fits all of a name; `task` are patterns of
    the tasks that deploy. For all others `environment` is what their deployments get.

    With `workflow` it is the runs of a workflow, by its name or file, or those of their jobs
    whose names fit the regular expression `job`; those for the default branch, for a tag, or for
    one of some `branches`, and none for a pull request. Releases and tags may be chosen by
    `tags`, which are otherwise versions that are no pre-releases. Groups are `service` and
    `environment`; `service` is what is deployed where no group tells, by default the repository.
    """

    __pydantic_config__: ClassVar = _EXACT
    kind: Annotated[From, Field(alias="from")] = "environments"
    repositories: tuple[str, ...] = ()
    environment: str | None = None
    task: tuple[str, ...] = ("deploy*", "rollback*")
    workflow: str | None = None
    job: str | None = None
    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    service: str | None = None

    def __post_init__(self) -> None:
        for mistake in self._mistakes():
            raise ValueError(f"deployments: {mistake}")

    @cached_property
    def expression(self) -> Pattern | None:
        """The expression that all of a job's or environment's name has to fit; None without one."""
        if self.kind == "workflow":
            return Pattern("deployments.job", self.job) if self.job else None
        has_one = self.environment and self._has_groups
        return Pattern("deployments.environment", self.environment or "") if has_one else None

    @property
    def _has_groups(self) -> bool:
        return self.kind == "environments" and "(?P<" in (self.environment or "")

    def _mistakes(self) -> Iterator[str]:
        if (self.kind == "workflow") != bool(self.workflow):
            yield 'from = "workflow" and workflow belong together'
        if self.job and self.kind != "workflow":
            yield 'job is for from = "workflow"'
        if self.branches and self.kind != "workflow":
            yield 'branches are for from = "workflow"'
        if self.tags and self.kind not in ("releases", "tags"):
            yield "tags are for releases and tags"
        groups = self.expression.names if self.expression else frozenset[str]()
        for name in sorted(groups - _GROUPS):
            yield f"a group can be called service or environment, not {name}"
        if self.service and "service" in groups:
            yield "service is for all, so no group can be called that"
        if self.kind == "workflow" and self.environment and "environment" in groups:
            yield "environment is for all, so no group can be called that"


@dataclass(frozen=True, kw_only=True)
class Options:
    """The address of GitHub, who asks there, and what is collected.

    `url` is its REST address; `token` a reference to a secret (`env:`, `file:` or `gh`), or
    `app` a GitHub App instead. `repositories` are names and patterns (`!` leaves out); archived
    ones and forks only if wanted. What was last touched before `since`, by default 53 weeks
    before the first collection, is left out. `runs` are those of continuous integration.
    With `clone` a mirror without files is kept, and commits come from git. A collection ends
    after `max_requests`, waits no longer than `max_wait` for a limit, and takes no answer that is
    larger than `max_answer`.
    """

    # https://cli.github.com/manual/gh_help_environment
    vendor: ClassVar = Vendor(
        hosts=("api.github.com", "github.com"),
        tokens=("env:GITHUB_TOKEN", "env:GH_TOKEN", "gh"),
    )

    repositories: tuple[str, ...]
    url: str = "https://api.github.com"
    token: str | None = None
    app: App | None = None
    since: date | None = None
    archived: bool = False
    forks: bool = False
    incidents: Incidents = Incidents()
    runs: bool = True
    clone: bool = False
    max_requests: int | None = None
    max_wait: str = "1h"
    max_answer: str = "64MiB"
    deployments: tuple[Rule, ...] = (Rule(),)

    def __post_init__(self) -> None:
        for mistake in self._mistakes():
            raise ValueError(mistake)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The places that the token is sent to: the API's, and the mirrors' where they are kept."""
        return (self.url, web_address(self.url)) if self.clone else (self.url,)

    @property
    def longest_wait(self) -> timedelta:
        """`max_wait` as a length of time."""
        found = _WAIT.fullmatch(self.max_wait)
        return int(found[1]) * _UNITS[found[2]] if found else timedelta()

    def _mistakes(self) -> Iterator[str]:
        if (self.token is None) == (self.app is None):
            yield 'needs token or app, one of the two: who asks, as in token = "env:GITHUB_TOKEN"'
        if self.clone and self.app:
            yield "clone needs a token; an app has none that git could use"
        for pattern in self.repositories:
            if not _REPOSITORY.fullmatch(pattern):
                yield f'repositories: {pattern!r} is not like "acme/shop" or "acme/*"'
            elif "*" in (owner := pattern.partition("/")[0].lstrip("!")) or "?" in owner:
                yield f"repositories: {pattern!r} needs the name of an owner before the /"
        if not any(not pattern.startswith("!") for pattern in self.repositories):
            yield 'repositories: names none, as in ["acme/*"]'
        if not _WAIT.fullmatch(self.max_wait):
            yield 'max_wait is a duration such as "90s", "30min" or "2h"'
        try:
            parse_size(self.max_answer)
        except ValueError as mistake:
            yield str(mistake)
        if self.max_requests is not None and self.max_requests < 1:
            yield "max_requests is at least 1"
