"""Deployments as columns: the records that sources tell of, and what these form together.

There are nearly as many of them as changes, and nearly all are alike, so that most is said of all
of them at once; a row is made of those that are looked at by themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final

import numpy as np

from vpemetrics.lineage.graph import Flags, Ints
from vpemetrics.lineage.order import Texts
from vpemetrics.lineage.rows import KINDS, NONE, Deployed, DeploymentRow, Kind
from vpemetrics.records import Status
from vpemetrics.window import MISSING

STATUSES: Final = tuple(Status)
"""The ends of runs; columns have places in them."""

_TRUTHS: Final[Mapping[int, bool | None]] = {NONE: None, 0: False, 1: True}


def kind_code(kind: Kind) -> int:
    """The place of a kind among all."""
    return KINDS.index(kind)


@dataclass(frozen=True, kw_only=True)
class DeploymentRecords:
    """Records of deployments in production environments; `environments` are places in `names`.

    Of `planned`, `hotfix` and `rollback` NONE is unknown. `are_versions` marks tags and releases
    that were deployed by being made.
    """

    ids: Ints
    keys: Texts
    environments: Ints
    names: Mapping[int, str]
    statuses: Ints
    commits: Ints
    versions: Texts
    started_at: Ints
    finished_at: Ints
    planned: Ints
    hotfix: Ints
    rollback: Ints
    are_versions: Flags

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Any) -> "DeploymentRecords":
        """Some of them, in another order perhaps."""
        columns = {one.name: getattr(self, one.name) for one in fields(self)}
        names = columns.pop("names")
        return DeploymentRecords(
            names=names, **{name: column[rows] for name, column in columns.items()}
        )

    def row(self, at: int) -> DeploymentRow:
        """One of them by itself."""
        return DeploymentRow(
            id=int(self.ids[at]),
            key=self.keys[at],
            environment=self.names[int(self.environments[at])],
            status=STATUSES[self.statuses[at]],
            commit=int(self.commits[at]),
            version=self.versions[at],
            finished_at=int(self.finished_at[at]),
        )

    @property
    def began_at(self) -> Ints:
        """Their starts; where one is unknown, its finish."""
        return np.where(self.started_at == MISSING, self.finished_at, self.started_at)

    def are(self, *statuses: Status) -> Flags:
        """Mark those of some statuses."""
        wanted: Flags = np.array([status in statuses for status in STATUSES])[self.statuses]
        return wanted


@dataclass(frozen=True, kw_only=True)
class DeploymentColumns:
    """Deployments as rules D1 to D5 mean them: one or several records each, judged.

    `identities` tell the same thing deployed again: its commit, else its version.
    `first` has no predecessor and ships nothing counted; `removed` is the identity of what a
    rollback took away; `ships` where the changes in it are known and count. `key` is the source's
    id of the record that made it complete; repeats may have come later. The columns of records are
    by deployment, whose positions are `record_of`.
    """

    ids: Ints
    keys: Texts
    kinds: Ints
    started_at: Ints
    finished_at: Ints
    commits: Ints
    identities: Ints
    rolled_back: Flags
    first: Flags
    removed: Ints
    planned: Ints
    hotfix: Flags
    ships: Flags
    unplanned: Ints
    record_of: Ints
    record_ids: Ints
    record_keys: Texts
    record_environments: Ints

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, at: int) -> Deployed:
        """One of them by itself."""
        found = self._looked_at.get(at)
        if found is None:
            found = self._looked_at[at] = self._row(at)
        return found

    @cached_property
    def _looked_at(self) -> dict[int, Deployed]:
        return {}

    def _row(self, at: int) -> Deployed:
        begin, end = self._starts[at : at + 2]
        return Deployed(
            key=self.keys[at],
            kind=KINDS[self.kinds[at]],
            began_at=int(self.began_at[at]),
            finished_at=int(self.finished_at[at]),
            commit=int(self.commits[at]),
            identity=int(self.identities[at]),
            environments=frozenset(self.record_environments[begin:end].tolist()),
            rolled_back=bool(self.rolled_back[at]),
            first=bool(self.first[at]),
            removed=int(self.removed[at]),
        )

    @cached_property
    def _starts(self) -> list[int]:
        """The first record of each, and at last the end of all of them."""
        starts: list[int] = np.searchsorted(self.record_of, np.arange(len(self) + 1)).tolist()
        return starts

    @cached_property
    def began_at(self) -> Ints:
        """Their starts; where one is unknown, its finish."""
        return np.where(self.started_at == MISSING, self.finished_at, self.started_at)

    @cached_property
    def by_record(self) -> Mapping[str, int]:
        """The positions of deployments by the keys of their records."""
        return dict(zip(self.record_keys.tolist(), self.record_of.tolist(), strict=True))

    def are(self, kind: Kind) -> Flags:
        """Mark those of a kind."""
        wanted: Flags = self.kinds == kind_code(kind)
        return wanted

    def of(self, kind: Kind) -> list[int]:
        """The positions of those of a kind."""
        positions: list[int] = np.flatnonzero(self.are(kind)).tolist()
        return positions

    def same_as(self, at: int) -> list[int]:
        """The positions of those of the same commit or version, in order."""
        positions: list[int] = np.flatnonzero(self.identities == self.identities[at]).tolist()
        return positions

    def then(self, others: "DeploymentColumns") -> "DeploymentColumns":
        """These, and others after them."""
        columns = {
            one.name: np.concatenate([getattr(self, one.name), getattr(others, one.name)])
            for one in fields(self)
        }
        columns["record_of"][len(self.record_of) :] += len(self)
        return DeploymentColumns(**columns)
