"""Walks over graphs of any shape, with circles and octopus merges, against the plain meaning."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiers import law

from vpemetrics.lineage.graph import NEVER, Graph, MainLine, linked
from vpemetrics.lineage.rows import NONE

Parents = Mapping[int, Sequence[int]]
UNCOLLECTED = 99


def graph_of(parents: Parents) -> Graph:
    """A graph of commits with any number of parents, some of which were not collected."""
    padded = {commit: [*of, NONE, NONE] for commit, of in sorted(parents.items())}
    ids = np.array(list(padded), dtype=np.int64)
    first, second = (
        linked(ids, np.array([of[at] for of in padded.values()], dtype=np.int64)) for at in range(2)
    )
    return Graph(
        ids,
        first,
        second,
        {commit: of[2:] for commit, of in parents.items() if len(of) > 2},
    )


def reach(parents: Parents, tip: int) -> set[int]:
    """The commits that are reachable from one, itself among them."""
    seen: set[int] = set()
    todo = [tip]
    while todo:
        commit = todo.pop()
        if commit in parents and commit not in seen:
            seen.add(commit)
            todo += parents[commit]
    return seen


@st.composite
def graphs(draw: st.DrawFn) -> Parents:
    """Commits with some of the others, later ones too, as parents."""
    count = draw(st.integers(0, 12))
    anything = st.sampled_from([*range(count), UNCOLLECTED])
    line = {number: [number - 1] if number else [] for number in range(count)}
    odd = draw(
        st.dictionaries(st.sampled_from(range(count)), st.lists(anything, max_size=4))
        if count
        else st.just({})
    )
    return line | odd


@law(60, soak=20_000)
@given(graphs(), st.data())
def test_the_first_tip_that_reaches_a_commit_is_found_by_every_walk(
    parents: Parents, data: st.DataObject
) -> None:
    graph = graph_of(parents)
    tip = st.sampled_from([*range(len(parents)), NONE])
    tips = data.draw(st.lists(tip, max_size=8))
    others = data.draw(st.lists(tip, max_size=3))
    reached = [reach(parents, tip) for tip in tips]
    expected = [
        next((at for at, commits in enumerate(reached) if commit in commits), NEVER)
        for commit in range(len(parents))
    ]

    assert graph.first_reached(tips).tolist() == expected
    assert graph.first_reached(tips, few=0).tolist() == expected
    assert MainLine(graph, [*tips, *others]).first_reached(tips).tolist() == expected
    assert MainLine(graph, others).first_reached(tips).tolist() == expected


@law(40, soak=20_000)
@given(graphs(), st.data())
def test_a_commit_contains_what_is_reachable_from_it(parents: Parents, data: st.DataObject) -> None:
    graph = graph_of(parents)
    tips = data.draw(st.lists(st.sampled_from(range(len(parents))), max_size=6)) if parents else []
    reached = graph.first_reached(tips).tolist()
    known = [commit for commit in range(len(parents)) if reached[commit] < NEVER]

    assert all(
        graph.contains(commit, ancestor, reached) == (ancestor in reach(parents, commit))
        for commit in known
        for ancestor in known
    )


@pytest.mark.parametrize(
    ("parents", "tips", "line"),
    [
        ({}, [], []),
        ({}, [NONE], []),
        ({0: []}, [0], [0]),
        ({0: [], 1: [0], 2: [0], 3: [1, 2]}, [2, 3], [0, 1, 3]),
        ({0: [1], 1: [0], 2: [1]}, [2], [0, 1, 2]),  # two that are each other's parents
        ({0: [], 1: [0], 2: [1], 3: [UNCOLLECTED]}, [3, 2], [0, 1, 2]),
    ],
)
def test_the_longest_line_of_first_parents_is_the_main_one(
    parents: Parents, tips: list[int], line: list[int]
) -> None:
    assert graph_of(parents).longest_line(tips) == line


def test_cuts_are_where_a_parent_was_not_collected() -> None:
    graph = graph_of({0: [], 1: [UNCOLLECTED], 2: [0, UNCOLLECTED], 3: [2, 1]})

    assert graph.cut.tolist() == [1, 2]
    assert graph.is_merge.tolist() == [False, False, True, True]
