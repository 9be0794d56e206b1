"""Charts with limits and signals from the store, and which services lie outside their limits.

A baseline that is complete is kept in the store. Then only the weeks that are drawn are read, and
some before them in which a run may have begun; more of them while it may have begun earlier still.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from vpemetrics.metrics.charts import Baseline, Chart, ChartKind, Point
from vpemetrics.metrics.facts import MetricFacts, by_service
from vpemetrics.metrics.figures import Scope
from vpemetrics.metrics.points import (
    COUNTS,
    RATES,
    outcomes_table,
    recent_outcomes,
    services_covered,
    stretch_points,
    weekly_points,
)
from vpemetrics.metrics.registry import METRICS
from vpemetrics.metrics.signals import (
    FALSE_ALARMS,
    FULL,
    baseline,
    chart,
    clip,
    is_outside,
    lasting_run,
    step_to_paste,
    unseen_since,
    weekly_or_rare,
)
from vpemetrics.metrics.table import Places, Table
from vpemetrics.records import CoverageKind
from vpemetrics.reports.model import Exceptions, NewLevel, Outside, Remark
from vpemetrics.store import Store, metric_queries
from vpemetrics.store.baselines import StoredBaseline
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.usecases.update_lineage import meaning
from vpemetrics.window import Period, Window, date_of, midnight, week_of, weeks_in

WEEKS_DRAWN: Final = 52
WEEKS_BEFORE: Final = 13
"""Read at first before what is drawn, for runs that begin there."""

COUNT: Final = COUNTS[0]

_NOWHERE: Final = np.array([], dtype=np.intp)


class Charted(NamedTuple):
    """The charts of a scope, and what a report says beside them."""

    charts: tuple[Chart, ...] = ()
    new_levels: tuple[NewLevel, ...] = ()
    remarks: tuple[Remark, ...] = ()
    exceptions: Exceptions | None = None


def charted(
    store: Store, known: ReportContext, facts: MetricFacts, scope: Scope, window: Window
) -> Charted:
    """The charts of deployments, failures and rework up to the end of a window.

    `facts` are those of the scope. New baselines are kept in the store, where it can be written.
    """
    begins = _first_collected(facts, CoverageKind.DEPLOYMENTS, window)
    if begins is None:
        return Charted()
    found = _Charting(store, known, facts, scope, window, begins)
    charts = [one for metric in (COUNT, *RATES) if (one := found.chart(metric))]
    exceptions = found.exceptions()
    store.keep_baselines(found.kept.new)
    return Charted(
        charts=tuple(clip(one, found.drawn_from) for one in charts),
        new_levels=tuple(level for one in charts if (level := _new_level(one))),
        remarks=tuple(sorted(found.remarks(), key=lambda one: (one.on, one.what))),
        exceptions=exceptions,
    )


class _Charting:
    """The charts of one scope; `begins` is the Monday of the first collected week."""

    def __init__(
        self,
        store: Store,
        known: ReportContext,
        facts: MetricFacts,
        scope: Scope,
        window: Window,
        begins: date,
    ) -> None:
        self._store, self._known, self._facts = store, known, facts
        self._scope, self._window, self._begins = scope, window, begins
        self.kept = _Kept(store.baselines(), known, window.end)
        last = week_of(window.end - timedelta(days=1)).start
        year = last - timedelta(weeks=WEEKS_DRAWN - 1)
        self.drawn_from = min(week_of(window.start).start, year)
        self._weeks = [
            week for week, _ in weeks_in(Window(start=begins, end=window.end, zone=window.zone))
        ]

    def chart(self, metric: str) -> Chart | None:
        """The chart of a metric; None where no week that is drawn has a value."""
        begins = self._begins_of(metric)
        if begins is None:
            return None
        steps = self._steps(metric, self._scope)
        first = self._first_read(metric, begins, steps)
        found = self._since_week(first, metric, steps)
        while earlier := self._earlier(found, first):
            first = earlier
            found = self._since_week(first, metric, steps)
        shown = (point for point in found.points if point.start >= self.drawn_from)
        return found if any(point.value is not None for point in shown) else None

    def _since_week(self, first: date, metric: str, steps: Sequence[date]) -> Chart:
        """The chart of a metric, from what was deployed since a Monday."""
        at = self._place(first)
        about = metric, self._rows_since(first), self._facts, self._weeks[at:]
        weekly = self._drawn_up(
            metric, ChartKind.XMR, weekly_points(*about, self._weeks[:at]), steps
        )
        if metric in RATES and not weekly.baseline.limited:
            rare = self._drawn_up(metric, ChartKind.G, stretch_points(*about, steps), steps)
            weekly = weekly_or_rare(weekly, rare) if rare.points else weekly
        return weekly

    def _earlier(self, found: Chart, first: date) -> date | None:
        """The date from which to read twice as much, if a run may begin before what was read."""
        last = unseen_since(found, self.drawn_from)
        if last is None or week_of(last).start >= first:
            return None
        return week_of(max(last, first - (self._window.end - first))).start

    def _drawn_up(
        self, metric: str, kind: ChartKind, points: Sequence[Point], steps: Sequence[date]
    ) -> Chart:
        stored = self.kept.of(self._scope, metric, kind, (None, *steps))
        found = chart(metric, self._scope, kind, points, steps, stored)
        self.kept.keep(self._scope, metric, kind, found.baselines)
        return found

    def _begins_of(self, metric: str) -> date | None:
        """The first week of a chart; None of failures that no incident source would tell."""
        if metric != "change_fail_rate":
            return self._begins
        told = _first_collected(self._facts, CoverageKind.INCIDENTS, self._window)
        return max(told, self._begins) if told else None

    def _steps(self, metric: str, scope: Scope) -> list[date]:
        """The dates on which a metric of the scope, or of one that holds it, changed its level."""
        wanted = {None, *self._named(scope)}
        return sorted(
            step.on
            for step in self._known.rules.steps
            if step.metric == metric and step.scope in wanted and step.on < self._window.end
        )

    def _named(self, scope: Scope) -> Iterator[str]:
        """A team or service, and the team that a service is of, as the configuration has them."""
        if scope.kind != "organisation":
            yield f"{scope.kind}:{scope.name}"
        if scope.kind == "service":
            yield f"team:{self._known.resolver.configured(scope.name).team}"

    def remarks(self) -> Iterator[Remark]:
        """The events, and the steps of the scope, in the time that is drawn."""
        rules, wanted = self._known.rules, {None, *self._named(self._scope)}
        said = [Remark(on=one.on, what=one.what) for one in rules.events]
        said += [
            Remark(on=one.on, what=one.why, metric=one.metric)
            for one in rules.steps
            if one.scope in wanted
        ]
        yield from (one for one in said if self.drawn_from <= one.on < self._window.end)

    def _first_read(self, metric: str, begins: date, steps: Sequence[date]) -> date:
        """The date from which deployments are needed to chart a metric of the scope."""
        before = self.drawn_from - timedelta(weeks=WEEKS_BEFORE)
        levels = zip((None, *steps), (*steps, self._window.end), strict=True)
        needed = [
            self._needed(metric, since) or since or begins for since, end in levels if end > before
        ]
        return week_of(max(min([before, *needed]), begins)).start

    def _needed(self, metric: str, since: date | None) -> date | None:
        """The date from which a level needs deployments; None: from where it begins."""
        weekly = self.kept.get(self._scope, metric, ChartKind.XMR, since)
        if weekly is None:
            return None
        if weekly.limited or metric in COUNTS:
            return date.max
        rare = self.kept.get(self._scope, metric, ChartKind.G, since)
        return rare.last if rare else None

    def _place(self, on: date) -> int:
        """The place among the weeks of the one that begins on a Monday."""
        return (on - self._begins).days // 7

    def _rows_since(self, first: date) -> Table:
        """Deployments from a date on, of which those of all charts at first are read once."""
        start = midnight(first, self._window.zone)
        rows = self._rows
        if start < self._rows_begin:
            return self._older(start, self._rows_begin).concat(rows)
        return rows.between(int(rows["finished_at"].searchsorted(start)), len(rows))

    @cached_property
    def _rows_begin(self) -> int:
        """The first instant at which any chart needs deployments at first."""
        known = [(metric, self._begins_of(metric)) for metric in (COUNT, *RATES)]
        firsts = [
            self._first_read(metric, begins, self._steps(metric, self._scope))
            for metric, begins in known
            if begins
        ]
        if self._new_services:
            firsts.append(self._begins)
        return min(midnight(min(firsts), self._window.zone), self._facts.since)

    @cached_property
    def _rows(self) -> Table:
        recent = recent_outcomes(self._facts)
        if self._rows_begin == self._facts.since:
            return recent
        return self._older(self._rows_begin, self._facts.since).concat(recent)

    def _older(self, start: int, end: int) -> Table:
        """The deployments of the scope from one time to another, from the store."""
        everybody = self._scope.kind == "organisation"
        wanted = frozenset(self._facts.services)
        ids = [id_ for id_, name in self._known.names.items() if name in wanted]
        with self._store.view() as connection:
            found = metric_queries.outcomes(connection, start, end, None if everybody else ids)
        return outcomes_table(found, self._known.names)

    # The services of the scope, each against its own limits.

    @property
    def _asks_for_exceptions(self) -> bool:
        return self._window.period is Period.WEEK and self._scope.kind != "service"

    def exceptions(self) -> Exceptions | None:
        """The services outside their limits; None where the window is no week, or one service's."""
        if not self._asks_for_exceptions:
            return None
        judged = [one for name in self._facts.services if (one := self._judged(name))]
        outside = [
            Outside(service=name, deployments=count, low=by.low or 0.0, high=by.high)
            for name, count, by in judged
            if by.high is not None and is_outside(count, by)
        ]
        return Exceptions(
            outside=tuple(outside),
            judged=len(judged),
            of=len(self._facts.services),
            expected=len(judged) * FALSE_ALARMS[ChartKind.XMR],
        )

    def _judged(self, service: str) -> tuple[str, int, Baseline] | None:
        """A service's deployments in the week, and its limits; None where there are none."""
        by = self._limits[service]
        if service in self._new_services:
            by = self._found_anew(service)
        stretch = self._window.start_at, self._window.end_at
        collected = self._facts.covers(service, CoverageKind.DEPLOYMENTS, stretch)
        if by is None or not by.judges or by.last is None or not collected:
            return None
        return (service, self._counts[service], by) if by.last < self._window.start else None

    @cached_property
    def _counts(self) -> Counter[str]:
        """The number of deployments of each service in the window."""
        rows = self._rows_since(self._window.start)
        return Counter(rows["service"].tolist())

    @cached_property
    def _limits(self) -> dict[str, Baseline | None]:
        """The stored limits of the services."""
        return {
            name: self.kept.get(_service(name), COUNT, ChartKind.XMR, self._since(name))
            for name in self._facts.services
        }

    def _since(self, service: str) -> date | None:
        """The last step of a service's deployments."""
        return max(self._steps(COUNT, _service(service)), default=None)

    def _found_anew(self, service: str) -> Baseline:
        rows = self._rows.at(self._places.get(service, _NOWHERE))
        facts, since = replace(self._facts, services=(service,)), self._since(service)
        found = baseline(
            weekly_points(COUNT, rows, facts, self._weeks_since(since)), ChartKind.XMR, since
        )
        self.kept.keep(_service(service), COUNT, ChartKind.XMR, [found])
        return found

    def _weeks_since(self, since: date | None) -> list[Window]:
        return [week for week in self._weeks if since is None or week.start >= since]

    @cached_property
    def _places(self) -> dict[str, Places]:
        return by_service(self._rows)

    @cached_property
    def _new_services(self) -> frozenset[str]:
        """The services that have weeks enough for limits, and none in the store."""
        if not self._asks_for_exceptions:
            return frozenset()
        return frozenset(name for name in self._facts.services if self._is_new(name))

    def _is_new(self, service: str) -> bool:
        if self._limits[service]:
            return False
        facts = replace(self._facts, services=(service,))
        weeks = self._weeks_since(self._since(service))
        return bool(weeks) and int(services_covered(facts, weeks).sum()) >= FULL[ChartKind.XMR]


