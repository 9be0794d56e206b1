"""Records: events as sources and people tell them, in the source's own names.

A record is a fact: it is saved as it came and never judged here.
Its fields are the columns of the import files, one name for one thing everywhere.
`None` (or an empty tuple) means unknown; zero means looked for and none found.
Every moment (`…_at`) is an aware `datetime`.

The key of a record is (source, kind, `key`), so saving it twice is harmless.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol


class Status(StrEnum):
    """The end of a run that wanted to deploy (rule D1)."""

    IN_PROGRESS = "in_progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    SUPERSEDED = "superseded"
    ROLLED_BACK = "rolled_back"


class Verdict(StrEnum):
    """A person's decision about an incident or a deployment."""

    CONFIRM = "confirm"
    REJECT = "reject"
    LINK = "link"


class AuthorKind(StrEnum):
    """The kind of an author (rule C3)."""

    PERSON = "person"
    AGENT = "agent"
    AUTOMATION = "automation"


class CoverageKind(StrEnum):
    """The facts that a stretch of time was collected for."""

    COMMITS = "commits"
    DEPLOYMENTS = "deployments"
    INCIDENTS = "incidents"
    PULL_REQUESTS = "pull_requests"
    REVIEWS = "reviews"
    RUNS = "runs"


class Record(Protocol):
    """The ground of all records: a file name stem, and a key within its source."""

    KIND: ClassVar[str]

    @property
    def key(self) -> str:
        """The record's identity within its source and kind."""
        ...


