"""The services of a scope, each against its own limits: those outside are exceptions."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from vpemetrics.metrics.charts import Baseline, ChartKind
from vpemetrics.metrics.facts import by_service
from vpemetrics.metrics.figures import Scope
from vpemetrics.metrics.points import COUNT, services_covered, weekly_points
from vpemetrics.metrics.signals import FALSE_ALARMS, FULL, baseline, is_outside
from vpemetrics.metrics.table import Places
from vpemetrics.records import CoverageKind
from vpemetrics.reports.model import Exceptions, Outside
from vpemetrics.usecases.chart_span import ChartSpan
from vpemetrics.usecases.outcome_rows import OutcomeRows
from vpemetrics.window import Period

_NOWHERE: Final = np.array([], dtype=np.intp)


class ServiceCount(NamedTuple):
    """The deployments of a service in a week, and its limits."""

    service: str
    deployments: int
    limits: Baseline


@dataclass(frozen=True, kw_only=True)
class ServiceLimits:
    """The limits of the services of a scope, each for its own deployments a week."""

    span: ChartSpan

    @property
    def are_asked_for(self) -> bool:
        """True where the window is a week, and more than one service's."""
        return self.span.window.period is Period.WEEK and self.span.scope.kind != "service"

    @cached_property
    def new_services(self) -> frozenset[str]:
        """The services that have weeks enough for limits, and none in the store."""
        if not self.are_asked_for:
            return frozenset()
        return frozenset(name for name in self.span.facts.services if self._is_new(name))

    def exceptions(self, rows: OutcomeRows) -> Exceptions | None:
        """The services outside their limits; None where nobody asks for them."""
        if not self.are_asked_for:
            return None
        judged = self._judge(rows)
        outside = [
            Outside(
                service=count.service,
                deployments=count.deployments,
                low=count.limits.low or 0.0,
                high=count.limits.high,
            )
            for count in judged
            if count.limits.high is not None and is_outside(count.deployments, count.limits)
        ]
        return Exceptions(
            outside=tuple(outside),
            judged=len(judged),
            of=len(self.span.facts.services),
            expected=len(judged) * FALSE_ALARMS[ChartKind.XMR],
        )

    def _judge(self, rows: OutcomeRows) -> list[ServiceCount]:
        """The services of which there are limits from before the week, and all of the week."""
        span = self.span
        stretch = span.window.start_at, span.window.end_at
        places = by_service(rows.all) if self.new_services else {}
        in_week = Counter(rows.since(span.window.start, span.window.zone)["service"].tolist())
        judged = []
        for service in span.facts.services:
            limits = self._limits[service]
            if service in self.new_services:
                limits = self._find_limits(service, rows, places.get(service, _NOWHERE))
            if limits is None or not limits.judges or limits.last is None:
                continue
            if limits.last >= span.window.start:
                continue
            if span.facts.covers(service, CoverageKind.DEPLOYMENTS, stretch):
                judged.append(ServiceCount(service, in_week[service], limits))
        return judged

    @cached_property
    def _limits(self) -> dict[str, Baseline | None]:
        """The stored limits of the services."""
        kept = self.span.kept
        return {
            name: kept.get(_service(name), COUNT, ChartKind.XMR, self._last_step(name))
            for name in self.span.facts.services
        }

    def _last_step(self, service: str) -> date | None:
        """The last step of a service's deployments."""
        return max(self.span.steps(COUNT, _service(service)), default=None)

    def _find_limits(self, service: str, rows: OutcomeRows, places: Places) -> Baseline:
        """The limits of a new service, which are kept once they are complete."""
        facts, since = replace(self.span.facts, services=(service,)), self._last_step(service)
        points = weekly_points(COUNT, rows.all.at(places), facts, self.span.weeks_since(since))
        limits = baseline(points, ChartKind.XMR, since)
        self.span.kept.keep(_service(service), COUNT, ChartKind.XMR, [limits])
        return limits

    def _is_new(self, service: str) -> bool:
        if self._limits[service]:
            return False
        facts = replace(self.span.facts, services=(service,))
        weeks = self.span.weeks_since(self._last_step(service))
        return bool(weeks) and int(services_covered(facts, weeks).sum()) >= FULL[ChartKind.XMR]


def _service(name: str) -> Scope:
    return Scope(kind="service", name=name)
