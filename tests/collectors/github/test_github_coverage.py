"""The time for which collections from a simulated GitHub know the facts."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from github_collecting import Collected, collecting, span
from github_server.world import Repo, World
from github_world import NEXT_WEEK, ada, after, pull

from vpemetrics.collectors.github.options import Incidents
from vpemetrics.records import Change, CoverageKind, Incident

LABELLED = Incidents(labels=("incident",))


@pytest.fixture
def github(world: World, shop: Repo) -> Iterator[Collected]:
    """A GitHub with `acme/shop` in it."""
    with collecting(world, NEXT_WEEK, incidents=LABELLED) as collected:
        yield collected


def test_a_quiet_week_is_covered(github: Collected) -> None:
    github.collect()
    github.collect(timedelta(days=7))

    (covered,) = span(github, CoverageKind.PULL_REQUESTS, "acme/shop")
    assert covered[1] == github.now


def test_what_was_not_asked_for_is_not_covered(github: Collected) -> None:
    github.collect(runs=True)
    asked_at = github.now
    github.collect(timedelta(hours=3), runs=True)

    (covered,) = span(github, CoverageKind.RUNS, "acme/shop")
    assert covered[1] == asked_at


@pytest.mark.parametrize("repositories", [("acme/shop",), ("acme/*",)])
def test_incidents_of_a_repository_apart_cover_all(
    world: World, shop: Repo, repositories: tuple[str, ...]
) -> None:
    desk = world.repository("acme/incidents")
    desk.open_issue("Down", author=ada(shop), at=after(5), labels=["incident", "service: shop"])
    incidents = Incidents(labels=("incident",), repositories=("acme/incidents",))
    with collecting(world, NEXT_WEEK, repositories=repositories, incidents=incidents) as github:
        github.collect()

    (told,) = github.of(Incident).values()
    assert told.service == ("shop",)
    assert span(github, CoverageKind.INCIDENTS, "*")
    reads_it = repositories == ("acme/*",)
    assert bool(span(github, CoverageKind.PULL_REQUESTS, "acme/incidents")) is reads_it


def test_an_interruption_says_so_and_covers_what_was_read(world: World, shop: Repo) -> None:
    for number in range(120):
        pull(shop, f"n{number}", after(number))
    with collecting(world, NEXT_WEEK) as github:
        github.collect(max_requests=4)

    changes = github.of(Change).values()
    (covered,) = span(github, CoverageKind.PULL_REQUESTS, "acme/shop")
    assert 0 < len(changes) < 120
    assert covered[0] >= min(one.created_at or NEXT_WEEK for one in changes)
    assert any("the next collection goes on from here" in text for text in github.warnings)
