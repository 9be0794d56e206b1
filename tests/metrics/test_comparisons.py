"""Differences and words against published cases, scipy, brute force and their own laws."""

import math
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from vpemetrics.metrics.charts import Baseline, ChartKind, Word
from vpemetrics.metrics.comparisons import (
    Comparison,
    Samples,
    against,
    compare_medians,
    compare_proportions,
    compare_shares,
    difference_of_proportions,
    ratio_of_medians,
)
from vpemetrics.metrics.dora import reference
from vpemetrics.metrics.figures import Figure, Scope, Unit
from vpemetrics.metrics.intervals import woodruff
from vpemetrics.rules import Target
from vpemetrics.window import Window, month_of, quarter_of

ACME = Scope(kind="organisation", name="Acme")
FIRST, SECOND = quarter_of(date(2026, 1, 1)), quarter_of(date(2026, 4, 1))

fractions = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
enough = st.integers(20, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


class TestDifferenceOfProportions:
    @pytest.mark.parametrize(
        ("after", "before", "low", "high"),
        [
            # Newcombe 1998, table II, method 10
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
            ((6, 7), (2, 7), 0.0582, 0.8062),
            ((5, 56), (0, 29), -0.0381, 0.1926),
            ((0, 10), (0, 20), -0.1611, 0.2775),
            ((0, 10), (0, 10), -0.2775, 0.2775),
            ((10, 10), (0, 20), 0.6791, 1.0),
            ((10, 10), (0, 10), 0.6075, 1.0),
        ],
    )
    def test_published_cases(
        self, after: tuple[int, int], before: tuple[int, int], low: float, high: float
    ) -> None:
        found = difference_of_proportions(before, after, 0.95)

        assert found is not None
        assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)

    @pytest.mark.parametrize("level", [0.9, 0.99])
    @given(before=fractions, after=fractions)
    def test_limits_are_those_of_the_formula_over_wilsons_by_scipy(
        self, level: float, before: tuple[int, int], after: tuple[int, int]
    ) -> None:
        (p, l1, u1), (q, l2, u2) = (
            (k / n, *stats.binomtest(k, n).proportion_ci(level, method="wilson"))
            for k, n in (before, after)
        )

        found = difference_of_proportions(before, after, level)

        assert found is not None
        assert found.low == pytest.approx(
            q - p - math.sqrt((q - l2) ** 2 + (u1 - p) ** 2), abs=1e-9
        )
        assert found.high == pytest.approx(
            q - p + math.sqrt((u2 - q) ** 2 + (p - l1) ** 2), abs=1e-9
        )

    @given(before=fractions, after=fractions)
    def test_it_mirrors_when_the_quarters_are_exchanged_and_stays_within_reach(
        self, before: tuple[int, int], after: tuple[int, int]
    ) -> None:
        found = difference_of_proportions(before, after)
        mirrored = difference_of_proportions(after, before)

        assert found is not None
        assert mirrored is not None
        assert found.low is not None
        assert found.high is not None
        assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low), abs=1e-12)
        assert -1 - 1e-12 <= found.low <= found.high <= 1 + 1e-12

    @pytest.mark.parametrize(("before", "after"), [((0, 0), (3, 20)), ((3, 20), (0, 0))])
    def test_nothing_of_nothing_has_no_difference(
        self, before: tuple[int, int], after: tuple[int, int]
    ) -> None:
        assert difference_of_proportions(before, after) is None


def lead_times(seed: int, deployments: int, times: float = 1.0) -> Samples:
    """Two changes each, of a median around `times` an hour, alike within their deployment."""
    random = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(deployments), 2)
    logarithms = random.normal(size=deployments)[clusters] + 0.3 * random.normal(size=clusters.size)
    return Samples(seconds=3600 * times * np.exp(logarithms), deployments=clusters)


