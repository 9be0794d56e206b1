"""The rows that lineage takes and gives: deployments, incidents, decisions, evidence.

Of these there are fewer than of commits and changes, which are columns, and each is looked at
by itself. Identities (`id`, `commit`, …) are the store's integers; `NONE` is no such thing.
Times are microseconds since 1970 in UTC, `MISSING` where unknown.
"""

from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

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


COUNTED: Final = (Kind.FORWARD, Kind.REDEPLOY, Kind.ROLLBACK, Kind.STALE)


class Reason(IntEnum):
    """Reasons why a change is left out of lead time; COUNTED if it is not."""

    COUNTED = 0
    FIRST_DEPLOYMENT = 1
    UNKNOWN_COMMIT = 2
    BOT = 3
    NO_AUTHOR_DATE = 4
    NEGATIVE = 5
    DEPLOYED_BEFORE_MERGE = 6
    NO_COMMIT_LEFT = 7
    OTHER_BRANCH = 8


class DeploymentRow(NamedTuple):
    """A deployment record in a production environment."""

    id: int
    key: str
    environment: str
    status: str
    commit: int
    version: str | None
    started_at: Micros
    finished_at: Micros
    planned: bool | None
    hotfix: bool | None
    rollback: bool | None


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
    """A person's decision; `cause_commit` where `cause` is a known sha."""

    record: str
    verdict: str
    at: Micros
    cause: str | None
    cause_commit: int


class Deployed(NamedTuple):
    """A deployment as rules D1 to D5 mean it: one or several records, judged.

    `removed` is the commit a rollback took away; `first` has no predecessor and ships nothing
    counted; `ships` where the changes in it are known and count; `unplanned` is why it is
    rework, if it is.
    """

    id: int
    parts: tuple[int, ...]
    keys: tuple[str, ...]
    kind: Kind
    started_at: Micros
    finished_at: Micros
    commit: int
    environments: frozenset[str]
    rolled_back: bool
    first: bool
    removed: int
    planned: bool | None
    hotfix: bool
    ships: bool = False
    unplanned: str | None = None

    @property
    def key(self) -> str:
        """The source's id of the record that made it complete; repeats may have come later."""
        return self.keys[self.parts.index(self.id)]

    @property
    def began_at(self) -> Micros:
        """Its start; where that is unknown, its finish."""
        return self.finished_at if self.started_at == MISSING else self.started_at


class Evidence(NamedTuple):
    """One reason to hold that a deployment failed, or why an incident has no cause (rule F1).

    `deployment` is NONE for grade E. `restored_by` is the deployment that mended it, if one did.
    `chosen`: it is what counts for its incident; others are kept to be explained.
    """

    deployment: int
    incident: int
    grade: str
    what: str
    detail: str
    restored_by: int
    chosen: bool


class Revert(NamedTuple):
    """A shipped change that takes back an earlier shipped one; deployments by position."""

    target: int
    by: int
    labelled: bool
    change: str
