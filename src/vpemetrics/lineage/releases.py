"""The commits and pull requests that do nothing but make a release, and light tags (rule C5)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vpemetrics.lineage.graph import Flags, Ints
from vpemetrics.lineage.order import Texts
from vpemetrics.lineage.ownership import Ownership
from vpemetrics.lineage.rows import NONE
from vpemetrics.release_titles import names_version


@dataclass(frozen=True, kw_only=True)
class TaggedCommits:
    """The commits, by id, whose tags or releases were deployments, and their versions.

    `light` marks tags that have no time of their own, `named` commits whose title names the
    version.
    """

    commits: Ints
    versions: Texts
    light: Flags
    named: Flags

    def take(self, rows: Flags) -> "TaggedCommits":
        """Some of them."""
        return TaggedCommits(
            commits=self.commits[rows],
            versions=self.versions[rows],
            light=self.light[rows],
            named=self.named[rows],
        )

    def owners(self, ownership: Ownership) -> Ints:
        """The positions of the pull requests that they belong to, or NONE."""
        return ownership.owner[ownership.places.find(self.commits)]


@dataclass(frozen=True, kw_only=True)
class Releases:
    """The changes of a history that only make a release; commits are marked by place.

    `changes` marks pull requests by position, `commits` direct ones, `light` those of light tags.
    """

    changes: Flags
    commits: Flags
    light: Flags


def find_releases(
    ownership: Ownership, tagged: TaggedCommits, titles: Mapping[int, str | None]
) -> Releases:
    """The releases' own changes, of which titles tell: of pull requests `titles` has them by id."""
    changes = np.zeros(len(ownership.changes), dtype=bool)
    commits, light = (np.zeros(len(ownership.places) + 1, dtype=bool) for _ in range(2))
    places, owners = ownership.places.find(tagged.commits), tagged.owners(ownership)
    is_direct = owners == NONE
    commits[ownership.roots[places[is_direct & tagged.named]]] = True
    light[places[tagged.light]] = True
    alone = ownership.own_counts <= 1
    for at in np.flatnonzero(~is_direct).tolist():
        owner, named = int(owners[at]), bool(tagged.named[at])
        title = titles.get(int(ownership.changes.ids[owner]))
        # A commit speaks for its pull request where it is all of it, or where nothing else does.
        is_all = alone[owner] or (title is None and places[at] == ownership.merges[owner])
        changes[owner] |= (named and is_all) or names_version(title, tagged.versions[at])
    commits[-1] = light[-1] = False  # that of what nobody knows
    return Releases(changes=changes, commits=commits, light=light)
