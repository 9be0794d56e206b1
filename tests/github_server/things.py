"""Things that a repository on a simulated GitHub holds, a class for each type GitHub knows.

Times are aware. References within a repository are oids and numbers, as in git; a commit, a
pull request's head or a deployment's commit may be gone from it.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import sha1
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from github_server.world import Repo, World

BORN: Final = datetime(2015, 1, 1, tzinfo=UTC)


class Kind(StrEnum):
    """The kind of an account, in GitHub's words."""

    USER = "User"
    ORGANIZATION = "Organization"
    BOT = "Bot"
    MANNEQUIN = "Mannequin"


_ACCOUNT_PREFIX: Final = {
    Kind.USER: "U",
    Kind.ORGANIZATION: "O",
    Kind.BOT: "BOT",
    Kind.MANNEQUIN: "M",
}


@dataclass(kw_only=True, eq=False)
class Account:
    """Somebody; a bot's login is without `[bot]`, as GraphQL tells it."""

    world: "World" = field(repr=False)
    login: str
    database_id: int
    kind: Kind = Kind.USER
    name: str | None = None
    email: str | None = None
    created_at: datetime = BORN

    @property
    def TYPENAME(self) -> str:  # noqa: N802 - GraphQL's name of the type
        """The account's type in GraphQL."""
        return self.kind.value

    @property
    def id(self) -> str:
        """The account's node id."""
        return node_id(_ACCOUNT_PREFIX[self.kind], 0, self.database_id)

    @property
    def url(self) -> str:
        """The address where people see it."""
        return f"{self.world.web}/{self.login}"


@dataclass(kw_only=True, eq=False)
class Signature:
    """Somebody who wrote or committed something, and when; `account` if the address is known."""

    name: str
    email: str
    date: datetime
    account: Account | None = None


@dataclass(kw_only=True, eq=False)
class Commit:
    """A commit. `paths` are the files it touches, None where they are not known."""

    TYPENAME: ClassVar = "Commit"
    oid: str
    repo: "Repo" = field(repr=False)
    parents: tuple[str, ...] = ()
    author: Signature
    committer: Signature
    message: str = ""
    paths: tuple[str, ...] | None = None

    @property
    def id(self) -> str:
        """The commit's node id."""
        return node_id("C", self.repo.database_id, self.oid)

    @property
    def url(self) -> str:
        """The address where people see it."""
        return f"{self.repo.url}/commit/{self.oid}"


@dataclass(kw_only=True, eq=False)
class Tag:
    """An annotated tag; `target` is the tagged commit's oid."""

    TYPENAME: ClassVar = "Tag"
    oid: str
    name: str
    repo: "Repo" = field(repr=False)
    target: str
    tagger: Signature | None = None
    message: str = ""

    @property
    def id(self) -> str:
        """The tag's node id."""
        return node_id("TA", self.repo.database_id, self.oid)


@dataclass(kw_only=True, eq=False)
class Ref:
    """A branch or tag; `target` is the oid of a commit or of an annotated tag."""

    TYPENAME: ClassVar = "Ref"
    name: str
    prefix: str
    repo: "Repo" = field(repr=False)
    target: str

    @property
    def id(self) -> str:
        """The reference's node id."""
        return node_id("REF", self.repo.database_id, self.prefix + self.name)


@dataclass(kw_only=True, eq=False)
class Label:
    """A label of a repository."""

    name: str
    database_id: int
    repo: "Repo" = field(repr=False)
    created_at: datetime
    color: str = "ededed"

    @property
    def id(self) -> str:
        """The label's node id."""
        return node_id("LA", self.repo.database_id, self.database_id)


@dataclass(kw_only=True, eq=False)
class Event:
    """A line in a timeline that is no review; `kind` is its type in GraphQL.

    `other` is the issue or pull request at the other end of a link.
    """

    kind: str
    database_id: int
    subject: "Pull | Issue" = field(repr=False)
    created_at: datetime
    actor: Account | None = None
    label: Label | None = None
    state_reason: str | None = None
    closer: "Pull | None" = field(default=None, repr=False)
    other: "Pull | Issue | None" = field(default=None, repr=False)
    commit: str | None = None
    before: str | None = None
    body: str = ""

    @property
    def TYPENAME(self) -> str:  # noqa: N802 - GraphQL's name of the type
        """The event's type in GraphQL."""
        return self.kind

    @property
    def id(self) -> str:
        """The event's node id."""
        return node_id("EV", self.subject.repo.database_id, self.database_id)

    @property
    def url(self) -> str:
        """The address where people see it."""
        return f"{self.subject.url}#event-{self.database_id}"


