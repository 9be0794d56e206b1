"""The same facts have the same limits, however the store is looked at and in whatever order."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from builders import MONDAY, deploy, incident
from measuring import collected, weeks
from stored import SOURCE, empty_store

from vpemetrics.metrics.charts import Baseline, Chart, ChartKind, Word
from vpemetrics.records import Coverage, CoverageKind, Deployment, Incident
from vpemetrics.reports.model import Report
from vpemetrics.rules import Quiet, Rules, Service, Step
from vpemetrics.store import Store
from vpemetrics.usecases.reporting import Asked, report
from vpemetrics.usecases.update_lineage import recompute

RULES = Rules(organisation="Acme")
# A mean of 10, and moving ranges of 2 and 0.
LEVEL = [9, 11, 11, 9] * 6 + [9, 11]
LONG = LEVEL + [10] * 60


def deployed(counts: Iterable[int], first: int = 1, service: str = "shop") -> list[Deployment]:
    """So many deployments in each week, an hour apart."""
    return [
        deploy(
            f"{service}/{week}.{number}",
            f"Mon{week} {number:02}:30",
            None,
            service=service,
            repository=service,
        )
        for week, count in enumerate(counts, first)
        for number in range(count)
    ]


def until(last: int) -> list[Coverage]:
    """All was collected from the first week to the last."""
    return collected("Mon 00:00", f"Mon{last + 1} 00:00")


def reported(store: Store, last: int, rules: Rules = RULES, service: str | None = None) -> Report:
    """The report of a week by its number."""
    return report(store, rules, Asked(window=weeks(last), drawn=False, service=service))


def chart(found: Report, metric: str = "deployment_frequency") -> Chart:
    (one,) = [one for one in found.charts if one.metric == metric]
    return one


def limits(by: Baseline) -> tuple[float | None, float | None, float | None]:
    return by.low, by.center, by.high


@pytest.fixture
def store() -> Iterator[Store]:
    with empty_store() as made:
        yield made


def test_the_limits_are_those_of_the_first_half_year(store: Store) -> None:
    store.save(SOURCE, [*deployed(LEVEL + [10] * 4), *until(30)])

    by = chart(reported(store, 30)).baseline
    assert (by.first, by.last, by.complete) == (MONDAY.date(), weeks(26).start, True)
    assert limits(by) == pytest.approx((10 - 2.66 * 1.04, 10, 10 + 2.66 * 1.04))


@pytest.mark.slow
def test_limits_are_the_same_in_whatever_order_deployments_come(store: Store) -> None:
    late = deployed([9] * 5, first=3, service="late")
    store.save(SOURCE, [*deployed(LEVEL + [10] * 4), *until(30)])
    before = reported(store, 30)
    store.save(SOURCE, late)
    with empty_store() as other:
        other.save(SOURCE, [*deployed(LEVEL + [10] * 4), *until(30), *late])

        assert chart(reported(store, 30)) == chart(reported(other, 30)) != chart(before)


@pytest.mark.slow
def test_limits_are_found_anew_when_the_rules_change_what_counts(store: Store) -> None:
    staged = [replace(one, environment="staging") for one in deployed([5] * 30, service="cart")]
    store.save(SOURCE, [*deployed(LEVEL + [10] * 4), *staged, *until(30)])
    before = chart(reported(store, 30)).baseline
    rules = replace(RULES, environments=("prod*", "staging"))

    after = chart(reported(store, 30, rules)).baseline
    assert (before.center, after.center) == (10, 15)


@pytest.mark.slow
def test_who_owns_a_service_moves_no_limits(store: Store) -> None:
    store.save(SOURCE, [*deployed(LEVEL + [10] * 4), *until(30)])
    shop = replace(RULES, services=(Service(name="shop"),))
    before = chart(reported(store, 30, shop)).baseline
    owned = replace(RULES, services=(Service(name="shop", team="till"),))

    assert chart(reported(store, 30, owned)).baseline == before


@pytest.mark.slow
def test_a_report_of_the_past_knows_no_later_limits(store: Store) -> None:
    store.save(SOURCE, [*deployed(LONG), *until(86)])
    fresh = reported(store, 20)
    assert chart(reported(store, 86)).baseline.complete

    assert reported(store, 20) == fresh
    assert not chart(fresh).baseline.complete


def test_a_report_writes_nothing(store: Store) -> None:
    store.save(SOURCE, [*deployed(LEVEL + [10] * 4), *until(30)])
    recompute(store, RULES)

    with store.transaction():
        busy = reported(store, 30)
    assert reported(store, 30) == busy


def test_a_run_is_seen_from_where_it_begins_however_long_ago_the_limits_were_found(
    store: Store,
) -> None:
    # The last run of eleven begins before what is drawn and fires there; it must not fire again.
    counts = LEVEL + [9, 11] * 15 + [11] * 60
    store.save(SOURCE, [*deployed(counts), *until(len(counts))])

    once = reported(store, len(counts))
    assert chart(once).signals == ()
    assert reported(store, len(counts)) == once


@pytest.mark.parametrize(
    ("counts", "since"),
    [
        # 44 weeks of 2026, 52 of 2027, and some of 2028: each above, or below, the mean before it.
        (LEVEL + [11, 12] * 9 + [12] * 52 + [13] * 50, 27),
        (LEVEL + [9] * 18 + [8] * 52 + [7] * 20, 27),
        (LEVEL + [10] * 10 + [11] * 8 + [12] * 52 + [13] * 50, 37),
        (LEVEL + [9, 11] * 8 + [10] * 2 + [12] * 52 + [13] * 9, 45),  # with the year
    ],
)
def test_a_run_longer_than_what_is_drawn_is_told_alike_by_every_report(
    store: Store, counts: list[int], since: int
) -> None:
    store.save(SOURCE, [*deployed(counts), *until(len(counts))])

    first, second = reported(store, len(counts)), reported(store, len(counts))
    assert first == second
    (level,) = second.new_levels
    assert (level.since, level.points) == (weeks(since).start, len(counts) - since + 1)
    assert f"on = {level.since}" in level.step


def test_weeks_that_nobody_collected_do_not_hide_where_a_run_begins(store: Store) -> None:
    counts = LEVEL + [11] * 4 + [0] * 20 + [11] * 5
    known = [*collected("Mon 00:00", "Mon31 00:00"), *collected("Mon51 00:00", "Mon56 00:00")]
    store.save(SOURCE, [*deployed(counts), *known])

    first, second = reported(store, 55), reported(store, 55)
    assert first == second
    assert [(level.since, level.points) for level in first.new_levels] == [(weeks(27).start, 9)]


def test_a_declared_step_starts_the_limits_anew(store: Store) -> None:
    on = weeks(31).start + timedelta(days=2)
    step = Step(metric="deployment_frequency", on=on, why="two pipelines became one")
    store.save(SOURCE, [*deployed(LEVEL + [10] * 4 + [20] * 9), *until(39)])

    before, after = reported(store, 39), reported(store, 39, replace(RULES, steps=(step,)))
    assert {one.word for one in chart(before).signals} == {Word.BETTER}
    assert [one.since for one in chart(after).baselines] == [None, on]
    assert chart(after).baseline.first == weeks(32).start  # its first whole week
    assert not chart(after).baseline.complete
    assert [one.start for one in chart(after).signals] == [weeks(31).start]


@pytest.mark.slow
def test_a_step_of_one_service_is_no_step_of_the_others(store: Store) -> None:
    step = Step(metric="deployment_frequency", on=weeks(31).start, why="more", scope="service:shop")
    store.save(SOURCE, [*deployed(LEVEL + [10] * 8), *until(34)])
    rules = replace(RULES, steps=(step,))

    assert chart(reported(store, 34, rules)).baseline.since is None
    assert chart(reported(store, 34, rules, service="shop")).baseline.since == weeks(31).start


@pytest.mark.parametrize("scope", [None, "team:till", "service:shop"])
def test_a_step_is_one_of_what_its_scope_holds(store: Store, scope: str | None) -> None:
    on = weeks(31).start
    rules = Rules(
        services=(Service(name="shop", team="till"),),
        steps=(Step(metric="deployment_frequency", on=on, why="more", scope=scope),),
    )
    store.save(SOURCE, [*deployed(LEVEL + [10] * 8), *until(34)])

    assert chart(reported(store, 34, rules, service="shop")).baseline.since == on


def failing(numbers: Iterable[int]) -> list[Incident]:
    """The first deployments of some weeks fail."""
    return [
        incident(
            f"I{week}", f"Mon{week} 01:00", f"Mon{week} 02:00", cause_deployment=f"shop/{week}.0"
        )
        for week in numbers
    ]


def test_rare_failures_are_shown_as_stretches(store: Store) -> None:
    store.save(SOURCE, [*deployed([5] * 40), *failing(range(1, 40, 2)), *until(42)])

    rare = chart(reported(store, 40), "change_fail_rate")
    assert rare.kind is ChartKind.G
    assert {point.value for point in rare.points[:-1]} == {9.0}


def test_a_quiet_week_counts_for_nothing(store: Store) -> None:
    store.save(SOURCE, [*deployed(LEVEL + [10] * 3 + [0]), *until(30)])
    on = weeks(30).start + timedelta(days=3)
    quiet = replace(RULES, quiet=(Quiet(first=on, last=on),))

    before, after = reported(store, 30), reported(store, 30, quiet)
    assert [one.start for one in chart(before).signals] == [weeks(30).start]
    assert chart(after).signals == ()
    assert (chart(after).points[-1].hollow, chart(after).points[-1].quiet) == (True, True)
    assert after.exceptions
    assert after.exceptions.judged == 0


def test_quiet_weeks_make_no_limits(store: Store) -> None:
    store.save(SOURCE, [*deployed([*LEVEL[:13], 0, 0, *LEVEL[13:]]), *until(28)])
    days = Quiet(first=weeks(14).start, last=weeks(15).start)

    found = chart(reported(store, 28, replace(RULES, quiet=(days,)))).baseline
    assert (found.points, found.center, found.last) == (26, 10, weeks(28).start)


def test_without_an_incident_source_there_is_no_chart_of_failures_and_rework(store: Store) -> None:
    deployments = collected("Mon 00:00", "Mon31 00:00", CoverageKind.DEPLOYMENTS)
    store.save(SOURCE, [*deployed(LEVEL + [10] * 4), *deployments])

    assert [one.metric for one in reported(store, 30).charts] == ["deployment_frequency"]


def test_without_anything_collected_there_are_no_charts(store: Store) -> None:
    found = report(store, RULES, Asked(window=weeks(1)))

    assert (found.charts, found.exceptions, found.expected_false_alarms) == ((), None, 0)


def outside(counts: Sequence[int], last: int, store: Store) -> list[tuple[str, int]]:
    """The services outside their limits in the last week; shop's counts are given."""
    store.save(
        SOURCE,
        [*deployed(counts), *deployed(LEVEL + [10] * 4, service="cart"), *until(last)],
    )
    found = reported(store, last).exceptions
    assert found
    assert (found.judged, found.of) == (2, 2)
    assert found.expected == pytest.approx(2 * 0.017)
    return [(one.service, one.deployments) for one in found.outside]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([*LEVEL, 10, 10, 10, 3], [("shop", 3)]),
        ([*LEVEL, 10, 10, 10, 20], [("shop", 20)]),
        ([*LEVEL, 10, 10, 20, 10], []),  # a week ago is no news
        ([*LEVEL, 10, 10, 10, 0], [("shop", 0)]),  # nothing deployed, and that was collected
    ],
)
def test_services_outside_their_limits_are_listed(
    store: Store, counts: Sequence[int], expected: list[tuple[str, int]]
) -> None:
    assert outside(counts, 30, store) == expected


def test_a_service_without_limits_is_not_judged(store: Store) -> None:
    rare = deployed([1] * 30, service="rare")
    young = deployed([9] * 10, first=21, service="young")
    store.save(SOURCE, [*deployed(LEVEL + [10] * 4), *rare, *young, *until(30)])

    found = reported(store, 30).exceptions
    assert found
    assert (found.judged, found.of) == (1, 3)


@pytest.mark.parametrize(
    "asked",
    [Asked(window=weeks(26), service="shop"), Asked(window=weeks(23, 26))],
    ids=["one service", "four weeks"],
)
def test_exceptions_are_those_of_a_week_of_several_services(store: Store, asked: Asked) -> None:
    store.save(SOURCE, [*deployed(LEVEL), *until(26)])

    assert report(store, RULES, asked).exceptions is None
