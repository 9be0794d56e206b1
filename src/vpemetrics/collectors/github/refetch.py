"""Things asked for by their ids: what was open, and what GitHub left something out of."""

from collections.abc import Sequence
from dataclasses import dataclass

from vpemetrics.collectors.github import queries
from vpemetrics.collectors.github.asking import Asking
from vpemetrics.collectors.github.parse.naming import Node
from vpemetrics.collectors.github.problems import Gone, TooHeavy


@dataclass(frozen=True, kw_only=True)
class Refetched:
    """What is behind some ids; the ids of what is `partial` again, and of what is `gone`."""

    nodes: tuple[Node, ...] = ()
    partial: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()

    def __or__(self, other: "Refetched") -> "Refetched":
        return Refetched(
            nodes=(*self.nodes, *other.nodes),
            partial=self.partial | other.partial,
            gone=self.gone | other.gone,
        )


def ask_again(asking: Asking, ids: Sequence[str]) -> Refetched:
    """What is behind some ids, half of them at a time where that is too heavy."""
    try:
        answer = asking.query(queries.AGAIN, {"ids": list(ids)}, halves=len(ids) > 1)
    except Gone:
        return Refetched(gone=frozenset(ids))
    except TooHeavy:
        if len(ids) == 1:
            raise
        half = len(ids) // 2
        return ask_again(asking, ids[:half]) | ask_again(asking, ids[half:])
    given = answer.data.get("nodes") or [None] * len(ids)
    missing = [
        (ids[one.path[1]], one)
        for one in answer.missing
        if len(one.path) > 1 and one.path[0] == "nodes" and isinstance(one.path[1], int)
    ]
    return Refetched(
        nodes=tuple(one for one in given if one),
        partial=frozenset(id_ for id_, one in missing if len(one.path) > 2),
        gone=frozenset(
            id_ for id_, one in missing if len(one.path) == 2 and one.kind == "NOT_FOUND"
        ),
    )