@dataclass(kw_only=True, eq=False)
class Review:
    """A review; `state` is APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED or PENDING."""

    TYPENAME: ClassVar = "PullRequestReview"
    database_id: int
    pull: "Pull" = field(repr=False)
    author: Account | None
    state: str
    submitted_at: datetime | None
    created_at: datetime
    body: str = ""
    commit: str | None = None

    @property
    def id(self) -> str:
        """The review's node id."""
        return node_id("PRR", self.pull.repo.database_id, self.database_id)

    @property
    def url(self) -> str:
        """The address where people see it."""
        return f"{self.pull.url}#pullrequestreview-{self.database_id}"


@dataclass(kw_only=True, eq=False)
class Issue:
    """An issue."""

    TYPENAME: ClassVar = "Issue"
    number: int
    database_id: int
    repo: "Repo" = field(repr=False)
    title: str
    body: str = ""
    author: Account | None = None
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    state_reason: str | None = None
    type: str | None = None
    labels: list[Label] = field(default_factory=list)
    timeline: list[Event] = field(default_factory=list, repr=False)

    @property
    def id(self) -> str:
        """The issue's node id."""
        return node_id("I", self.repo.database_id, self.number)

    @property
    def url(self) -> str:
        """The address where people see it."""
        return f"{self.repo.url}/issues/{self.number}"


@dataclass(kw_only=True, eq=False)
class Pull:
    """A pull request. `commits` are the oids of its commits, oldest first."""

    TYPENAME: ClassVar = "PullRequest"
    number: int
    database_id: int
    repo: "Repo" = field(repr=False)
    title: str
    body: str = ""
    author: Account | None = None
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: Account | None = None
    is_draft: bool = False
    base: str
    base_oid: str
    head: str
    head_oid: str
    head_repo: "Repo | None" = field(default=None, repr=False)
    commits: Sequence[str] = field(default=(), repr=False)
    merge_commit: str | None = None
    additions: int = 0
    deletions: int = 0
    changed_files: int = 0
    labels: list[Label] = field(default_factory=list)
    timeline: "list[Event | Review]" = field(default_factory=list, repr=False)
    closes: list[Issue] = field(default_factory=list, repr=False)

    @property
    def id(self) -> str:
        """The pull request's node id."""
        return node_id("PR", self.repo.database_id, self.number)

    @property
    def test_merge(self) -> str:
        """The commit that tells whether it can be merged; REST shows it until it is."""
        seed = f"{self.repo.database_id} {self.number} {self.head_oid}"
        return sha1(seed.encode(), usedforsecurity=False).hexdigest()

    @property
    def reviews(self) -> list[Review]:
        """The reviews, oldest first."""
        return [item for item in self.timeline if isinstance(item, Review)]

    @property
    def url(self) -> str:
        """The address where people see it."""
        return f"{self.repo.url}/pull/{self.number}"


@dataclass(kw_only=True, eq=False)
class DeploymentStatus:
    """One word on how a deployment goes; `state` in GraphQL's capitals."""

    database_id: int
    deployment: "Deployment" = field(repr=False)
    state: str
    created_at: datetime
    environment: str
    creator: Account
    description: str = ""
    log_url: str | None = None

    @property
    def id(self) -> str:
        """The status's node id."""
        return node_id("DES", self.deployment.repo.database_id, self.database_id)


