"""No secret is in a log, error, repr or traceback, whatever goes wrong."""

import logging
import traceback
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from loopback import Asked, Hourglass, Loopback, Say

from vpemetrics.collectors.http import HttpClient, Request, SecretHeaders
from vpemetrics.collectors.http.transport import Cut, Oversized, Slow, Transport
from vpemetrics.errors import VpemetricsError

CANARY = "glpat-canary0123456789"
BASIC = b64encode(f"ann:{CANARY}".encode()).decode()


def echo(asked: Asked) -> Say:
    """What some proxies do with a request they do not like: they send it back."""
    return Say(status=403, json={"message": f"refused: {asked.headers} {CANARY}"})


def echo_in_headers(asked: Asked) -> Say:
    secret = asked.headers.get("PRIVATE-TOKEN", "")
    return Say(status=301, headers={"Location": f"https://elsewhere.example/{secret}"})


MISHAPS: dict[str, Callable[[Asked], Say]] = {
    "refused": lambda _asked: Say(status=401, json={"message": "Bad credentials"}),
    "sent back": echo,
    "not there": lambda _asked: Say(status=404, json={"message": "Not Found"}),
    "failing": lambda _asked: Say(status=502),
    "cut": lambda _asked: Say(json={"a": "b" * 999}, cut=True),
    "moved": echo_in_headers,
    "limited": lambda _asked: Say(status=429, json={}),
    "not json": lambda _asked: Say(content=b"{"),
    "slow": lambda _asked: Say(held=Event()),
    "dripping": lambda _asked: Say(json="x" * 9999, drip=0.005),
}


def everything_said(error: BaseException) -> str:
    """The error with all that led to it, and the values in every frame but the test's own."""
    ours = error.__traceback__.tb_next if error.__traceback__ else None
    told = traceback.TracebackException.from_exception(
        error.with_traceback(ours), capture_locals=True
    )
    chain: list[str] = []
    link: BaseException | None = error
    while link:
        chain.append(f"{link} {link!r} {link.args!r} {vars(link)!r}")
        link = link.__cause__ or link.__context__
    return "".join(told.format()) + "".join(chain)


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    for name in (None, "urllib3", "requests"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


@pytest.mark.parametrize(
    "headers",
    [
        {"PRIVATE-TOKEN": CANARY},
        {"Authorization": f"Bearer {CANARY}"},
        {"Authorization": f"Basic {BASIC}"},
    ],
)
@pytest.mark.parametrize("mishap", MISHAPS)
def test_a_token_is_nowhere_to_be_read(
    server: Loopback,
    hourglass: Hourglass,
    heard: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    mishap: str,
    headers: Mapping[str, str],
) -> None:
    policy = hourglass.policy(
        answer_time=timedelta(milliseconds=20), total_time=timedelta(milliseconds=40)
    )
    client = HttpClient(server.url, SecretHeaders(headers), server="Forge", policy=policy)
    server.answer = MISHAPS[mishap]

    with client, pytest.raises(VpemetricsError) as caught:
        client.get("x")

    said = [everything_said(caught.value), heard.text, *hourglass.announced, *capfd.readouterr()]
    said += [repr(thing) for thing in (client, vars(client), caught.value)]
    assert all(headers.items() <= asked.headers.items() for asked in server.asked)
    assert CANARY not in "".join(said)
    assert BASIC not in "".join(said)
    assert "127.0.0.1" in heard.text  # the loggers were listened to


@pytest.mark.parametrize("mishap", ["cut", "slow", "dripping"])
def test_a_connection_that_fails_leaves_no_frames_behind_that_hold_the_token(
    server: Loopback, mishap: str
) -> None:
    transport = Transport(
        server.url,
        SecretHeaders({"PRIVATE-TOKEN": CANARY}),
        headers={},
        answer_time=timedelta(milliseconds=20),
        total_time=timedelta(milliseconds=40),
    )
    server.answer = MISHAPS[mishap]

    with pytest.raises((Cut, Slow, Oversized)) as caught:
        transport.send(Request(address="/x"))

    assert CANARY not in everything_said(caught.value)
    transport.close()


def test_what_is_sent_back_is_hidden_in_answers_too(client: HttpClient, server: Loopback) -> None:
    server.answer = lambda asked: Say(json={"token": asked.headers["PRIVATE-TOKEN"]})

    assert client.get("x") == {"token": "(hidden)"}


def test_a_token_as_short_as_a_word_does_not_hide_the_answer(
    server: Loopback, hourglass: Hourglass
) -> None:
    server.answer = lambda asked: Say(json={"next": "exit"})
    headers = SecretHeaders({"Authorization": "Bearer x"})

    with HttpClient(server.url, headers, server="Forge", policy=hourglass.policy()) as client:
        assert client.get("x") == {"next": "exit"}


def test_the_passwords_of_the_environment_are_not_sent(
    server: Loopback, client: HttpClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password hunter2")
    monkeypatch.setenv("NETRC", str(netrc))
    server.say(Say(json={}))

    client.get("x")

    assert "Authorization" not in server.asked[0].headers


def test_the_proxies_of_the_environment_are_used(
    server: Loopback, hourglass: Hourglass, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url.removesuffix("/api/v3"))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    server.say(Say(json={}))

    with HttpClient(
        "http://forge.example/api", dict, server="Forge", policy=hourglass.policy()
    ) as client:
        client.get("x")

    assert server.paths == ["http://forge.example/api/x"]
