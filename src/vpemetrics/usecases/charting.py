"""Charts with limits and signals from the store, and which services lie outside their limits.

Only the weeks that are drawn are read, and the year before theirs that judges them; one more
while a run may have begun earlier still.
"""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from vpemetrics.metrics.charts import Chart, ChartKind
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
    run_reaches_back,
    step_to_paste,
    weekly_or_rare,
)
from vpemetrics.records import CoverageKind
from vpemetrics.reports.model import Exceptions, NewLevel, Remark
from vpemetrics.store import Store
from vpemetrics.usecases.chart_span import ChartSpan
from vpemetrics.usecases.exceptions import exceptions
from vpemetrics.usecases.outcome_rows import OutcomeRows
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.window import Window, iso_year, midnight


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

    `facts` are those of the scope.
    """
    begins = first_collected_week(facts, CoverageKind.DEPLOYMENTS, window)
    if begins is None:
        return ChartSet()
    span = ChartSpan(known=known, facts=facts, scope=scope, window=window, begins=begins)
    rows = OutcomeRows(store, known, facts, scope, midnight(span.first_read, window.zone))
    maker = _ChartMaker(span=span, rows=rows)
    charts = [made for metric in (COUNT, *RATES) if (made := maker.make(metric))]
    return ChartSet(
        charts=tuple(clip(made, span.drawn_from) for made in charts),
        new_levels=tuple(level for made in charts if (level := _new_level(made))),
        remarks=tuple(span.remarks()),
        exceptions=exceptions(span, rows),
    )


@dataclass(frozen=True, kw_only=True)
class _ChartMaker:
    """Makes the charts of a scope from its deployments."""

    span: ChartSpan
    rows: OutcomeRows

    def make(self, metric: str) -> Chart | None:
        """The chart of a metric; None where no week that is drawn has a value."""
        begins = self.span.begins_of(metric)
        if begins is None:
            return None
        first = max(self.span.first_read, begins)
        made = self._make_since(first, metric, begins)
        while first > begins and run_reaches_back(made, self.span.drawn_from):
            first = max(iso_year(first, -1), begins)
            made = self._make_since(first, metric, begins)
        drawn = (point for point in made.points if point.start >= self.span.drawn_from)
        return made if any(point.value is not None for point in drawn) else None

    def _make_since(self, first: date, metric: str, begins: date) -> Chart:
        """The chart of a metric that begins on one Monday, from what was deployed since another."""
        span, at = self.span, self.span.place(first)
        steps = span.steps(metric)
        judged_from = iso_year(first, 1) if first > begins else date.min
        about = metric, self.rows.since(first, span.window.zone), span.facts, span.weeks[at:]
        weeks = weekly_points(*about, span.weeks[:at], span.quiet)
        weekly = chart(metric, span.scope, ChartKind.XMR, weeks, steps, judged_from)
        if metric not in RATES or weekly.baseline.limited:
            return weekly
        stretches = stretch_points(*about, steps)
        rare = chart(metric, span.scope, ChartKind.G, stretches, steps, judged_from)
        return weekly_or_rare(weekly, rare) if rare.points else weekly


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
