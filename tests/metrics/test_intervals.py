"""Medians and intervals against worked cases, their own laws, scipy, and simulated truth."""

import itertools
import math
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vpemetrics.metrics.intervals import (
    Interval,
    kaplan_meier,
    median,
    normal_quantile,
    order_statistic_interval,
    quantile,
    survival_median,
    t_quantile,
    wilson,
    woodruff,
)

NAN, INFINITE = float("nan"), float("inf")

# Freireich 1963, remission in weeks under 6-MP, the textbook's example of open durations;
# at 6 and at 10 weeks one ends and another is still open.
WEEKS = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
ENDED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]

seconds = st.integers(0, 10**7)
clustered = st.lists(st.tuples(seconds, st.integers(0, 12)), min_size=6, max_size=60)
lasting = st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=40)


def limits(interval: Interval | None) -> tuple[float | None, float | None] | None:
    return None if interval is None else (interval.low, interval.high)


def holds(interval: Interval, value: float) -> bool:
    low = -math.inf if interval.low is None else interval.low
    high = math.inf if interval.high is None else interval.high
    return low <= value <= high


def unzip(pairs: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    return [first for first, _ in pairs], [second for _, second in pairs]


class TestMedianAndQuantile:
    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ([], None),  # no samples have no median, and it is not 0
            ([7], 7),
            ([9, 1], 5),  # an even number: the mean of the middle two
            ([3, 1, 2], 2),
            ([1, 1, 1, 50], 1),  # the tail does not matter
        ],
    )
    def test_the_median_is_the_middle(self, values: list[float], expected: float | None) -> None:
        assert median(values) == expected

    @given(values=st.lists(st.floats(-1e9, 1e9), min_size=1), q=st.floats(0, 1))
    def test_quantiles_are_those_of_numpy(self, values: list[float], q: float) -> None:
        expected = float(np.quantile(values, q, method="linear"))

        assert quantile(values, q) == pytest.approx(expected, rel=1e-9, abs=1e-6)

    @given(values=st.lists(st.floats(-1e9, 1e9), min_size=1))
    def test_a_higher_quantile_is_never_lower(self, values: list[float]) -> None:
        found = [quantile(values, q / 16) for q in range(17)]

        assert found == sorted(found, key=float)  # type: ignore[arg-type]
        assert (found[0], found[-1]) == (min(values), max(values))

    @pytest.mark.parametrize("q", [-0.01, 1.01, NAN])
    def test_a_quantile_outside_0_to_1_is_refused(self, q: float) -> None:
        with pytest.raises(ValueError, match="expected 0 to 1"):
            quantile([1, 2], q)

    @pytest.mark.parametrize("unknown", [NAN, INFINITE, -INFINITE])
    def test_an_unknown_sample_is_refused_rather_than_ranked(self, unknown: float) -> None:
        with pytest.raises(ValueError, match="samples must be finite"):
            median([1, unknown, 2])


class TestWilson:
    @pytest.mark.parametrize(
        ("k", "n", "low", "high"),
        [
            (7, 171, 0.020, 0.082),  # rule N1
            (0, 12, 0.0, 0.242),  # none seen is not none possible
            (12, 12, 0.758, 1.0),
            (109, 214, 0.443, 0.576),
            (1, 1, 0.207, 1.0),
        ],
    )
    def test_worked_cases(self, k: int, n: int, low: float, high: float) -> None:
        assert limits(wilson(k, n)) == pytest.approx((low, high), abs=5e-4)

    def test_nothing_of_nothing_has_no_interval(self) -> None:
        assert wilson(0, 0) is None

    @pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (1, 0)])
    def test_more_than_all_is_refused(self, k: int, n: int) -> None:
        with pytest.raises(ValueError, match=f"{k} of {n} is no proportion"):
            wilson(k, n)

    @pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
    def test_limits_are_those_of_scipy(self, level: float) -> None:
        cases = [(k, n) for n in (1, 2, 12, 171) for k in range(n + 1)]
        for k, n in [*cases, (3, 10**6), (10**6 - 1, 10**6)]:
            expected = stats.binomtest(k, n).proportion_ci(level, method="wilson")

            assert limits(wilson(k, n, level)) == pytest.approx(
                tuple(expected), rel=1e-9, abs=1e-12
            )

    @given(n=st.integers(1, 10**9), data=st.data())
    def test_limits_hold_the_proportion_and_mirror_each_other(
        self, n: int, data: st.DataObject
    ) -> None:
        k = data.draw(st.integers(0, n))
        found, mirrored = wilson(k, n), wilson(n - k, n)
        assert found is not None
        assert mirrored is not None
        assert found.low is not None
        assert found.high is not None

        assert 0 <= found.low <= k / n <= found.high <= 1
        assert (found.low == 0, found.high == 1) == (k == 0, k == n)
        assert limits(mirrored) == pytest.approx((1 - found.high, 1 - found.low), abs=1e-12)


