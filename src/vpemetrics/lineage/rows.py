"""The rows that lineage takes and gives: deployments, incidents, decisions, evidence.

Commits, changes and deployments are columns; these are few, or those of them that are looked at
by themselves. Identities (`id`, `commit`, …) are the store's integers; `NONE` is no such thing.
Times are microseconds since 1970 in UTC, `MISSING` where unknown.
"""

from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

from vpemetrics.records import AuthorKind
from vpemetrics.window import MISSING, Micros

NONE: Final = -1
UNKNOWN: Final = -2
"""A commit that is named but known to nobody here."""


class Kind(StrEnum):
    """The kind of a deployment (rule D4), and the attempts that never were one."""

    FORWARD = "forward"
    REDEPLOY = "redeploy"
    ROLLBACK = "rollback"
    STALE = "stale"
    ROLLOUT = "rollout"
    ATTEMPT = "attempt"


KINDS: Final = tuple(Kind)
UNPLANNED: Final = (None, "rollback", "fix", "revert", "hotfix")
"""The reasons why a deployment is rework; columns have places in these and in the kinds."""

COUNTED: Final = (Kind.FORWARD, Kind.REDEPLOY, Kind.ROLLBACK, Kind.STALE)


class Reason(IntEnum):
    """Reasons why a change is left out of lead time; COUNTED if it is not."""

    COUNTED = 0
    FIRST_DEPLOYMENT = 1
    UNKNOWN_COMMIT = 2
    AUTOMATION = 3
    NO_AUTHOR_DATE = 4
    NEGATIVE = 5
    DEPLOYED_BEFORE_MERGE = 6
    NO_COMMIT_LEFT = 7
    OTHER_BRANCH = 8
    BACKPORT = 9
    RELEASE_COMMIT = 10
    LIGHT_TAG = 11
    IMPORTED_HISTORY = 12


AUTHOR_KINDS: Final = (None, *AuthorKind)
"""The kinds of authors; columns have places in these."""
PERSON, AGENT, AUTOMATION = map(AUTHOR_KINDS.index, AuthorKind)


class DeploymentRow(NamedTuple):
    """A deployment record in a production environment, where it is looked at by itself."""

    id: int
    key: str
    environment: str
    status: str
    commit: int
    version: str | None
    finished_at: Micros


class IncidentRow(NamedTuple):
    """An incident; `services` in the source's names, `cause_sha` perhaps abbreviated.

    It began with its impact and was noticed at its detection; each stands in for the other.
    """

    id: int
    key: str
    services: tuple[str, ...]
    began_at: Micros
    noticed_at: Micros
    restored_at: Micros
    external: bool | None
    cause_deployment: str | None
    cause_commit: int
    cause_change: str | None

    @property
    def names_cause(self) -> bool:
        """True if it says itself what caused it."""
        return bool(self.cause_deployment or self.cause_change or self.cause_commit != NONE)


class TriageRow(NamedTuple):
    """A person's decision; `cause_commit` where `cause` is a known sha, MISSING without a time."""

    record: str
    verdict: str
    at: Micros
    cause: str | None
    cause_commit: int
    restored_at: Micros = MISSING


class Deployed(NamedTuple):
    """A deployment as rules D1 to D5 mean it, where it is looked at by itself.

    `began_at` is its start; where that is unknown, its finish. `environments` are integers.
    """

    key: str
    kind: Kind
    began_at: Micros
    finished_at: Micros
    commit: int
    identity: int
    environments: frozenset[int]
    rolled_back: bool
    first: bool
    removed: int


class Evidence(NamedTuple):
    """One reason to hold that a deployment failed, or why an incident has no cause (rule F1).

    `deployment` is NONE for grade E. `restored_by` is the deployment that mended it, if one did;
    `mended_at` is what a person said of when that was.
    `chosen`: it is what counts for its incident; others are kept to be explained.
    """

    deployment: int
    incident: int
    grade: str
    what: str
    detail: str
    restored_by: int
    chosen: bool
    mended_at: Micros = MISSING


class Revert(NamedTuple):
    """A shipped change that takes back an earlier shipped one; deployments by position."""

    target: int
    by: int
    labelled: bool
    change: str