class TestRatioOfMedians:
    def test_a_case_worked_from_the_two_intervals(self) -> None:
        before, after = lead_times(1, 30), lead_times(2, 40, times=3)
        one, other = (woodruff(np.log(s.seconds), s.deployments, 0.99) for s in (before, after))
        assert one is not None
        assert other is not None
        m, n = np.median(np.log(before.seconds)), np.median(np.log(after.seconds))

        found = ratio_of_medians(before, after)

        assert found is not None
        assert (found.low, found.high) == pytest.approx(
            (
                math.exp(n - m - math.hypot(n - other.low, one.high - m)),
                math.exp(n - m + math.hypot(other.high - n, m - one.low)),
            )
        )
        assert (found.level, found.method) == (0.99, "mover_woodruff")

    @given(seed=st.integers(0, 10**6), factor=st.floats(0.01, 100))
    def test_the_unit_does_not_matter_and_exchange_inverts(self, seed: int, factor: float) -> None:
        before, after = lead_times(seed, 25), lead_times(seed + 1, 25)
        slow, slower = (
            Samples(seconds=one.seconds * factor, deployments=one.deployments)
            for one in (before, after)
        )
        assume(min(one.seconds.min() for one in (before, after, slow, slower)) > 1)
        found, inverse = ratio_of_medians(before, after), ratio_of_medians(after, before)
        again = ratio_of_medians(slow, slower)

        assert found is not None
        assert inverse is not None
        assert again is not None
        assert (again.low, again.high) == pytest.approx((found.low, found.high))
        assert found.low is not None
        assert found.high is not None
        assert (inverse.low, inverse.high) == pytest.approx((1 / found.high, 1 / found.low))
        assert found.low < float(np.median(after.seconds) / np.median(before.seconds)) < found.high

    def test_times_of_nothing_count_as_a_second(self) -> None:
        none = Samples(seconds=np.zeros(40), deployments=np.arange(40))
        second = Samples(seconds=np.ones(40), deployments=np.arange(40))
        hour = lead_times(1, 40)

        assert ratio_of_medians(none, hour) == ratio_of_medians(second, hour)

    def test_too_few_deployments_for_an_interval_have_no_ratio(self) -> None:
        assert ratio_of_medians(lead_times(1, 5), lead_times(2, 40)) is None

    def test_an_open_limit_leaves_the_ratio_open(self) -> None:
        # Of eight deployments at 99 % both Woodruff limits are open.
        found = ratio_of_medians(lead_times(1, 8), lead_times(2, 40))

        assert found is not None
        assert (found.low, found.high) == (None, None)


def rate(k: int, n: int, window: Window, metric: str = "change_fail_rate", **of: Any) -> Figure:
    return Figure(
        metric=metric,
        definition_id=f"{metric}/1",
        scope=ACME,
        window=reference(window),
        unit=Unit.PROPORTION,
        **{"value": k / n if n else None, "k": k, "n": n, **of},
    )


class TestComparedProportions:
    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            ((40, 400), (10, 400), Word.BETTER),
            ((10, 400), (40, 400), Word.WORSE),
            ((40, 400), (30, 400), Word.USUAL),
            ((0, 19), (19, 19), Word.USUAL),  # a world apart, but too few
            ((0, 20), (20, 20), Word.WORSE),
            ((0, 0), (20, 40), Word.USUAL),
        ],
    )
    def test_a_word_needs_an_interval_that_excludes_no_change(
        self, before: tuple[int, int], after: tuple[int, int], expected: Word
    ) -> None:
        assert compare_proportions(rate(*before, FIRST), rate(*after, SECOND)).word is expected

    @given(before=enough, after=enough)
    def test_no_word_without_what_the_rule_asks(
        self, before: tuple[int, int], after: tuple[int, int]
    ) -> None:
        found = compare_proportions(rate(*before, FIRST), rate(*after, SECOND))

        limits = found.difference
        assert limits is not None
        assert limits.level == 0.99
        assert limits.low is not None
        assert limits.high is not None
        assert (found.word is Word.USUAL) == (limits.low <= 0 <= limits.high)
        assert (found.word is Word.WORSE) == (limits.low > 0)

    def test_the_good_direction_is_that_of_the_metric(self) -> None:
        quick = [
            rate(k, 400, window, "share_within_24h") for k, window in ((40, FIRST), (90, SECOND))
        ]

        assert compare_proportions(*quick).word is Word.BETTER

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (month_of(date(2026, 1, 1)), SECOND),
            (FIRST, month_of(date(2026, 4, 1))),
            # 91 days, as rolling windows are
            (FIRST, Window(start=date(2026, 4, 2), end=date(2026, 7, 2))),
        ],
    )
    def test_other_windows_than_quarters_earn_no_word(self, before: Window, after: Window) -> None:
        found = compare_proportions(rate(40, 400, before), rate(0, 400, after))

        assert found.word is Word.USUAL
        assert found.difference is not None  # which may be shown all the same

    @pytest.mark.parametrize("partial", [(True, False), (False, True)])
    def test_nor_do_quarters_that_are_not_complete(self, partial: tuple[bool, bool]) -> None:
        before = rate(40, 400, FIRST, partial=partial[0])
        after = rate(0, 400, SECOND, partial=partial[1])

        assert compare_proportions(before, after).word is Word.USUAL

    def test_a_provisional_quarter_is_never_better_and_may_be_worse(self) -> None:
        before = rate(40, 400, FIRST)
        few, many = (rate(k, 400, SECOND, provisional=True) for k in (0, 90))

        assert compare_proportions(before, few).word is Word.USUAL
        assert compare_proportions(before, many).word is Word.WORSE

    def test_a_lower_bound_without_an_incident_source_is_not_compared(self) -> None:
        found = compare_proportions(rate(90, 400, FIRST), rate(0, 400, SECOND, value=None))

        assert (found.word, found.difference) == (Word.USUAL, None)


def lead_time(window: Window) -> Figure:
    return Figure(
        metric="change_lead_time",
        definition_id="change_lead_time/1",
        scope=ACME,
        window=reference(window),
        value=3600.0,
        unit=Unit.SECONDS,
    )


