"""Signal or noise: limits from a baseline, and the points after it that break them.

Pure arithmetic over points (rules L1 to L3). What there is:

stretches                   deployments one by one as the points of a chart, from failure to failure
chart                       points with the limits of their baselines, and signals
weekly_or_rare              the one of two charts of the same failures to show
charts_with_words, word     the charts that may give words, and what they say of a window
add_words                   figures with that
expected_false_alarms       the signals that chance alone would give there
clip                        the part of a chart that is shown
unseen_since                the date that the points must reach back to, to show a run's begin
lasting_run, step_to_paste  what goes on after eight in a row, and its declaration as a new level

Sources: Wheeler, Understanding Variation (XmR); Kaminsky and others 1992 (g).
"""

import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice, pairwise
from statistics import fmean, mean, median
from typing import Final, NamedTuple

from vpemetrics.metrics.charts import (
    Baseline,
    Chart,
    ChartKind,
    Point,
    Rule,
    Side,
    Signal,
    Word,
)
from vpemetrics.metrics.figures import Figure, Scope, WindowRef
from vpemetrics.metrics.registry import METRICS

FULL: Final[Mapping[ChartKind, int]] = {ChartKind.XMR: 26, ChartKind.G: 20}
"""Points in a baseline that is complete, and locked."""

FEWEST: Final = 6
"""Points below which there are not even trial limits."""

LEAST_MEAN: Final = 3.0
"""Events a week below which a chart of weeks has no limits: counts are too few to be normal."""

RUN: Final = 8
"""Points in a row on one side of the centre that are a signal."""

MOST_WORDED: Final = 3
"""Charts in one report that may give words: more would give false alarms too often."""

FALSE_ALARMS: Final[Mapping[ChartKind, float]] = {ChartKind.XMR: 0.017, ChartKind.G: 0.031}
"""Signals per new point of a stable process, by simulation (benchmarks/signals.py)."""


class ChartLimits(NamedTuple):
    """A centre line and the limits around it; `None` where there is none."""

    center: float | None
    low: float | None
    high: float | None


NONE: Final = ChartLimits(None, None, None)


class Outcome(NamedTuple):
    """The outcome of one deployment, under the date on which it finished."""

    on: date
    failed: bool


# --- points -------------------------------------------------------------------------------------


def stretches(
    outcomes: Iterable[Outcome],
    uncollected: Iterable[date] = (),
    provisional_from: date | None = None,
    steps: Iterable[date] = (),
) -> tuple[Point, ...]:
    """Count the deployments that went well from failure to failure, the current stretch hollow.

    `outcomes` are in the order of time; what came before the first failure is no stretch.
    One that holds a date of `uncollected` is a gap; one that ends on or after `provisional_from`
    is provisional, because a failure that nobody knows of yet would cut it in two; one that began
    before a step is of two levels, and hollow.
    """
    holes, edges = sorted(uncollected), sorted(steps)
    return tuple(
        Point(
            label=stretch.on.isoformat(),
            start=stretch.on,
            value=float(stretch.went_well)
            if bisect_left(holes, stretch.since) == bisect_left(holes, stretch.on)
            else None,
            hollow=stretch.running
            or bisect_right(edges, stretch.since) != bisect_right(edges, stretch.on),
            provisional=provisional_from is not None and stretch.on >= provisional_from,
        )
        for stretch in _between_failures(outcomes)
    )


class _Stretch(NamedTuple):
    since: date
    on: date
    went_well: int
    running: bool


def _between_failures(outcomes: Iterable[Outcome]) -> Iterator[_Stretch]:
    went_well, failed_on, last_on = 0, None, None
    for on, failed in outcomes:
        last_on = on
        if failed and failed_on is not None:
            yield _Stretch(failed_on, on, went_well, running=False)
        if failed:
            went_well, failed_on = 0, on
        else:
            went_well += 1
    if failed_on is not None and last_on is not None:
        yield _Stretch(failed_on, last_on, went_well, running=True)


