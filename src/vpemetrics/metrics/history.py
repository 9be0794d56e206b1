"""MetricFacts into the samples that charts draw beside figures. Pure functions."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from vpemetrics.metrics.dora import lead_times, reference
from vpemetrics.metrics.evaluate import HISTORY_WEEKS, Windows
from vpemetrics.metrics.facts import MetricFacts, Slice, by_service
from vpemetrics.metrics.figures import Scope
from vpemetrics.metrics.samples import ChartSamples, Distribution, Recovery, ServiceWeeks
from vpemetrics.metrics.table import Table
from vpemetrics.records import CoverageKind
from vpemetrics.window import Window, date_of, weeks_before, weeks_in

WITHIN: Final = {"hour": 3600, "day": 86400, "week": 7 * 86400, "month": 30 * 86400}
"""Seconds that a distribution counts up to."""

MOST_DRAWN: Final = 500
"""Samples from which on a distribution is given by as many of its quantiles: no eye sees more."""


def history(facts: MetricFacts, of: Windows, scope: Scope) -> ChartSamples:
    """Lead times of the headline window; recoveries and weeks of the half year to its end.

    A longer window than that is drawn whole.
    """
    half_a_year = weeks_before(of.main, HISTORY_WEEKS)
    window = of.main if of.main.weeks > HISTORY_WEEKS else half_a_year
    return ChartSamples(
        lead_times=distribution(Slice(facts=facts, scope=scope, window=of.headline)),
        recoveries=recoveries(Slice(facts=facts, scope=scope, window=window)),
        since=window.start,
        services=by_week(facts, [week for week, _ in weeks_in(window)]),
    )


def distribution(cut: Slice) -> Distribution:
    """The times that the changes shipped in a window took (the samples of change lead time)."""
    seconds = np.sort(lead_times(cut)["seconds"])
    return Distribution(
        window=reference(cut.window),
        n=len(seconds),
        within={name: int((seconds <= limit).sum()) for name, limit in WITHIN.items()},
        seconds=tuple(_thin_out(seconds).tolist()),
    )


def _thin_out(ascending: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if len(ascending) <= MOST_DRAWN:
        return ascending
    drawn: npt.NDArray[np.float64] = np.quantile(ascending, np.linspace(0, 1, MOST_DRAWN))
    return drawn


def recoveries(cut: Slice) -> tuple[Recovery, ...]:
    """The samples of failed deployment recovery time: confirmed failures with a known end, or none.

    Those whose end lies before their start are left out, as in the figure.
    """
    failed = cut.finished_in(cut.facts.confirmed)
    timed = failed.where(failed["timed"] & (failed["seconds"] >= 0))
    return tuple(
        Recovery(
            service=recovery.service,
            on=date_of(recovery.finished_at, cut.window.zone),
            seconds=recovery.seconds,
            open=not recovery.over,
        )
        for recovery in timed.rows()
    )


def by_week(facts: MetricFacts, weeks: Sequence[Window]) -> tuple[ServiceWeeks, ...]:
    """Count the deployments of each service in each of some weeks, which are in a row."""
    bounds = np.array([*(week.start_at for week in weeks), weeks[-1].end_at])
    counted = facts.counted
    places = by_service(counted)
    return tuple(
        ServiceWeeks(service=name, weeks=_counts(facts, counted, places.get(name), bounds, name))
        for name in facts.services
    )


def _counts(
    facts: MetricFacts,
    counted: Table,
    places: npt.NDArray[np.intp] | None,
    bounds: npt.NDArray[np.int64],
    service: str,
) -> tuple[int | None, ...]:
    finished = counted["finished_at"][places] if places is not None else np.array([], dtype=int)
    found = np.diff(np.searchsorted(finished, bounds)).tolist()
    edges = bounds.tolist()
    kind = CoverageKind.DEPLOYMENTS
    return tuple(
        n if n or facts.covers(service, kind, (start, end)) else None
        for n, start, end in zip(found, edges[:-1], edges[1:], strict=True)
    )
