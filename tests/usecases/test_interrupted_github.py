"""Collections from a GitHub where much goes wrong, killed and several at once: no trace is left."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from threading import Lock

import pytest
from collectedclone import empty_store
from collectedgithub import held, started, write_settings
from github_server.answer import Answer, Request
from github_server.faults import (
    Fault,
    Faults,
    Reply,
    bad_credentials,
    bad_gateway,
    cut,
    heavy,
    not_found,
    overlapping,
    partial,
    primary_limit,
    saml,
    secondary_limit,
    slow,
    went_wrong,
)
from github_server.server import SimulatedGitHub
from lively_github import BEGIN, EVERYDAY, Happening, Lively, between, merge, open_pull, review
from nursery import nursery
from tiers import scored

from vpemetrics.store import Store

pytestmark = pytest.mark.slow

NOW = BEGIN + timedelta(days=15)
LATER = NOW + timedelta(days=2)
"""When all is quiet again, and what was run again is looked for."""
CHANCE = 0.05
TIMES = 4
"""How often each collection is killed before one may end."""


def sometimes(fault: Fault) -> Fault:
    """The fault for one request in twenty."""

    def play(request: Request, reply: Reply) -> Answer:
        is_met = Random(request.number).random() < CHANCE
        return fault(request, reply) if is_met else reply()

    return play


FAULTS = (
    heavy(nodes=3_000),
    overlapping(),
    *map(
        sometimes,
        [
            primary_limit(wait=1),
            primary_limit(wait=1, kind="RATE_LIMITED"),
            secondary_limit(retry_after=1),
            secondary_limit(retry_after=1, status=429),
            secondary_limit(retry_after=1, status=200),
            bad_gateway(),
            bad_gateway(status=504, page=True),
            went_wrong,
            cut(),
            cut(after=300),
            slow(seconds=0.2),
            partial(),
            partial(kind=None, message="Something is wrong."),
            partial(nested=True),
            partial(kind=None, message="Something is wrong.", nested=True),
            bad_credentials,
            not_found,
            saml(organization="acme"),
        ],
    ),
)
"""One for each time that a collection is killed."""


@dataclass
class Weather:
    """A GitHub on which something may go wrong, and on which something happens while it is read.

    `now` is what time it is there, None where nothing happens any more.
    """

    life: Lively
    fault: Fault | None = None
    now: datetime | None = None
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, request: Request, reply: Reply) -> Answer:
        def living() -> Answer:
            with self._lock:
                answer = reply()
                if self.now and Random(f"{request.number}").random() < CHANCE:
                    self.now += timedelta(seconds=5)
                    self.life.live([self.now])
            return answer

        return self.fault(request, living) if self.fault else living()


@dataclass(frozen=True, kw_only=True)
class GitHub:
    """A GitHub, what the weather is like there, and processes that collect from it."""

    weather: Weather
    folder: Path

    def collect(self, *locations: str, now: datetime = LATER) -> list[int]:
        """Collections into stores, all at the same time; the exit codes."""
        return nursery().ended(*[started(one, self.folder, now) for one in locations])

    def kill(self, location: str, now: datetime, after: float) -> None:
        """A collection that is killed after some seconds, if it lasts that long."""
        process = started(location, self.folder, now)
        time.sleep(after)
        os.kill(process, signal.SIGKILL)
        nursery().ended(process)


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    """Three repositories with a hundred pull requests and more, one of them very long."""
    life = Lively(Random(7))
    coding: list[Happening] = [open_pull, review, merge]
    life.live(between(BEGIN, NOW - timedelta(days=1), 500), [*EVERYDAY, *coding * 10])
    repo = life.repositories[0]
    long = open_pull(life, repo, NOW - timedelta(hours=9), size=130)
    for at in between(NOW - timedelta(hours=9), NOW, 110):
        repo.review(long, "COMMENTED", by=life.somebody(), at=at)
    repo.merge(long, at=NOW)
    weather = Weather(life)
    with SimulatedGitHub(life.world, faults=Faults(always=(weather,))) as server:
        folder = tmp_path / "configured"
        folder.mkdir()
        yield GitHub(weather=weather, folder=write_settings(folder, server.url))


@scored("kills", 3, soak=2 * len(FAULTS))
def test_a_collection_killed_in_any_weather_leaves_no_trace_in_the_next(
    new_location: Callable[[], str], github: GitHub, kills: int
) -> None:
    first = empty_store(new_location())
    begun = time.monotonic()
    assert github.collect(first, now=NOW) == [0]
    lasting = time.monotonic() - begun
    moments, left, killed = Random(11), set(), []
    github.weather.now = NOW
    weathers = [
        FAULTS[at * len(FAULTS) // min(kills, len(FAULTS)) % len(FAULTS)] for at in range(kills)
    ]
    for at, github.weather.fault in enumerate(weathers):
        if at % TIMES == 0:
            killed.append(empty_store(new_location()))
        github.kill(killed[-1], github.weather.now, moments.uniform(0, 1.2 * lasting))
        with Store.open(killed[-1]) as store:
            left.add(sum(store.counts().values()))

    github.weather.fault = github.weather.now = None
    undisturbed = empty_store(new_location())
    assert github.collect(undisturbed) == [0]
    expected = held(undisturbed)
    for location in killed:
        assert github.collect(location) == [0]
        assert held(location) == expected
    assert len(left) > kills // 4  # they were killed in the middle, and not always in the same


def test_three_collections_at_once_double_nothing(
    new_location: Callable[[], str], github: GitHub
) -> None:
    undisturbed, shared = empty_store(new_location()), empty_store(new_location())

    assert github.collect(shared, shared, shared) == [0, 0, 0]
    assert github.collect(undisturbed) == [0]
    assert held(shared) == held(undisturbed)


def test_two_collections_at_once_of_a_github_that_lives_on_miss_nothing(
    new_location: Callable[[], str], github: GitHub
) -> None:
    undisturbed, shared = empty_store(new_location()), empty_store(new_location())
    github.weather.now = NOW
    assert github.collect(shared, shared, now=NOW) == [0, 0]
    github.weather.now = None

    assert github.collect(shared) == [0]
    assert github.collect(undisturbed) == [0]
    assert held(shared) == held(undisturbed)
