"""Weeks as points say what the weeks' figures say, on made-up histories and case by case."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from builders import deploy, incident
from histories import History, histories
from hypothesis import given
from hypothesis import strategies as st
from measuring import collected, weeks
from stored import SOURCE, empty_store
from tiers import law

from vpemetrics.metrics.facts import MetricFacts, Slice
from vpemetrics.metrics.figures import Figure, Scope
from vpemetrics.metrics.points import (
    COUNT,
    RATES,
    outcomes_table,
    recent_outcomes,
    stretch_points,
    weekly_points,
)
from vpemetrics.metrics.registry import METRICS
from vpemetrics.metrics.table import Table
from vpemetrics.records import AnyRecord, Coverage, CoverageKind
from vpemetrics.rules import Rules
from vpemetrics.store import metric_queries
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.usecases.update_lineage import bring_up_to_date
from vpemetrics.window import Window, from_micros, weeks_in

EVERYONE = Scope(kind="organisation", name="Acme")
# From a Wednesday to a Wednesday, so that the first and last week are clipped.
LONG = Window(start=date(2026, 2, 25), end=date(2026, 7, 1))


@contextmanager
def deployed(
    records: Sequence[AnyRecord], rules: Rules, window: Window = LONG
) -> Iterator[tuple[MetricFacts, Table]]:
    """The facts of a window, and what became of each deployment in it."""
    with empty_store() as store:
        store.save(SOURCE, records)
        bring_up_to_date(store, rules)
        known = ReportContext.load(store, rules)
        facts = known.facts(store, window).of(known.services, pooled=True)
        with store.view() as view:
            found = metric_queries.outcomes(view, window.start_at, window.end_at)
        yield facts, outcomes_table(found, known.names)


def value(figure: Figure) -> float | None:
    """What a week's figure puts on a chart."""
    if figure.value is None or figure.n is None:
        return None
    return float(figure.n) if figure.k is None else figure.k / figure.n


@st.composite
def stretches_collected(draw: st.DrawFn) -> list[Coverage]:
    """Some part of the long window, for some services, of each kind."""
    days = st.integers(0, LONG.days)
    return [
        Coverage(
            source=SOURCE,
            scope=draw(st.sampled_from(["*", "acme/a", "acme/b"])),
            kind=kind,
            start=from_micros(LONG.start_at) + timedelta(days=first),
            end=from_micros(LONG.start_at) + timedelta(days=last),
        )
        for kind in (CoverageKind.DEPLOYMENTS, CoverageKind.INCIDENTS)
        for _ in range(draw(st.integers(0, 3)))
        for first, last in [sorted((draw(days), draw(days)))]
        if first < last
    ]


@law(12, soak=3_000)
@given(histories(), stretches_collected(), st.integers(0, 6))
def test_a_point_is_the_figure_of_its_week(
    history: History, coverage: list[Coverage], first: int
) -> None:
    with deployed([*history.records, *coverage], history.rules) as (facts, rows):
        every = [week for week, _ in weeks_in(LONG)]
        for metric in (COUNT, *RATES):
            points = weekly_points(metric, rows, facts, every[first:], every[:first])
            figures = [
                METRICS[metric].measure(Slice(facts=facts, scope=EVERYONE, window=week))
                for week in every
            ]

            covered = [figure.coverage.services if figure.coverage else 0 for figure in figures]
            falling = [
                now < max(covered[max(at - 4, 0) : at + 1]) for at, now in enumerate(covered)
            ]
            hollow = [one.partial or less for one, less in zip(figures, falling, strict=True)]
            assert [point.hollow for point in points] == hollow[first:]
            for point, figure in zip(points, figures[first:], strict=True):
                assert (point.label, point.start) == (figure.window.label, figure.window.start)
                if not figure.partial:
                    assert point.value == value(figure)
                    assert point.provisional == figure.provisional


@law(9, soak=2_000)
@given(histories())
def test_facts_and_store_tell_the_same_outcomes(history: History) -> None:
    with deployed(history.records, history.rules) as (facts, rows):
        recent = recent_outcomes(facts)

        recent = recent.where(recent["finished_at"] >= LONG.start_at)
        for name in ("id", "service", "finished_at", "forward", "failed", "unplanned"):
            assert recent[name].tolist() == rows[name].tolist()


def fortnight(*more: AnyRecord) -> list[AnyRecord]:
    """Four deployments of which the second and fourth failed."""
    return [
        deploy("d1", "Mon 10:00", None),
        deploy("d2", "Tue 10:00", None),
        incident("I1", "Tue 11:00", cause_deployment="d2"),
        deploy("d3", "Mon2 10:00", None),
        deploy("d4", "Fri2 10:00", None),
        incident("I2", "Fri2 11:00", cause_deployment="d4"),
        *more,
    ]


@pytest.mark.parametrize(
    ("coverage", "values"),
    [
        (collected("Mon 00:00", "Mon3 00:00"), [1, 0]),
        # A week between them that was not collected may have held another failure.
        (
            collected("Mon 00:00", "Mon2 00:00", CoverageKind.DEPLOYMENTS)
            + collected("Mon 00:00", "Mon3 00:00", CoverageKind.INCIDENTS),
            [None, 0],
        ),
        # Of d2 no incident source would have told.
        (
            collected("Mon 00:00", "Mon3 00:00", CoverageKind.DEPLOYMENTS)
            + collected("Mon2 00:00", "Mon3 00:00", CoverageKind.INCIDENTS),
            [0],
        ),
        (collected("Mon 00:00", "Mon3 00:00", CoverageKind.DEPLOYMENTS), []),
    ],
)
def test_stretches_are_those_that_an_incident_source_covers(
    coverage: list[Coverage], values: list[float | None]
) -> None:
    window = weeks(1, 2)
    with deployed(fortnight(*coverage), Rules(), window) as (facts, rows):
        points = stretch_points(
            "change_fail_rate", rows, facts, [week for week, _ in weeks_in(window)]
        )

    assert [point.value for point in points] == values
    assert [point.hollow for point in points] == [False] * (len(values) - 1) + [True] * bool(values)


def test_the_weeks_without_a_service_that_is_gone_count_again() -> None:
    window = weeks(1, 9)
    records: list[AnyRecord] = [
        deploy("d1", "Mon 10:00", None, service="acme/a"),
        deploy("d2", "Mon 11:00", None, service="acme/b"),
        *collected("Mon 00:00", "Mon10 00:00", scope="acme/a"),
        *collected("Mon 00:00", "Mon3 00:00", scope="acme/b"),
    ]
    with deployed(records, Rules(), window) as (facts, rows):
        every = [week for week, _ in weeks_in(window)]
        points = weekly_points("deployment_frequency", rows, facts, every)

    assert [point.hollow for point in points] == [False] * 2 + [True] * 4 + [False] * 3


def test_without_a_deployment_the_weeks_are_of_none() -> None:
    window = weeks(1, 2)
    with deployed(collected("Mon 00:00", "Mon3 00:00"), Rules(), window) as (facts, rows):
        points = weekly_points(COUNT, rows, facts, [week for week, _ in weeks_in(window)])

    assert [point.value for point in points] == [None, None]  # no service is known