def compared(before: Samples, after: Samples) -> Comparison:
    return compare_medians(lead_time(FIRST), lead_time(SECOND), (before, after))


class TestComparedMedians:
    @pytest.mark.parametrize(
        ("deployments", "times", "expected"),
        [
            ((60, 60), 0.2, Word.BETTER),
            ((60, 60), 5.0, Word.WORSE),
            ((60, 60), 1.1, Word.USUAL),
            ((11, 60), 1000.0, Word.USUAL),  # a world apart, but too few
            ((60, 11), 1000.0, Word.USUAL),
            ((12, 12), 1000.0, Word.WORSE),
        ],
    )
    def test_a_word_needs_an_interval_that_excludes_no_change(
        self, deployments: tuple[int, int], times: float, expected: Word
    ) -> None:
        found = compared(lead_times(1, deployments[0]), lead_times(2, deployments[1], times))

        assert found.word is expected

    @pytest.mark.parametrize(("at_merge", "expected"), [(60, Word.WORSE), (61, Word.USUAL)])
    def test_times_that_start_at_the_merge_in_one_quarter_are_not_compared(
        self, at_merge: int, expected: Word
    ) -> None:
        before, after = lead_times(1, 60), lead_times(2, 60, 5.0)

        assert compared(replace(before, at_merge=at_merge), after).word is expected
        assert compared(before, replace(after, at_merge=at_merge)).word is expected

    def test_an_interval_that_is_open_where_it_matters_gives_none(self) -> None:
        # One deployment ships 30 of the 41 changes: what it says of the median, it says alone.
        sizes = [30] + [1] * 11
        far = Samples(seconds=np.full(41, 1e9), deployments=np.repeat(np.arange(12), sizes))

        found = compared(lead_times(1, 60), far)

        assert found.difference is not None
        assert (found.difference.low, found.difference.high) == (None, None)
        assert found.word is Word.USUAL


class TestComparedSharesOfLeadTimes:
    @pytest.mark.parametrize(
        ("deployments", "at_merge", "expected"),
        [
            ((12, 12), (0, 0), Word.BETTER),
            ((4, 60), (0, 0), Word.USUAL),  # a world apart, but from too few
            ((60, 4), (0, 0), Word.USUAL),
            ((12, 12), (200, 200), Word.BETTER),
            ((12, 12), (201, 0), Word.USUAL),
            ((12, 12), (0, 201), Word.USUAL),
        ],
    )
    def test_changes_of_one_deployment_are_not_independent(
        self, deployments: tuple[int, int], at_merge: tuple[int, int], expected: Word
    ) -> None:
        before, after = (
            Samples(seconds=np.ones(400), deployments=np.arange(400) % many, at_merge=merged)
            for many, merged in zip(deployments, at_merge, strict=True)
        )
        found = compare_shares(
            rate(20, 400, FIRST, "share_within_24h"),
            rate(100, 400, SECOND, "share_within_24h"),
            (before, after),
        )
        assert found.word is expected
        assert (found.difference is None) == (expected is Word.USUAL)

    def test_few_samples_are_not_compared(self) -> None:
        few = Samples(seconds=np.ones(19), deployments=np.arange(19))

        found = compare_shares(
            rate(0, 19, FIRST, "share_within_24h"),
            rate(19, 19, SECOND, "share_within_24h"),
            (few, few),
        )
        assert found.word is Word.USUAL


def limits(low: float | None, high: float | None, *, complete: bool = True) -> Baseline:
    first, last = FIRST.start, FIRST.end
    return Baseline(
        applies_from=last,
        first=first,
        last=last,
        points=26,
        center=10,
        low=low,
        high=high,
        complete=complete,
    )


class TestTargets:
    @pytest.mark.parametrize(
        ("at_least", "at_most", "expected"),
        [
            (5, None, "reliably met"),
            (6, None, "reliably met"),  # the limit itself meets it
            (7, None, "hit or miss"),
            (14, None, "hit or miss"),
            (15, None, "out of reach"),
            (None, 14, "reliably met"),
            (None, 13, "hit or miss"),
            (None, 6, "hit or miss"),
            (None, 5, "out of reach"),
            (6, 14, "reliably met"),
            (6, 10, "hit or miss"),
            (15, 20, "out of reach"),
        ],
    )
    def test_both_limits_decide(
        self, at_least: float | None, at_most: float | None, expected: str
    ) -> None:
        target = Target(metric="deployment_frequency", at_least=at_least, at_most=at_most)

        assert against(target, ChartKind.XMR, limits(6, 14)).value == expected

    @pytest.mark.parametrize(
        ("kind", "by"),
        [
            (ChartKind.XMR, limits(6, 14, complete=False)),
            (ChartKind.XMR, limits(None, None)),
            (ChartKind.G, limits(None, 14)),
        ],
    )
    def test_without_complete_limits_of_weeks_nothing_is_known_yet(
        self, kind: ChartKind, by: Baseline
    ) -> None:
        target = Target(metric="deployment_frequency", at_least=0)

        assert against(target, kind, by).value == "not yet known"
