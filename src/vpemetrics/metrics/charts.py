"""Charts over time: points, limits and signals; every drawing renders from them.

A value of `None` is a gap, a stretch of which nothing is known; it is never a zero.
"""

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field

from vpemetrics.metrics.figures import Model, Scope


class ChartKind(StrEnum):
    """The way a chart judges its points (rule L1 of docs/metrics.md)."""

    XMR = "xmr"
    """A process behaviour chart of weeks: their counts, or their k of n."""
    G = "g"
    """Of rarer things: how many deployments went well between two of them."""


class Side(StrEnum):
    """The side of the centre or the limits on which a point lies."""

    ABOVE = "above"
    BELOW = "below"


class Word(StrEnum):
    """All that may be said of a difference (rule L4 of docs/metrics.md)."""

    BETTER = "better"
    WORSE = "worse"
    USUAL = "usual"


Rule = Literal["outside_limits", "eight_in_a_row"]
"""The rules that make a point a signal."""


class Point(Model):
    """One week, or one stretch from a failure to the next, under the date on which that ended."""

    label: str
    start: date = Field(description="Monday of the week, or the date of the failure")
    value: float | None = Field(description="null is a gap: not collected, or nothing to divide by")
    k: int | None = Field(default=None, description="numerator, where the value is k of n")
    n: int | None = None
    began: date | None = Field(
        default=None, description="date of the failure before, of a stretch from one to the next"
    )
    hollow: bool = Field(
        default=False,
        description="still running, clipped or quiet: in no baseline, and never a signal",
    )
    quiet: bool = Field(default=False, description="declared so, therefore hollow")
    provisional: bool = Field(default=False, description="may still get worse, so is never better")


class Baseline(Model):
    """The points a chart's limits come from, and the limits; `None` where there are none.

    It judges the points from `applies_from` to the next baseline's.
    """

    applies_from: date = Field(description="the first day on which it judges")
    since: date | None = Field(
        default=None, description="the declared step the limits start anew from"
    )
    first: date | None = Field(description="date of the first point in the baseline")
    last: date | None = Field(description="date of the last one")
    points: int
    center: float | None = Field(description="mean of weeks, median of stretches")
    low: float | None = None
    high: float | None = None
    complete: bool = Field(description="of as many points as signals take")

    @property
    def limited(self) -> bool:
        """True if there are limits, be they trial ones."""
        return self.high is not None

    @property
    def judges(self) -> bool:
        """True if points after it can be signals: the limits are there and complete."""
        return self.complete and self.limited


class Signal(Model):
    """A point that a stable process gives now and then only (rule L2 of docs/metrics.md)."""

    rule: Rule
    side: Side
    word: Word
    label: str
    start: date
    value: float


class Chart(Model):
    """A metric over time with its limits, a baseline for each level, and its signals."""

    metric: str
    definition_id: str
    kind: ChartKind
    scope: Scope
    better: Side = Field(description="on which side of the centre a point is a good one")
    points: tuple[Point, ...]
    baselines: tuple[Baseline, ...] = Field(
        description="in the order of time: a new one with each year and with each declared step"
    )
    signals: tuple[Signal, ...]

    @property
    def baseline(self) -> Baseline:
        """The one that today's points are judged by."""
        return self.baselines[-1]