@dataclass(kw_only=True, eq=False)
class Deployment:
    """A deployment; `statuses` are oldest first. `commit` may be of no commit GitHub has."""

    TYPENAME: ClassVar = "Deployment"
    database_id: int
    repo: "Repo" = field(repr=False)
    commit: str
    ref: str
    environment: str
    created_at: datetime
    creator: Account
    task: str = "deploy"
    payload: str = ""
    description: str = ""
    production: bool = False
    transient: bool = False
    statuses: list[DeploymentStatus] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The deployment's node id."""
        return node_id("DE", self.repo.database_id, self.database_id)

    @property
    def latest(self) -> DeploymentStatus | None:
        """The last thing said of it."""
        return self.statuses[-1] if self.statuses else None

    @property
    def state(self) -> str:
        """Its state in GraphQL: a success is active until the next one takes its place."""
        latest = self.latest
        if latest is None:
            return "PENDING"
        return "ACTIVE" if latest.state == "SUCCESS" else latest.state

    @property
    def updated_at(self) -> datetime:
        """The time of its last status; becoming inactive counts."""
        latest = self.latest
        return latest.created_at if latest else self.created_at


@dataclass(kw_only=True, eq=False)
class Release:
    """A release of a tag; drafts have no `published_at`."""

    TYPENAME: ClassVar = "Release"
    database_id: int
    repo: "Repo" = field(repr=False)
    tag_name: str
    name: str = ""
    body: str = ""
    author: Account | None = None
    created_at: datetime
    published_at: datetime | None
    is_draft: bool = False
    is_prerelease: bool = False

    @property
    def id(self) -> str:
        """The release's node id."""
        return node_id("RE", self.repo.database_id, self.database_id)

    @property
    def url(self) -> str:
        """The address where people see it."""
        return f"{self.repo.url}/releases/tag/{self.tag_name}"


@dataclass(kw_only=True, eq=False)
class Environment:
    """An environment of a repository."""

    database_id: int
    name: str
    repo: "Repo" = field(repr=False)
    created_at: datetime

    @property
    def id(self) -> str:
        """The environment's node id."""
        return node_id("EN", self.repo.database_id, self.database_id)


@dataclass(kw_only=True, eq=False)
class Workflow:
    """A workflow file of GitHub Actions; `runs` is the number of its last run."""

    database_id: int
    name: str
    path: str
    repo: "Repo" = field(repr=False)
    created_at: datetime
    runs: int = 0


@dataclass(kw_only=True, eq=False)
class Job:
    """A job of one attempt; `conclusion` is None while it runs."""

    database_id: int
    name: str
    status: str
    conclusion: str | None
    started_at: datetime
    completed_at: datetime | None


@dataclass(kw_only=True, eq=False)
class Attempt:
    """One attempt of a run; `updated_at` is its end, or when its logs were deleted."""

    number: int
    started_at: datetime
    updated_at: datetime
    status: str
    conclusion: str | None
    jobs: list[Job] = field(default_factory=list)
    actor: Account | None = None


@dataclass(kw_only=True, eq=False)
class Run:
    """A run of a workflow; running it again adds an attempt and keeps the run's id."""

    database_id: int
    number: int
    repo: "Repo" = field(repr=False)
    workflow: Workflow
    title: str
    event: str
    branch: str | None
    sha: str
    created_at: datetime
    attempts: list[Attempt]
    actor: Account | None = None

    @property
    def latest(self) -> Attempt:
        """The last attempt, which is what GitHub shows of a run."""
        return self.attempts[-1]

    @property
    def url(self) -> str:
        """The address where people see it."""
        return f"{self.repo.url}/actions/runs/{self.database_id}"


def timestamp(at: datetime | None) -> str | None:
    """A moment as GitHub writes it, to the second."""
    return f"{at.astimezone(UTC).isoformat()[:19]}Z" if at else None


@lru_cache(maxsize=1 << 16)
def node_id(prefix: str, repository: int, key: int | str) -> str:
    """An id that is opaque to clients and found again by `read_node_id`."""
    inside = urlsafe_b64encode(f"{repository}:{key}".encode()).decode().rstrip("=")
    return f"{prefix}_{inside}"


def read_node_id(node: str) -> tuple[str, int, str] | None:
    """Prefix, repository and key of an id; None if it is none."""
    prefix, _, inside = node.partition("_")
    try:
        repository, _, key = (
            urlsafe_b64decode(inside + "=" * (-len(inside) % 4)).decode().partition(":")
        )
        return prefix, int(repository), key
    except ValueError:
        return None
