"""From records of runs to deployments (rule D3).

Nearly all are one record alone. Only where several are of the same thing each is looked at.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from vpemetrics.lineage.deployments import STATUSES, DeploymentRecords
from vpemetrics.lineage.graph import Flags, Ints
from vpemetrics.lineage.order import before_each, several, time_order
from vpemetrics.lineage.rows import NONE
from vpemetrics.records import Status
from vpemetrics.window import MINUTE

TOGETHER: Final = 60 * MINUTE


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """Records that are live, in order of finish, and the deployments that they form.

    `of` has for each record the position of its deployment. The first in each environment is a
    part of that, others are repeats there. `last` are the records, by deployment, that made it
    complete. `identities` tell by record whether the same thing was deployed.
    """

    records: DeploymentRecords
    identities: Ints
    of: Ints
    is_part: Flags
    last: Ints

    def __len__(self) -> int:
        return len(self.last)

    @property
    def firsts(self) -> Ints:
        """The first record of each deployment."""
        firsts = np.empty(len(self), dtype=np.int64)
        firsts[self.of[::-1]] = np.arange(len(self.of))[::-1]
        return firsts


def group(records: DeploymentRecords) -> Grouping:
    """The deployments that production records form, in order of finish (rule D3).

    A repeat in one environment within an hour of the first there is the same deployment, unless
    something else was deployed there between, and so is a further version of one commit, where
    versions are deployments, whenever it comes; so is the same thing in other environments, each
    within an hour of the one before, at the last one's time.
    """
    records = records.take(time_order(records.finished_at, records.keys, records.ids))
    count = len(records)
    leaders, last = np.arange(count), np.arange(count)
    is_part = np.ones(count, dtype=bool)
    identities = _identities(records)
    for home in _homes(records, identities):
        leaders[home.records] = home.leader
        is_part[home.repeats] = False
        last[home.leader] = home.last
    own = np.flatnonzero(leaders == np.arange(count))
    own = own[np.argsort(last[own], kind="stable")]
    position = np.empty(count, dtype=np.int64)
    position[own] = np.arange(len(own))
    return Grouping(
        records=records,
        identities=identities,
        of=position[leaders],
        is_part=is_part,
        last=last[own],
    )


class _Home:
    """The records, by position, that are one deployment: `firsts` by environment, and repeats."""

    def __init__(self, at: int) -> None:
        self.leader = self.last = at
        self.records: list[int] = []
        self.firsts: dict[int, int] = {}
        self.repeats: list[int] = []

    def add(self, at: int, environment: int) -> None:
        """Take in a record that finished after those that are here."""
        self.records.append(at)
        if environment in self.firsts:
            self.repeats.append(at)
        else:
            self.firsts[environment] = self.last = at


def _homes(records: DeploymentRecords, identities: Ints) -> Iterable[_Home]:
    """The deployments that records of the same thing form, if they ended alike."""
    # A commit's id has two bits less than an integer: one is left for how it ended.
    what = identities * 2 + records.are(Status.ROLLED_BACK)
    before = before_each(records.environments).tolist()
    newest: dict[int, _Home] = {}
    home_of: dict[int, _Home] = {}
    for at in several(what).tolist():
        same, home = int(what[at]), newest.get(int(what[at]))
        undisturbed = home_of.get(before[at]) is home
        if home is None or not _joins(records, at, home, undisturbed=undisturbed):
            home = newest[same] = _Home(at)
        home.add(at, int(records.environments[at]))
        home_of[at] = home
    return dict.fromkeys(home_of.values())


def _joins(records: DeploymentRecords, at: int, home: _Home, *, undisturbed: bool) -> bool:
    """Tell whether a record is of a deployment that is `undisturbed` by others in its place."""
    first, finished_at = home.firsts.get(int(records.environments[at])), records.finished_at
    if first is None:
        return bool(finished_at[at] - finished_at[home.last] <= TOGETHER)
    if records.are_versions[at] and records.are_versions[first] and records.commits[at] != NONE:
        return True
    if STATUSES[records.statuses[at]] == Status.ROLLED_BACK:  # its rollback lies between the two
        return False
    return undisturbed and bool(finished_at[at] - finished_at[first] <= TOGETHER)


def _identities(records: DeploymentRecords) -> Ints:
    """The identity of what was deployed: the commit, else the version, else this very record."""
    what = records.commits.copy()
    versions: dict[str, int] = {}
    for at in np.flatnonzero(what == NONE).tolist():
        version = records.versions[at]
        alone = NONE - 1 - 2 * at
        what[at] = alone if version is None else versions.setdefault(version, alone - 1)
    return what
