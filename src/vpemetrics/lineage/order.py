"""The order of records: in time, and which of them is before which."""

from typing import Any

import numpy as np
import numpy.typing as npt

from vpemetrics.lineage.graph import Ints
from vpemetrics.lineage.rows import NONE

Texts = npt.NDArray[Any]
"""Texts as Python has them, None where there is none."""


def time_order(times: Ints, keys: Texts, ids: Ints) -> Ints:
    """The positions of records in order: by time, ties by key.

    Keys are texts, which take long to sort, so only those of ties are looked at.
    """
    order = np.argsort(times, kind="stable")
    same = np.diff(times[order]) == 0
    if not same.any():
        return order
    tied = order[np.r_[False, same] | np.r_[same, False]]
    rank = np.zeros(len(times), dtype=np.int64)
    rank[sorted(tied.tolist(), key=lambda at: (keys[at], int(ids[at])))] = np.arange(len(tied))
    in_order: Ints = order[np.lexsort((rank[order], times[order]))]
    return in_order


def several(values: Ints) -> Ints:
    """The positions of values that are there more than once."""
    order = np.argsort(values, kind="stable")
    same = np.diff(values[order]) == 0
    marked = (np.r_[False, same] | np.r_[same, False])[: len(order)]
    positions: Ints = np.sort(order[marked])
    return positions


def before_each(places: Ints) -> Ints:
    """For each of some records the one before it in the same place, NONE for the first."""
    order = np.argsort(places, kind="stable")
    before = np.full(len(order), NONE, dtype=np.int64)
    same = np.flatnonzero(np.diff(places[order]) == 0)
    before[order[same + 1]] = order[same]
    return before
