"""Limits and signals against worked cases and their own laws."""

import math
import tomllib
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vpemetrics.config.model import Settings
from vpemetrics.metrics.charts import Chart, ChartKind, Point, Side, Word
from vpemetrics.metrics.figures import Scope, WindowRef
from vpemetrics.metrics.signals import (
    FALSE_ALARMS,
    FULL,
    Outcome,
    baseline,
    chart,
    charts_with_words,
    expected_false_alarms,
    g_limits,
    lasting_run,
    run_reaches_back,
    step_to_paste,
    stretches,
    weekly_or_rare,
    word,
    xmr_limits,
)

MONDAY = date(2026, 1, 5)
ACME = Scope(kind="organisation", name="Acme")
# A mean of 10; of 25 moving ranges 13 are 2 and 12 are 0, so their mean is 1.04.
LEVEL = [9, 11, 11, 9] * 6 + [9, 11]
LOW, HIGH = 10 - 2.66 * 1.04, 10 + 2.66 * 1.04

counts = st.lists(st.none() | st.integers(0, 40), max_size=90)


def monday(week: int) -> date:
    return MONDAY + timedelta(weeks=week)


def weeks(values: Iterable[float | None], first: int = 0) -> list[Point]:
    return [
        Point(label=f"week {at}", start=monday(at), value=value)
        for at, value in enumerate(values, first)
    ]


def deployments(
    values: Iterable[float | None],
    steps: Iterable[date] = (),
    scope: Scope = ACME,
) -> Chart:
    return chart("deployment_frequency", scope, ChartKind.XMR, weeks(values), steps)


def found(of: Chart) -> list[tuple[str, str, str]]:
    return [(one.rule, one.side.value, one.label) for one in of.signals]


def span(first: int, last: int) -> WindowRef:
    return WindowRef(start=monday(first), end=monday(last + 1), label=f"{first} to {last}")


class TestXmrLimits:
    def test_a_case_worked_by_hand(self) -> None:
        # Ranges 4, 1, 3, 2, 0: mean 2, none above 6.534; mean 10 of 60 / 6.
        assert xmr_limits(weeks([8, 12, 11, 8, 10, 10])) == pytest.approx(
            (59 / 6, 59 / 6 - 5.32, 59 / 6 + 5.32)
        )

    def test_one_pass_leaves_wide_ranges_out_and_the_mean_keeps_every_point(self) -> None:
        # Ranges 1 × 10 and 20, 20: mean 50 / 12 = 4.17, of which 3.267 is 13.6; then the mean is 1.
        values = [10, 11, 10, 11, 10, 11, 31, 11, 10, 11, 10, 11, 10]

        mean = fmean(values)
        assert xmr_limits(weeks(values)) == pytest.approx((mean, mean - 2.66, mean + 2.66))

    def test_a_second_pass_is_not_made(self) -> None:
        # Ranges 0 × 11, 2 and 40: mean 3.23, of which 3.267 is 10.6, so the 40 goes. The mean of
        # the others is 1/6, of which 3.267 is 0.54: a second pass would take the 2 away too.
        values = [10, 10, 10, 10, 10, 10, 10, 12, 52, 52, 52, 52, 52, 52]

        center, _, high = xmr_limits(weeks(values))

        assert center is not None
        assert high == pytest.approx(center + 2.66 * 2 / 12)

    @pytest.mark.parametrize(
        ("values", "limited"),
        [
            ([3, 3, 3, 3, 3, 3], True),  # a mean of 3 is enough
            ([3, 3, 3, 3, 3, 2], False),
            ([9, None, 9, 9, 9, 9, 9], False),  # six points, but four ranges
            ([9, None, 9, 9, 9, 9, 9, 9], True),
        ],
    )
    def test_too_few_events_or_ranges_have_no_limits(
        self, values: list[float | None], limited: bool
    ) -> None:
        assert (xmr_limits(weeks(values)).high is not None) == limited

    def test_a_gap_has_no_range_across_it(self) -> None:
        # Across the gap it would be 90; the others are 1.
        values = [10, 11, 10, 11, None, 100, 101, 100, 101]

        assert xmr_limits(weeks(values)) == pytest.approx((55.5, 55.5 - 2.66, 55.5 + 2.66))

    @pytest.mark.parametrize(
        ("values", "limited"),
        [
            ([5] * 26, True),
            ([5] * 12 + [4] + [5] * 13, False),  # ranges 1 and 1 of 25: the screening takes both
            ([5] * 13 + [9] * 13, False),
        ],
    )
    def test_limits_that_would_hold_none_of_their_points_are_none(
        self, values: list[int], limited: bool
    ) -> None:
        assert (xmr_limits(weeks(values)).high is not None) == limited

    def test_weeks_that_are_all_alike_lie_on_their_mean(self) -> None:
        alike = [Point(label="", start=MONDAY, value=9 / 10, k=9, n=10)] * 26

        assert xmr_limits(alike) == (0.9, 0.9, 0.9)

    def test_a_share_is_judged_by_its_events(self) -> None:
        few = [Point(label="", start=MONDAY, value=k / 10, k=k, n=10) for k in (2, 3, 2, 3, 2, 3)]
        enough = [
            Point(label="", start=MONDAY, value=k / 20, k=k, n=20) for k in (4, 3, 4, 3, 4, 3)
        ]

        assert xmr_limits(few).high is None
        assert xmr_limits(enough) == pytest.approx(
            (0.175, 0.175 - 2.66 * 0.05, 0.175 + 2.66 * 0.05)
        )

    @given(values=st.lists(st.integers(0, 60), min_size=6, max_size=40))
    def test_limits_hold_the_mean_and_never_leave_zero(self, values: list[int]) -> None:
        center, low, high = xmr_limits(weeks(values))

        assert center == pytest.approx(fmean(values))
        if center is not None and low is not None and high is not None:
            assert 0 <= low <= center <= high
            assert low == pytest.approx(max(0, 2 * center - high))


