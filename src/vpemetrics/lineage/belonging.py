"""The changes of a history sorted among services with path patterns (rules D6 and C2)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vpemetrics.lineage.commits import TouchedPaths
from vpemetrics.lineage.graph import Flags, Ints, find
from vpemetrics.lineage.ownership import Listing, Ownership


@dataclass(frozen=True, kw_only=True)
class Mine:
    """A service's part of a history, by position and by place.

    `changes` tells of each pull request whether it is the service's, `touching` of each commit
    whether it may touch its paths; `commits` are direct ones.
    """

    changes: Flags
    commits: Ints
    touching: Flags


@dataclass(frozen=True, kw_only=True)
class Belonging:
    """The changes of a history, and whose they are by the paths they touch.

    One commit that touches the paths is enough; one of unknown paths is taken to touch them.
    """

    ownership: Ownership
    paths: TouchedPaths

    def of(self, belongs: Callable[[str], bool] | None) -> Mine:
        """The part that is a service's by a test of its paths; all of it without one."""
        ownership, direct = self.ownership, self.ownership.direct_candidates
        count = len(ownership.changes)
        touching = np.ones(len(ownership.places) + 1, dtype=bool)
        if belongs is None:
            return Mine(changes=np.ones(count, dtype=bool), commits=direct, touching=touching)
        touching[self._known] = self.paths.touching(belongs)[self._are_collected]
        shown = self._shown
        shows = np.bincount(shown.changes, minlength=count)
        mine = np.bincount(shown.changes, weights=touching[shown.commits], minlength=count)
        return Mine(
            changes=(mine > 0) | (shows == 0), commits=direct[touching[direct]], touching=touching
        )

    @cached_property
    def _known(self) -> Ints:
        """The places of the commits whose paths are known."""
        return find(self.ownership.graph.ids, self.paths.ids)[self._are_collected]

    @cached_property
    def _are_collected(self) -> Flags:
        return find(self.ownership.graph.ids, self.paths.ids) >= 0

    @cached_property
    def _shown(self) -> Listing:
        """The commits that show the content of each pull request.

        Its original ones, or the one it landed as where these do not tell all paths.
        """
        ownership, count = self.ownership, len(self.ownership.changes)
        graph, merges, places = ownership.graph, ownership.merges, ownership.places
        tells = np.zeros(len(places) + 1, dtype=bool)
        tells[self._known] = True
        own = ownership.own.where(ownership.own.commits < len(graph))
        collected = np.bincount(own.changes, minlength=count)
        silent = np.bincount(own.changes, weights=~tells[own.commits], minlength=count) > 0
        lands = merges < len(graph)
        lands[lands] = ~graph.is_merge[merges[lands]]
        instead = lands & ((collected == 0) | (silent & tells[merges]))
        kept = own.where(~instead[own.changes])
        landed = np.flatnonzero(instead)
        return Listing(
            changes=np.concatenate([kept.changes, landed]),
            commits=np.concatenate([kept.commits, merges[landed]]),
        )
