"""Whose commits are whose, on columns: edges that made-up organisations seldom have."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from vpemetrics.lineage.changes import Changes, IdLists, merge_order
from vpemetrics.lineage.commits import Commits
from vpemetrics.lineage.graph import NEVER, Graph, Ints, linked
from vpemetrics.lineage.ownership import Ownership, assign_owners
from vpemetrics.lineage.rows import NONE, PERSON
from vpemetrics.window import MISSING


def numbers(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def commits_of(parents: Mapping[int, Sequence[int]], **few: Any) -> Commits:
    """Commits by id with their parents, authored in the order of their ids."""
    ids = sorted(parents)
    padded = [[*parents[id_], NONE, NONE] for id_ in ids]
    dates = few.pop("authored_at", {})
    return Commits(
        ids=numbers(ids),
        first=linked(numbers(ids), numbers([of[0] for of in padded])),
        second=linked(numbers(ids), numbers([of[1] for of in padded])),
        authored_at=numbers([dates.get(id_, id_) for id_ in ids]),
        committed_at=numbers(ids),
        authors=numbers([MISSING] * len(ids)),
        author_kinds=numbers([PERSON] * len(ids)),
        marked=np.zeros(len(ids), dtype=bool),
        others={id_: tuple(of[2:]) for id_, of in parents.items() if len(of) > 2},
        reverts=few.get("reverts", {}),
        picked_from=few.get("picked_from", {}),
    )


def changes_of(*listed: tuple[int, Sequence[int]], proposed: Sequence[int] = ()) -> Changes:
    """Pull requests in order of merge: what each was merged as, and what it lists."""
    count = len(listed)
    return Changes(
        ids=np.arange(1, count + 1),
        keys=[f"#{number}" for number in range(1, count + 1)],
        authors=numbers([MISSING] * count),
        author_kinds=numbers([0] * count),
        marked=np.zeros(count, dtype=bool),
        first_commit_at=numbers([MISSING] * count),
        merged_at=np.arange(count),
        merge_commits=numbers([merged_as for merged_as, _ in listed]),
        lists=IdLists(
            counts=numbers([len(ids) for _, ids in listed]),
            ids=numbers([id_ for _, ids in listed for id_ in ids]),
        ),
        other_branches=numbers([NONE] * count),
        proposed=numbers(proposed),
    )


def sort_out(commits: Commits, changes: Changes) -> Ownership:
    graph = Graph(commits.ids, commits.first, commits.second, commits.others)
    return assign_owners(graph, commits, changes)


def owners(ownership: Ownership) -> dict[int, int]:
    """The number of the pull request of each commit that has one."""
    found = {int(id_): ownership.owner_of(int(id_)) + 1 for id_ in ownership.places.ids}
    return {id_: number for id_, number in found.items() if number}


LINE = {10: [], 11: [10], 12: [11], 13: [12]}


@pytest.mark.parametrize(
    ("commits", "changes", "expected"),
    [
        ({}, [], {}),
        ({10: []}, [], {}),
        # nothing was collected: two that list the same commit, and one that was merged as it
        ({}, [(NONE, [7]), (NONE, [7, 8]), (8, [])], {7: 1, 8: 2}),
        # merged as what nobody knows, listing nothing
        (LINE, [(99, []), (NONE, [])], {99: 1}),
        # the earliest that lists or was merged as it
        (LINE, [(12, []), (13, [12, 13])], {12: 1, 13: 2}),
        # twice in one list
        (LINE, [(13, [12, 12, 13])], {12: 1, 13: 1}),
        # a merge without a list brought what is not on the main line before it
        ({**LINE, 20: [10], 21: [20], 30: [13, 21]}, [(30, [])], {20: 1, 21: 1, 30: 1}),
        # an octopus brought both branches
        (
            {**LINE, 20: [10], 21: [10], 30: [13, 20, 21]},
            [(30, [])],
            {20: 1, 21: 1, 30: 1},
        ),
        # two that were merged as one
        ({**LINE, 20: [10], 30: [13, 20]}, [(30, []), (30, [])], {20: 1, 30: 1}),
    ],
)
def test_a_commit_belongs_to_the_first_that_claims_it(
    commits: dict[int, list[int]],
    changes: list[tuple[int, list[int]]],
    expected: dict[int, int],
) -> None:
    assert owners(sort_out(commits_of(commits), changes_of(*changes))) == expected


def test_copies_of_a_rebase_are_found_for_all_pull_requests_in_lock_step() -> None:
    graph = {1: [], 2: [1], 3: [2], 4: [3], 5: [4], 11: [], 12: [11], 13: [], 14: [13], 15: [14]}
    dates = {2: 100, 3: 101, 4: 200, 5: 201, 11: 100, 12: 101, 13: 7, 14: 200, 15: 201}
    commits = commits_of(graph, authored_at=dates)

    found = sort_out(commits, changes_of((3, [11, 12]), (5, [13, 14, 15])))

    # of the second the first copy would be 3, whose date is another
    assert owners(found) == {2: 1, 3: 1, 11: 1, 12: 1, 4: 2, 5: 2, 13: 2, 14: 2, 15: 2}


@pytest.mark.parametrize(
    ("picked_from", "changes", "expected", "roots", "empty"),
    [
        # a pick of a pick of a pull request's commit
        ({12: 11, 13: 12}, [(11, [11]), (13, [13])], {11: 1, 12: 1, 13: 1}, {}, [2]),
        # of nobody's commit: the pull request that lists it has nothing left
        ({13: 11}, [(13, [13])], {}, {13: 11}, [1]),
        # of what was not collected but is somebody's, or nobody's
        ({13: 7}, [(NONE, [7]), (13, [13])], {7: 1, 13: 1}, {}, [2]),
        ({13: 7}, [(13, [13])], {13: 1}, {}, []),
        # of itself, and in a circle
        ({13: 13}, [(13, [13])], {13: 1}, {}, []),
        ({12: 13, 13: 12}, [(13, [13])], {12: 1, 13: 1}, {}, []),
    ],
)
def test_cherry_picks_are_handed_over_to_whose_they_were_picked_from(
    picked_from: dict[int, int],
    changes: list[tuple[int, list[int]]],
    expected: dict[int, int],
    roots: dict[int, int],
    empty: list[int],
) -> None:
    found = sort_out(commits_of(LINE, picked_from=picked_from), changes_of(*changes))

    assert owners(found) == expected
    assert {id_: root for id_ in LINE if (root := found.root_of(id_)) != id_} == roots
    assert found.changes.ids[found.empty].tolist() == empty


def test_what_is_undecided_stays_so_for_picks_of_it() -> None:
    commits = commits_of(LINE, picked_from={13: 12})
    found = sort_out(commits, changes_of(proposed=[12, 7]))

    assert [id_ for id_ in (*LINE, 7) if found.is_undecided(id_)] == [12, 13, 7]
    assert found.graph.ids[found.direct_candidates].tolist() == [10, 11]


def test_a_later_pull_request_carries_on_what_it_lists_all_of() -> None:
    changes = changes_of((12, [11]), (NONE, [20, 21]), (13, [12, 20]), (NONE, [20, 21, 11]))

    assert sort_out(commits_of(LINE), changes).carriers == [(0, 2), (0, 3), (1, 3)]


def test_a_revert_of_a_revert_is_none() -> None:
    commits = commits_of(LINE, reverts={11: (10,), 12: (11,), 13: (99,)})
    found = sort_out(commits, changes_of((11, [11])))

    # the first by a pull request of a direct commit; the last of what nobody knows
    assert [(by.position, of.position) for by, of in found.reverts] == [(0, NONE), (NONE, NONE)]


def test_pull_requests_that_were_merged_at_one_moment_go_by_key() -> None:
    ids, merged_at = numbers([1, 2, 3, 4, 5]), numbers([9, MISSING, 9, 3, 9])

    order = merge_order(ids, np.array(["b", "z", "a", "y", "b"], dtype=object), merged_at)

    assert ids[order].tolist() == [4, 3, 1, 5]
    assert merge_order(ids[:0], ids[:0], ids[:0]).tolist() == []


def test_the_largest_and_smallest_of_no_commits_are_what_was_asked_for() -> None:
    found = sort_out(commits_of(LINE), changes_of((13, [12, 13]), (NONE, [])))
    values = np.arange(len(found.places) + 1)

    assert found.most_of_own(values, NEVER).tolist() == [3, NEVER]
    assert found.least_of_own(values, NEVER).tolist() == [2, NEVER]