class TestGLimits:
    def test_a_case_worked_by_hand(self) -> None:
        # Mean 12, median 7: 12 + 3√(12 · 13) = 49.47.
        gaps = [7] * 11 + [18] * 8 + [19]

        assert g_limits(weeks(gaps)) == pytest.approx((7, None, 12 + 3 * math.sqrt(156)))

    def test_fewer_than_twenty_have_a_median_line_alone(self) -> None:
        assert g_limits(weeks([1, 2, 3] * 6)) == (2, None, None)


class TestBaseline:
    @pytest.mark.parametrize(
        ("kind", "points", "center", "limited", "complete"),
        [
            (ChartKind.XMR, 0, None, False, False),
            (ChartKind.XMR, 5, None, False, False),
            (ChartKind.XMR, 6, 10, True, False),  # trial limits
            (ChartKind.XMR, 25, 10, True, False),
            (ChartKind.XMR, 26, 10, True, True),
            (ChartKind.XMR, 60, 10, True, True),
            (ChartKind.G, 5, None, False, False),
            (ChartKind.G, 6, 10, False, False),
            (ChartKind.G, 19, 10, False, False),
            (ChartKind.G, 20, 10, True, True),
        ],
    )
    def test_limits_come_with_the_points(
        self, kind: ChartKind, points: int, center: float | None, limited: bool, complete: bool
    ) -> None:
        by = baseline(weeks([10] * points), kind, MONDAY)

        assert (by.points, by.center) == (min(points, FULL[kind]), center)
        assert (by.limited, by.complete, by.judges) == (limited, complete, limited and complete)

    def test_gaps_running_and_provisional_weeks_are_no_part_of_it(self) -> None:
        points = weeks([None, *[10] * 26, 99, None])
        points[5] = points[5].model_copy(update={"hollow": True})
        points[27] = points[27].model_copy(update={"provisional": True})

        by = baseline(points, ChartKind.XMR, MONDAY)

        assert (by.points, by.first, by.last) == (25, monday(1), monday(26))
        assert by.center == 10

    @given(values=counts, later=counts)
    def test_later_points_never_move_a_complete_one(
        self, values: list[int | None], later: list[int | None]
    ) -> None:
        by = baseline(weeks(values), ChartKind.XMR, MONDAY)
        again = baseline(weeks([*values, *later]), ChartKind.XMR, MONDAY)

        assert not by.complete or again == by

    @pytest.mark.parametrize(
        ("before", "own", "first", "points", "center"),
        [
            # of the year before, and of its own: a level of 10 before, 30 since
            (52, 10, monday(51 - 52), 52, 10),
            (26, 10, monday(51 - 26), 26, 10),
            (25, 0, monday(51 - 25), 25, 10),
            (25, 10, monday(51 - 25), 26, (25 * 10 + 30) / 26),  # too few: the first 26
            (0, 30, monday(51), 26, 30),
        ],
    )
    def test_it_is_the_year_before_or_the_first_half_year_since_then(
        self, before: int, own: int, first: date, points: int, center: float
    ) -> None:
        year = monday(52)  # 2027-W01
        values = [10] * before + [30] * own

        by = baseline(weeks(values, 52 - before), ChartKind.XMR, year)

        assert (by.first, by.points) == (first + timedelta(weeks=1), points)
        assert by.center == pytest.approx(center)

    def test_a_stretch_that_began_before_it_is_no_part_of_it(self) -> None:
        points = [
            Point(label="", start=monday(52 + at), began=monday(51 + at), value=at)
            for at in range(30)
        ]

        by = baseline(points, ChartKind.G, monday(104), monday(52))

        assert (by.first, by.points) == (monday(53), 29)


