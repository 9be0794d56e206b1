"""The arithmetic of figures in words, so that people can follow it with a calculator."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from vpemetrics.explain.frames import Rows
from vpemetrics.explain.model import CurveStep
from vpemetrics.metrics import dora, intervals
from vpemetrics.metrics.facts import Slice
from vpemetrics.metrics.figures import Figure, IntervalRef, Unit
from vpemetrics.reports import words
from vpemetrics.window import Micros, from_micros


def proportion(figure: Figure) -> Iterable[str]:
    """The division of k by n, and its Wilson interval."""
    k, n, limits = figure.k or 0, figure.n or 0, figure.interval
    if figure.value is None:
        return
    yield f"{k} ÷ {n} = {k / n:.4f}"
    if limits is None or limits.low is None or limits.high is None:
        return
    z = intervals.normal_quantile((1 + limits.level) / 2)
    yield (
        f"Wilson with k = {k}, n = {n}, z = {z:.4f}: {(k + z * z / 2) / (n + z * z):.4f} ± "
        f"{z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4):.4f}, "
        f"so {limits.low:.4f} to {limits.high:.4f}"
    )
    if n < words.ENOUGH_FOR_A_PERCENTAGE:
        yield f"n is below {words.ENOUGH_FOR_A_PERCENTAGE}, so reports print {k}/{n} alone."


def accounting(beside: Mapping[str, float]) -> Iterable[str]:
    """The sum of the pull requests that were merged in the window."""
    merged_, shipped = int(beside["merged"]), int(beside["merged_shipped"])
    waiting, left_out = int(beside["waiting"]), int(beside["merged_excluded"])
    if not merged_:
        yield "No pull request was merged in the window."
        return
    yield (
        f"Pull requests merged in the window: {merged_:,}; shipped and counted, whenever that was: "
        f"{shipped:,}; waiting: {waiting:,}; left out by reason: {left_out:,}."
    )


def median(ranked: Sequence[float], unit: Unit = Unit.SECONDS) -> Iterable[str]:
    """The way from samples in ascending order to their median, by interpolation of type 7."""
    n = len(ranked)
    if not n:
        yield "There is no sample in the window."
        return
    if unit is Unit.SECONDS and n < dora.FEW:
        samples = words.quantity(n, "sample")
        yield f"{samples}: with fewer than {dora.FEW} the values are listed, without a median."
        return
    position = (n - 1) / 2
    below = int(position)
    if position == below:
        said = _precise(ranked[below], unit)
        yield f"n = {n:,}: the median is sample {below + 1:,} in ascending order, {said}"
        return
    low, high = ranked[below], ranked[below + 1]
    yield (
        f"n = {n:,}: the median lies at 0.5·(n − 1) = {position:,} steps from the least, between "
        f"sample {below + 1:,} ({_precise(low, unit)}) and sample {below + 2:,} "
        f"({_precise(high, unit)}): half the way = {_precise(low + (high - low) / 2, unit)}"
    )


def median_of_durations(ranked: Sequence[float], figure: Figure) -> tuple[str, ...]:
    """The median of times in ascending order, and its interval by order statistics."""
    return (*median(ranked), *_ranks(ranked, figure.interval))


def _ranks(ranked: Sequence[float], limits: IntervalRef | None) -> Iterable[str]:
    if limits is None or limits.low is None:
        return
    rank, n = ranked.index(limits.low) + 1, len(ranked)
    yield (
        f"95 % interval: exact order statistics, samples {rank} and {n + 1 - rank} of {n}, "
        f"{words.interval(limits, Unit.SECONDS)}"
    )


def woodruff(seconds: Any, clusters: Any, limits: IntervalRef | None) -> Iterable[str]:
    """The interval of a median of samples that come in clusters, after Woodruff."""
    if len(seconds) < dora.FEW:
        return
    m = len(set(clusters.tolist()))
    if m < intervals.FEWEST:
        only = words.quantity(m, "deployment")
        yield f"No interval: only {only} shipped them, {intervals.FEWEST} are needed."
        return
    spread = intervals.woodruff_spread(seconds, clusters)
    inputs = (
        f"Woodruff with m = {m} deployments as clusters: v = m/(m−1)·Σe²/n² = "
        f"{spread.variance:.6f}, h = t·√v = {spread.t:.3f}·{math.sqrt(spread.variance):.4f} = "
        f"{spread.h:.4f}"
    )
    if limits is None:
        yield f"{inputs}; nothing to tell the width from, so no interval"
        return
    said = words.interval(limits, Unit.SECONDS)
    yield f"{inputs}; the samples' quantiles at 0.5 ± h: {said}"


def survival(found: Rows, figure: Figure, cut: Slice) -> tuple[str, ...]:
    """The median of times some of which still go on, after Kaplan and Meier."""
    n, still_open = len(found), int((~found.over).sum())
    if not n:
        return ("None is known in the window.",)
    if n < dora.FEW:
        return (f"{n} in all: with fewer than {dora.FEW} the values are listed, without a median.",)
    now = clock(cut.facts.data_as_of, cut.window.zone)
    until = f" (they run to data as of {now})" if still_open else ""
    rule = (
        f"Kaplan-Meier over {n}, {still_open} of them still open{until}: the median is the "
        "smallest t with S(t) < 0.5, or the middle of the stretch where S is exactly 0.5"
    )
    came = "; there is none so far" if figure.value is None else f": {_precise(figure.value)}"
    ranks = [] if still_open else _ranks(found.seconds.tolist(), figure.interval)
    return (rule + came, *ranks, *_band(figure.interval))


def _band(limits: IntervalRef | None) -> Iterable[str]:
    if limits is not None and limits.method == "brookmeyer_crowley":
        said = words.interval(limits, Unit.SECONDS)
        yield f"95 % interval by Brookmeyer and Crowley (log-log band around S): {said}"


def curve(found: Rows) -> tuple[CurveStep, ...]:
    """The steps of the Kaplan-Meier curve."""
    if len(found) < dora.FEW:
        return ()
    curve = intervals.kaplan_meier(found.seconds.to_numpy(), found.over.to_numpy())
    columns = (curve.times, curve.at_risk, curve.ended, curve.survival)
    return tuple(
        CurveStep(seconds=t, at_risk=at_risk, ended=ended, survival=s)
        for t, at_risk, ended, s in zip(*(c.tolist() for c in columns), strict=True)
    )


def _precise(value: float, unit: Unit = Unit.SECONDS) -> str:
    if unit is Unit.COUNT:
        return f"{value:g}"
    return f"{value:,.0f} s = {words.duration(value)}"


def clock(at: Micros, zone: str) -> str:
    """A moment on a zone's clocks, to the minute."""
    return f"{from_micros(at).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
