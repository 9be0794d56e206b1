"""The time that the charts of a scope show, and how far back they read deployments.

A baseline that is complete is kept in the store. Then only the weeks that are drawn are read, and
some before them in which a run may have begun.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Final

from vpemetrics.metrics.charts import ChartKind
from vpemetrics.metrics.facts import MetricFacts
from vpemetrics.metrics.figures import Scope
from vpemetrics.metrics.points import COUNTS, RATES, first_collected_week
from vpemetrics.metrics.steps import step_dates, step_scopes
from vpemetrics.records import CoverageKind
from vpemetrics.reports.model import Remark
from vpemetrics.usecases.baselines import KeptBaselines
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.window import Window, week_of, weeks_in

WEEKS_DRAWN: Final = 52
WEEKS_BEFORE: Final = 13
"""Read at first before what is drawn, for runs that begin there."""


@dataclass(frozen=True, kw_only=True)
class ChartSpan:
    """The weeks up to the end of a window; `begins` is the Monday of the first collected one."""

    known: ReportContext
    facts: MetricFacts
    scope: Scope
    window: Window
    begins: date
    kept: KeptBaselines

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

    def weeks_since(self, since: date | None) -> list[Window]:
        """The weeks from a date on; all of them for None."""
        return [week for week in self.weeks if since is None or week.start >= since]

    def place(self, monday: date) -> int:
        """The place among the weeks of the one that begins on a Monday."""
        return (monday - self.begins).days // 7

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

    def first_read(self, metric: str) -> date | None:
        """The Monday from which a metric's chart needs deployments; None where it has no chart."""
        begins = self.begins_of(metric)
        if begins is None:
            return None
        steps = self.steps(metric)
        before = self.drawn_from - timedelta(weeks=WEEKS_BEFORE)
        levels = zip((None, *steps), (*steps, self.window.end), strict=True)
        needed = [
            self._needed(metric, since) or since or begins for since, end in levels if end > before
        ]
        return week_of(max(min([before, *needed]), begins)).start

    def _needed(self, metric: str, since: date | None) -> date | None:
        """The date from which a level needs deployments; None: from where it begins."""
        weekly = self.kept.get(self.scope, metric, ChartKind.XMR, since)
        if weekly is None:
            return None
        if weekly.limited or metric in COUNTS:
            return date.max
        rare = self.kept.get(self.scope, metric, ChartKind.G, since)
        return rare.last if rare else None

    def _step_scopes(self, scope: Scope) -> frozenset[str | None]:
        team = self.known.resolver.configured(scope.name).team if scope.kind == "service" else None
        return step_scopes(scope, team)
