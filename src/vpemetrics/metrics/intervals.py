"""Medians, quantiles and confidence intervals, for numbers as small as ours are.

Pure arithmetic over arrays, with numpy alone: the report has no second to spare for scipy,
to which the tests hold every function here.

What there is, and what it is for (rules N1 to N3):

median, quantile            of any samples
wilson                      a proportion k/n
woodruff                    the median of samples that come in clusters (lead times by deployment)
order_statistic_interval    the median of independent samples
kaplan_meier                how long things last when some are not over yet
survival_median             its median and interval (recovery times)
normal_quantile, t_quantile
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from vpemetrics.metrics.table import distinct

FEWEST: Final = 6
"""Samples (or clusters of them) below which a median has no interval: the values are listed."""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A two-sided confidence interval in the unit of its samples; a limit of `None` is open.

    `level` is the coverage that was asked for.
    `approx` marks one that is not known to keep to it, as where a caller pools what overlaps.
    """

    low: float | None
    high: float | None
    level: float
    method: str
    approx: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class KaplanMeier:
    """The share still going on, as a step function: 1 at first, `survival[i]` from `times[i]` on.

    There is a step at every duration at which something ended; `ended[i]` of `at_risk[i]` did.
    """

    times: Floats
    survival: Floats
    at_risk: Integers
    ended: Integers


@dataclass(frozen=True, kw_only=True)
class SurvivalMedian:
    """The median of `n` durations of which `open` are not over.

    A `median` of `None` is longer than `longest`, the longest duration so far, open ones included.
    """

    median: float | None
    longest: float | None
    n: int
    open: int
    interval: Interval | None


def median(values: npt.ArrayLike) -> float | None:
    """The middle sample, or the mean of the middle two; `None` of no samples."""
    return quantile(values, 0.5)


def quantile(values: npt.ArrayLike, q: float) -> float | None:
    """The `q`-quantile by linear interpolation (Hyndman and Fan's type 7); `None` of no samples."""
    if not 0 <= q <= 1:
        raise ValueError(f"no quantile at {q}; expected 0 to 1")
    ranked = _rank(values)
    return _quantile(ranked, q) if ranked.size else None


def wilson(k: int, n: int, level: float = 0.95) -> Interval | None:
    """Wilson's score interval of the proportion k/n, without correction; `None` if n is 0.

    Its low limit is exactly 0 at k = 0, its high limit exactly 1 at k = n.
    Source: Wilson 1927.
    """
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no proportion")
    if n == 0:
        return None
    z = normal_quantile((1 + level) / 2)
    # The limits are the roots of a quadratic; their product gives the low one without cancellation.
    larger = 2 * k + z * z + z * math.sqrt(z * z + 4 * k * (n - k) / n)
    return Interval(
        low=2 * k * k / (n * larger),
        high=1.0 if k == n else larger / (2 * (n + z * z)),
        level=level,
        method="wilson",
    )


def woodruff(
    values: npt.ArrayLike, clusters: npt.ArrayLike, level: float = 0.95
) -> Interval | None:
    """The interval of the median of samples that are alike within their cluster (rule N2).

    `clusters` holds an integer for each sample, naming the deployment it belongs to.
    The share of samples at or below the median is a ratio whose variance comes from the clusters;
    its t interval, h on either side of 1/2, is read off the samples as type-7 quantiles.
    Where h exceeds 1/2 both limits are open.

    `None` for fewer than 6 clusters. Also `None` if the estimated variance is 0, which happens when
    the median halves every single cluster: there is then nothing to tell the width from, and an
    interval without width would claim certainty.
    Source: Woodruff 1952, with Student's t for the number of clusters.
    """
    samples, names = _align(values, clusters)
    if distinct(names) < FEWEST:
        return None
    spread = woodruff_spread(samples, names, level)
    if spread.variance == 0:
        return None
    ranked, h = _rank(samples), spread.h
    return Interval(
        low=_quantile(ranked, 0.5 - h) if h <= 0.5 else None,
        high=_quantile(ranked, 0.5 + h) if h <= 0.5 else None,
        level=level,
        method="woodruff",
    )


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The makings of Woodruff's interval: `m` clusters and the `variance` of a share.

    That is the share of samples at or below the median; `t` is Student's for m - 1, and `h` the
    distance from 1/2 in quantiles.
    """

    m: int
    variance: float
    t: float
    h: float


def woodruff_spread(values: npt.ArrayLike, clusters: npt.ArrayLike, level: float = 0.95) -> Spread:
    """The distance around 1/2 of the median's quantile; there must be two clusters or more."""
    samples, names = _align(values, clusters)
    _, cluster = np.unique(names, return_inverse=True)
    sizes = np.bincount(cluster)
    m = sizes.size
    at_or_below = np.bincount(cluster, weights=samples <= _quantile(_rank(samples), 0.5))
    excess = at_or_below - sizes / 2
    variance = m / (m - 1) * float(excess @ excess) / samples.size**2
    t = t_quantile((1 + level) / 2, m - 1)
    return Spread(m=m, variance=variance, t=t, h=t * math.sqrt(variance))


