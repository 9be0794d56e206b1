"""A server of a few words on loopback, and a client that asks it."""

from collections.abc import Iterator

import pytest
from loopback import Hourglass, Loopback, loopback

from vpemetrics.collectors.http import HttpClient, SecretHeaders


@pytest.fixture
def hourglass() -> Hourglass:
    return Hourglass()


@pytest.fixture
def server(hourglass: Hourglass) -> Iterator[Loopback]:
    with loopback(hourglass) as running:
        yield running


@pytest.fixture
def client(server: Loopback, hourglass: Hourglass) -> Iterator[HttpClient]:
    headers = SecretHeaders({"PRIVATE-TOKEN": "glpat-abc"})
    with HttpClient(server.url, headers, server="Forge", policy=hourglass.policy()) as client:
        yield client