# --- limits -------------------------------------------------------------------------------------


def xmr_limits(points: Sequence[Point]) -> ChartLimits:
    """Mean, and mean ± 2.66 × mean moving range, clipped at 0, of weeks in their order.

    Moving ranges above 3.267 × their mean are left out of it, in one pass; the mean keeps all
    points. A gap has no moving range across it. No limits where the mean count is below 3, where
    gaps leave fewer than five moving ranges, or where those that are left are all 0 although the
    points differ: such limits would hold none of them.
    """
    known = [point for point in points if _is_known(point)]
    center = mean(map(_value, known))
    ranges = [
        abs(after - before)
        for before, after in pairwise(point.value if _is_known(point) else None for point in points)
        if before is not None and after is not None
    ]
    if len(ranges) < FEWEST - 1 or fmean(map(_count, known)) < LEAST_MEAN:
        return ChartLimits(center, None, None)
    widest = 3.267 * fmean(ranges)
    spread = 2.66 * fmean(moved for moved in ranges if moved <= widest)
    if not spread and any(_value(point) != center for point in known):
        return ChartLimits(center, None, None)
    return ChartLimits(center, max(0.0, center - spread), center + spread)


def g_limits(points: Sequence[Point]) -> ChartLimits:
    """Median of stretches between failures, and mean + 3√(mean(mean + 1)) from 20 of them on.

    There is no lower limit: one failure right after another is nothing unusual.
    """
    values = [_value(point) for point in points if _is_known(point)]
    average = fmean(values)
    spread = 3 * math.sqrt(average * (average + 1))
    high = average + spread if len(values) >= FULL[ChartKind.G] else None
    return ChartLimits(median(values), None, high)


_LIMITS: Final = {ChartKind.XMR: xmr_limits, ChartKind.G: g_limits}


def _is_known(point: Point) -> bool:
    """Tell whether a point is neither a gap nor still running."""
    return point.value is not None and not point.hollow


def _value(point: Point) -> float:
    """The value of a point that is no gap."""
    if point.value is None:
        raise ValueError(f"{point.label} is a gap")
    return point.value


def _count(point: Point) -> float:
    """The number of events a point holds: k of a share, else its value."""
    return _value(point) if point.k is None else float(point.k)


def baseline(
    points: Sequence[Point],
    kind: ChartKind,
    since: date | None = None,
    stored: Baseline | None = None,
) -> Baseline:
    """The limits of points that begin at a declared step, or where collection did.

    The first 26 complete and final weeks, or 20 stretches, lock it: from then on it is to be
    stored, and a `stored` one of the same step is what counts, whatever became of its weeks.
    Fewer give trial limits that move; below six there are none.
    """
    if stored is not None and stored.locked and stored.since == since:
        return stored
    final = (at for at, point in enumerate(points) if _is_known(point) and not point.provisional)
    places = [*islice(final, FULL[kind])]
    used = points[places[0] : places[-1] + 1] if places else ()
    limits = _LIMITS[kind](used) if len(places) >= FEWEST else NONE
    return Baseline(
        since=since,
        first=used[0].start if used else None,
        last=used[-1].start if used else None,
        points=len(places),
        center=limits.center,
        low=limits.low,
        high=limits.high,
        locked=len(places) == FULL[kind],
    )


# --- signals ------------------------------------------------------------------------------------


def signals(points: Sequence[Point], by: Baseline, better: Side) -> Iterator[Signal]:
    """The points after a locked baseline that chance seldom gives (rule L2).

    One outside the limits; and the eighth in a row on one side of the centre, once. Runs begin
    after the baseline; a point on the centre ends one, a gap does neither that nor extend it.
    A provisional point that would be better is none: what makes it worse may still come to light.
    """
    for point, side, run in _runs(points, by):
        if side is None or (point.provisional and side == better):
            continue
        if is_outside(_value(point), by):
            yield _signal("outside_limits", point, side, better)
        if run == RUN:
            yield _signal("eight_in_a_row", point, side, better)


