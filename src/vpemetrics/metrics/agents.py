"""Agents and marks (rules C3, C7 and S5). Pure functions.

All of it is withheld for a scope with fewer than three human authors in the window (rule G3).
"""

from typing import Final

from vpemetrics.metrics import dora
from vpemetrics.metrics.facts import Slice
from vpemetrics.metrics.figures import Figure
from vpemetrics.metrics.flow import AUTHORS_NEEDED, NO_CHANGES, WITHHELD, human_authors
from vpemetrics.metrics.table import Mask, Table, is_one_of

_NO_ARRIVALS: Final = (
    "first_deployment",
    "unknown_commit",
    "automation",
    *NO_CHANGES,
)
AT_LEAST: Final = "at least: who did not say so is not known"


def written(cut: Slice) -> Table:
    """The changes of people and agents that were shipped in the window."""
    changes = cut.changes
    left_out = is_one_of(changes["reason"], _NO_ARRIVALS)
    return changes.where(~left_out & ~is_one_of(changes["author_kind"], ("automation",)))


def by_agents(changes: Table) -> Mask:
    """Mark the changes that an agent wrote."""
    return is_one_of(changes["author_kind"], ("agent",))


def agent_changes(cut: Slice) -> Figure:
    """Changes that an agent wrote, of those by people and agents that were shipped (rule S5)."""
    changes = written(cut)
    return _count(cut, "agent_changes", changes, by_agents(changes))


def marked_changes(cut: Slice) -> Figure:
    """Changes of which a trailer names a tool, of those of people and agents (rule S5).

    A lower bound: a trailer says that a tool was used, and none says that none was.
    """
    changes = written(cut)
    return _count(cut, "marked_changes", changes, changes["marked"], note=AT_LEAST)


def _count(cut: Slice, metric: str, changes: Table, those: Mask, note: str | None = None) -> Figure:
    if human_authors(changes) < AUTHORS_NEEDED:
        return dora.figure(cut, metric, None, note=WITHHELD)
    k = int(those.sum())
    return dora.figure(cut, metric, k, k=k, n=len(changes), note=note)
