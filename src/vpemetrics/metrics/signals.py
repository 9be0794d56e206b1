"""Signal or noise: limits from a baseline, and the points after it that break them.

Pure arithmetic over points (rules L1 to L3). What there is:

stretches                   deployments one by one as the points of a chart, from failure to failure
chart                       points with the limits of their baselines, and signals
weekly_or_rare              the one of two charts of the same failures to show
charts_with_words, word     the charts that may give words, and what they say of a window
add_words                   figures with that
expected_false_alarms       the signals that chance alone would give there
clip                        the part of a chart that is shown
run_reaches_back            tells whether a run may have begun before what is judged
lasting_run, step_to_paste  what goes on after eight in a row, and its declaration as a new level

Sources: Wheeler, Understanding Variation (XmR); Kaminsky and others 1992 (g).
"""

import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby, pairwise
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
from vpemetrics.window import iso_year

FULL: Final[Mapping[ChartKind, int]] = {ChartKind.XMR: 26, ChartKind.G: 20}
"""Points in a baseline that is complete."""

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


class Count(NamedTuple):
    """A point that nobody draws: so many events in the week that starts on a Monday."""

    start: date
    value: float
    hollow: bool = False
    began: date | None = None
    k: int | None = None
    provisional: bool = False


Countable = Point | Count
"""A point that limits are made of."""


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
            began=stretch.since,
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


def xmr_limits(points: Sequence[Countable]) -> ChartLimits:
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


def g_limits(points: Sequence[Countable]) -> ChartLimits:
    """Median of stretches between failures, and mean + 3√(mean(mean + 1)) from 20 of them on.

    There is no lower limit: one failure right after another is nothing unusual.
    """
    values = [_value(point) for point in points if _is_known(point)]
    average = fmean(values)
    spread = 3 * math.sqrt(average * (average + 1))
    high = average + spread if len(values) >= FULL[ChartKind.G] else None
    return ChartLimits(median(values), None, high)


_LIMITS: Final = {ChartKind.XMR: xmr_limits, ChartKind.G: g_limits}


def _is_known(point: Countable) -> bool:
    """Tell whether a point is neither a gap nor still running."""
    return point.value is not None and not point.hollow


def _value(point: Countable) -> float:
    """The value of a point that is no gap."""
    if point.value is None:
        raise ValueError(f"{point.start} is a gap")
    return point.value


def _count(point: Countable) -> float:
    """The number of events a point holds: k of a share, else its value."""
    return _value(point) if point.k is None else float(point.k)


def baseline(
    points: Sequence[Countable], kind: ChartKind, begins: date, since: date | None = None
) -> Baseline:
    """The limits for points of an ISO year from a date on, by those of the year before (rule L1).

    If these are fewer than 26 weeks, or 20 stretches, it is the first so many since that year
    began. Neither reaches back before `since`, the last declared step. `points` are all there are
    after it; gaps, and what is hollow or provisional, count for nothing. Fewer give trial limits,
    below six there are none.
    """
    earliest = max(iso_year(begins, -1), since or date.min)
    own = [*_since(points, earliest)]
    final = [at for at, point in enumerate(own) if _is_known(point) and not point.provisional]
    year = [at for at in final if own[at].start < iso_year(begins)]
    places = year if len(year) >= FULL[kind] else final[: FULL[kind]]
    used = own[places[0] : places[-1] + 1] if places else ()
    limits = _LIMITS[kind](used) if len(places) >= FEWEST else NONE
    return Baseline(
        applies_from=begins,
        since=since,
        first=used[0].start if used else None,
        last=used[-1].start if used else None,
        points=len(places),
        center=limits.center,
        low=limits.low,
        high=limits.high,
        complete=len(places) >= FULL[kind],
    )


def _since(points: Iterable[Countable], earliest: date) -> Iterator[Countable]:
    """The points from a date on, without a stretch that began before it."""
    for point in points:
        if point.start >= earliest and (point.began is None or point.began >= earliest):
            yield point


# --- signals ------------------------------------------------------------------------------------


def signals(
    points: Sequence[Point], baselines: Sequence[Baseline], better: Side
) -> Iterator[Signal]:
    """The points after complete baselines that chance seldom gives (rule L2).

    One outside the limits; and the eighth in a row on one side of the centre, once.
    A provisional point that would be better is none: what makes it worse may still come to light.
    """
    for point, by, side, run in _judge(points, baselines):
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
    by: Baseline
    side: Side | None
    run: int