class _ById:
    """Mixed into records whose `id` is their key."""

    __slots__ = ()
    id: str

    @property
    def key(self) -> str:
        """The record's id."""
        return self.id


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository(_ById):
    """A repository under its permanent id; `aliases` are names it had before."""

    KIND: ClassVar[str] = "repositories"
    id: str
    name: str
    aliases: tuple[str, ...] = ()
    default_branch: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """A commit of the graph. `paths` only for repositories with path patterns.

    `reverts_sha` may name several commits. `marks` are the tools that its trailers name.
    """

    KIND: ClassVar[str] = "commits"
    sha: str
    repository: str
    parents: tuple[str, ...] = ()
    authored_at: datetime | None = None
    committed_at: datetime | None = None
    author: str | None = None
    author_kind: AuthorKind | None = None
    marks: tuple[str, ...] = ()
    reverts_sha: tuple[str, ...] = ()
    picked_from_sha: str | None = None
    paths: tuple[str, ...] | None = None

    @property
    def key(self) -> str:
        """The commit's sha and its repository: forks share commits."""
        return f"{self.sha} of {self.repository}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change(_ById):
    """A pull request (merge request), by id of others.

    `reverts` names changes, `backports` those it brings to another branch, `closes` incidents.

    `commit_shas` are the original commits, before a squash or rebase. `marks` are the tools that
    its text's trailers name.
    """

    KIND: ClassVar[str] = "pull_requests"
    id: str
    repository: str
    number: int | None = None
    url: str | None = None
    title: str | None = None
    author: str | None = None
    author_kind: AuthorKind | None = None
    marks: tuple[str, ...] = ()
    created_at: datetime | None = None
    ready_at: datetime | None = None
    first_commit_at: datetime | None = None
    first_review_at: datetime | None = None
    approved_at: datetime | None = None
    merged_at: datetime | None = None
    closed_at: datetime | None = None
    merge_commit_sha: str | None = None
    commit_shas: tuple[str, ...] = ()
    base_branch: str | None = None
    head_branch: str | None = None
    additions: int | None = None
    deletions: int | None = None
    labels: tuple[str, ...] = ()
    reverts: tuple[str, ...] = ()
    backports: tuple[str, ...] = ()
    closes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment(_ById):
    """One run that wanted to bring a commit to an environment, whatever the environment.

    `finished_at` is the moment of the first success, where there was one.
    `service` is the source's own name; configuration maps it to ours. `light_tag` is told of tags
    and releases only: True if it has no time of its own, so that it has its commit's.
    `release_commit`: the title of the commit names the version.
    `chosen_by_name` is told of versions that were taken for deployed when they were made: True if
    nothing but the name told it, False if a pattern of the source did. `service_by_name`: nothing
    but what stands before the version names the service.
    """

    KIND: ClassVar[str] = "deployments"
    id: str
    environment: str
    status: Status
    service: str | None = None
    repository: str | None = None
    commit_sha: str | None = None
    version: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    is_bot: bool | None = None
    planned: bool | None = None
    hotfix: bool | None = None
    rollback: bool | None = None
    light_tag: bool | None = None
    release_commit: bool | None = None
    chosen_by_name: bool | None = None
    service_by_name: bool | None = None
    url: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident(_ById):
    """An incident; `service` may name several. After a reopening, the last spell's times count."""

    KIND: ClassVar[str] = "incidents"
    id: str
    service: tuple[str, ...] = ()
    title: str | None = None
    severity: int | None = None
    customer_affecting: bool | None = None
    detected_at: datetime | None = None
    impact_started_at: datetime | None = None
    acknowledged_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    updated_at: datetime | None = None
    external: bool | None = None
    cause_deployment: str | None = None
    cause_sha: str | None = None
    cause_change: str | None = None
    url: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Run(_ById):
    """A run of continuous integration."""

    KIND: ClassVar[str] = "runs"
    id: str
    repository: str
    outcome: str
    name: str | None = None
    attempt: int | None = None
    commit_sha: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Triage:
    """A person's decision about `record` (an incident's or a deployment's id); the latest counts.

    `link` ties the incident to `cause` (a deployment, commit or pull request); `confirm` may say
    when a failed deployment was restored.
    """

    KIND: ClassVar[str] = "triage"
    record: str
    verdict: Verdict
    when: datetime
    cause: str | None = None
    restored_at: datetime | None = None
    who: str | None = None
    why: str | None = None

    @property
    def key(self) -> str:
        """The record that was decided about, and the time."""
        return f"{self.record}@{self.when.isoformat()}"


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """Something that was decided about the figures or the data: what, about what, by whom.

    `action` is a word such as `forget`, `retention`, `setting` or `trust`, `subject` what it was
    about. No entry holds a secret, nor the name of what was forgotten by it.
    """

    KIND: ClassVar[str] = "audit"
    action: str
    when: datetime
    subject: str | None = None
    what: str | None = None
    who: str | None = None

    @property
    def key(self) -> str:
        """The time, and what was done to what."""
        return f"{self.when.isoformat()} {self.action} {self.subject or ''}".rstrip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """A stretch of time, half-open, for which facts of a kind were collected.

    `scope` is a service's or repository's name as the source spells it, or `*` for everything.
    `from_rows`: nobody said so, it reaches from the first row of an import to the last.
    """

    KIND: ClassVar[str] = "coverage"
    source: str
    scope: str
    kind: CoverageKind
    start: datetime
    end: datetime
    from_rows: bool = False

    @property
    def key(self) -> str:
        """The collected scope and kind, the start, and whose word it is."""
        by = "rows" if self.from_rows else "word"
        return f"{self.source}/{self.scope}/{self.kind}/{self.start.isoformat()} by {by}"


AnyRecord = (
    Repository | Commit | Change | Deployment | Incident | Run | Triage | AuditEntry | Coverage
)

Sourced = tuple[str, AnyRecord]
"""A record and the name of the source that said it."""

RECORD_TYPES: dict[str, type[AnyRecord]] = {
    cls.KIND: cls
    for cls in (Repository, Commit, Change, Deployment, Incident, Run, Triage, AuditEntry, Coverage)
}


def counts_text(counts: Mapping[str, int]) -> str:
    """The number of records of each kind, as in `commits 1,159, pull requests 362`."""
    return ", ".join(f"{kind.replace('_', ' ')} {count:,}" for kind, count in counts.items())
