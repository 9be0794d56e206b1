"""The services of a scope, each against its own limits: those outside are exceptions."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from vpemetrics.metrics.charts import Baseline, ChartKind
from vpemetrics.metrics.facts import by_service
from vpemetrics.metrics.figures import Scope
from vpemetrics.metrics.points import COUNT, weekly_points
from vpemetrics.metrics.signals import FALSE_ALARMS, baseline, is_outside
from vpemetrics.metrics.table import Places
from vpemetrics.records import CoverageKind
from vpemetrics.reports.model import Exceptions, Outside
from vpemetrics.usecases.chart_span import ChartSpan
from vpemetrics.usecases.outcome_rows import OutcomeRows
from vpemetrics.window import Period, iso_year

_NOWHERE: Final = np.array([], dtype=np.intp)


class ServiceCount(NamedTuple):
    """The deployments of a service in a week, and its limits."""

    service: str
    deployments: int
    limits: Baseline


def exceptions(span: ChartSpan, rows: OutcomeRows) -> Exceptions | None:
    """The services outside their limits; None where the window is no week, or of one service."""
    if span.window.period is not Period.WEEK or span.scope.kind == "service":
        return None
    judged = [*_judge(span, rows)]
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
        of=len(span.facts.services),
        expected=len(judged) * FALSE_ALARMS[ChartKind.XMR],
    )


def _judge(span: ChartSpan, rows: OutcomeRows) -> Iterator[ServiceCount]:
    """The services of which there are limits from before the week, and all of the week."""
    if span.window.start in span.quiet:
        return
    start, zone = span.window.start, span.window.zone
    places = by_service(rows.all)
    in_week = Counter(rows.since(start, zone)["service"].tolist())
    for service in span.facts.services:
        stretch = span.window.start_at, span.window.end_at
        if not span.facts.covers(service, CoverageKind.DEPLOYMENTS, stretch):
            continue
        limits = _limits(span, service, rows, places.get(service, _NOWHERE))
        if limits.judges and limits.last and limits.last < start:
            yield ServiceCount(service, in_week[service], limits)


def _limits(span: ChartSpan, service: str, rows: OutcomeRows, places: Places) -> Baseline:
    """The limits of a service in the week of the window."""
    facts = replace(span.facts, services=(service,))
    step = max(span.steps(COUNT, Scope(kind="service", name=service)), default=None)
    year = iso_year(span.window.start)
    earliest = max(iso_year(year, -1), step or span.begins)
    weeks = [week for week in span.weeks if week.start >= earliest]
    points = weekly_points(COUNT, rows.all.at(places), facts, weeks, quiet=span.quiet)
    return baseline(points, ChartKind.XMR, max(year, step or year), step)
