"""The time that the charts of a scope show, and how far back they read deployments.

Weeks are judged by those of the year before them, so a chart reads one year more than it judges.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Final

from vpemetrics.metrics.facts import MetricFacts
from vpemetrics.metrics.figures import Scope
from vpemetrics.metrics.points import RATES, first_collected_week
from vpemetrics.metrics.steps import step_dates, step_scopes
from vpemetrics.records import CoverageKind
from vpemetrics.reports.model import Remark
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.window import Window, iso_year, week_of, weeks_in

WEEKS_DRAWN: Final = 52


@dataclass(frozen=True, kw_only=True)
class ChartSpan:
    """The weeks up to the end of a window; `begins` is the Monday of the first collected one."""

    known: ReportContext
    facts: MetricFacts
    scope: Scope
    window: Window
    begins: date

    @cached_property
    def drawn_from(self) -> date:
        """The Monday of the first week that is drawn."""
        last = week_of(self.window.end - timedelta(days=1)).start
        year = last - timedelta(weeks=WEEKS_DRAWN - 1)
        return min(week_of(self.window.start).start, year)

    @cached_property
    def weeks(self) -> list[Window]:
        """All collected weeks, in order."""
        window = Window(start=self.begins, end=self.window.end, zone=self.window.zone)
        return [week for week, _ in weeks_in(window)]

    def place(self, monday: date) -> int:
        """The place among the weeks of the one that begins on a Monday."""
        return (monday - self.begins).days // 7

    @cached_property
    def quiet(self) -> frozenset[date]:
        """The Mondays of the weeks with days that were declared quiet."""
        declared = self.known.rules.quiet
        return frozenset(
            week.start
            for week in self.weeks
            if any(days.touches(week.start, week.end) for days in declared)
        )

    def begins_of(self, metric: str) -> date | None:
        """The first week of a chart; None of rates that no incident source would tell."""
        if metric not in RATES:
            return self.begins
        told = first_collected_week(self.facts, CoverageKind.INCIDENTS, self.window)
        return max(told, self.begins) if told else None

    def steps(self, metric: str, scope: Scope | None = None) -> list[date]:
        """The dates on which a metric of a scope, or of one that holds it, changed its level."""
        scopes = self._step_scopes(scope or self.scope)
        return step_dates(self.known.rules.steps, metric, scopes, self.window.end)

    def remarks(self) -> list[Remark]:
        """The events, and the steps of the scope, in the time that is drawn."""
        rules, scopes = self.known.rules, self._step_scopes(self.scope)
        remarks = [Remark(on=event.on, what=event.what) for event in rules.events]
        remarks += [
            Remark(on=step.on, what=step.why, metric=step.metric)
            for step in rules.steps
            if step.scope in scopes
        ]
        drawn = [remark for remark in remarks if self.drawn_from <= remark.on < self.window.end]
        return sorted(drawn, key=lambda remark: (remark.on, remark.what))

    @property
    def first_read(self) -> date:
        """The Monday from which deployments are read at first: a year before those drawn."""
        return max(iso_year(self.drawn_from, -1), self.begins)

    def _step_scopes(self, scope: Scope) -> frozenset[str | None]:
        team = self.known.resolver.configured(scope.name).team if scope.kind == "service" else None
        return step_scopes(scope, team)
