"""On the demo's organisation the signals find what really changed there, and little else."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from demonstration import made

from vpemetrics.metrics.charts import Chart, Kind, Word
from vpemetrics.metrics.facts import Cut, Facts
from vpemetrics.metrics.figures import Scope
from vpemetrics.metrics.registry import METRICS
from vpemetrics.metrics.signals import chart, weekly_points
from vpemetrics.simulate.acme.plans import (
    BEGINS,
    ENDS,
    OUTAGE,
    REORGANISED,
    STOREFRONT_SPEEDS_UP,
    TEAMS,
    WEEKS,
)
from vpemetrics.store import Store
from vpemetrics.usecases import demo
from vpemetrics.usecases.knowledge import Knowledge
from vpemetrics.usecases.lineage import bring_up_to_date
from vpemetrics.window import Window, weeks_in

METRIC = "deployment_frequency"


@pytest.fixture(scope="module")
def known() -> Iterator[tuple[Knowledge, Facts]]:
    """The organisation, and what happened in its sixty weeks."""
    folder = made().folder
    rules = demo.rules_of(folder)
    with Store.open(folder / demo.STORE) as store:
        bring_up_to_date(store, rules)
        found = Knowledge.load(store, rules)
        window = Window(start=BEGINS, end=ENDS, zone=rules.zone)
        yield found, found.facts(store, window, WEEKS)


def deployments(known: tuple[Knowledge, Facts], scope: Scope, services: tuple[str, ...]) -> Chart:
    """The weeks of a scope with the limits of the declared steps."""
    knowledge, facts = known
    own = facts.of(services, pooled=scope.kind != "service")
    window = Window(start=BEGINS, end=ENDS, zone=knowledge.rules.zone)
    figures = [
        METRICS[METRIC].measure(Cut(facts=own, scope=scope, window=week))
        for week, _ in weeks_in(window)
    ]
    steps = [step.on for step in knowledge.rules.steps]
    return chart(METRIC, scope, Kind.XMR, weekly_points(figures), steps)


@pytest.fixture(scope="module")
def everything(known: tuple[Knowledge, Facts]) -> Chart:
    scope = Scope(kind="organisation", name=known[0].rules.organisation)
    return deployments(known, scope, tuple(known[1].services))


def test_the_reorganisation_starts_the_limits_anew(everything: Chart) -> None:
    assert [one.since for one in everything.baselines] == [None, REORGANISED]
    assert everything.baseline.locked


def test_the_organisation_has_an_outage_and_then_a_rise(everything: Chart) -> None:
    outage, *rise = everything.signals

    assert (outage.word, outage.start) == (Word.WORSE, OUTAGE - timedelta(days=1))  # its Monday
    assert {one.word for one in rise} == {Word.BETTER}
    assert all(one.start >= STOREFRONT_SPEEDS_UP for one in rise)


@pytest.mark.parametrize("team", TEAMS)
def test_of_the_teams_storefront_alone_got_better(
    known: tuple[Knowledge, Facts], team: str
) -> None:
    found = deployments(known, Scope(kind="team", name=team), TEAMS[team]).signals

    assert {one.word for one in found} == ({Word.BETTER} if team == "storefront" else set())
    assert all(one.start >= STOREFRONT_SPEEDS_UP for one in found)


@pytest.mark.parametrize("service", [one for some in TEAMS.values() for one in some])
def test_of_the_services_those_of_storefront_alone_got_better(
    known: tuple[Knowledge, Facts], service: str
) -> None:
    found = deployments(known, Scope(kind="service", name=service), (service,)).signals

    mine = service in TEAMS["storefront"]
    assert {one.word for one in found} == ({Word.BETTER} if mine else set())
