"""A report from the store: the facts of a window and scope, their figures, and what stands by."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from vpemetrics.metrics.evaluate import (
    HISTORY_WEEKS,
    Windows,
    blocks,
    default_week,
    evaluate,
    windows,
)
from vpemetrics.metrics.facts import MetricFacts, Slice
from vpemetrics.metrics.figures import Figure, Scope
from vpemetrics.metrics.history import history
from vpemetrics.metrics.registry import METRICS
from vpemetrics.metrics.signals import add_words
from vpemetrics.reports.model import (
    Report,
)
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.charting import make_charts
from vpemetrics.usecases.report_composition import compose
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.usecases.update_lineage import Progress, bring_up_to_date
from vpemetrics.window import (
    Period,
    Window,
    previous,
)

TWO_QUARTERS_WEEKS: Final = 27


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The subject that is asked for: by default the last complete week of everything.

    `parts`: with figures of the teams and services in the scope, which texts do not show.
    `drawn`: with what charts show, blocks of four weeks and samples.
    """

    window: Window | None = None
    service: str | None = None
    team: str | None = None
    parts: bool = True
    drawn: bool = True


EVERYTHING: Final = Asked()


class Subject(NamedTuple):
    """The subject of a report: whose figures, their services, which windows, and the facts."""

    scope: Scope
    services: tuple[str, ...]
    windows: Windows
    facts: MetricFacts


def subject(store: Store, known: ReportContext, asked: Asked) -> Subject:
    """The scope and the windows of a report, with the facts that its figures are made of.

    NotFound for a service or team that nothing is known of.
    """
    scope, services = known.scope(asked.service, asked.team)
    window = asked.window or default_week(*known.collected_between, known.rules.zone)
    facts = _facts(store, known, scope, services, window, _weeks_read(window))
    of = windows(facts, window, scope)
    if of.headline.weeks > HISTORY_WEEKS:  # a year, where hardly anything is deployed
        facts = _facts(store, known, scope, services, window, round(of.headline.weeks))
    return Subject(scope, facts.services, of, facts)


def _facts(
    store: Store,
    known: ReportContext,
    scope: Scope,
    services: tuple[str, ...],
    window: Window,
    weeks: int,
) -> MetricFacts:
    """The facts of a scope, without the services that are no more."""
    facts = known.facts(store, window, weeks).of(services, pooled=scope.kind != "service")
    return facts.without_retired(window, [service.name for service in known.rules.services])


def report(
    store: Store, rules: Rules, asked: Asked = EVERYTHING, progress: Progress | None = None
) -> Report:
    """The report of a window and scope, after bringing lineage up to date.

    NotFound for a service or team that nothing is known of.
    """
    bring_up_to_date(store, rules, progress)
    known = ReportContext.load(store, rules)
    scope, services, of, facts = subject(store, known, asked)
    parts = known.parts(scope, services) if asked.parts else {}
    charts = make_charts(store, known, facts, scope, of.main)
    figures = (
        *add_words(evaluate(facts, of, scope, parts), charts.charts),
        *_figures_before(facts, scope, of),
    )
    if not asked.drawn:
        return compose(store, known, facts, of, scope, figures, charts)
    figures += blocks(facts, of, scope)
    composed = compose(store, known, facts, of, scope, figures, charts)
    return composed.model_copy(update={"history": history(facts, of, scope)})


def _weeks_read(window: Window) -> int:
    """The weeks up to a window's end that a report needs: half a year, or two quarters."""
    return TWO_QUARTERS_WEEKS if window.period is Period.QUARTER else HISTORY_WEEKS


def _figures_before(facts: MetricFacts, scope: Scope, of: Windows) -> Iterable[Figure]:
    """The figures of the quarter before, where the report is about one."""
    if of.main.period is not Period.QUARTER:
        return ()
    cut = Slice(facts=facts, scope=scope, window=previous(of.main))
    return (metric.measure(cut) for metric in METRICS.values())