class TestSignals:
    @pytest.mark.parametrize(
        ("after", "expected"),
        [
            ([HIGH], []),  # on the limit is not outside
            ([LOW], []),
            ([HIGH + 0.01], [("outside_limits", "above", "week 26")]),
            ([LOW - 0.01], [("outside_limits", "below", "week 26")]),
            ([11] * 7, []),
            ([11] * 8, [("eight_in_a_row", "above", "week 33")]),
            ([9] * 8, [("eight_in_a_row", "below", "week 33")]),
            ([11] * 20, [("eight_in_a_row", "above", "week 33")]),  # once
            ([11] * 7 + [10] + [11] * 7, []),  # a point on the mean ends a run
            ([11] * 4 + [None] * 3 + [11] * 4, [("eight_in_a_row", "above", "week 36")]),
            ([11] * 7 + [9] + [11] * 7, []),
            (
                [11] * 8 + [9] + [11] * 8,
                [("eight_in_a_row", "above", "week 33"), ("eight_in_a_row", "above", "week 42")],
            ),
            (
                [11] * 7 + [20],
                [("outside_limits", "above", "week 33"), ("eight_in_a_row", "above", "week 33")],
            ),
        ],
    )
    def test_what_is_one(self, after: list[float | None], expected: list[object]) -> None:
        assert found(deployments([*LEVEL, *after])) == expected

    def test_the_level_has_the_limits_that_the_cases_mean(self) -> None:
        by = deployments(LEVEL).baseline

        assert (by.center, by.low, by.high) == (10, LOW, HIGH)

    def test_no_point_of_the_baseline_signals_nor_begins_a_run(self) -> None:
        level = [*LEVEL[:18], *[20] * 8]

        assert found(deployments(level)) == []
        assert found(deployments([*level, 14])) == []

    def test_trial_limits_give_no_signals(self) -> None:
        assert found(deployments([*LEVEL[:25]])) == []
        assert found(deployments([*LEVEL[:10], *[90] * 15])) == []

    def test_a_running_week_is_no_signal_and_ends_no_run(self) -> None:
        points = weeks([*LEVEL, *[11] * 7, 0, 11])
        points[33] = points[33].model_copy(update={"hollow": True})

        of = chart("deployment_frequency", ACME, ChartKind.XMR, points)

        assert found(of) == [("eight_in_a_row", "above", "week 34")]

    @pytest.mark.parametrize(
        ("metric", "kind", "side", "expected"),
        [
            ("deployment_frequency", ChartKind.XMR, Side.ABOVE, Word.BETTER),
            ("deployment_frequency", ChartKind.XMR, Side.BELOW, Word.WORSE),
            ("change_fail_rate", ChartKind.XMR, Side.ABOVE, Word.WORSE),
            ("change_fail_rate", ChartKind.XMR, Side.BELOW, Word.BETTER),
            ("change_fail_rate", ChartKind.G, Side.ABOVE, Word.BETTER),  # more went well in between
            ("deployment_rework_rate", ChartKind.G, Side.ABOVE, Word.BETTER),
        ],
    )
    def test_the_good_side_depends_on_the_metric(
        self, metric: str, kind: ChartKind, side: Side, expected: Word
    ) -> None:
        beyond = 90 if side is Side.ABOVE else 0

        signals = chart(metric, ACME, kind, weeks([*LEVEL, beyond])).signals

        assert [(one.side, one.word) for one in signals] == [(side, expected)]

    def test_a_provisional_point_is_never_better_and_may_be_worse(self) -> None:
        points = weeks([*LEVEL, 1, 90])
        points[26:] = [one.model_copy(update={"provisional": True}) for one in points[26:]]

        signals = chart("change_fail_rate", ACME, ChartKind.XMR, points).signals

        assert [(one.word, one.label) for one in signals] == [(Word.WORSE, "week 27")]

    @given(values=counts)
    def test_signals_stand_after_a_complete_baseline_and_on_known_points(
        self, values: list[int | None]
    ) -> None:
        of = deployments(values)
        known = {one.label: one.value for one in of.points if one.value is not None}

        for signal in of.signals:
            (by,) = [by for by in of.baselines if by.applies_from <= signal.start][-1:]
            assert by.judges
            assert by.last is not None
            assert signal.start > by.last
            assert known[signal.label] == signal.value != by.center

    @given(values=counts, later=counts)
    def test_what_was_said_stays_said(
        self, values: list[int | None], later: list[int | None]
    ) -> None:
        before, after = deployments(values), deployments([*values, *later])

        assert after.signals[: len(before.signals)] == before.signals

    @given(values=st.lists(st.none() | st.integers(0, 40), max_size=26))
    def test_a_gap_changes_nothing_but_the_ranges_across_it(self, values: list[int | None]) -> None:
        dense = [one for one in values if one is not None]

        def said(after: Sequence[int | None]) -> list[tuple[str, float]]:
            of = deployments([*LEVEL, *after])
            return [(one.rule, one.value) for one in of.signals]

        assert said(values) == said(dense)