def woodruff_by_the_book(
    values: Sequence[float], clusters: Sequence[int], level: float
) -> tuple[float | None, float | None] | None:
    """Rule N2, sentence by sentence."""
    middle = float(np.quantile(values, 0.5))
    members: dict[int, list[float]] = defaultdict(list)
    for value, cluster in zip(values, clusters, strict=True):
        members[cluster].append(value)
    m = len(members)
    if m < 6:
        return None
    e = [sum(value <= middle for value in held) - len(held) / 2 for held in members.values()]
    v = m / (m - 1) * sum(x * x for x in e) / len(values) ** 2
    if v == 0:
        return None
    h = float(stats.t.ppf((1 + level) / 2, m - 1)) * math.sqrt(v)
    return (
        None if 0.5 - h < 0 else float(np.quantile(values, 0.5 - h)),
        None if 0.5 + h > 1 else float(np.quantile(values, 0.5 + h)),
    )


class TestWoodruff:
    def test_a_case_worked_by_hand(self) -> None:
        # Median 12.5. Each cluster of three holds 3 or 0 of the lower half: e = ±1.5, and
        # v = 8/7 · 8 · 2.25 / 24² = 1/28, h = 2.36462 · √(1/28) = 0.44687: 0.0531 and 0.9469.
        values, clusters = range(1, 25), np.repeat(np.arange(8), 3)

        found = woodruff(values, clusters)

        assert limits(found) == pytest.approx((1 + 23 * 0.05313, 1 + 23 * 0.94687), abs=2e-4)
        assert found is not None
        assert (found.level, found.method, found.approx) == (0.95, "woodruff", False)

    @pytest.mark.parametrize(
        ("values", "clusters", "expected"),
        [
            ([], [], None),
            (range(5), range(5), None),  # five clusters
            (range(50), [i % 5 for i in range(50)], None),  # five, however many samples
            (range(6), range(6), (None, None)),  # six of one sample each: h = 0.575 > 0.5
            ([4] * 60, [i % 12 for i in range(60)], (4, 4)),  # all the same, and h = 0.33
            ([1, 2] * 6, [i // 2 for i in range(12)], None),  # v = 0: every cluster is halved
        ],
    )
    def test_edges(
        self,
        values: Sequence[float],
        clusters: Sequence[int],
        expected: tuple[float | None, float | None] | None,
    ) -> None:
        assert limits(woodruff(values, clusters)) == expected

    @pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
    @given(samples=clustered)
    def test_limits_are_those_of_the_rule(
        self, level: float, samples: list[tuple[int, int]]
    ) -> None:
        values, clusters = unzip(samples)
        expected = woodruff_by_the_book(values, clusters, level)

        found = limits(woodruff(values, clusters, level))

        if found is None or found == (None, None):
            assert found == expected
        else:
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-6)

    @given(samples=clustered)
    def test_limits_hold_the_median_and_widen_with_the_level(
        self, samples: list[tuple[int, int]]
    ) -> None:
        values, clusters = unzip(samples)
        middle = median(values)
        assert middle is not None
        narrow, wide = woodruff(values, clusters, 0.9), woodruff(values, clusters, 0.99)
        if narrow is None or wide is None:
            assert narrow is wide
            return

        assert holds(narrow, middle)
        assert narrow.low is None or holds(wide, narrow.low)
        assert narrow.high is None or holds(wide, narrow.high)
        assert (narrow.low is None) == (narrow.high is None)

    @given(samples=clustered, data=st.data())
    def test_order_and_names_do_not_matter_and_the_unit_carries_through(
        self, samples: list[tuple[int, int]], data: st.DataObject
    ) -> None:
        values, clusters = unzip(samples)
        shuffled, names = unzip(data.draw(st.permutations(samples)))
        found = limits(woodruff(values, clusters))

        assert limits(woodruff(shuffled, [10**15 - 7 * name for name in names])) == found
        # Powers of two scale without rounding.
        doubled = found and tuple(None if limit is None else 4 * limit for limit in found)
        assert limits(woodruff([4 * value for value in values], clusters)) == doubled

    def test_samples_without_a_cluster_are_refused(self) -> None:
        with pytest.raises(ValueError, match="3 samples do not go with 2 marks"):
            woodruff([1, 2, 3], [1, 2])

    @pytest.mark.parametrize("m", [6, 12, 20])
    @pytest.mark.parametrize("even", [True, False])
    def test_it_covers_the_true_median_where_changes_share_their_fate(
        self, m: int, even: bool
    ) -> None:
        # Clusters of five, or of 1 to 8; correlation 0.6 within them; the true median is 0.
        random = np.random.default_rng(m)
        found, naive = [], []
        for _ in range(800):
            sizes = np.full(m, 5) if even else random.integers(1, 9, m)
            clusters = np.repeat(np.arange(m), sizes)
            shared, own = random.normal(size=m)[clusters], random.normal(size=clusters.size)
            values = np.sqrt(0.6) * shared + np.sqrt(0.4) * own
            if interval := woodruff(values, clusters):
                found.append(interval)
            if independent := order_statistic_interval(values):
                naive.append(holds(independent, 0))

        assert len(found) >= 795  # without width (v = 0) is rare
        assert np.mean([interval.low is None for interval in found]) < (0.3 if m == 6 else 0.01)
        assert 0.92 <= np.mean([holds(interval, 0) for interval in found]) <= 0.99
        assert np.mean(naive) < 0.87  # what taking the changes as independent would give


class TestOrderStatistics:
    @pytest.mark.parametrize(
        ("n", "level", "ranks"),
        [
            (0, 0.95, None),
            (5, 0.95, None),
            (5, 0.5, None),  # fewer than six are listed, whatever the level
            (6, 0.95, (1, 6)),
            (7, 0.99, None),  # even the extremes cover only 0.984
            (8, 0.99, (1, 8)),
            (12, 0.95, (3, 10)),
            (20, 0.95, (6, 15)),
            (6, 0.96875, (1, 6)),  # the extremes of six cover exactly this much
            (6, 0.96876, None),
        ],
    )
    def test_ranks(self, n: int, level: float, ranks: tuple[int, int] | None) -> None:
        values = np.random.default_rng(n).permutation(np.arange(1, n + 1))

        assert limits(order_statistic_interval(values, level)) == ranks

    @pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
    def test_ranks_are_the_narrowest_that_cover(self, level: float) -> None:
        for n in [*range(8, 120), 999, 5000]:
            found = order_statistic_interval(range(1, n + 1), level)
            assert found is not None
            assert found.low is not None
            rank = int(found.low)

            assert found.high == n + 1 - rank
            assert 1 - 2 * stats.binom.cdf(rank - 1, n, 0.5) >= level
            assert 1 - 2 * stats.binom.cdf(rank, n, 0.5) < level

    @given(values=st.lists(seconds, min_size=6, max_size=80))
    def test_limits_are_samples_that_hold_the_median(self, values: list[int]) -> None:
        found, middle = order_statistic_interval(values), median(values)
        assert found is not None
        assert middle is not None

        assert holds(found, middle)
        assert {found.low, found.high} <= set(values)


def median_by_definition(durations: Sequence[int], observed: Sequence[int]) -> float | None:
    """Rule N3 in fractions: S straight from its definition at every duration."""
    survival: dict[int, Fraction] = {}
    share = Fraction(1)
    for t in sorted({d for d, over in zip(durations, observed, strict=True) if over}):
        at_risk = sum(d >= t for d in durations)
        ended = sum(d == t and bool(over) for d, over in zip(durations, observed, strict=True))
        share *= 1 - Fraction(ended, at_risk)
        survival[t] = share
    half = [t for t, left in survival.items() if left == Fraction(1, 2)]
    below = [t for t, left in survival.items() if left < Fraction(1, 2)]
    if not below:
        return None
    return (half[0] + below[0]) / 2 if half else below[0]


def survival_by_scipy(
    durations: Sequence[int], observed: Sequence[int], level: float
) -> tuple[Callable[[float], float], tuple[float | None, float | None]]:
    """S, and where its pointwise log-log band first comes down to 1/2 and first leaves it."""
    lengths, over = np.asarray(durations, dtype=float), np.asarray(observed, dtype=bool)
    sf = stats.ecdf(stats.CensoredData(uncensored=lengths[over], right=lengths[~over])).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # undefined where S is 0 or 1
        band = sf.confidence_interval(level, method="log-log")
    low = sf.quantiles[(band.low.probabilities <= 0.5) & (sf.probabilities < 1)]
    high = sf.quantiles[(band.high.probabilities < 0.5) & (sf.probabilities > 0)]
    return lambda t: float(sf.evaluate(t)), (
        low[0] if low.size else None,
        high[0] if high.size else None,
    )


class TestKaplanMeier:
    def test_the_textbook_example(self) -> None:
        curve = kaplan_meier(WEEKS, ENDED)

        assert curve.times.tolist() == [6, 7, 10, 13, 16, 22, 23]
        assert curve.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
        assert curve.ended.tolist() == [3, 1, 1, 1, 1, 1, 1]
        assert curve.survival == pytest.approx(
            [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=5e-4
        )

    @pytest.mark.parametrize("durations", [[], [3, 5, 5]])
    def test_it_has_no_steps_where_nothing_ended(self, durations: list[int]) -> None:
        curve = kaplan_meier(durations, [0] * len(durations))

        assert curve.times.size == curve.survival.size == 0

    @given(sample=lasting)
    def test_the_curve_is_that_of_scipy(self, sample: list[tuple[int, int]]) -> None:
        durations, observed = unzip(sample)
        survival, _ = survival_by_scipy(durations, observed, 0.95)

        curve = kaplan_meier(durations, observed)

        expected = [survival(t) for t in curve.times]
        assert curve.survival == pytest.approx(expected, rel=1e-12, abs=1e-15)

    @given(durations=st.lists(seconds, min_size=1))
    def test_without_open_ones_it_is_the_share_that_lasts_longer(
        self, durations: list[int]
    ) -> None:
        curve = kaplan_meier(durations, [1] * len(durations))

        longer = [sum(d > t for d in durations) / len(durations) for t in curve.times]
        assert curve.survival == pytest.approx(longer, rel=1e-12, abs=1e-15)


class TestSurvivalMedian:
    @pytest.mark.parametrize(
        ("durations", "observed", "expected"),
        [
            ([], [], None),
            ([4], [1], 4),
            ([4], [0], None),  # only an open one: longer than that
            ([1, 2, 3], [1, 1, 1], 2),
            ([1, 2, 3, 8], [1, 1, 1, 1], 2.5),  # S is exactly 1/2 from 2 to 3
            ([1, 2, 3, 5, 5, 8], [1, 1, 1, 0, 0, 1], 5.5),  # exactly 1/2 from 3 to 8
            ([1, 2, 3, 5, 5, 5], [1, 1, 1, 0, 0, 0], None),  # 1/2, but never below it
            ([1, 2, 2, 3], [1, 1, 0, 1], 2.5),  # ended before open at 2: 3/4 · 2/3 = 1/2
            ([1, 5, 5, 5], [1, 0, 0, 0], None),  # S stays at 3/4
            # 8/9 · 7/8 · 6/7 · 3/4 is 1/2, but less by a bit in floating point.
            (range(1, 10), [1, 1, 1, 0, 0, 1, 0, 0, 1], 7.5),
        ],
    )
    def test_medians(
        self, durations: Sequence[float], observed: Sequence[int], expected: float | None
    ) -> None:
        found = survival_median(durations, observed)

        assert found.median == expected
        assert found.longest == max(durations, default=None)
        assert (found.n, found.open) == (len(durations), observed.count(0))

    def test_the_textbook_example(self) -> None:
        found = survival_median(WEEKS, ENDED)

        assert (found.median, found.longest, found.n, found.open) == (23, 35, 21, 12)
        # The band leaves 1/2 nowhere: how much longer it may be is open.
        assert found.interval == Interval(
            low=13, high=None, level=0.95, method="brookmeyer_crowley"
        )

    @pytest.mark.parametrize(
        ("durations", "observed", "expected"),
        [
            (range(5), [1] * 5, None),
            (range(5), [1, 1, 1, 1, 0], None),  # five with an open one
            (range(1, 7), [1] * 6, (1, 6)),  # none open: order statistics
            (range(1, 7), [0] * 6, (None, None)),  # nothing is known of the end
            (range(1, 7), [0, 0, 0, 0, 0, 1], (None, None)),  # S falls to 0 at once
        ],
    )
    def test_interval_edges(
        self,
        durations: Sequence[float],
        observed: Sequence[int],
        expected: tuple[float | None, float | None] | None,
    ) -> None:
        assert limits(survival_median(durations, observed).interval) == expected

    def test_every_small_sample_agrees_with_exact_fractions(self) -> None:
        for n in range(1, 10):
            for observed in itertools.product((0, 1), repeat=n):
                expected = median_by_definition(range(n), observed)

                assert survival_median(range(n), observed).median == expected

    @given(sample=lasting)
    def test_samples_with_ties_agree_with_exact_fractions(
        self, sample: list[tuple[int, int]]
    ) -> None:
        durations, observed = unzip(sample)

        found = survival_median(durations, observed)

        assert found.median == median_by_definition(durations, observed)

    @pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
    @given(sample=st.lists(st.tuples(st.integers(0, 99), st.booleans()), min_size=6, max_size=60))
    def test_limits_are_where_the_band_of_scipy_crosses_a_half(
        self, level: float, sample: list[tuple[int, int]]
    ) -> None:
        durations, observed = unzip([*sample, (50, False)])
        _, expected = survival_by_scipy(durations, observed, level)

        assert limits(survival_median(durations, observed, level).interval) == expected

    @given(sample=lasting)
    def test_limits_hold_the_median(self, sample: list[tuple[int, int]]) -> None:
        found = survival_median(*unzip(sample))

        assert found.longest is not None
        if found.median is not None:
            assert found.median <= found.longest
            assert found.interval is None or holds(found.interval, found.median)

    @given(durations=st.lists(seconds, min_size=1))
    def test_without_open_ones_it_is_the_plain_median(self, durations: list[int]) -> None:
        found = survival_median(durations, [1] * len(durations))

        assert found.median == median(durations)
        assert found.interval == order_statistic_interval(durations)

    @given(sample=lasting, more=st.integers(1, 50))
    def test_waiting_longer_never_shortens_the_median(
        self, sample: list[tuple[int, int]], more: int
    ) -> None:
        durations, observed = unzip(sample)
        later = [d if over else d + more for d, over in sample]

        before = survival_median(durations, observed).median
        after = survival_median(later, observed).median

        assert after is None or (before is not None and after >= before)

    def test_limits_cover_the_true_median_with_some_open(self) -> None:
        random = np.random.default_rng(26)
        found = []
        for _ in range(800):
            ends, seen_until = random.exponential(size=27), random.exponential(4, size=27)
            sample = survival_median(np.minimum(ends, seen_until), ends <= seen_until)
            assert sample.interval is not None
            found.append(sample.interval)

        assert np.mean([interval.high is None for interval in found]) < 0.02
        assert 0.92 <= np.mean([holds(interval, math.log(2)) for interval in found]) <= 0.99


class TestQuantilesOfDistributions:
    @pytest.mark.parametrize("p", [0.6, 0.9, 0.95, 0.975, 0.995, 0.9999, 1 - 1e-6, 0.025, 1e-6])
    def test_students_t_is_that_of_scipy(self, p: float) -> None:
        freedoms = range(1, 501)

        found = [t_quantile(p, df) for df in freedoms]

        assert found == pytest.approx(stats.t.ppf(p, freedoms), rel=1e-9, abs=0)

    @pytest.mark.parametrize(
        ("p", "df", "expected"),
        [
            (0.5, 7, 0),
            (0.75, 1, 1),  # Cauchy's quartile
            (0.975, 5, 2.570581836),
            (0.975, 10**5, 1.959987708),  # as good as normal
        ],
    )
    def test_known_values_of_students_t(self, p: float, df: int, expected: float) -> None:
        assert t_quantile(p, df) == pytest.approx(expected, rel=1e-8, abs=1e-15)

    @pytest.mark.parametrize(("p", "df"), [(0, 5), (1, 5), (0.9, 0)])
    def test_what_has_no_quantile_is_refused(self, p: float, df: int) -> None:
        with pytest.raises(ValueError, match="no t quantile"):
            t_quantile(p, df)

    @given(p=st.floats(1e-9, 1 - 1e-9))
    def test_the_normal_quantile_is_that_of_scipy(self, p: float) -> None:
        assert normal_quantile(p) == pytest.approx(float(stats.norm.ppf(p)), rel=1e-9, abs=1e-15)
