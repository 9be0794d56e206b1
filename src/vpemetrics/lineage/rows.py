"""The rows lineage takes and gives: tuples of integers and short texts, cheap by the million.

Identities (`id`, `commit`, `change`, …) are the store's integers; `NONE` is no such thing.
Times are microseconds since 1970 in UTC, `MISSING` where unknown.
Field order is the order in which the store selects the columns.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vpemetrics.window import MISSING, Micros

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

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
    repository: str | None


class ChangeRow(NamedTuple):
    """A pull request; `commits` are its original commits."""

    id: int
    key: str
    repository: str
    number: int | None
    is_bot: bool | None
    first_commit_at: Micros
    merged_at: Micros
    closed_at: Micros
    merge_commit: int
    commits: tuple[int, ...]
    base_branch: str | None
    head_branch: str | None
    labels: tuple[str, ...]
    reverts: tuple[str, ...]
    closes: tuple[str, ...]


class IncidentRow(NamedTuple):
    """An incident; `services` in the source's names, `cause_sha` perhaps abbreviated."""

    id: int
    key: str
    services: tuple[str, ...]
    began_at: Micros
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


class Shipped(NamedTuple):
    """A change at its first production deployment in a service.

    `change` is the pull request, or NONE for a direct `commit`. `starts` are the moments
    lead time is counted from, one unless every commit is a sample of its own; `first_at` is its
    first commit's. `reason` says why it is left out of lead time, if it is.
    """

    change: int
    commit: int
    deployment: int
    starts: tuple[Micros, ...]
    merged_at: Micros
    first_at: Micros
    at_merge: bool
    reason: str | None


class WaitingChange(NamedTuple):
    """A merged pull request no deployment has shipped; `reason` where it does not just wait."""

    change: int
    reason: str | None


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


Item = int
"""A change under one integer: a pull request's id, or minus a direct commit's."""


class Revert(NamedTuple):
    """A shipped change that takes back an earlier shipped one; deployments by position."""

    target: int
    by: int
    labelled: bool
    change: str


class Marks(NamedTuple):
    """Marks that shipped changes leave on deployments, by position, beside having been shipped.

    `reverts` by the items that revert and are reverted; `closers` by incident; `hotfixes` are a
    hotfix by their own word too.
    """

    reverts: Mapping[tuple[Item, Item], Revert] = {}
    closers: Mapping[str, Sequence[int]] = {}
    hotfixes: frozenset[int] = frozenset()

    def before(self, position: int) -> "Marks":
        """Those of the deployments before one."""
        closers = {key: [at for at in ats if at < position] for key, ats in self.closers.items()}
        return Marks(
            reverts={pair: one for pair, one in self.reverts.items() if one.by < position},
            closers={key: ats for key, ats in closers.items() if ats},
            hotfixes=frozenset(at for at in self.hotfixes if at < position),
        )


class Lineage(NamedTuple):
    """The outcome of tracing one service, or of going on from deployments that were settled.

    `deployed` come after the settled ones; `reached` has the ids of the commits that each of them
    was the first to reach. `amended` are settled ones that are judged otherwise now, by position.
    """

    deployed: list[Deployed]
    shipped: list[Shipped]
    waiting: list[WaitingChange]
    evidence: list[Evidence]
    attribution: str
    problems: dict[str, list[str]]
    marks: Marks
    reached: "Sequence[npt.NDArray[np.int64]]" = ()
    amended: Mapping[int, Deployed] = {}
