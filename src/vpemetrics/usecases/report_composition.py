"""A report put together: its figures and charts, and all that stands beside them."""

from collections.abc import Iterable
from dataclasses import replace

from vpemetrics import __version__
from vpemetrics.metrics.agent_groups import compare_groups
from vpemetrics.metrics.charts import Chart
from vpemetrics.metrics.comparisons import Comparison, TargetWord, against, compare_quarters
from vpemetrics.metrics.dora import reference
from vpemetrics.metrics.evaluate import Windows
from vpemetrics.metrics.facts import MetricFacts, Slice
from vpemetrics.metrics.figures import Figure, Scope
from vpemetrics.metrics.registry import METRICS
from vpemetrics.metrics.signals import charts_with_words, expected_false_alarms
from vpemetrics.reports.model import CoverageCount, Report, TargetStatus
from vpemetrics.reports.summary import summarise
from vpemetrics.rules import Target
from vpemetrics.store import Store
from vpemetrics.usecases.charting import ChartSet
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.usecases.report_rows import (
    failure_rows,
    find_problems,
    last_deployment,
    open_incidents,
)
from vpemetrics.usecases.slo import reliability
from vpemetrics.window import Period, known_instant, previous


def compose(
    store: Store,
    known: ReportContext,
    facts: MetricFacts,
    of: Windows,
    scope: Scope,
    figures: tuple[Figure, ...],
    charts: ChartSet,
) -> Report:
    """The report of figures and charts, with all that stands beside them."""
    main = Slice(facts=facts, scope=scope, window=of.main)
    wide = Slice(facts=facts, scope=scope, window=of.headline)
    lead = next(
        f for f in figures if f.metric == "change_lead_time" and f.window == reference(of.headline)
    )
    bare = Report(
        version=__version__,
        organisation=known.rules.organisation,
        zone=known.rules.zone,
        scope=scope,
        window=reference(of.main),
        headline=reference(of.headline),
        partial=main.partial,
        data_as_of=known_instant(known.data_as_of),
        services=CoverageCount(known=len(main.partly_covered_services), total=len(facts.services)),
        incidents=_incidents(main),
        incidents_external=int(main.within(facts.incidents, "began_at")["external"].sum()),
        open_incidents=tuple(open_incidents(facts, known)),
        automated_changes=main.changes["reason"].tolist().count("automation"),
        waiting_changes=int(lead.beside.get("waiting", 0)),
        last_deployment=None
        if len(main.deployed)
        else last_deployment(store, known, facts.services, of.main.start_at),
        summary="",
        reliability=reliability(
            known.rules.reliability, None if scope.kind == "organisation" else facts.services
        ),
        figures=figures,
        charts=charts.charts,
        expected_false_alarms=expected_false_alarms(
            charts_with_words(charts.charts), reference(of.main)
        ),
        exceptions=charts.exceptions,
        new_levels=charts.new_levels,
        remarks=charts.remarks,
        targets=tuple(_targets(known.rules.targets, scope, charts.charts)),
        before=reference(previous(of.main)) if of.main.period is Period.QUARTER else None,
        agents=compare_groups(main),
        comparisons=_comparisons(main),
        failures=tuple(failure_rows(store, facts, of, known)),
        problems=tuple(find_problems(store, known, facts, wide)),
        definitions={m.definition_id: m.definition for m in METRICS.values()},
    )
    return bare.model_copy(update={"summary": summarise(bare)})


def _comparisons(main: Slice) -> tuple[Comparison, ...]:
    if main.window.period is not Period.QUARTER:
        return ()
    return compare_quarters(replace(main, window=previous(main.window)), main)


def _targets(
    targets: Iterable[Target], scope: Scope, charts: Iterable[Chart]
) -> Iterable[TargetStatus]:
    """The targets of a scope; without a chart it is not known how they are met."""
    by_metric = {chart.metric: chart for chart in charts}
    own = None if scope.kind == "organisation" else f"{scope.kind}:{scope.name}"
    for target in targets:
        if target.scope == own:
            chart = by_metric.get(target.metric)
            known = chart and against(target, chart.kind, chart.baseline)
            yield TargetStatus(
                metric=target.metric,
                at_most=target.at_most,
                at_least=target.at_least,
                word=known or TargetWord.NOT_YET_KNOWN,
            )


def _incidents(cut: Slice) -> CoverageCount | None:
    if not cut.with_incidents:
        return None
    began = cut.within(cut.facts.incidents, "began_at")
    return CoverageCount(known=int(began["caused"].sum()), total=len(began))