def _judge(points: Iterable[Point], baselines: Sequence[Baseline]) -> Iterator[_Judged]:
    """Each new point with its side of the centre, and how many in a row have been there.

    A run goes on into the next year, each point on its own centre's side. It ends with a point on
    the centre, with a declared step, and with a year that has no limits; a gap neither ends nor
    extends it, nor does a point of a baseline.
    """
    run, last, since = 0, None, None
    for by, level in judged_by(points, baselines):
        if by.since != since or not by.judges:
            run, last, since = 0, None, by.since
        for point in new_points(level, by):
            side = _side(point, by)
            run = run + 1 if side is not None and side == last else int(side is not None)
            last = side
            yield _Judged(point, by, side, run)


def judged_by(
    points: Iterable[Point], baselines: Sequence[Baseline]
) -> Iterator[tuple[Baseline, list[Point]]]:
    """The points from the first of some baselines on, under the one that judges them."""
    begins = [by.applies_from for by in baselines]
    found: list[list[Point]] = [[] for _ in begins]
    for point in points:
        at = bisect_right(begins, point.start)
        if at:
            found[at - 1].append(point)
    return zip(baselines, found, strict=True)


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
    judged_from: date = date.min,
) -> Chart:
    """A metric's points with their limits and signals; limits start anew at each step.

    `points` are in order, weeks without a hole. They reach back to the first collected one, or to
    the first of the ISO year before that of `judged_from`: what is older than that is judged by
    points that are not among them, and so not at all.
    A level begins with the first point dated on or after its step.
    """
    good = Side.ABOVE if kind is ChartKind.G or METRICS[metric].better == "higher" else Side.BELOW
    baselines = tuple(_baselines(points, kind, steps, judged_from))
    return Chart(
        metric=metric,
        definition_id=METRICS[metric].definition_id,
        kind=kind,
        scope=scope,
        better=good,
        points=tuple(points),
        baselines=baselines,
        signals=tuple(signals(points, baselines, good)),
    )


def _baselines(
    points: Sequence[Point], kind: ChartKind, steps: Iterable[date], judged_from: date
) -> Iterator[Baseline]:
    """The baselines of points, one for levels that follow on each other and share it."""
    before = None
    for since, stretch in _between_steps(points, steps):
        for begins, _ in groupby(stretch, key=lambda point: iso_year(point.start)):
            if begins < judged_from:
                continue
            by = baseline(stretch, kind, max(begins, since or begins), since)
            same = before and before.model_copy(update={"applies_from": by.applies_from})
            if by != same:
                yield by
                before = by


def clip(of: Chart, since: date) -> Chart:
    """The chart from a date on: its points, signals, and the baselines that judge them."""
    ends = [*(by.applies_from for by in of.baselines[1:]), None]
    return of.model_copy(
        update={
            "points": tuple(point for point in of.points if point.start >= since),
            "signals": tuple(signal for signal in of.signals if signal.start >= since),
            "baselines": tuple(
                by for by, end in zip(of.baselines, ends, strict=True) if end is None or end > since
            ),
        }
    )


def _between_steps(
    points: Sequence[Point], steps: Iterable[date]
) -> list[tuple[date | None, list[Point]]]:
    """The points from each step to the next, under the step, where there are any."""
    starts = sorted(set(steps))
    levels: list[tuple[date | None, list[Point]]] = [(None, []), *((start, []) for start in starts)]
    for point in points:
        levels[bisect_right(starts, point.start)][1].append(point)
    return [level for level in levels if level[1]]


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
    """Count the points of a window that are judged."""
    inside = [point for point in of.points if window.start <= point.start < window.end]
    return sum(len([*new_points(level, by)]) for by, level in judged_by(inside, of.baselines))


class PointRun(NamedTuple):
    """Points in a row on one side of the centre, up to the last."""

    side: Side
    since: date
    points: int


def lasting_run(of: Chart) -> PointRun | None:
    """The run that still goes on, once eight or more are in it; provisional good ones are not."""
    judged = [one for one in _judge(of.points, of.baselines) if one.by.since == of.baseline.since]
    side = judged[-1].side if judged and of.baseline.judges else None
    if side == of.better:
        judged = [judgement for judgement in judged if not judgement.point.provisional]
    run = judged[-1].run if judged and judged[-1].side == side else 0
    if side is None or run < RUN:
        return None
    return PointRun(side, judged[-run].point.start, run)


def run_reaches_back(of: Chart, since: date) -> bool:
    """Tell whether a run that goes on at a date may have begun before the first that is judged.

    That is so while the first baseline judges all of its points, and none before the date breaks
    the run that the first of them are in.
    """
    by = of.baselines[0] if of.baselines else None
    if by is None or not by.judges or by.last is None:
        return False
    if by.last >= by.applies_from or by.since == by.applies_from:
        return False
    before = (one for one in _judge(of.points, of.baselines) if one.point.start < since)
    return all(one.run == at for at, one in enumerate(before, 1))


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