class _Kept:
    """The locked baselines of the store that a report up to a date may use, and new ones."""

    def __init__(self, stored: Iterable[StoredBaseline], known: ReportContext, until: date) -> None:
        self.new: list[StoredBaseline] = []
        self._known = known
        self._digests: dict[Scope, str] = {}
        self._stored = {one.key: one for one in stored if one.last < until.isoformat()}

    def get(
        self, scope: Scope, metric: str, kind: ChartKind, since: date | None
    ) -> Baseline | None:
        """The baseline of a level, under the present rules."""
        found = self._stored.get((*_about(scope, metric, kind), _text(since)))
        if found is None or found.rules != self._rules(scope):
            return None
        return _read(found)

    def of(
        self, scope: Scope, metric: str, kind: ChartKind, levels: Iterable[date | None]
    ) -> list[Baseline]:
        """Those of several levels, where there are any."""
        return [one for since in levels if (one := self.get(scope, metric, kind, since))]

    def keep(self, scope: Scope, metric: str, kind: ChartKind, found: Iterable[Baseline]) -> None:
        """Mark baselines that are complete, and not in the store yet, as new."""
        for one in found:
            if one.locked and self.get(scope, metric, kind, one.since) is None:
                written = _written(_about(scope, metric, kind), self._rules(scope), one)
                self.new.append(written)

    def _rules(self, scope: Scope) -> str:
        if scope not in self._digests:
            _, services = self._known.scope(
                scope.name if scope.kind == "service" else None,
                scope.name if scope.kind == "team" else None,
            )
            self._digests[scope] = meaning(self._known.rules, services)
        return self._digests[scope]


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


