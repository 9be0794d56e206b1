"""The services of a scope, each against its own limits: those outside are exceptions."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from vpemetrics.metrics.charts import Baseline, ChartKind
from vpemetrics.metrics.figures import Scope
from vpemetrics.metrics.points import COUNT, counts_by_service
from vpemetrics.metrics.signals import FALSE_ALARMS, baseline, is_outside
from vpemetrics.reports.model import Exceptions, Outside
from vpemetrics.usecases.chart_span import ChartSpan
from vpemetrics.usecases.outcome_rows import OutcomeRows
from vpemetrics.window import Period, iso_year


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
    week = span.window
    if week.start in span.quiet:
        return
    year = iso_year(week.start)
    weeks = [one for one in span.weeks if one.start >= iso_year(year, -1)]
    since = rows.since(weeks[0].start, week.zone)
    for service, counts in counts_by_service(since, span.facts, weeks, span.quiet).items():
        step = max(span.steps(COUNT, Scope(kind="service", name=service)), default=date.min)
        own = [count for count in counts if count.start >= step]
        if not own or own[-1].hollow:
            continue
        limits = baseline(own, ChartKind.XMR, max(year, step))
        if limits.judges and limits.last and limits.last < week.start:
            yield ServiceCount(service, int(own[-1].value), limits)
