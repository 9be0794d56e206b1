"""The records behind figures make exactly the figures."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from explanations import QUARTER, RULES, WEEK, entries_of
from govuk import needs_govuk
from govuk import records as govuk_records

from vpemetrics.explain.model import Entry, Explanation
from vpemetrics.explain.rendering import render
from vpemetrics.metrics import intervals
from vpemetrics.metrics.facts import length
from vpemetrics.metrics.figures import Figure, Unit
from vpemetrics.metrics.registry import METRICS
from vpemetrics.records import Coverage, CoverageKind
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.explain import explain
from vpemetrics.usecases.reporting import Asked, report
from vpemetrics.window import (
    Window,
    parse_instant,
    parse_month,
    parse_week,
    to_micros,
)

CASES = (
    Asked(window=QUARTER),
    Asked(window=QUARTER, service="checkout"),
    Asked(window=QUARTER, service="notifications"),
    Asked(window=parse_month("2026-05"), team="team-a"),
    Asked(window=WEEK),
    Asked(window=WEEK, service="search"),
    Asked(window=Window(start=date(2026, 2, 9), end=date(2026, 9, 7))),  # all there is
    Asked(window=parse_week("2026-W37")),  # its first hours were collected
    Asked(window=parse_week("2025-W01")),  # before all data
)


def spans(entries: list[Entry]) -> list[tuple[int, int]]:
    return [
        (to_micros(e.start_at), to_micros(e.end_at)) for e in entries if e.start_at and e.end_at
    ]


def value_of(explanation: Explanation, figure: Figure) -> float | None:
    """The figure's value, from nothing but the records that are listed."""
    numerator, samples = entries_of(explanation, "k"), entries_of(explanation, "k", "n")
    values = [entry.value for entry in samples if entry.value is not None]
    if figure.metric == "deployment_frequency":
        days = (figure.window.end - figure.window.start).days
        return figure.value if figure.partial else len(samples) / (days / 7)
    if figure.metric == "customers_affected_time":
        return length(spans(samples))
    if figure.metric.startswith("stage_"):
        return sum(values) / sum(entry.total or 0.0 for entry in samples)
    if figure.metric in ("agent_changes", "marked_changes"):
        return len(numerator)
    if figure.metric == "changes_waiting":
        return len(samples)
    if figure.unit is Unit.PROPORTION:
        return len(numerator) / len(samples)
    if explanation.curve:
        over = [not entry.open for entry in samples]
        return intervals.survival_median(values, over).median
    return float(np.median(values))


def assert_records_make_the_figure(explanation: Explanation) -> None:
    figure = explanation.figure
    assert figure is not None
    samples = entries_of(explanation, "k", "n")
    assert len(samples) == (figure.n or 0)
    if figure.k is not None:
        assert len(entries_of(explanation, "k")) == figure.k
    if figure.values:
        assert sorted(e.value for e in samples if e.value is not None) == list(figure.values)
    if figure.value is not None:
        assert value_of(explanation, figure) == pytest.approx(figure.value, rel=1e-12)
    listed = {g.reason: len(g.entries) for g in explanation.groups if g.role == "left_out"}
    assert listed == figure.excluded


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS)
def test_the_listed_records_make_exactly_the_figure(sample: Store, metric: str) -> None:
    for asked in CASES:
        assert_records_make_the_figure(explain(sample, RULES, metric, asked))


@pytest.mark.slow
def test_the_figures_explained_are_those_of_the_report(sample: Store) -> None:
    asked = Asked(window=QUARTER, service="checkout")
    printed = report(sample, RULES, asked)

    for metric in METRICS:
        assert explain(sample, RULES, metric, asked).figure == printed.figure(metric)


@needs_govuk
@pytest.mark.slow
@pytest.mark.needs_shared_data
def test_the_listed_records_make_exactly_the_figure_on_real_deployments(tmp_path: Path) -> None:
    start, end = parse_instant("2025-01-01T00:00Z"), parse_instant("2026-08-22T00:00Z")
    kinds = (CoverageKind.DEPLOYMENTS, CoverageKind.COMMITS, CoverageKind.PULL_REQUESTS)
    window = Window(start=date(2025, 1, 1), end=date(2026, 8, 22))
    with Store.open(tmp_path / "govuk.db") as store:
        store.save("files", govuk_records())
        stretches = (
            Coverage(source="files", scope="*", kind=kind, start=start, end=end) for kind in kinds
        )
        store.save("files", stretches)
        for metric in METRICS:
            for service in (None, "frontend", "publishing-api", "signon"):
                asked = Asked(window=window, service=service)

                assert_records_make_the_figure(explain(store, Rules(), metric, asked))


def test_the_two_middle_samples_are_named_and_shown(sample: Store) -> None:
    found = explain(sample, RULES, "lead-time", Asked(window=QUARTER))
    samples = entries_of(found, "n")
    middle = samples[len(samples) // 2 - 1 : len(samples) // 2 + 1]

    assert len(samples) % 2 == 0
    assert f"sample {len(samples) // 2} ({middle[0].value:,.0f} s" in found.arithmetic[0]
    assert all(entry.id in render(found) for entry in middle)


def test_the_spelled_out_wilson_interval_is_the_figure_s(sample: Store) -> None:
    found = explain(sample, RULES, "cfr", Asked(window=QUARTER))
    limits = found.figure.interval if found.figure else None

    assert limits is not None
    assert limits.low is not None
    assert limits.high is not None
    middle, half = (limits.high + limits.low) / 2, (limits.high - limits.low) / 2
    assert f"{middle:.4f} ± {half:.4f}" in found.arithmetic[1]


def test_a_withheld_stage_lists_no_pull_request(sample: Store) -> None:
    found = explain(sample, RULES, "stage_review", Asked(window=WEEK, service="accounts"))

    assert found.figure is not None
    assert found.figure.value is None
    assert found.groups == ()
    assert "withheld: fewer than 3 human authors" in render(found)


def test_a_week_points_to_the_longer_window_of_the_report(sample: Store) -> None:
    found = explain(sample, RULES, "cfr", Asked(window=WEEK))

    assert found.hints == ("The report's 4 weeks: --from 2026-08-10 --to 2026-09-07",)
