"""Changes with agents beside those without (rule S6)."""

from dataclasses import replace

import pytest
from builders import at
from measuring import BEGIN, END, collected, cutting, shipping, weeks

from vpemetrics.metrics.agent_groups import compare_groups, needed_for_doubling
from vpemetrics.records import AnyRecord, Change, Coverage, CoverageKind, Incident
from vpemetrics.reports.content import agent_comparison

LINES = "\n".join(
    f"{day}{week} 10:00 {took} {author}"
    for week in range(1, 5)
    for day, took, author in (
        ("Mon", "2h", "ann"), ("Tue", "2h", "ben"), ("Wed", "2h", "cyd"), ("Thu", "1h", "agent"),
        ("Fri", "8h", "dan"), ("Sat", "8h", "eve"), ("Sun", "8h", "fay"),
    )
)  # fmt: skip
WITH = ("ann", "ben", "cyd")


def history(*tools_of: str) -> list[AnyRecord]:
    """Four weeks of a change a day; those of some people name a tool."""
    rows = [
        replace(row, marks=("Claude",), additions=4, deletions=6)
        if isinstance(row, Change) and row.author in tools_of
        else row
        for row in shipping(LINES)
    ]
    kinds = (CoverageKind.DEPLOYMENTS, CoverageKind.INCIDENTS, CoverageKind.REVIEWS)
    return [*rows, *collected(BEGIN, END, *kinds)]


def test_changes_with_agents_stand_beside_unmarked_ones_of_people() -> None:
    began = at("Wed2 12:00")
    blamed = Incident(id="i", service=("shop",), detected_at=began, cause_change="shop#2")

    with cutting([*history(*WITH), blamed], weeks(4)) as cut:
        found = compare_groups(cut)

    assert found is not None
    rows = {row.metric: (row.assisted, row.people) for row in found.rows}
    assert [one.value for one in rows["change_lead_time"]] == [2 * 3600, 8 * 3600]
    assert [one.n for one in rows["change_lead_time"]] == [16, 12]
    assert [one.value for one in rows["changed_lines"]] == [10, None]
    assert [(one.k, one.n) for one in rows["shipped_without_review"]] == [(16, 16), (12, 12)]
    assert [(one.k, one.n) for one in rows["undone_within_28_days"]] == [(1, 16), (0, 12)]
    assert {one.group for pair in rows.values() for one in pair} == {"with agents", "without"}


def test_a_comparison_is_told_in_words_that_judge_nothing() -> None:
    with cutting(history(*WITH), weeks(4)) as cut:
        found = compare_groups(cut)

    assert found is not None
    told = list(agent_comparison(found))
    assert told[1].startswith("lead time 2.0 h n=16 with, 8.0 h n=12 without; ")
    assert told[1].endswith("times as long (99% CI)")
    assert told[3].startswith("not reviewed 16 of 16 with, 12 of 12 without; ")
    assert "reverted or blamed within 28 days 0 of 16 with, 0 of 12 without" in told[4]
    assert not any(word in " ".join(told) for word in ("better", "worse"))


def test_what_is_known_of_neither_group_is_left_out() -> None:
    bare = [row for row in history(*WITH) if not isinstance(row, Coverage)]
    plain = [replace(row, additions=None) if isinstance(row, Change) else row for row in bare]

    with cutting(plain, weeks(4)) as cut:
        found = compare_groups(cut)

    assert found is not None
    assert [row.metric for row in found.rows] == ["change_lead_time", "undone_within_28_days"]


def test_the_ratio_of_lead_times_has_an_interval() -> None:
    with cutting(history(*WITH), weeks(4)) as cut:
        found = compare_groups(cut)

    assert found is not None
    between = found.rows[0].difference
    assert between is not None
    assert between.level == 0.99
    assert between.high is None or between.high <= 1


def test_a_group_of_fewer_than_three_people_is_withheld() -> None:
    with cutting(history("ann", "ben"), weeks(4)) as cut:
        found = compare_groups(cut)

    assert found is not None
    assert found.rows == ()
    assert "withheld" in str(found.note)


def test_without_agents_there_is_nothing_to_compare() -> None:
    with cutting(shipping(LINES.replace("agent", "gus")), weeks(4)) as cut:
        assert compare_groups(cut) is None


@pytest.mark.parametrize(
    ("rate", "needed"),
    [(0.0, None), (0.41, None), (0.05, 647), (0.1, 297), (0.4, 34)],
)
def test_the_changes_that_would_show_a_doubling(rate: float, needed: int | None) -> None:
    assert needed_for_doubling(rate) == needed
