"""Commits whose parents go in circles, as no git would tell them: every walk ends."""

from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pytest
from stored import derive

from vpemetrics.lineage.graph import NEVER, Graph, MainLine
from vpemetrics.records import AnyRecord, Change, Commit, Deployment, Status
from vpemetrics.rules import Rules

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize("seed", range(50))
def test_every_walk_over_a_graph_ends(seed: int) -> None:
    dice, count = Random(seed), 12
    ids = np.arange(count)
    first, second = (np.array([dice.randrange(-1, count) for _ in ids]) for _ in range(2))
    others = {3: [dice.randrange(count)]}
    graph = Graph(ids, first, second, others)

    reached = graph.first_reached([5, 0, 11])
    lines = [graph.first_parents(tip) for tip in range(count)]
    known = np.flatnonzero(reached < NEVER).tolist()

    assert all(len(set(line)) == len(line) for line in lines)
    held = [commit for commit in known if reached[commit] == 0]
    assert all(graph.contains(5, ancestor, reached.tolist()) for ancestor in held)
    assert MainLine(graph, [7, 0, 2]).first_reached([5, 0, 11]).tolist() == reached.tolist()


def sha(number: int) -> str:
    return f"{number:040x}"


def at(number: int) -> datetime:
    return BEGIN + timedelta(hours=number)


def history(parents: dict[int, tuple[int, ...]]) -> list[AnyRecord]:
    """Commits with the parents given, a deployment and a pull request of each."""
    records: list[AnyRecord] = []
    for number, of in parents.items():
        records += [
            Commit(
                sha=sha(number),
                repository="acme/shop",
                parents=tuple(map(sha, of)),
                authored_at=at(number),
                committed_at=at(number),
                picked_from_sha=sha(of[0]),
                reverts_sha=(sha(of[-1]),),
            ),
            Deployment(
                id=f"d{number}",
                service="shop",
                repository="acme/shop",
                environment="production",
                status=Status.SUCCEEDED,
                commit_sha=sha(number),
                finished_at=at(number) + timedelta(minutes=30),
            ),
            Change(
                id=f"c{number}",
                repository="acme/shop",
                number=number,
                merged_at=at(number),
                merge_commit_sha=sha(number),
                commit_shas=(sha(of[0]), sha(number)),
            ),
        ]
    return records


CIRCLES = {
    "its own parent": {1: (1,), 2: (1,)},
    "two of each other": {1: (2,), 2: (1,), 3: (2,)},
    "a long one": {number: (number % 9 + 1,) for number in range(1, 10)},
    "through a merge": {1: (3,), 2: (1,), 3: (2, 1), 4: (3, 2)},
    "merged twice": {1: (2, 2), 2: (1, 1), 3: (1, 2)},
}


@pytest.mark.parametrize("parents", CIRCLES.values(), ids=CIRCLES)
def test_what_shipped_is_found_all_the_same(parents: dict[int, tuple[int, ...]]) -> None:
    derived = derive(history(parents), Rules())

    assert sum(map(len, derived.deployments.values())) == len(parents)
