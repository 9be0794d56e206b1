"""History that a merge brought in from elsewhere (rule C6).

A repository begins at the root of its main line. What does not descend from it was another
repository's, until a merge took it in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from vpemetrics.lineage.graph import Flags, Graph, Ints


@dataclass(frozen=True, kw_only=True)
class Imports:
    """Commits by place: those that merges brought in from elsewhere, and these merges."""

    history: Flags
    merges: Ints


def find_imports(graph: Graph, tips: Iterable[int]) -> Imports:
    """The imported history of repositories whose newest commits are known, by place.

    There is none where the main line of one of them is cut: where it begins is not known then.
    """
    history = np.zeros(len(graph), dtype=bool)
    begins = [graph.first_parents(tip)[-1] for tip in tips]
    others = np.setdiff1d(graph.roots, begins)
    if not begins or not len(others) or not np.isin(begins, graph.roots).all():
        return Imports(history=history, merges=np.empty(0, dtype=np.int64))
    elsewhere, merges = _grown_elsewhere(graph, others.tolist())
    todo = [parent for merge in merges for parent in graph.parents_of(merge)]
    while todo:
        at = todo.pop()
        if at in elsewhere and not history[at]:
            history[at] = True
            todo.extend(graph.parents_of(at))
    return Imports(history=history, merges=np.array(merges, dtype=np.int64))


def _grown_elsewhere(graph: Graph, roots: Sequence[int]) -> tuple[set[int], list[int]]:
    """The descendants of some roots and of nothing else, and the merges of these with the rest."""
    cut, children = frozenset(graph.cut.tolist()), graph.children_of
    elsewhere, todo = set(roots), list(roots)
    left: dict[int, int] = {}
    while todo:
        for child in children(todo.pop()):
            left[child] = left.get(child, len(graph.parents_of(child)) + (child in cut)) - 1
            if not left[child]:
                elsewhere.add(child)
                todo.append(child)
    return elsewhere, sorted(child for child, others in left.items() if others)
