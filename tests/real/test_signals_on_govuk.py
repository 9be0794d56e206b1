"""Signals on twenty months of real deployments: they find Christmas and a slower summer.

Figures were checked against a calculation by hand.
"""

from collections import Counter
from datetime import date, timedelta

import pytest
from govuk import needs_govuk, records

from vpemetrics.metrics.charts import Chart, ChartKind, Point
from vpemetrics.metrics.figures import Scope
from vpemetrics.metrics.signals import chart, step_to_paste
from vpemetrics.records import Deployment, Status
from vpemetrics.window import week_of

pytestmark = [pytest.mark.needs_shared_data, needs_govuk]

FIRST = date(2025, 1, 6)


@pytest.fixture(scope="module")
def deployments() -> Chart:
    finished = [
        one.finished_at.date()
        for one in records()
        if isinstance(one, Deployment) and one.finished_at is not None
        if one.environment == "production" and one.status is Status.SUCCEEDED
    ]
    in_week = Counter(week_of(day).start for day in finished)
    last = week_of(max(finished)).start
    mondays = [FIRST + timedelta(weeks=at) for at in range((last - FIRST).days // 7)]
    points = [Point(label=week_of(day).label, start=day, value=in_week[day]) for day in mondays]
    return chart(
        "deployment_frequency", Scope(kind="organisation", name="GOV.UK"), ChartKind.XMR, points
    )


def test_a_year_is_judged_by_the_one_before_and_the_first_by_its_own_half(
    deployments: Chart,
) -> None:
    half, whole = deployments.baselines

    assert (half.first, half.last, half.complete) == (FIRST, FIRST + timedelta(weeks=25), True)
    assert (half.center, half.low, half.high) == pytest.approx((25.92, 12.09, 39.76), abs=0.01)
    assert (whole.first, whole.last, whole.points) == (FIRST, FIRST + timedelta(weeks=50), 51)
    assert (whole.center, whole.low, whole.high) == pytest.approx((24.14, 8.87, 39.41), abs=0.01)


def test_the_week_of_christmas_and_the_slower_summer_are_found(deployments: Chart) -> None:
    assert [(one.label, one.rule, one.side.value) for one in deployments.signals] == [
        ("2025-W52", "outside_limits", "below"),
        ("2026-W15", "eight_in_a_row", "above"),
        ("2026-W29", "eight_in_a_row", "below"),
    ]
    assert "on = 2026-05-25" in (step_to_paste(deployments) or "")
