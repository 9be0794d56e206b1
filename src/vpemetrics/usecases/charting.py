"""Charts with limits and signals from the store, and which services lie outside their limits.

Only the weeks that are drawn are read, and some before them in which a run may have begun; more
of them while it may have begun earlier still.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from vpemetrics.metrics.charts import Chart, ChartKind, Point
from vpemetrics.metrics.facts import MetricFacts
from vpemetrics.metrics.figures import Scope
from vpemetrics.metrics.points import (
    COUNT,
    RATES,
    first_collected_week,
    stretch_points,
    weekly_points,
)
from vpemetrics.metrics.signals import (
    chart,
    clip,
    lasting_run,
    step_to_paste,
    unseen_since,
    weekly_or_rare,
)
from vpemetrics.records import CoverageKind
from vpemetrics.reports.model import Exceptions, NewLevel, Remark
from vpemetrics.store import Store
from vpemetrics.usecases.baselines import KeptBaselines
from vpemetrics.usecases.chart_span import ChartSpan
from vpemetrics.usecases.exceptions import ServiceLimits
from vpemetrics.usecases.outcome_rows import OutcomeRows
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.window import Micros, Window, midnight, week_of


class ChartSet(NamedTuple):
    """The charts of a scope, and what a report says beside them."""

    charts: tuple[Chart, ...] = ()
    new_levels: tuple[NewLevel, ...] = ()
    remarks: tuple[Remark, ...] = ()
    exceptions: Exceptions | None = None


def make_charts(
    store: Store, known: ReportContext, facts: MetricFacts, scope: Scope, window: Window
) -> ChartSet:
    """The charts of deployments, failures and rework up to the end of a window.

    `facts` are those of the scope. New baselines are kept in the store, where it can be written.
    """
    begins = first_collected_week(facts, CoverageKind.DEPLOYMENTS, window)
    if begins is None:
        return ChartSet()
    kept = KeptBaselines(store.baselines(), known, window.end)
    span = ChartSpan(known=known, facts=facts, scope=scope, window=window, begins=begins, kept=kept)
    limits = ServiceLimits(span=span)
    rows = OutcomeRows(store, known, facts, scope, _rows_begin(span, limits))
    maker = _ChartMaker(span=span, rows=rows)
    charts = [made for metric in (COUNT, *RATES) if (made := maker.make(metric))]
    exceptions = limits.exceptions(rows)
    store.keep_baselines(kept.new)
    return ChartSet(
        charts=tuple(clip(made, span.drawn_from) for made in charts),
        new_levels=tuple(level for made in charts if (level := _new_level(made))),
        remarks=tuple(span.remarks()),
        exceptions=exceptions,
    )


def _rows_begin(span: ChartSpan, limits: ServiceLimits) -> Micros:
    """The first instant at which any chart needs deployments at first."""
    firsts = [first for metric in (COUNT, *RATES) if (first := span.first_read(metric))]
    if limits.new_services:
        firsts.append(span.begins)
    return midnight(min(firsts), span.window.zone)


@dataclass(frozen=True, kw_only=True)
class _ChartMaker:
    """Makes the charts of a scope from its deployments."""

    span: ChartSpan
    rows: OutcomeRows

    def make(self, metric: str) -> Chart | None:
        """The chart of a metric; None where no week that is drawn has a value."""
        first = self.span.first_read(metric)
        if first is None:
            return None
        steps = self.span.steps(metric)
        made = self._make_since(first, metric, steps)
        while earlier := self._earlier(made, first):
            first = earlier
            made = self._make_since(first, metric, steps)
        drawn = (point for point in made.points if point.start >= self.span.drawn_from)
        return made if any(point.value is not None for point in drawn) else None

    def _make_since(self, first: date, metric: str, steps: Sequence[date]) -> Chart:
        """The chart of a metric, from what was deployed since a Monday."""
        span, at = self.span, self.span.place(first)
        about = metric, self.rows.since(first, span.window.zone), span.facts, span.weeks[at:]
        points = weekly_points(*about, span.weeks[:at])
        weekly = self._make_kind(metric, ChartKind.XMR, points, steps)
        if metric in RATES and not weekly.baseline.limited:
            rare = self._make_kind(metric, ChartKind.G, stretch_points(*about, steps), steps)
            weekly = weekly_or_rare(weekly, rare) if rare.points else weekly
        return weekly

    def _earlier(self, made: Chart, first: date) -> date | None:
        """The date from which to read twice as much, if a run may begin before what was read."""
        last = unseen_since(made, self.span.drawn_from)
        if last is None or week_of(last).start >= first:
            return None
        return week_of(max(last, first - (self.span.window.end - first))).start

    def _make_kind(
        self, metric: str, kind: ChartKind, points: Sequence[Point], steps: Sequence[date]
    ) -> Chart:
        scope, kept = self.span.scope, self.span.kept
        made = chart(
            metric, scope, kind, points, steps, kept.of(scope, metric, kind, (None, *steps))
        )
        kept.keep(scope, metric, kind, made.baselines)
        return made


def _new_level(of: Chart) -> NewLevel | None:
    run, lines, center = lasting_run(of), step_to_paste(of), of.baseline.center
    if run is None or lines is None or center is None:
        return None
    return NewLevel(
        metric=of.metric,
        kind=of.kind,
        side=run.side,
        since=run.since,
        points=run.points,
        center=center,
        step=lines,
    )