class TestYears:
    YEAR = 52
    """The week with which 2027 begins."""

    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            ([9, *[11] * 4], [11] * 4, [("eight_in_a_row", "above", "week 55")]),
            ([11] * 4, [9] * 4, []),
            ([11] * 9, [11] * 9, [("eight_in_a_row", "above", "week 50")]),  # once
        ],
    )
    def test_a_run_goes_on_over_new_year(
        self, before: list[int], after: list[int], expected: list[object]
    ) -> None:
        level = [*LEVEL, *([9, 11] * 20)][: self.YEAR - len(before)]

        assert found(deployments([*level, *before, *after])) == expected

    def test_each_week_is_on_the_side_of_its_own_mean(self) -> None:
        # 10 in the first half year, 20 in the second: 2027 has a mean of about 15.
        of = deployments([*LEVEL, *[19, 21] * 13, *[14] * 8])

        assert found(of)[-1] == ("eight_in_a_row", "below", "week 59")
        assert [by.applies_from for by in of.baselines] == [date(2025, 12, 29), monday(self.YEAR)]

    def test_a_step_ends_a_run(self) -> None:
        of = deployments([*LEVEL, *[9, 11] * 15, *[11] * 4, *[11] * 30], [monday(60)])

        assert not [signal for signal in of.signals if signal.start >= monday(60)]

    @pytest.mark.parametrize(
        ("after", "reaches"),
        [([11] * 9, True), ([11, 9, *[11] * 7], False), ([10, *[11] * 8], False)],
    )
    def test_a_run_may_have_begun_before_what_is_judged(
        self, after: list[int], reaches: bool
    ) -> None:
        points = weeks([*LEVEL, *LEVEL, *after])
        of = chart("deployment_frequency", ACME, ChartKind.XMR, points, (), monday(self.YEAR))

        assert run_reaches_back(of, monday(self.YEAR + 4)) is reaches

    def test_no_run_reaches_back_beyond_a_step_or_weeks_without_limits(self) -> None:
        points = weeks([*LEVEL, *LEVEL, *[11] * 9])
        stepped = deployments([*LEVEL, *LEVEL, *[11] * 9], [monday(self.YEAR)])
        few = chart("deployment_frequency", ACME, ChartKind.XMR, points[45:], (), monday(self.YEAR))

        assert not run_reaches_back(
            stepped.model_copy(update={"baselines": stepped.baselines[-1:]}), monday(self.YEAR + 4)
        )
        assert not run_reaches_back(few, monday(self.YEAR + 4))


