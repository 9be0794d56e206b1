"""Commits as columns, and the paths that they touch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from vpemetrics.lineage.graph import Flags, Ints


class Commits(NamedTuple):
    """Commits as columns, in the order of their ids; those few that name others by id.

    `first` and `second` are the places of parents: NONE for none, LOST for what is not here.
    `authors` are keys, MISSING for none, `author_kinds` places in AUTHOR_KINDS; of `marked` ones
    trailers name a tool.
    """

    ids: Ints
    first: Ints
    second: Ints
    authored_at: Ints
    committed_at: Ints
    authors: Ints
    author_kinds: Ints
    marked: Flags
    others: dict[int, tuple[int, ...]]
    reverts: dict[int, tuple[int, ...]]
    picked_from: dict[int, int]


def _no_ids() -> Ints:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class TouchedPaths:
    """The paths that commits touch, of those of which they are known.

    Many commits touch the same: `lists` has each set of paths once, `which` says whose it is.
    """

    ids: Ints = field(default_factory=_no_ids)
    which: Ints = field(default_factory=_no_ids)
    lists: Sequence[tuple[str, ...]] = ()

    def touching(self, belongs: Callable[[str], bool]) -> Flags:
        """Tell of each of these commits whether it touches a path that belongs somewhere."""
        touching = [any(map(belongs, paths)) for paths in self.lists]
        return np.array(touching, dtype=bool)[self.which]
