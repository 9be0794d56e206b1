"""A GitHub of a few words on loopback and a client that asks it; a world with one repository."""

from collections.abc import Iterator

import pytest
from github_server.world import Repo, World
from github_world import after
from loopback import Hourglass, Loopback, loopback

from vpemetrics.collectors.github.client import Client, access_by_token


@pytest.fixture
def hourglass() -> Hourglass:
    return Hourglass()


@pytest.fixture
def github(hourglass: Hourglass) -> Iterator[Loopback]:
    with loopback(hourglass) as running:
        yield running


@pytest.fixture
def client(github: Loopback, hourglass: Hourglass) -> Iterator[Client]:
    access = access_by_token(url=github.url, token="ghp_abc", policy=hourglass.policy())
    yield access.client("acme")
    access.close()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def shop(world: World) -> Repo:
    """A repository with three commits in a world."""
    made = world.repository("acme/shop")
    ada = world.account("ada", name="Ada", email="ada@example.com")
    for hour in range(3):
        made.commit(f"Step {hour}", author=ada, at=after(hour))
    return made