def _signal(rule: Rule, point: Point, side: Side, better: Side) -> Signal:
    return Signal(
        rule=rule,
        side=side,
        word=Word.BETTER if side == better else Word.WORSE,
        label=point.label,
        start=point.start,
        value=_value(point),
    )


class _Judged(NamedTuple):
    point: Point
    side: Side | None
    run: int


def _runs(points: Sequence[Point], by: Baseline) -> Iterator[_Judged]:
    """Each new point with its side of the centre, and how many in a row have been there."""
    run, last = 0, None
    for point in new_points(points, by):
        side = _side(point, by)
        run = run + 1 if side is not None and side == last else int(side is not None)
        last = side
        yield _Judged(point, side, run)


def new_points(points: Iterable[Point], by: Baseline) -> Iterator[Point]:
    """The points after a baseline that judges, gaps and hollow ones left out."""
    if by.judges and by.last is not None:
        yield from (point for point in points if _is_known(point) and point.start > by.last)


def is_outside(value: float, by: Baseline) -> bool:
    """Tell whether a value lies beyond a limit."""
    return (by.high is not None and value > by.high) or (by.low is not None and value < by.low)


def _side(point: Point, by: Baseline) -> Side | None:
    value = _value(point)
    if by.center is None or value == by.center:
        return None
    return Side.ABOVE if value > by.center else Side.BELOW


# --- charts -------------------------------------------------------------------------------------


def chart(
    metric: str,
    scope: Scope,
    kind: ChartKind,
    points: Sequence[Point],
    steps: Iterable[date] = (),
    stored: Iterable[Baseline] = (),
) -> Chart:
    """A metric's points with their limits and signals; limits start anew at each step.

    `points` are in order, weeks without a hole, and reach back to the first collected one; less
    far under a locked `stored` baseline, if a run is still seen from where it begins (see
    `unseen_since`).
    A level begins with the first point dated on or after its step.
    """
    levels = _levels(points, steps)
    locked = {kept.since: kept for kept in stored}
    baselines = [baseline(level, kind, since, locked.get(since)) for since, level in levels]
    good = Side.ABOVE if kind is ChartKind.G or METRICS[metric].better == "higher" else Side.BELOW
    return Chart(
        metric=metric,
        definition_id=METRICS[metric].definition_id,
        kind=kind,
        scope=scope,
        better=good,
        points=tuple(points),
        baselines=tuple(baselines),
        signals=tuple(
            found
            for (_, level), by in zip(levels, baselines, strict=True)
            for found in signals(level, by, good)
        ),
    )


def clip(of: Chart, since: date) -> Chart:
    """The chart from a date on: its points, signals, and the baselines of their levels."""
    ends = [*(by.since for by in of.baselines[1:]), None]
    return of.model_copy(
        update={
            "points": tuple(point for point in of.points if point.start >= since),
            "signals": tuple(signal for signal in of.signals if signal.start >= since),
            "baselines": tuple(
                by for by, end in zip(of.baselines, ends, strict=True) if end is None or end > since
            ),
        }
    )


def _levels(
    points: Sequence[Point], steps: Iterable[date]
) -> list[tuple[date | None, list[Point]]]:
    """The points from each step to the next, under the step; a level without points is none."""
    starts = sorted(set(steps))
    levels: list[tuple[date | None, list[Point]]] = [(None, []), *((start, []) for start in starts)]
    for point in points:
        levels[bisect_right(starts, point.start)][1].append(point)
    return [level for level in levels if level[1]] or levels[:1]


def weekly_or_rare(weekly: Chart, rare: Chart) -> Chart:
    """The chart of weeks where there are at least 3 of them a week, else the one of stretches."""
    return weekly if weekly.baseline.limited else rare


