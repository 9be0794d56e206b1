"""On the demo's organisation the signals find what really changed there, and little else."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from shutil import copy

import pytest
from demonstration import made

from vpemetrics.demo.acme import (
    OUTAGE,
    REORGANISED,
    STOREFRONT_SPEEDS_UP,
    TEAMS,
)
from vpemetrics.metrics.charts import Chart, Word
from vpemetrics.store import Store
from vpemetrics.usecases import demo
from vpemetrics.usecases.reporting import Asked, report

pytestmark = pytest.mark.slow  # the demo takes some seconds to make


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("demo")
    with Store.open(Path(copy(made().folder / demo.STORE, folder))) as opened:
        yield opened


def deployments(store: Store, service: str | None = None, team: str | None = None) -> Chart:
    """The weeks of a scope with the limits of the declared steps."""
    asked = Asked(service=service, team=team, parts=False, drawn=False)
    return report(store, demo.rules_of(made().folder), asked).charts[0]


def test_the_reorganisation_starts_the_limits_anew(store: Store) -> None:
    everything = deployments(store)

    assert [one.since for one in everything.baselines] == [None, REORGANISED]
    assert everything.baseline.complete


def test_the_organisation_has_an_outage_and_then_a_rise(store: Store) -> None:
    outage, *rise = deployments(store).signals

    assert (outage.word, outage.start) == (Word.WORSE, OUTAGE - timedelta(days=1))  # its Monday
    assert {one.word for one in rise} == {Word.BETTER}
    assert all(one.start >= STOREFRONT_SPEEDS_UP for one in rise)


@pytest.mark.parametrize("team", TEAMS)
def test_of_the_teams_storefront_alone_got_better(store: Store, team: str) -> None:
    found = deployments(store, team=team).signals

    assert {one.word for one in found} == ({Word.BETTER} if team == "storefront" else set())
    assert all(one.start >= STOREFRONT_SPEEDS_UP for one in found)


@pytest.mark.parametrize("service", [one for some in TEAMS.values() for one in some])
def test_of_the_services_those_of_storefront_alone_got_better(store: Store, service: str) -> None:
    found = deployments(store, service=service).signals

    mine = service in TEAMS["storefront"]
    assert {one.word for one in found} == ({Word.BETTER} if mine else set())