def _service(name: str) -> Scope:
    return Scope(kind="service", name=name)


def _about(scope: Scope, metric: str, kind: ChartKind) -> tuple[str, str, str, str]:
    return METRICS[metric].definition_id, kind.value, scope.kind, scope.name


def _text(since: date | None) -> str:
    return since.isoformat() if since else ""


def _read(one: StoredBaseline) -> Baseline:
    return Baseline(
        since=date.fromisoformat(one.since) if one.since else None,
        first=date.fromisoformat(one.first),
        last=date.fromisoformat(one.last),
        points=one.points,
        center=one.center,
        low=one.low,
        high=one.high,
        locked=True,
    )


def _written(about: tuple[str, str, str, str], rules: str, one: Baseline) -> StoredBaseline:
    if one.first is None or one.last is None or one.center is None:
        raise ValueError(f"a baseline without points: {about}")
    return StoredBaseline(
        *about,
        since=_text(one.since),
        rules=rules,
        first=one.first.isoformat(),
        last=one.last.isoformat(),
        points=one.points,
        center=one.center,
        low=one.low,
        high=one.high,
    )


def _first_collected(facts: MetricFacts, kind: CoverageKind, window: Window) -> date | None:
    """The Monday of the first week collected for any service; None of what lies after a window."""
    starts = (
        start
        for service in facts.services
        for start, _ in facts.coverage.get((service, kind), ())
        if start < window.end_at
    )
    first = min(starts, default=None)
    return None if first is None else week_of(date_of(first, window.zone)).start
