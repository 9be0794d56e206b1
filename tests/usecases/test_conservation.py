"""Nothing is lost and nothing counted twice, on made-up histories and the sample (rule G5)."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from histories import History, histories
from hypothesis import given
from sample import files
from stored import SOURCE, empty_store, read
from tiers import law

from vpemetrics.metrics.facts import MetricFacts, Slice
from vpemetrics.metrics.figures import Figure, Scope
from vpemetrics.metrics.registry import METRICS
from vpemetrics.records import Change, Coverage, CoverageKind
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.files import import_files
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.usecases.update_lineage import bring_up_to_date
from vpemetrics.window import Window, date_of, from_micros, weeks_in

# From a Wednesday to a Wednesday, so that the first and last week are clipped.
LONG = Window(start=date(2026, 2, 25), end=date(2026, 7, 1))
COUNTS = ("deployment_frequency", "change_fail_rate", "deployment_rework_rate", "change_lead_time")


@contextmanager
def facts_of(history: History) -> Iterator[tuple[Store, MetricFacts]]:
    """A history in a store, collected from end to end, and the facts of the long window."""
    collected = [
        Coverage(
            source=SOURCE,
            scope="*",
            kind=kind,
            start=from_micros(LONG.start_at),
            end=from_micros(LONG.end_at),
        )
        for kind in (CoverageKind.DEPLOYMENTS, CoverageKind.INCIDENTS)
    ]
    with empty_store() as store:
        store.save(SOURCE, [*history.records, *collected])
        bring_up_to_date(store, history.rules)
        yield store, ReportContext.load(store, history.rules).facts(store, LONG)


def measure(facts: MetricFacts, service: str, metric: str, window: Window = LONG) -> Figure:
    own = facts.of((service,), pooled=False)
    return METRICS[metric].measure(
        Slice(facts=own, scope=Scope(kind="service", name=service), window=window)
    )


def check_counts(facts: MetricFacts) -> None:
    """The laws that bind the figures of one window."""
    for service in facts.services:
        frequency = measure(facts, service, "deployment_frequency")
        failing = measure(facts, service, "change_fail_rate")
        rework = measure(facts, service, "deployment_rework_rate")
        said = measure(facts, service, "change_lead_time").beside

        kinds = ("forward", "redeploy", "rollback", "stale")
        assert frequency.n == sum(frequency.beside[kind] for kind in kinds)
        assert (failing.k or 0) <= (failing.n or 0) == frequency.beside["forward"]
        assert (rework.k or 0) <= (rework.n or 0) == frequency.n
        assert said["merged"] == (
            said["merged_shipped"] + said["waiting"] + said["merged_excluded"]
        )


def check_weeks(facts: MetricFacts, window: Window) -> None:
    """Every count of a window is the sum of its weeks', partial ones included."""
    for service in facts.services:
        for metric in COUNTS:
            whole = measure(facts, service, metric, window)
            parts = [measure(facts, service, metric, week) for week, _ in weeks_in(window)]
            assert sum(part.n or 0 for part in parts) == (whole.n or 0)
            assert sum(part.k or 0 for part in parts) == (whole.k or 0)
            excluded = sum((Counter(part.excluded) for part in parts), Counter())
            assert excluded == Counter(whole.excluded)


@law(12, soak=3_000)
@given(histories())
def test_counts_of_any_history_balance(history: History) -> None:
    with facts_of(history) as (_, facts):
        check_counts(facts)


@law(6, soak=1_000)
@given(histories())
def test_the_weeks_of_any_history_add_up(history: History) -> None:
    with facts_of(history) as (_, facts):
        check_weeks(facts, Window(start=date(2026, 3, 3), end=date(2026, 3, 26)))


@law(12, soak=3_000)
@given(histories())
def test_every_merged_pull_request_of_a_service_is_booked_once(history: History) -> None:
    with facts_of(history) as (store, _):
        stored = read(store)  # a change that ships twice in a service stops here

    merged = {r.id: r.repository for r in history.records if isinstance(r, Change) and r.merged_at}
    assert not stored.shipped.keys() & stored.waiting.keys()
    for service in history.rules.services:
        if service.name in stored.deployments and not service.paths:
            mine = {key for key, repository in merged.items() if repository == service.repository}
            booked = {
                key for name, key in {*stored.shipped, *stored.waiting} if name == service.name
            }
            assert booked & merged.keys() == mine


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> MetricFacts:
    with Store.open(tmp_path_factory.mktemp("sample") / "store.db") as store:
        import_files(store, [files()], Rules(), warn=print, progress=lambda _count: None)
        bring_up_to_date(store, Rules())
        known = ReportContext.load(store, Rules())
        end = date_of(known.data_as_of, "UTC")
        return known.facts(store, Window(start=end - timedelta(days=365), end=end))


def test_counts_of_the_sample_balance(sample: MetricFacts) -> None:
    check_counts(sample)


def test_the_weeks_of_the_sample_add_up(sample: MetricFacts) -> None:
    end = date_of(sample.data_as_of, "UTC")

    check_weeks(sample, Window(start=end - timedelta(days=40), end=end - timedelta(days=3)))
