"""The half year of a metric as a small line, and what it says to those who cannot see it."""

from datetime import timedelta

import pytest
from example_reports import WEEK, frequency, proportion, report

from vpemetrics.metrics.figures import Figure, WindowRef
from vpemetrics.reports import sparkline

BEFORE = WindowRef(
    start=WEEK.start - timedelta(weeks=1), end=WEEK.end - timedelta(weeks=1), label="2026-W35"
)


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ([frequency(BEFORE, 49), frequency(WEEK, 1049)], "Deployments, 2 weeks: 49 to 1,049"),
        # Of fewer than 20 a percentage would say more than is known.
        (
            [
                proportion("change_fail_rate", BEFORE, 12, 30),
                proportion("change_fail_rate", WEEK, 3, 10),
            ],
            "Change fail rate, 2 weeks: 3/10 to 40%",
        ),
    ],
)
def test_a_line_tells_the_least_and_the_most_of_a_week(figures: list[Figure], said: str) -> None:
    drawn = sparkline.draw(report(figures), figures[0].metric)

    assert f'aria-label="{said} a week"' in drawn
