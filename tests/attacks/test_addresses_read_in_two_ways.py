"""Links and redirects whose host is one for who checks them, and another for who connects."""

from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from loopback import Hourglass, Loopback, Say, loopback

from vpemetrics.collectors.http import (
    HttpClient,
    NextURL,
    Request,
    SecretHeaders,
)
from vpemetrics.errors import FixConfiguration

pytestmark = pytest.mark.slow

CANARY = "canary-0123456789abcdef"
ADDRESSES = [
    "http://{thief}\\@{home}/x",  # the host ends at the backslash, says who connects
    "http://{thief}\\\\@{home}/x",
    "http://{thief}/\\@{home}/x",
    "http://{thief}#@{home}/x",
    "http://{thief}?@{home}/x",
    "http://{thief}\t@{home}/x",
    "http://{home}@{thief}/x",
    "http://{home}\\.{thief}/x",
    "http://{home} @{thief}/x",
    "http:\\\\{thief}\\@{home}/x",
    "//{thief}\\@{home}/x",
    "\\\\{thief}/x",
    "/\\{thief}/x",
    "///{thief}/x",
]


@pytest.fixture
def hourglass() -> Hourglass:
    return Hourglass()


@pytest.fixture
def home(hourglass: Hourglass) -> Iterator[Loopback]:
    with loopback(hourglass) as running:
        yield running


@pytest.fixture
def thief(hourglass: Hourglass) -> Iterator[Loopback]:
    with loopback(hourglass) as running:
        running.answer = lambda _asked: Say(json=[])
        yield running


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("way", ["redirect", "link", "body", "asked"])
def test_no_secret_leaves_for_another_host(
    home: Loopback, thief: Loopback, hourglass: Hourglass, way: str, address: str
) -> None:
    address = address.format(home=urlsplit(home.url).netloc, thief=urlsplit(thief.url).netloc)
    answers = {
        "redirect": Say(status=302, headers={"Location": address}),
        "link": Say(json=[{"id": 1}], headers={"Link": f'<{address}>; rel="next"'}),
        "body": Say(json={"values": [{"id": 1}], "next": address}),
    }
    nothing = Say(json=[])
    home.answer = lambda _asked: answers.get(way, nothing) if len(home.asked) == 1 else nothing
    secrets = SecretHeaders({"Authorization": f"Bearer {CANARY}"})
    client = HttpClient(home.url, secrets, server="Forge", policy=hourglass.policy())

    with client, suppress(FixConfiguration):
        if way == "body":
            list(client.pages("x", paging=NextURL(), key="values"))
        elif way == "asked":  # as addresses of pages are that a cursor keeps
            client.ask(Request(address=address))
        else:
            list(client.pages("x"))

    assert thief.asked == []


def test_who_sends_on_to_no_plain_address_is_told_so(home: Loopback, hourglass: Hourglass) -> None:
    address = f"http://thief.example\\@{urlsplit(home.url).netloc}/x"
    home.say(Say(status=302, headers={"Location": address}))
    client = HttpClient(home.url, SecretHeaders({}), server="Forge", policy=hourglass.policy())

    with client, pytest.raises(FixConfiguration, match="sends on to an address that is none"):
        client.get("x")
