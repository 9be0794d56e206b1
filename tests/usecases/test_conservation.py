"""Nothing is lost and nothing counted twice, on made-up histories and the sample (rule G5)."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from histories import BEGIN, History, histories
from hypothesis import given
from hypothesis import strategies as st
from sample import files
from stored import SOURCE, empty_store, read
from tiers import law

from vpemetrics.metrics.facts import MetricFacts, Slice
from vpemetrics.metrics.figures import Figure, Scope
from vpemetrics.metrics.registry import METRICS
from vpemetrics.records import (
    AnyRecord,
    Change,
    Coverage,
    CoverageKind,
    Deployment,
    Incident,
    Status,
)
from vpemetrics.rules import Rules
from vpemetrics.store import Store, record_lookup
from vpemetrics.store.history import Facts
from vpemetrics.usecases.files import import_files
from vpemetrics.usecases.problems import known_problems, lost_records
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


SPELLINGS = (str.upper, str.title, "{} ".format, " {}".format)
WAYS = ("time", "finish", "place", "environment", "service", "staging", "version")


def spoiled(row: AnyRecord, random: Random) -> AnyRecord:
    """A record as hands and tools write it at times: without what it needs, or in other words."""
    if isinstance(row, Deployment):
        match random.choice(WAYS):
            case "time":
                return replace(row, started_at=None, finished_at=None)
            case "finish":
                return replace(row, finished_at=None)
            case "place":
                return replace(row, service=None, repository=None)
            case "environment":
                return replace(row, environment=random.choice(SPELLINGS)(row.environment))
            case "service":
                return replace(row, service=random.choice(SPELLINGS)(row.service or ""))
            case "staging":
                return replace(row, environment="Staging ")
            case _:
                version = f"v1.0-{random.randint(0, 2)}"
                return replace(row, version=version, chosen_by_name=True, service_by_name=True)
    if isinstance(row, Incident):
        match random.randrange(4):
            case 0:
                return replace(row, impact_started_at=None, detected_at=None)
            case 1:
                return replace(row, mitigated_at=BEGIN - timedelta(days=3))
            case 2:
                return replace(row, service=tuple(map(str.upper, row.service)))
    return row


@law(12, soak=3_000)
@given(histories(), st.randoms(use_true_random=False))
def test_whatever_is_stored_is_counted_or_listed(history: History, random: Random) -> None:
    """Records in = counted + left out by reason + other environments."""
    records = [spoiled(row, random) if random.random() < 0.3 else row for row in history.records]
    with facts_of(History(records=tuple(records), rules=history.rules)) as (store, facts):
        booked = Counter(
            key for found in read(store).deployments.values() for one in found for key in one.parts
        )
        listed = listed_problems(store, history.rules, facts)
        aside = set_aside_versions(store, history.rules)
        restored = measure_all(facts, "incident_restore_time")

    assert not booked - Counter(set(booked))  # never twice
    for row in records:
        if isinstance(row, Deployment):
            elsewhere = row.environment.strip().lower() not in ("production", "prod-us")
            told = [
                row.id in booked,
                row.id in listed["no_time"],
                row.id in listed["no_place"],
                row.id in aside,
                row.status is Status.IN_PROGRESS and row.id not in listed["no_place"],
                elsewhere and row.id not in listed["no_place"],
            ]
            assert any(told), row
            assert not booked[row.id] or sum(told) == 1, row
    incidents = [row for row in records if isinstance(row, Incident)]
    assert len(incidents) == (
        (restored.n or 0) + restored.excluded.get("negative", 0) + len(listed["no_beginning"])
    )
    assert restored.excluded.get("negative", 0) == len(listed["ends_before_start"])


def listed_problems(store: Store, rules: Rules, facts: MetricFacts) -> Mapping[str, set[str]]:
    """The keys of the records that a report would list, by reason."""
    known = ReportContext.load(store, rules)
    found: dict[str, set[str]] = defaultdict(set)
    for reason, examples in known_problems(known.traced.values(), ()).items():
        found[reason].update(examples)
    with store.view() as view:
        for reason, keys in lost_records(view, known.resolver, facts.services).items():
            found[reason].update(keys)
    return found


def set_aside_versions(store: Store, rules: Rules) -> set[str]:
    """The ids of versions that others beside them tell to be none, as `explain` says of them."""
    with store.view() as view:
        aside = Facts(view, rules).versions_aside
        return {record_lookup.deployments(view, [id_])[id_].name for id_ in aside}


def measure_all(facts: MetricFacts, metric: str) -> Figure:
    everything = Window(start=date(2020, 1, 1), end=date(2035, 1, 1))
    scope = Scope(kind="organisation", name="all")
    return METRICS[metric].measure(Slice(facts=facts, scope=scope, window=everything))