def order_statistic_interval(values: npt.ArrayLike, level: float = 0.95) -> Interval | None:
    """The exact interval of the median of independent samples: two of the samples themselves.

    The narrowest pair of ranks r and n + 1 - r that covers the median with at least `level`.
    `None` for fewer than 6 samples, or too few for the level (at 0.99: fewer than 8).
    """
    ranked = _rank(values)
    rank = _order_rank(ranked.size, level)
    if ranked.size < FEWEST or rank == 0:
        return None
    return Interval(
        low=float(ranked[rank - 1]),
        high=float(ranked[-rank]),
        level=level,
        method="order_statistics",
    )


def kaplan_meier(durations: npt.ArrayLike, observed: npt.ArrayLike) -> KaplanMeier:
    """The product-limit estimate of the share that lasts longer than t.

    `observed` is true for a duration that is over, false for one still open (right-censored).
    What is open at t counts as still at risk when something else ends at t.
    Source: Kaplan and Meier 1958.
    """
    lengths, over = _align(durations, observed)
    times, ended = np.unique(lengths[over.astype(bool)], return_counts=True)
    at_risk = lengths.size - np.searchsorted(_rank(lengths), times, side="left")
    return KaplanMeier(
        times=times,
        survival=np.cumprod((at_risk - ended) / at_risk, dtype=np.float64),
        at_risk=at_risk,
        ended=ended,
    )


def survival_median(
    durations: npt.ArrayLike, observed: npt.ArrayLike, level: float = 0.95
) -> SurvivalMedian:
    """The median duration and its interval when some durations are still open (rule N3).

    The smallest t with S(t) < 1/2, or the middle of the interval where S is exactly 1/2.
    Where S never falls below 1/2 the median is `None`: longer than the longest so far.
    Interval: exact order statistics without open durations, else Brookmeyer and Crowley;
    `None` for fewer than 6 durations.
    """
    lengths, over = _align(durations, observed)
    open_ = lengths.size - int(np.count_nonzero(over))
    curve = kaplan_meier(lengths, over)
    return SurvivalMedian(
        median=_median_of(curve),
        longest=float(lengths.max()) if lengths.size else None,
        n=lengths.size,
        open=open_,
        interval=(
            _brookmeyer_crowley(curve, lengths.size, level)
            if open_
            else order_statistic_interval(lengths, level)
        ),
    )


def normal_quantile(p: float) -> float:
    """The value a standard normal variable stays below with probability `p`."""
    return NormalDist().inv_cdf(p)


@lru_cache(maxsize=1024)
def t_quantile(p: float, df: int) -> float:
    """The value Student's t with `df` degrees of freedom (a whole number) stays below with `p`.

    Relative error below 1e-9 for 1e-6 < p < 1 - 1e-6.
    """
    if not 0 < p < 1 or df < 1:
        raise ValueError(f"no t quantile for p = {p} and {df} degrees of freedom")
    if p < 0.5:
        return -t_quantile(1 - p, df)
    # P(|T| <= t) is concave and t exceeds the normal quantile, so Newton's steps from there
    # never overshoot; the first one that does not advance is rounding.
    t = normal_quantile(p)
    while (step := (2 * p - 1 - _t_within(t, df)) / (2 * _t_density(t, df))) > 1e-14 * t:
        t += step
    return t