class TestSteps:
    def test_each_level_has_its_own_limits_and_is_judged_by_them(self) -> None:
        of = deployments([*LEVEL, 10, *[20 + one for one in LEVEL], 30, 10], [monday(27)])

        assert [(one.since, one.center) for one in of.baselines] == [(None, 10), (monday(27), 30)]
        assert found(of) == [("outside_limits", "below", "week 54")]

    def test_a_new_level_is_judged_by_nothing_until_it_has_its_limits(self) -> None:
        of = deployments([*LEVEL, *[30] * 10], [monday(26)])

        assert found(of) == []
        assert (of.baseline.points, of.baseline.complete) == (10, False)

    def test_a_level_begins_with_the_first_week_after_a_step_inside_one(self) -> None:
        of = deployments([*LEVEL, 90, *[30] * 6], [monday(26) + timedelta(days=2)])

        assert found(of) == [("outside_limits", "above", "week 26")]
        assert of.baseline.first == monday(27)

    def test_a_step_to_come_changes_nothing_yet(self) -> None:
        assert deployments(LEVEL, [monday(200)]) == deployments(LEVEL)

    def test_eight_in_a_row_give_the_lines_to_paste(self) -> None:
        team = Scope(kind="team", name='pay "ments"')

        lines = step_to_paste(deployments([*LEVEL, 9, *[11] * 4, None, *[11] * 5], scope=team))

        assert lines is not None
        (step,) = Settings(**tomllib.loads(lines)).step
        assert (step.metric, step.on) == ("deployment_frequency", monday(27))
        assert step.scope == 'team:pay "ments"'

    @pytest.mark.parametrize("after", [[11] * 7, [11] * 9 + [10], [11] * 9 + [9]])
    def test_without_a_run_that_lasts_there_are_none(self, after: list[int]) -> None:
        assert step_to_paste(deployments([*LEVEL, *after])) is None

    @pytest.mark.parametrize(
        ("after", "final", "points"),
        [
            ([6] * 9, 8, 8),  # what is provisional may still get worse
            ([6] * 8, 7, None),
            ([14] * 8, 7, 8),
            ([*[6] * 9, 14], 8, None),
            ([*[14] * 9, 6], 8, None),
        ],
    )
    def test_a_run_for_the_better_is_as_long_as_its_final_weeks(
        self, after: list[int], final: int, points: int | None
    ) -> None:
        rows = [
            Point(
                label=f"week {at}",
                start=monday(at),
                value=k / 40,
                k=k,
                n=40,
                provisional=at >= 26 + final,
            )
            for at, k in enumerate([*LEVEL, *after])
        ]
        run = lasting_run(chart("change_fail_rate", ACME, ChartKind.XMR, rows))

        assert (run and run.points) == points

    def test_the_step_ends_what_asked_for_it(self) -> None:
        values = [*LEVEL, *[11] * 9]

        assert step_to_paste(deployments(values)) is not None
        assert step_to_paste(deployments(values, [monday(26)])) is None

    def test_the_organisation_is_no_scope(self) -> None:
        lines = step_to_paste(deployments([*LEVEL, *[11] * 8])) or ""

        assert lines.splitlines() == [
            "[[step]]",
            'metric = "deployment_frequency"',
            "on = 2026-07-06",
            'why = "…"',
        ]


