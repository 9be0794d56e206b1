"""A report from the store: the facts of a window and scope, their figures, and what stands by."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from vpemetrics import __version__
from vpemetrics.metrics.charts import Chart
from vpemetrics.metrics.comparisons import Comparison, TargetWord, against, compare_quarters
from vpemetrics.metrics.dora import reference
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
from vpemetrics.metrics.signals import add_words, charts_with_words, expected_false_alarms
from vpemetrics.records import CoverageKind
from vpemetrics.reports.model import (
    CoverageCount,
    FailureRow,
    LastDeployment,
    Problem,
    Report,
    TargetStatus,
)
from vpemetrics.reports.summary import summarise
from vpemetrics.rules import Rules, Target
from vpemetrics.store import Store, metric_queries, record_lookup
from vpemetrics.usecases.charting import ChartSet, make_charts
from vpemetrics.usecases.problems import REMEDIES, known_problems
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.usecases.slo import reliability
from vpemetrics.usecases.update_lineage import Progress, bring_up_to_date
from vpemetrics.window import (
    MISSING,
    SECOND,
    Micros,
    Period,
    Window,
    from_micros,
    known_instant,
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
    pooled = scope.kind != "service"
    facts = known.facts(store, window, _weeks_read(window)).of(services, pooled=pooled)
    of = windows(facts, window, scope)
    if of.headline.weeks > HISTORY_WEEKS:  # a year, where hardly anything is deployed
        weeks = round(of.headline.weeks)
        facts = known.facts(store, window, weeks).of(services, pooled=pooled)
    return Subject(scope, services, of, facts)


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
        return _compose(store, known, facts, of, scope, figures, charts)
    figures += blocks(facts, of, scope)
    composed = _compose(store, known, facts, of, scope, figures, charts)
    return composed.model_copy(update={"history": history(facts, of, scope)})


def _compose(
    store: Store,
    known: ReportContext,
    facts: MetricFacts,
    of: Windows,
    scope: Scope,
    figures: tuple[Figure, ...],
    charts: ChartSet,
) -> Report:
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
        services=CoverageCount(known=len(_covered_services(main)), total=len(facts.services)),
        incidents=_incidents(main),
        incidents_external=int(main.within(facts.incidents, "began_at")["external"].sum()),
        bot_changes=main.changes["reason"].tolist().count("bot"),
        waiting_changes=int(lead.beside.get("waiting", 0)),
        last_deployment=None if len(main.deployed) else _last(store, known, facts, of.main),
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
        before=reference(previous(of.main)) if _is_quarter(of.main) else None,
        comparisons=_comparisons(main),
        failures=tuple(_failures(store, facts, of, known)),
        problems=tuple(_problems(store, known, facts, wide)),
        definitions={m.definition_id: m.definition for m in METRICS.values()},
    )
    return bare.model_copy(update={"summary": summarise(bare)})


def _is_quarter(window: Window) -> bool:
    return window.period is Period.QUARTER


def _weeks_read(window: Window) -> int:
    """The weeks up to a window's end that a report needs: half a year, or two quarters."""
    return TWO_QUARTERS_WEEKS if _is_quarter(window) else HISTORY_WEEKS


def _figures_before(facts: MetricFacts, scope: Scope, of: Windows) -> Iterable[Figure]:
    """The figures of the quarter before, where the report is about one."""
    if not _is_quarter(of.main):
        return ()
    cut = Slice(facts=facts, scope=scope, window=previous(of.main))
    return (metric.measure(cut) for metric in METRICS.values())


def _comparisons(main: Slice) -> tuple[Comparison, ...]:
    if not _is_quarter(main.window):
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


def _last(
    store: Store, known: ReportContext, facts: MetricFacts, window: Window
) -> LastDeployment | None:
    """The last deployment before a window."""
    services = set(facts.services)
    ids = {id_: name for id_, name in known.names.items() if name in services}
    with store.view() as connection:
        found = record_lookup.last_deployment(connection, ids, window.start_at)
        if found is None:
            return None
        named = record_lookup.deployments(connection, [found.id])[found.id]
    return LastDeployment(
        service=ids[found.service_id],
        deployment=named.name,
        finished_at=from_micros(found.finished_at),
        url=named.url,
    )


def _covered_services(cut: Slice) -> Collection[str]:
    """The services collected over the window; where none was all the while, those in part."""
    if cut.covered_services:
        return cut.covered_services
    kind = CoverageKind.DEPLOYMENTS
    return [name for name in cut.facts.services if cut.facts.covered(name, kind, cut.stretch)]


def _incidents(cut: Slice) -> CoverageCount | None:
    if not cut.with_incidents:
        return None
    began = cut.within(cut.facts.incidents, "began_at")
    return CoverageCount(known=int(began["caused"].sum()), total=len(began))


def _failures(
    store: Store, facts: MetricFacts, of: Windows, known: ReportContext
) -> Iterable[FailureRow]:
    """Failures of the headline window, latest first, and those still open whenever they began."""
    start, end = of.headline.start_at, of.headline.end_at
    found = facts.failures
    finished, is_open = found["finished_at"], found["timed"] & (found["restored_at"] == MISSING)
    shown = found.where((finished >= start) & (finished < end) | is_open)
    with store.view() as connection:
        details = metric_queries.failures_of(connection, shown["deployed_id"].tolist())
    for one in sorted(shown.rows(), key=lambda row: row.start_at, reverse=True):
        detail = details[one.deployed_id]
        until = known.data_as_of if one.restored_at == MISSING else one.restored_at
        yield FailureRow(
            service=one.service,
            deployment=detail.deployment,
            commit=detail.commit,
            started_at=from_micros(one.start_at),
            recovered_at=known_instant(one.restored_at),
            recovery_time=_duration(one, until),
            open=bool(one.timed and one.restored_at == MISSING),
            grade=one.grade,
            evidence="; ".join(detail.evidence),
            incidents=detail.incidents,
            url=detail.url,
            kind=one.kind,
        )


def _duration(failure: Any, until: Micros) -> float | None:
    """Seconds of a failure; None where its end is unknown or before its start."""
    if not failure.timed or until < failure.start_at:
        return None
    return float((until - failure.start_at) / SECOND)


def _problems(
    store: Store, known: ReportContext, facts: MetricFacts, cut: Slice
) -> Iterable[Problem]:
    traced = (known.traced[name] for name in facts.services if name in known.traced)
    ids = [id_ for id_, name in known.names.items() if name in facts.services]
    with store.view() as connection:
        found = known_problems(traced, metric_queries.unresolved_causes(connection, ids))
    here = cut.with_incidents
    found |= {
        "never_deployed": tuple(name for name in facts.services if name not in known.traced),
        "not_covered": tuple(n for n in facts.services if n not in cut.covered_services),
        "incidents_not_covered": tuple(n for n in _covered_services(cut) if here and n not in here),
        "without_paths": tuple(n for n in known.without_paths if n in facts.services),
    }
    if at_merge := int(cut.counted_changes["at_merge"].sum()):
        remedy = REMEDIES["starts_at_merge"]
        yield Problem(reason="starts_at_merge", count=at_merge, remedy=remedy)
    for reason, examples in sorted((r, e) for r, e in found.items() if e):
        yield Problem(
            reason=reason,
            count=len(examples),
            examples=examples[:3],
            remedy=REMEDIES.get(reason),
        )
