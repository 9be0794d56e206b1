"""Numbers at the edges: of what is read for a window, of coverage, of scopes and of identities."""

from dataclasses import replace

from builders import at, commit, commits, deploy, incident, pull
from measuring import collected, cutting, measure, weeks
from stored import empty_store

from vpemetrics.metrics import dora
from vpemetrics.records import AnyRecord, AuthorKind, CoverageKind
from vpemetrics.rules import Rules
from vpemetrics.usecases.reporting import Asked, report


def test_a_deployment_of_nothing_known_is_no_repeat_of_a_commit_with_its_number() -> None:
    rows = [deploy(name, "Mon 10:00", None) for name in "abcdefgh"]
    history: list[AnyRecord] = [
        *commits("z<y"),
        deploy("1", "Mon 09:00", "z"),
        deploy("2", "Mon 10:05", "y"),
        *rows,
    ]

    assert measure("deployment_frequency", history, weeks(1)).n == 10


def test_a_pull_request_of_a_known_author_is_a_persons_whoever_made_its_commits() -> None:
    history: list[AnyRecord] = [
        *commits("a"),
        commit("b", ("a",), author_kind=AuthorKind.AUTOMATION),
        pull(1, "Tue 09:00", "b", "b", author="ann", author_kind=None),
        deploy("1", "Mon 10:00", "a"),
        deploy("2", "Tue 10:00", "b"),
    ]

    assert measure("change_lead_time", history, weeks(1)).n == 1


def test_the_time_since_the_deployment_before_the_window_is_a_gap_too() -> None:
    history: list[AnyRecord] = [deploy("1", "Sun-60 10:00", None), deploy("2", "Mon 10:00", None)]

    assert measure("time_between_deployments", history, weeks(1)).n == 1


def test_what_was_deployed_before_the_window_and_merged_in_it_is_accounted_for() -> None:
    history: list[AnyRecord] = [
        *commits("a<b"),
        pull(1, "Mon 09:00", "b", "b"),
        deploy("1", "Fri-60 10:00", "a"),
        deploy("2", "Sat-60 10:00", "b"),
        deploy("3", "Mon 10:00", "b"),
    ]

    with cutting(history, weeks(1)) as cut:
        assert dora.accounting(cut)["merged"] == 1


def test_a_failure_that_is_still_open_is_listed_however_old() -> None:
    history: list[AnyRecord] = [
        *commits("a<b"),
        deploy("1", "Fri-60 10:00", "a"),
        deploy("2", "Sat-60 10:00", "b"),
        incident("i", "Sat-60 11:00", cause_deployment="2"),
        *collected(at("Mon-62 00:00"), at("Mon5 00:00")),
    ]
    with empty_store() as store:
        store.save("test", history)

        failures = report(store, Rules(), Asked(window=weeks(1))).failures

    assert [(row.deployment, row.open) for row in failures] == [("2", True)]


def test_a_services_incidents_are_its_own_even_where_it_is_the_only_service() -> None:
    history: list[AnyRecord] = [
        deploy("1", "Mon 10:00", None),
        incident("i", "Mon 12:00", "Mon 13:00", service=("another",), severity=1),
    ]

    assert measure("incident_restore_time", history, weeks(1), service="shop").n == 0
    assert measure("customers_affected_time", history, weeks(1), service="shop").value == 0


def test_incidents_are_measured_where_only_they_were_collected() -> None:
    history: list[AnyRecord] = [
        deploy("1", "Mon-4 10:00", None),
        incident("i", "Mon 12:00", "Mon 13:00", severity=1),
        *collected("Mon-5 00:00", "Mon-3 00:00", CoverageKind.DEPLOYMENTS),
        *collected("Mon-5 00:00", "Mon5 00:00", CoverageKind.INCIDENTS),
    ]

    assert measure("incident_restore_time", history, weeks(1)).n == 1
    assert measure("customers_affected_time", history, weeks(1)).value == 3600


def test_of_a_window_nobody_collected_no_count_is_given() -> None:
    history: list[AnyRecord] = [
        deploy("1", "Mon-4 10:00", None),
        *collected("Mon-5 00:00", "Mon-3 00:00"),
    ]

    found = measure("change_lead_time", history, weeks(1))

    assert (found.n, found.beside, found.excluded) == (None, {}, {})


def test_fail_rates_of_weeks_add_up_where_an_incident_source_begins_on_the_way() -> None:
    history: list[AnyRecord] = [
        *commits("a<b<c<d<e"),
        deploy("0", "Sun0 10:00", "a"),
        deploy("1", "Tue 10:00", "b"),
        deploy("2", "Wed 10:00", "c"),
        deploy("3", "Tue2 10:00", "d"),
        deploy("4", "Wed2 10:00", "e"),
        incident("i", "Tue2 11:00", "Tue2 12:00", cause_deployment="3"),
        *collected("Mon-5 00:00", "Mon5 00:00", CoverageKind.DEPLOYMENTS),
        *collected("Mon2 00:00", "Mon5 00:00", CoverageKind.INCIDENTS),
    ]

    both = measure("change_fail_rate", history, weeks(1, 2))
    second = measure("change_fail_rate", history, weeks(2))

    assert (both.k, both.n, both.excluded) == (1, 2, {"no_incident_source": 2})
    assert (second.k, second.n) == (1, 2)


def test_a_cause_shipped_by_another_service_is_no_problem_in_the_data() -> None:
    history: list[AnyRecord] = [
        deploy("1", "Mon 10:00", None),
        deploy("2", "Mon 11:00", None, service="desk", repository="desk"),
        incident("i", "Mon 12:00", service=("shop",), cause_deployment="2"),
        *collected("Mon-5 00:00", "Mon5 00:00"),
    ]
    with empty_store() as store:
        store.save("test", history)

        problems = report(store, Rules(), Asked(window=weeks(1))).problems

    assert "named_not_shipped" not in {problem.reason for problem in problems}


def test_a_week_is_partial_where_no_service_was_collected_all_the_while() -> None:
    history: list[AnyRecord] = [
        deploy("1", "Mon 10:00", None),
        deploy("2", "Fri 10:00", None, service="desk", repository="desk"),
        *collected("Mon 00:00", "Thu 00:00", scope="shop"),
        *collected("Wed 00:00", "Mon2 00:00", scope="desk"),
    ]

    assert measure("deployment_frequency", history, weeks(1)).partial


def test_a_new_service_does_not_take_away_the_past_of_the_others() -> None:
    shared: list[AnyRecord] = [*commits("a<b<c"), pull(1, "Tue 09:00", "b", "b")]
    old: list[AnyRecord] = [deploy("1", "Mon 10:00", "a"), deploy("2", "Tue 10:00", "b")]
    new = replace(deploy("3", "Mon3 10:00", "c"), service="desk")

    assert measure("change_lead_time", [*shared, *old, new], weeks(1)).n == 1
