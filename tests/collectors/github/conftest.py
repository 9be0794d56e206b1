"""A GitHub of a few words on loopback, and a client that asks it."""

from collections.abc import Iterator

import pytest
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