def _rank(values: npt.ArrayLike) -> Floats:
    """The samples in ascending order; a NaN or infinity among them is an error of the caller."""
    ranked = np.sort(np.asarray(values, dtype=np.float64))
    if ranked.size and not (np.isfinite(ranked[0]) and np.isfinite(ranked[-1])):
        raise ValueError("samples must be finite; leave unknown ones out and count them")
    return ranked


def _align(values: npt.ArrayLike, marks: npt.ArrayLike) -> tuple[Floats, Integers]:
    samples, marked = np.asarray(values, dtype=np.float64), np.asarray(marks, dtype=np.int64)
    if samples.shape != marked.shape:
        raise ValueError(f"{samples.size} samples do not go with {marked.size} marks")
    return samples, marked


def _quantile(ranked: Floats, q: float) -> float:
    position = q * (ranked.size - 1)
    below = int(position)
    above = min(below + 1, ranked.size - 1)
    low, high = float(ranked[below]), float(ranked[above])
    return min(low + (high - low) * (position - below), high)


@lru_cache(maxsize=1024)
def _order_rank(n: int, level: float) -> int:
    """The largest r for which ranks r to n + 1 - r cover the median often enough; 0 if none does.

    They cover it when as many of n samples as r to n - r fall on one side: binomial, summed in
    whole numbers from the middle, which is some √n steps away.
    """
    needed = math.ceil(Fraction(level) * 2**n)
    rank = n // 2
    ways = math.comb(n, rank)
    covered = ways * (1 + n % 2)
    while covered < needed:
        ways = ways * rank // (n - rank + 1)
        rank -= 1
        covered += 2 * ways
    return rank


def _median_of(curve: KaplanMeier) -> float | None:
    """The median of the curve; whether a step reaches exactly 1/2 is decided in whole numbers."""
    staying = starting = 1
    for step, (at_risk, ended) in enumerate(
        zip(curve.at_risk.tolist(), curve.ended.tolist(), strict=True)
    ):
        staying, starting = staying * (at_risk - ended), starting * at_risk
        if 2 * staying < starting:
            return float(curve.times[step])
        if 2 * staying == starting:
            middle = curve.times[step : step + 2]
            return float(middle.mean()) if middle.size == 2 else None
    return None


def _brookmeyer_crowley(curve: KaplanMeier, n: int, level: float) -> Interval | None:
    """From where the log-log band around S first reaches down to 1/2 to where it first leaves it.

    A limit the band does not reach is open.
    At a step to S = 0 the variance (Greenwood's) is unknown, so the band ends before it.
    """
    if n < FEWEST:
        return None
    known = curve.at_risk > curve.ended
    times, at_risk, ended = curve.times[known], curve.at_risk[known], curve.ended[known]
    hazard = -np.log(curve.survival[known])
    error = np.sqrt(np.cumsum(ended / (at_risk * (at_risk - ended))))
    score = np.log(hazard / math.log(2)) * hazard / error
    z = normal_quantile((1 + level) / 2)
    return Interval(
        low=_first(times, score >= -z),
        high=_first(times, score > z),
        level=level,
        method="brookmeyer_crowley",
    )


def _first(times: Floats, true: npt.NDArray[np.bool_]) -> float | None:
    return float(times[true.argmax()]) if true.any() else None


def _t_within(t: float, df: int) -> float:
    """P(|T| <= t) as a finite sum (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(df))
    cosine = math.cos(angle)
    factors = np.arange(df % 2 + 1, df - 2, 2.0)
    terms = np.cumprod(factors / (factors + 1) * cosine**2)
    if df % 2 == 0:
        return math.sin(angle) * (1 + float(terms.sum()))
    series = cosine * (1 + float(terms.sum())) if df > 1 else 0.0
    return 2 / math.pi * (angle + math.sin(angle) * series)


def _t_density(t: float, df: int) -> float:
    scale = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - math.log(df * math.pi) / 2
    return math.exp(scale - (df + 1) / 2 * math.log1p(t * t / df))
