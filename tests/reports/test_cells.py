from datetime import timedelta

import pytest
from example_reports import DAY, FOUR, HOUR, MINUTE, NO_SOURCE, figure, frequency, proportion

from vpemetrics.metrics.figures import Figure, FigureCoverage, Unit
from vpemetrics.reports.cells import NO_DATA, Cell, cell, listing

RECOVERY = "failed_deployment_recovery_time"


def late(figure: Figure) -> Figure:
    """The figure while it is provisional."""
    return figure.model_copy(update={"provisional": True})


def in_days(figure: Figure, days: int) -> Figure:
    """The figure of a window of which so many days were collected."""
    held = FigureCoverage(
        services=0, of=1, start=FOUR.end - timedelta(days=days), end=FOUR.end, incidents=False
    )
    return figure.model_copy(update={"coverage": held})


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (None, NO_DATA),
        (frequency(FOUR, None), NO_DATA),  # not collected is not zero
        (frequency(FOUR, 0), Cell(value="0", interval="0/wk")),
        (frequency(FOUR, 178, note="daily"), Cell(value="178", interval="44.5/wk", base="daily")),
        (  # a cadence is of the last months, and may contradict a rate over others
            frequency(FOUR, 8, note="less than monthly"),
            Cell(value="8", interval="2/wk", base="lately less than monthly"),
        ),
        (in_days(frequency(FOUR, 3), 3), Cell(value="3")),  # three days tell of no pace
        (in_days(frequency(FOUR, 3), 7), Cell(value="3", interval="0.75/wk")),
        (proportion("change_fail_rate", FOUR, 0, 0), Cell(value="–", base="n=0")),
        (proportion("change_fail_rate", FOUR, 4, 19, (0.1, 0.4)), Cell(base="4/19")),  # n < 20
        (
            proportion("change_fail_rate", FOUR, 7, 171, (0.01997, 0.08214)),
            Cell(value="4.1%", interval="[2.0–8.2%]", base="7/171"),
        ),
        (
            proportion("change_fail_rate", FOUR, 3, 688, note=NO_SOURCE),
            Cell(text="at least 3/688", note="no incident source"),
        ),
        (
            figure(RECOVERY, FOUR, None, Unit.SECONDS, n=3, note=NO_SOURCE),
            Cell(text="no incident source"),
        ),
        (
            figure("change_lead_time", FOUR, 23 * HOUR, Unit.SECONDS, n=214),
            Cell(value="23 h", base="n=214"),
        ),
        (
            figure("change_lead_time", FOUR, None, Unit.SECONDS, n=2, values=[60, 90]),
            Cell(value="–", base="n=2"),
        ),
        (
            figure(RECOVERY, FOUR, 52 * MINUTE, Unit.SECONDS, n=27, beside={"open": 1}),
            Cell(value="52 min", base="n=27, 1 open"),
        ),
        (  # half of them are open: the median is beyond the longest
            figure(
                RECOVERY, FOUR, None, Unit.SECONDS, n=8, beside={"open": 5, "longest": 31 * DAY}
            ),
            Cell(value="> 31 d", base="n=8, 5 open"),
        ),
        (
            figure(RECOVERY, FOUR, None, Unit.SECONDS, n=1, beside={"longest": 60}, values=[60]),
            Cell(value="–", base="1 failed"),
        ),
        (  # one of two that failed has no known end
            figure(
                RECOVERY, FOUR, None, Unit.SECONDS, n=1, values=[60], excluded={"no_restored_at": 1}
            ),
            Cell(value="–", base="2 failed"),
        ),
        (
            figure("customers_affected_time", FOUR, None, Unit.SECONDS, note=NO_SOURCE),
            Cell(text="no incident source"),
        ),
        (
            late(proportion("change_fail_rate", FOUR, 7, 171, (0.01997, 0.08214))),
            Cell(value="4.1%", interval="[2.0–8.2%]", base="7/171 p"),
        ),
        (
            late(proportion("change_fail_rate", FOUR, 3, 688, note=NO_SOURCE)),
            Cell(text="at least 3/688 p", note="no incident source"),
        ),
        (
            late(figure(RECOVERY, FOUR, None, Unit.SECONDS, n=0)),
            Cell(value="–", base="0 failed p"),
        ),
        # Of no deployment none can have failed.
        (late(proportion("change_fail_rate", FOUR, 0, 0)), Cell(value="–", base="n=0")),
        (
            figure("customers_affected_time", FOUR, 0, Unit.SECONDS, n=0),
            Cell(value="none"),
        ),
    ],
)
def test_a_figure_in_words(shown: Figure | None, said: Cell) -> None:
    assert cell(shown) == said


def test_samples_too_few_for_a_statistic_are_listed() -> None:
    few = figure(RECOVERY, FOUR, None, Unit.SECONDS, n=2, beside={"open": 1}, values=[2400, 68400])

    assert listing(few) == "40 min, 19 h; 1 still open"


@pytest.mark.parametrize(
    "shown",
    [
        None,
        figure(RECOVERY, FOUR, None, Unit.SECONDS, n=0),
        figure(RECOVERY, FOUR, 60, Unit.SECONDS, n=6),
    ],
)
def test_nothing_is_listed_without_samples_or_beside_a_statistic(shown: Figure | None) -> None:
    assert listing(shown) is None
