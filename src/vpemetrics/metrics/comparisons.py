"""The difference of two quarters, and a level beside its target (rules L4 and L5).

Pure arithmetic; the words better and worse come from here and from `signals`, and nowhere else.
Source: Newcombe 1998 (method 10); MOVER as in Zou and Donner 2008.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt
from pydantic import Field

from vpemetrics.metrics.charts import Baseline, ChartKind, Word
from vpemetrics.metrics.dora import interval, lead_times
from vpemetrics.metrics.facts import Slice
from vpemetrics.metrics.figures import Figure, IntervalRef, Model, WindowRef
from vpemetrics.metrics.intervals import Interval, median, wilson, woodruff
from vpemetrics.metrics.registry import METRICS
from vpemetrics.rules import Target
from vpemetrics.window import quarter_of

LEVEL: Final = 0.99
"""Of the difference, because a report has several of them, every quarter."""

LEAST_N: Final = 20
"""Of both proportions."""

LEAST_DEPLOYMENTS: Final = 12
"""That shipped a counted change, in both quarters of lead time: they are alike within one."""

SHORTEST: Final = 1.0
"""Seconds that a time of nothing counts as, for it has no logarithm."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """Lead times in seconds, and the deployment that each of them ended in."""

    seconds: npt.NDArray[np.float64]
    deployments: npt.NDArray[np.int64]
    at_merge: int = 0
    """The number of them that start at the merge, for want of the original commits."""

    @property
    def comparable(self) -> bool:
        """True if they come from deployments enough, and most of them start where they should."""
        enough = np.unique(self.deployments).size >= LEAST_DEPLOYMENTS
        return enough and 2 * self.at_merge <= self.seconds.size


class Comparison(Model):
    """A metric in two quarters, what lies between them, and what may be said of it."""

    metric: str
    before: WindowRef
    after: WindowRef
    difference: IntervalRef | None = Field(
        description="proportion after less before, or median after divided by the one before"
    )
    word: Word


class TargetWord(StrEnum):
    """The standing of a stable process to its target."""

    RELIABLY_MET = "reliably met"
    OUT_OF_REACH = "out of reach"
    HIT_OR_MISS = "hit or miss"
    NOT_YET_KNOWN = "not yet known"


# --- differences --------------------------------------------------------------------------------


def difference_of_proportions(
    before: tuple[int, int], after: tuple[int, int], level: float = LEVEL
) -> Interval | None:
    """The interval of k/n after less k/n before, by Newcombe's method 10; `None` if an n is 0.

    Wilson's limits of both, square-and-add: it never leaves -1 to 1.
    """
    first, second = wilson(*before, level), wilson(*after, level)
    if first is None or second is None:
        return None
    low, high = _mover(before[0] / before[1], first, after[0] / after[1], second)
    return Interval(low=low, high=high, level=level, method="newcombe_10")


def ratio_of_medians(before: Samples, after: Samples, level: float = LEVEL) -> Interval | None:
    """The interval of the median after, divided by the median before; `None` where one has none.

    MOVER of the Woodruff intervals of the logarithms, deployments being the clusters. Times below
    a second count as a second. Where a Woodruff limit is open, so is the ratio's.
    """
    first, second = _logarithms(before), _logarithms(after)
    found = (
        woodruff(first, before.deployments, level),
        woodruff(second, after.deployments, level),
    )
    centers = median(first), median(second)
    if found[0] is None or found[1] is None or centers[0] is None or centers[1] is None:
        return None
    low, high = _mover(centers[0], found[0], centers[1], found[1])
    return Interval(low=_power(low), high=_power(high), level=level, method="mover_woodruff")


def _logarithms(samples: Samples) -> npt.NDArray[np.float64]:
    return np.log(np.maximum(samples.seconds, SHORTEST))


def _power(limit: float | None) -> float | None:
    return None if limit is None else math.exp(limit)


def _mover(
    one: float, of_one: Interval, other: float, of_other: Interval
) -> tuple[float | None, float | None]:
    """The limits of `other` less `one` from the limits of both; open where one it needs is."""
    difference = other - one
    down = _hypotenuse(other, of_other.low, one, of_one.high)
    up = _hypotenuse(other, of_other.high, one, of_one.low)
    return (
        None if down is None else difference - down,
        None if up is None else difference + up,
    )


def _hypotenuse(
    one: float, its_limit: float | None, other: float, others_limit: float | None
) -> float | None:
    if its_limit is None or others_limit is None:
        return None
    return math.hypot(one - its_limit, other - others_limit)


# --- quarters -----------------------------------------------------------------------------------


def compare_proportions(before: Figure, after: Figure) -> Comparison:
    """Two quarters of a proportion: a word other than usual needs n of 20 in both."""
    first, second = _counts(before), _counts(after)
    difference = difference_of_proportions(first, second) if first and second else None
    return _comparison(before, after, difference, no_change=0.0)


def _counts(figure: Figure) -> tuple[int, int] | None:
    """k and n of a proportion that can be compared."""
    if figure.value is None or figure.k is None or figure.n is None or figure.n < LEAST_N:
        return None
    return figure.k, figure.n


def compare_medians(before: Figure, after: Figure, samples: tuple[Samples, Samples]) -> Comparison:
    """Two quarters of lead time: a word other than usual needs comparable samples in both."""
    comparable = all(quarter.comparable for quarter in samples)
    difference = ratio_of_medians(*samples) if comparable else None
    return _comparison(before, after, difference, no_change=1.0)


def compare_shares(before: Figure, after: Figure, samples: tuple[Samples, Samples]) -> Comparison:
    """Two quarters of a share of lead times: it needs what a proportion and a median need."""
    if all(quarter.comparable for quarter in samples):
        return compare_proportions(before, after)
    return _comparison(before, after, None, no_change=0.0)


def _comparison(
    before: Figure, after: Figure, difference: Interval | None, no_change: float
) -> Comparison:
    whole = all(_is_complete_quarter(quarter) for quarter in (before, after))
    higher = _is_higher(difference, no_change) if whole else None
    return Comparison(
        metric=after.metric,
        before=before.window,
        after=after.window,
        difference=interval(difference),
        word=_word(after, higher),
    )


def _is_complete_quarter(figure: Figure) -> bool:
    quarter = quarter_of(figure.window.start)
    dates = (figure.window.start, figure.window.end)
    return dates == (quarter.start, quarter.end) and not figure.partial


def _is_higher(difference: Interval | None, no_change: float) -> bool | None:
    """True if an interval lies above no change, False if it lies below; None if it holds that."""
    if difference is None:
        return None
    if difference.low is not None and difference.low > no_change:
        return True
    if difference.high is not None and difference.high < no_change:
        return False
    return None


def _word(after: Figure, higher: bool | None) -> Word:
    good = METRICS[after.metric].better
    if higher is None or good is None:
        return Word.USUAL
    if higher == (good == "higher"):
        return Word.USUAL if after.provisional else Word.BETTER
    return Word.WORSE


PROPORTIONS: Final = ("change_fail_rate", "deployment_rework_rate")


def compare_quarters(before: Slice, after: Slice) -> tuple[Comparison, ...]:
    """Compare two quarters: lead time, and the proportions that words may be said of.

    Nothing where other services were collected over the whole of one than of the other, and no
    failures or rework where incidents of other services were: what is missing is no difference.
    """
    if before.covered_services != after.covered_services:
        return ()
    samples = _samples(before), _samples(after)
    alike = before.with_incidents == after.with_incidents
    return (
        compare_medians(*_measure_both("change_lead_time", before, after), samples),
        compare_shares(*_measure_both("share_within_24h", before, after), samples),
        *(
            compare_proportions(*_measure_both(name, before, after))
            for name in PROPORTIONS
            if alike
        ),
    )


def _measure_both(metric: str, before: Slice, after: Slice) -> tuple[Figure, Figure]:
    return METRICS[metric].measure(before), METRICS[metric].measure(after)


def _samples(cut: Slice) -> Samples:
    found = lead_times(cut)
    return Samples(
        seconds=found["seconds"],
        deployments=found["deployed_id"],
        at_merge=int(found["at_merge"].sum()),
    )


# --- targets ------------------------------------------------------------------------------------


def against(target: Target, kind: ChartKind, baseline: Baseline) -> TargetWord:
    """Hold the limits of a chart of weeks against a target, which is in the unit of its points.

    Both on its good side: reliably met; both on the other: out of reach; else hit or miss. Without
    complete limits it is not known yet, nor from stretches, which are not in the target's unit.
    """
    if (
        kind is not ChartKind.XMR
        or not baseline.judges
        or baseline.low is None
        or baseline.high is None
    ):
        return TargetWord.NOT_YET_KNOWN
    low, high = baseline.low, baseline.high
    at_least = -math.inf if target.at_least is None else target.at_least
    at_most = math.inf if target.at_most is None else target.at_most
    if at_least <= low and high <= at_most:
        return TargetWord.RELIABLY_MET
    if high < at_least or low > at_most:
        return TargetWord.OUT_OF_REACH
    return TargetWord.HIT_OR_MISS