class TestWords:
    @pytest.mark.parametrize(
        ("window", "expected"),
        [
            (span(0, 25), None),  # nothing there is judged
            (span(26, 26), Word.USUAL),
            (span(27, 27), Word.BETTER),
            (span(28, 28), Word.WORSE),
            (span(20, 30), Word.WORSE),  # bad news first
            (span(29, 29), None),  # a gap
        ],
    )
    def test_a_window_has_the_word_of_its_signals(
        self, window: WindowRef, expected: Word | None
    ) -> None:
        assert word(deployments([*LEVEL, 10, 90, 0, None]), window) == expected

    def test_trial_limits_give_no_word(self) -> None:
        assert word(deployments(LEVEL[:25]), span(0, 30)) is None

    def test_three_charts_at_most_give_words_in_the_order_of_the_metrics(self) -> None:
        metrics = [
            "deployment_rework_rate",
            "incident_restore_time",
            "change_fail_rate",
            "deployment_frequency",
        ]
        charts = [chart(one, ACME, ChartKind.XMR, weeks(LEVEL)) for one in metrics]

        assert [one.metric for one in charts_with_words(charts)] == [
            "deployment_frequency",
            "change_fail_rate",
            "deployment_rework_rate",
        ]

    def test_a_chart_without_locked_limits_takes_no_place(self) -> None:
        silent, speaking = deployments(LEVEL[:20]), deployments(LEVEL)

        assert charts_with_words([silent, silent, silent, speaking]) == (speaking,)

    def test_false_alarms_are_expected_of_the_new_points_of_a_window(self) -> None:
        weekly = deployments([*LEVEL, 10, None, 10, 10])
        rare = chart("change_fail_rate", ACME, ChartKind.G, weeks([5] * 27))

        expected = expected_false_alarms([weekly, rare], span(25, 28))

        # Weeks 26 and 28 of the first, 25 and 26 of the other, whose baseline ends earlier.
        assert expected == pytest.approx(
            2 * FALSE_ALARMS[ChartKind.XMR] + 2 * FALSE_ALARMS[ChartKind.G]
        )

    def test_each_level_expects_its_own(self) -> None:
        of = deployments([*LEVEL, 10, *LEVEL, 10], [monday(27)])

        assert expected_false_alarms([of], span(0, 60)) == pytest.approx(2 * 0.017)
        assert expected_false_alarms([of], span(0, 26)) == pytest.approx(0.017)
        assert expected_false_alarms([of], span(70, 80)) == 0

    def test_few_failures_a_week_are_shown_as_stretches(self) -> None:
        rare = chart("change_fail_rate", ACME, ChartKind.G, weeks([5] * 27))
        few, many = (
            chart("change_fail_rate", ACME, ChartKind.XMR, weeks([count] * 26)) for count in (2, 3)
        )

        assert weekly_or_rare(few, rare) is rare
        assert weekly_or_rare(many, rare) is many


def outcomes(*failed: int) -> list[Outcome]:
    """One deployment a day; 1 is a failure."""
    return [Outcome(MONDAY + timedelta(days=at), bool(one)) for at, one in enumerate(failed)]


class TestStretches:
    @pytest.mark.parametrize(
        ("failed", "values"),
        [
            ([], []),
            ([0, 0, 0], []),  # no failure yet, so nothing lies between two
            ([1], [0]),  # only the current one
            ([1, 1], [0, 0]),  # one failure right after another
            ([0, 0, 1, 0, 0, 0, 1, 0], [3, 1]),  # what came before the first is left out
        ],
    )
    def test_they_count_what_went_well_in_between(
        self, failed: list[int], values: list[float]
    ) -> None:
        points = stretches(outcomes(*failed))

        assert [one.value for one in points] == values
        assert [one.hollow for one in points] == [False] * (len(values) - 1) + [True] * bool(values)

    def test_one_with_an_uncollected_week_in_it_is_a_gap(self) -> None:
        found = stretches(outcomes(1, 0, 0, 1, 0, 1, 0), [MONDAY + timedelta(days=1)])

        assert [one.value for one in found] == [None, 1, 1]

    def test_one_that_ends_in_a_provisional_week_is_provisional(self) -> None:
        found = stretches(outcomes(1, 0, 1, 0, 1), provisional_from=MONDAY + timedelta(days=3))

        assert [one.provisional for one in found] == [False, True, True]

    @pytest.mark.parametrize(
        ("step", "hollow"),
        [
            (1, [False, False, True]),  # on the day of the first failure, which begins a level
            (2, [True, False, True]),
            (3, [True, False, True]),  # on the day of the failure that ends the stretch
            (4, [False, True, True]),
        ],
    )
    def test_one_that_began_before_a_step_is_hollow(self, step: int, hollow: list[bool]) -> None:
        steps = [MONDAY + timedelta(days=step)]
        found = stretches(outcomes(0, 1, 0, 1, 0, 1, 0), steps=steps)

        assert [one.hollow for one in found] == hollow
        assert [one.value for one in found] == [1, 1, 1]

    @given(failed=st.lists(st.integers(0, 1), max_size=80))
    def test_stretches_and_failures_add_up_to_what_follows_the_first(
        self, failed: list[int]
    ) -> None:
        found = stretches(outcomes(*failed))

        after_the_first = failed[failed.index(1) :] if 1 in failed else []
        assert sum(one.value or 0 for one in found) + sum(failed) == len(after_the_first)
        assert len(found) == sum(failed)