def charts_with_words(charts: Iterable[Chart]) -> tuple[Chart, ...]:
    """The charts that give words in a report: the first three that judge, in the metrics' order.

    For a report's own scope that is deployments, failures and rework.
    """
    order = {name: place for place, name in enumerate(METRICS)}
    judging = (candidate for candidate in charts if candidate.baseline.judges)
    return tuple(sorted(judging, key=lambda candidate: order[candidate.metric])[:MOST_WORDED])


def word(of: Chart, window: WindowRef) -> Word | None:
    """The word for a window: the worst of its signals, else usual; None if it has no new point."""
    said = {signal.word for signal in of.signals if window.start <= signal.start < window.end}
    for worst in (Word.WORSE, Word.BETTER):
        if worst in said:
            return worst
    return Word.USUAL if _new_in(of, window) else None


def add_words(figures: Iterable[Figure], charts: Iterable[Chart]) -> Iterator[Figure]:
    """The figures, with what the chart of their metric and scope says of their window.

    A window that holds a provisional week is never better.
    """
    by_metric = {(worded.metric, worded.scope): worded for worded in charts_with_words(charts)}
    for figure in figures:
        one = by_metric.get((figure.metric, figure.scope))
        found = None if one is None else word(one, figure.window)
        if found is Word.BETTER and figure.provisional:
            found = Word.USUAL
        yield figure if found is None else figure.model_copy(update={"signal": found.value})


def expected_false_alarms(charts: Iterable[Chart], window: WindowRef) -> float:
    """The signals to expect in a window if nothing had changed, on charts with words."""
    return sum(FALSE_ALARMS[drawn.kind] * _new_in(drawn, window) for drawn in charts)


def _new_in(of: Chart, window: WindowRef) -> int:
    """Count the points of a window that are judged, each by the baseline of its level."""
    inside = [point for point in of.points if window.start <= point.start < window.end]
    levels = _levels(inside, (by.since for by in of.baselines if by.since is not None))
    by_step = {by.since: by for by in of.baselines}
    return sum(len([*new_points(level, by_step[since])]) for since, level in levels if level)


class PointRun(NamedTuple):
    """Points in a row on one side of the centre, up to the last."""

    side: Side
    since: date
    points: int


def lasting_run(of: Chart) -> PointRun | None:
    """The run that still goes on, once eight or more are in it; provisional good ones are not."""
    judged = list(_runs(of.points, of.baseline))
    side = judged[-1].side if judged else None
    if side == of.better:
        judged = [judgement for judgement in judged if not judgement.point.provisional]
    run = judged[-1].run if judged and judged[-1].side == side else 0
    if side is None or run < RUN:
        return None
    return PointRun(side, judged[-run].point.start, run)


def unseen_since(of: Chart, since: date) -> date | None:
    """The end of the baseline, if a run that goes on at a date may begin before the first point.

    That is so while no point before the date breaks the run that the first of them are in; a chart
    with points right from its baseline on shows where every run begins.
    """
    by, *later = of.baselines
    if (
        not by.judges
        or by.last is None
        or any(following.since and following.since <= since for following in later)
    ):
        return None
    if of.points and of.points[0].start <= by.last:
        return None
    before = [point for point in of.points if point.start < since]
    return by.last if all(one.run == at for at, one in enumerate(_runs(before, by), 1)) else None


def step_to_paste(of: Chart) -> str | None:
    """The lines that declare a new level, while eight or more are in a row on one side.

    It begins with the first of them; the reason is the reader's to write.
    """
    run = lasting_run(of)
    if run is None:
        return None
    lines = [
        "[[step]]",
        f'metric = "{of.metric}"',
        f"on = {run.since}",
        'why = "…"',
    ]
    if of.scope.kind != "organisation":
        name = json.dumps(f"{of.scope.kind}:{of.scope.name}", ensure_ascii=False)
        lines.append(f"scope = {name}")
    return "\n".join(lines)
