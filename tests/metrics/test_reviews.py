"""Agents, marks and reviews (rules S3 to S5)."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from builders import at
from measuring import BEGIN, END, collected, cutting, measure, shipping, weeks

from vpemetrics.metrics.registry import METRICS
from vpemetrics.records import AnyRecord, AuthorKind, Change, Commit, Coverage, CoverageKind

# Six by three people, three by an agent, one by automation.
HISTORY = """
    Tue 10:00 2h ann
    Tue 10:00 2h ben
    Tue 10:00 2h cyd
    Wed 10:00 2h ann
    Wed 10:00 2h ann
    Wed 10:00 2h ben
    Wed 10:00 2h agent
    Thu 10:00 2h agent
    Thu 10:00 2h agent
    Thu 10:00 2h bot
"""
OF_REVIEWS = ("shipped_without_review", "first_review_wait", "changes_waiting")
ALL = (CoverageKind.DEPLOYMENTS, CoverageKind.PULL_REQUESTS)


def history(
    reviewed: Iterable[int] = (), marked: Iterable[int] = (), table: str = HISTORY
) -> list[AnyRecord]:
    """The changes, some of them reviewed just before their merge, some marked by a commit."""
    first, named = {*reviewed}, {f"shop-{number}" for number in marked}
    return [
        replace(row, first_review_at=row.merged_at)
        if isinstance(row, Change) and row.number in first
        else replace(row, marks=("Claude",))
        if isinstance(row, Commit) and row.sha in commits_of(table, named)
        else row
        for row in shipping(table)
    ]


def commits_of(table: str, names: set[str]) -> set[str]:
    wanted = {
        row.merge_commit_sha
        for row in shipping(table)
        if isinstance(row, Change) and f"shop-{row.number}" in names
    }
    return {sha for sha in wanted if sha}


def covered(*kinds: CoverageKind) -> list[Coverage]:
    return collected(BEGIN, END, *kinds)


def test_changes_by_agents_are_counted_among_those_of_people_and_agents() -> None:
    found = measure("agent_changes", history())

    assert (found.value, found.k, found.n) == (3.0, 3, 9)


def test_a_change_is_marked_by_an_original_commit() -> None:
    found = measure("marked_changes", history(marked=[1, 7, 10]))

    assert (found.k, found.n) == (2, 9)  # the tenth is by automation
    assert "at least" in str(found.note)


@pytest.mark.parametrize(
    "metric",
    ["agent_changes", "marked_changes", "shipped_without_review", "first_review_wait"],
)
def test_what_tells_of_few_people_is_withheld(metric: str) -> None:
    few = history(table=HISTORY.replace("cyd", "ann"))

    found = measure(metric, [*few, *covered(*ALL, CoverageKind.REVIEWS)])

    assert (found.value, found.k, found.n) == (None, None, None)
    assert found.note == "withheld: fewer than 3 human authors"


def test_authors_of_commits_without_pull_requests_are_people_too() -> None:
    rows = [
        replace(row, author=f"{row.sha}@example.org") if isinstance(row, Commit) else row
        for row in shipping(HISTORY)
        if not isinstance(row, Change)
    ]

    assert measure("agent_changes", rows).n == 10


def test_changes_nobody_reviewed_before_the_merge_are_unreviewed() -> None:
    records = [*history(reviewed=[1, 2, 8]), *covered(*ALL, CoverageKind.REVIEWS)]

    found = measure("shipped_without_review", records)

    assert (found.k, found.n) == (6, 9)
    assert found.value == pytest.approx(6 / 9)


def test_a_review_after_the_merge_comes_too_late() -> None:
    late = [
        replace(row, first_review_at=at("Fri 10:00"))
        if isinstance(row, Change) and row.number == 1
        else row
        for row in history()
    ]

    found = measure("shipped_without_review", [*late, *covered(*ALL, CoverageKind.REVIEWS)])

    assert (found.k, found.n) == (9, 9)


@pytest.mark.parametrize("metric", OF_REVIEWS)
def test_without_a_review_source_nothing_is_known_of_reviews(metric: str) -> None:
    found = measure(metric, [*history(), *covered(*ALL)])

    assert (found.value, found.k, found.n, found.interval) == (None, None, None, None)
    assert found.note == "no review source"


def test_changes_that_no_review_source_covers_are_left_out() -> None:
    reviews = collected("Wed 00:00", END, CoverageKind.REVIEWS)

    found = measure("shipped_without_review", [*history(), *covered(*ALL), *reviews])

    assert (found.n, found.excluded) == (6, {"no_review_source": 3})


def ready(number: int, when: str, kind: AuthorKind = AuthorKind.PERSON, **moments: str) -> Change:
    told: dict[str, Any] = {name: at(text) for name, text in moments.items()}
    return Change(id=f"#w{number}", repository="shop", author_kind=kind, ready_at=at(when), **told)


WAITING = [
    *(
        ready(n, "Mon 10:00", first_review_at=f"Mon 1{n}:00", merged_at="Tue 09:00")
        for n in range(1, 7)
    ),
    ready(7, "Tue 10:00"),
    ready(8, "Tue 10:00", first_review_at="Tue 11:00"),
    ready(9, "Tue 10:00", closed_at="Wed 10:00"),
    ready(10, "Tue 10:00", AuthorKind.AUTOMATION),
]


def test_open_changes_and_those_ended_without_a_review_are_censored() -> None:
    records = [*history(), *WAITING, *covered(*ALL, CoverageKind.REVIEWS)]

    with cutting(records) as cut:
        found = METRICS["first_review_wait"].measure(cut)

    assert (found.n, found.beside["open"]) == (9, 2)  # the seventh and the ninth
    assert found.value == 4 * 3600  # 1, 1, 2, 3, 4 of nine are over by then


def test_open_changes_are_those_ready_now_and_how_many_wait_for_a_review() -> None:
    records = [*history(), *WAITING, *covered(*ALL, CoverageKind.REVIEWS)]

    found = measure("changes_waiting", records, weeks(2))

    assert (found.value, found.k, found.n) == (2.0, 1, 2)
