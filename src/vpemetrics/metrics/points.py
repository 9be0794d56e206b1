"""Deployments one by one into the points of charts: weeks, and the stretches between failures.

`rows` are deployments that count in frequency, with the columns service_id, service, finished_at
and whether they are `forward`, `failed` (confirmed) and `unplanned`, in the order of finished_at.
They reach from the first of some weeks, which are in a row, to the end of the last;
`earlier` are those before them, back to the first that was collected.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from vpemetrics.metrics.charts import Point
from vpemetrics.metrics.dora import MAY_RISE
from vpemetrics.metrics.facts import CONFIRMED, MetricFacts, by_service, table
from vpemetrics.metrics.provisional import is_provisional
from vpemetrics.metrics.signals import Count, Outcome, stretches
from vpemetrics.metrics.table import Columns, Table, is_one_of
from vpemetrics.records import CoverageKind
from vpemetrics.window import Window, date_of, merge_intervals, week_of

COUNT: Final = "deployment_frequency"
RATES: Final = ("change_fail_rate", "deployment_rework_rate")

RETIRED_AFTER: Final = 4
"""A service that was not collected for so many weeks is taken to be gone for good."""

_BAD: Final = {"change_fail_rate": "failed", "deployment_rework_rate": "unplanned"}

Counts = npt.NDArray[np.intp]

_NOWHERE: Final = np.array([], dtype=np.intp)


def weekly_points(
    metric: str,
    rows: Table,
    facts: MetricFacts,
    weeks: Sequence[Window],
    earlier: Sequence[Window] = (),
    quiet: Collection[date] = (),
) -> tuple[Point, ...]:
    """The weeks of a metric as points: deployments, or k of n, as the weeks' figures have them.

    A week that was not collected, or has nothing to divide by, is a gap. A clipped one is hollow,
    and so is one in which fewer services were collected than shortly before: what is missing is
    no drop, until it has been missing for so long that it is gone. Those that begin on a `quiet`
    date are hollow too.
    """
    base = _base(metric, rows, facts)
    n = _in_weeks(base, weeks)
    k = _in_weeks(base.where(base[_BAD[metric]]), weeks) if metric in RATES else None
    known = collected_weeks(facts, weeks) | (_in_weeks(rows, weeks) > 0)
    ever = services_covered(facts, [*earlier, *weeks])
    covered, most = (found[len(earlier) :] for found in (ever, _most_lately(ever)))
    return tuple(
        Point(
            label=week.label,
            start=week.start,
            value=_value(None if k is None else int(k[at]), int(n[at])) if known[at] else None,
            k=None if k is None else int(k[at]),
            n=int(n[at]),
            hollow=bool(
                week.start in quiet or week.clipped or not covered[at] or covered[at] < most[at]
            ),
            quiet=week.start in quiet,
            provisional=_provisional(metric, facts, week),
        )
        for at, week in enumerate(weeks)
    )


def counts_by_service(
    rows: Table, facts: MetricFacts, weeks: Sequence[Window], quiet: Collection[date] = ()
) -> dict[str, list[Count]]:
    """The deployments of each service in each week; a week that was not collected whole is hollow.

    So are clipped weeks, and those that begin on a `quiet` date.
    """
    starts, ends = (np.array(edge) for edge in _edges(weeks))
    at = np.searchsorted(starts, rows["finished_at"], side="right") - 1
    hollow = np.array([week.clipped or week.start in quiet for week in weeks])
    places = by_service(rows)
    found = {}
    for service in facts.services:
        counts = np.bincount(at[places.get(service, _NOWHERE)], minlength=len(weeks))
        covered = np.zeros(len(weeks), dtype=bool)
        for start, end in facts.coverage.get((service, CoverageKind.DEPLOYMENTS), ()):
            covered[np.searchsorted(starts, start) : np.searchsorted(ends, end, "right")] = True
        values = zip(weeks, counts.tolist(), (hollow | ~covered).tolist(), strict=True)
        found[service] = [
            Count(week.start, float(n), hollow=not_whole) for week, n, not_whole in values
        ]
    return found


def outcomes_table(columns: Columns, names: Mapping[int, str]) -> Table:
    """The rows of a store as those that points are made from."""
    flags = {name: columns[name] == 1 for name in ("forward", "failed", "unplanned")}
    return table({**columns, **flags}, names)


def recent_outcomes(facts: MetricFacts) -> Table:
    """The same of the deployments that the facts hold since they begin."""
    counted = facts.counted.where(facts.counted["finished_at"] >= facts.since)
    failed = facts.failures["deployed_id"][is_one_of(facts.failures["grade"], CONFIRMED)]
    return counted.with_columns(
        failed=np.isin(counted["id"], failed),
        unplanned=~is_one_of(counted["unplanned"], (None,)),
    )


def stretch_points(
    metric: str,
    rows: Table,
    facts: MetricFacts,
    weeks: Sequence[Window],
    steps: Iterable[date] = (),
) -> tuple[Point, ...]:
    """The deployments that went well between one that did not and the next, of a rate."""
    base = _base(metric, rows, facts)
    known = collected_weeks(facts, weeks)
    return stretches(
        _outcomes(base, _BAD[metric], weeks[0].zone),
        (week.start for week, was in zip(weeks, known, strict=True) if not was),
        next((week.start for week in weeks if _provisional(metric, facts, week)), None),
        steps,
    )


def _outcomes(base: Table, bad: str, zone: str) -> Iterator[Outcome]:
    for at, failed in zip(base["finished_at"].tolist(), base[bad].tolist(), strict=True):
        yield Outcome(date_of(at, zone), failed)


def _base(metric: str, rows: Table, facts: MetricFacts) -> Table:
    """The deployments that a metric is of: of a rate those that an incident source covers."""
    if metric not in RATES:
        return rows
    found = rows.where(rows["forward"]) if metric == "change_fail_rate" else rows
    sourced = facts.sourced(found)
    return sourced.where(sourced["sourced"])


def _most_lately(counts: Counts) -> Counts:
    """The largest count of each week and the few before it."""
    padded = np.concatenate([np.zeros(RETIRED_AFTER, dtype=counts.dtype), counts])
    windows = np.lib.stride_tricks.sliding_window_view(padded, RETIRED_AFTER + 1)
    most: Counts = np.max(windows, axis=1)
    return most


def _value(k: int | None, n: int) -> float | None:
    if k is None:
        return float(n)
    return k / n if n else None


def _provisional(metric: str, facts: MetricFacts, week: Window) -> bool:
    return metric in MAY_RISE and is_provisional(week, facts.data_as_of, facts.wait)


def _in_weeks(rows: Table, weeks: Sequence[Window]) -> Counts:
    """Count the rows that finished in each week."""
    bounds = [*(week.start_at for week in weeks), weeks[-1].end_at]
    return np.diff(np.searchsorted(rows["finished_at"], bounds))


def services_covered(facts: MetricFacts, weeks: Sequence[Window]) -> Counts:
    """Count the services that were collected over the whole of each week."""
    starts, ends = _edges(weeks)
    change = np.zeros(len(weeks) + 1, dtype=np.intp)
    for start, end in _stretches(facts):
        first = np.searchsorted(starts, start)
        last = np.searchsorted(ends, end, side="right")
        if first < last:
            change[first] += 1
            change[last] -= 1
    return np.cumsum(change[:-1])


def collected_weeks(facts: MetricFacts, weeks: Sequence[Window]) -> npt.NDArray[np.bool_]:
    """Mark the weeks that were collected at least in part, for any service."""
    starts, ends = _edges(weeks)
    found = np.zeros(len(weeks), dtype=bool)
    for start, end in merge_intervals([*_stretches(facts)]):
        first = np.searchsorted(ends, start, side="right")
        last = np.searchsorted(starts, end)
        found[first:last] = True
    return found


def first_collected_week(facts: MetricFacts, kind: CoverageKind, window: Window) -> date | None:
    """The Monday of the first week collected for any service; None of what lies after a window."""
    starts = (
        start
        for service in facts.services
        for start, _ in facts.coverage.get((service, kind), ())
        if start < window.end_at
    )
    first = min(starts, default=None)
    return None if first is None else week_of(date_of(first, window.zone)).start


def _edges(weeks: Sequence[Window]) -> tuple[list[int], list[int]]:
    return [week.start_at for week in weeks], [week.end_at for week in weeks]


def _stretches(facts: MetricFacts) -> Iterator[tuple[int, int]]:
    for service in facts.services:
        yield from facts.coverage.get((service, CoverageKind.DEPLOYMENTS), ())
