"""One name in any spelling: services, environments, repositories, teams (rule D7)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from builders import at, commits, decision, deploy, incident, pull
from measuring import BEGIN, END, WEEK, collected
from stored import SOURCE, derive, empty_store, read

from vpemetrics.config.load import check
from vpemetrics.records import AnyRecord, Deployment, Repository
from vpemetrics.reports.model import Report
from vpemetrics.rules import Rules, Service
from vpemetrics.store import Store
from vpemetrics.usecases.explain import explain
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.usecases.reporting import Asked, report
from vpemetrics.usecases.update_lineage import bring_up_to_date

GRAPH = commits("a<b<c", repository="Acme/Shop")
PULL = pull(7, "Mon 09:00", "b", "b", repository="acme/shop")
FIRST = deploy("d1", "Mon 08:00", "a", service=None, repository="acme/shop")
LATER = deploy("d2", "Mon 10:00", "b", service=None, repository="Acme/Shop")


def of(service: str | None, id_: str = "d1", when: str = "Mon 10:00", **more: Any) -> Deployment:
    return deploy(id_, when, None, service=service, **more)


@pytest.mark.parametrize(
    ("records", "services", "deployments"),
    [
        ([of("shop "), of("Shop", "d2", "Tue 10:00")], (), {"shop": 2}),
        ([of("SHOP"), of("Shop", "d2", "Tue 10:00")], (), {"Shop": 2}),
        ([of("shop "), of("Shop", "d2", "Tue 10:00")], ("SHOP",), {"SHOP": 2}),
        ([of(None, repository="Acme/Shop"), of(None, "d2", "Tue 10:00", repository="acme/shop")],
         (), {"acme/shop": 2}),
        ([of(None, repository="acme/shop"), Repository(id="1", name="Acme/Shop")],
         (), {"Acme/Shop": 1}),  # as the server spells it
        ([of(None, repository="ACME/old"),
          Repository(id="1", name="acme/new", aliases=("acme/Old",))], (), {"acme/new": 1}),
        ([replace(of("shop"), environment=" Production")], (), {"shop": 1}),
        ([of("shop-api")], (), {"shop-api": 1}),
        ([of("  ", repository="acme/shop")], (), {"acme/shop": 1}),
    ],
)  # fmt: skip
def test_deployments_of_one_service_in_any_spelling(
    records: Sequence[AnyRecord], services: tuple[str, ...], deployments: dict[str, int]
) -> None:
    rules = Rules(services=tuple(Service(name=name) for name in services))

    for order in (records, records[::-1]):
        found = derive(order, rules).deployments
        assert {name: len(rows) for name, rows in found.items()} == deployments


def test_a_spelling_that_comes_later_gives_what_coming_at_once_gives() -> None:
    told: list[AnyRecord] = [
        *GRAPH,
        PULL,
        FIRST,
        LATER,
        replace(LATER, id="d3", environment="Production"),
    ]
    with empty_store() as store:
        for record in told[::-1]:
            store.save(SOURCE, [record])
            bring_up_to_date(store, Rules())

        assert read(store) == derive(told, Rules())


def test_environments_are_one_in_any_spelling() -> None:
    again = replace(deploy("d2", "Tue 10:00", "a"), environment="Production ")

    found = derive([*commits("a"), deploy("d1", "Mon 10:00", "a"), again], Rules())

    assert found.kinds("shop") == "forward redeploy"  # no roll-out to somewhere else


def test_a_repository_is_one_in_any_spelling() -> None:
    found = derive([*GRAPH, PULL, FIRST, LATER], Rules())

    assert found.attribution == {"acme/shop": "graph"}
    assert [key for _, key in found.shipped if key == "#7"] == ["#7"]


def test_the_paths_of_a_configured_repository_in_any_spelling() -> None:
    rules = Rules(services=(Service(name="till", repository="ACME/shop", paths=("till/",)),))
    graph = [replace(row, paths=("shop/x",)) for row in GRAPH]

    found = derive([*graph, FIRST, LATER], rules)

    assert list(found.deployments) == ["till"]
    assert not found.shipped


def test_an_incident_names_its_service_in_any_spelling(location: str) -> None:
    broken = incident("INC", "Mon 11:00", "Mon 12:00", service=("Checkout ", "checkout"))
    with Store.open(location) as store:
        store.save(SOURCE, [of("checkout"), broken, *collected(BEGIN, END)])

        found = report(store, Rules(), Asked(window=WEEK))

    assert found.services.total == 1
    assert figure(found, "customers_affected_time").n == 0  # nobody says that they were
    assert figure(found, "change_fail_rate_with_suspected").k == 1


def test_coverage_is_of_a_service_or_repository_in_any_spelling() -> None:
    covered = [
        stretch
        for scope in ("SHOP ", "Acme/Desk")
        for stretch in collected(BEGIN, END, scope=scope)
    ]
    deployed = [of("shop", repository=None), of(None, "d2", repository="acme/desk")]
    with empty_store() as store:
        store.save(SOURCE, [*deployed, *covered])

        found = report(store, Rules(), Asked(window=WEEK))

    assert (found.services.known, found.services.total) == (2, 2)


@pytest.mark.parametrize("name", ["shop", " SHOP", "Shop"])
def test_a_service_and_a_team_are_asked_for_in_any_spelling(name: str) -> None:
    rules = check(None, '[[service]]\nname = "Shop"\nteam = "Buy"', {}).rules()
    with empty_store() as store:
        store.save(SOURCE, [of("shop"), *collected(BEGIN, END)])
        bring_up_to_date(store, rules)
        known = ReportContext.load(store, rules)

    assert known.scope(name, None)[0].name == "Shop"
    assert known.scope(None, "bUy ")[1] == ("Shop",)


def test_a_configuration_spells_a_team_in_several_ways() -> None:
    rules = check(
        None,
        """
        service = [{name = "shop", team = "Buy"}, {name = "till", team = "buy"}]
        target = [{metric = "cfr", at_most = "8 %", scope = "team:BUY"}]
        step = [{metric = "cfr", on = 2026-01-05, why = "?", scope = "service:Shop"}]
        """,
        {},
    ).rules()

    assert {service.team for service in rules.services} == {"Buy"}
    assert rules.targets[0].scope == "team:Buy"
    assert rules.steps[0].scope == "service:shop"


@pytest.mark.parametrize("name", ["acme/shop#7", "ACME/Shop#7"])
def test_a_record_is_found_in_any_spelling_of_its_repository(name: str) -> None:
    with empty_store() as store:
        store.save(SOURCE, [*GRAPH, PULL, FIRST, LATER, decision("d1", "reject")])

        assert explain(store, Rules(), name).id == "#7"


def test_a_repeat_in_another_spelling_of_its_environment_is_explained() -> None:
    again = replace(deploy("d2", "Mon 10:20", "a"), environment=" production")
    with empty_store() as store:
        store.save(SOURCE, [*commits("a"), deploy("d1", "Mon 10:00", "a"), again])

        told = explain(store, Rules(), "d2")

    assert at("Mon 10:00") in [fact.at for fact in told.facts]
    assert "a repeat of d1" in " ".join(fact.text or "" for fact in told.facts)


def figure(found: Report, metric: str) -> Any:
    return next(f for f in found.figures if f.metric == metric and f.scope.kind == "organisation")
