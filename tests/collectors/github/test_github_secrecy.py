"""The token is in no log, error, repr or traceback, whatever goes wrong."""

import logging
import subprocess
import sys
import traceback
from collections.abc import Callable
from datetime import timedelta
from threading import Event

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from loopback import Asked, Hourglass, Loopback, Say
from subprocesses import PATIENCE

from vpemetrics.collectors.github.client import Access, access_by_app, access_by_token
from vpemetrics.collectors.github.queries import Query
from vpemetrics.errors import VpemetricsError

CANARY = "ghp_canary0123456789"
HOURLY = "ghs_canary9876543210"


def echo(asked: Asked) -> Say:
    """What some proxies do with a request they do not like: they send it back."""
    return Say(status=403, json={"message": f"refused: {asked.headers}"})


def moved(_asked: Asked) -> Say:
    return Say(status=301, headers={"Location": "https://elsewhere.example/x"})


MISHAPS: dict[str, Callable[[Asked], Say]] = {
    "refused": lambda _asked: Say(status=401, json={"message": "Bad credentials"}),
    "sent back": echo,
    "not there": lambda _asked: Say(status=404, json={"message": "Not Found"}),
    "failing": lambda _asked: Say(status=502),
    "cut": lambda _asked: Say(json={"a": "b" * 999}, cut=True),
    "moved": moved,
    "limited": lambda _asked: Say(status=429, json={}),
    "not json": lambda _asked: Say(content=b"{"),
    "slow": lambda _asked: Say(held=Event()),
}


def everything_said(error: BaseException) -> str:
    """The error with all that led to it, and the values in every frame but the test's own."""
    ours = error.__traceback__.tb_next if error.__traceback__ else None
    told = traceback.TracebackException.from_exception(
        error.with_traceback(ours), capture_locals=True
    )
    chain, one = [], error
    while one:
        chain.append(f"{one} {one!r} {one.args!r} {vars(one)!r}")
        one = one.__cause__ or one.__context__  # type: ignore[assignment]
    return "".join(told.format()) + "".join(chain)


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    for name in (None, "github", "github.Requester", "urllib3", "requests"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


@pytest.mark.parametrize("mishap", MISHAPS)
def test_a_token_is_nowhere_to_be_read(
    github: Loopback,
    hourglass: Hourglass,
    heard: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    mishap: str,
) -> None:
    policy = hourglass.policy(answer_time=timedelta(milliseconds=20))
    access = access_by_token(url=github.url, token=CANARY, policy=policy)
    client = access.client("acme")
    github.answer = MISHAPS[mishap]

    with pytest.raises(VpemetricsError) as caught:
        client.query(Query(label="", text="query Changes { a }"))

    said = [everything_said(caught.value), heard.text, *hourglass.announced, *capfd.readouterr()]
    said += [repr(one) for one in (access, client, vars(client), caught.value)]
    assert all(CANARY in one.headers["Authorization"] for one in github.asked)
    assert CANARY not in "".join(said)
    assert "127.0.0.1" in heard.text  # the loggers were listened to
    access.close()


def test_neither_are_the_key_of_an_app_and_the_tokens_of_its_installations(
    github: Loopback, hourglass: Hourglass, heard: pytest.LogCaptureFixture
) -> None:
    access, key = an_app(github, hourglass)
    client = access.client("acme")

    client.get("/x")
    github.answer = echo
    with pytest.raises(VpemetricsError) as caught:
        client.get("/y")

    proof = github.asked[0].headers["Authorization"].split()[-1]
    said = everything_said(caught.value) + heard.text + repr(access) + repr(vars(client))
    assert HOURLY in github.asked[-1].headers["Authorization"]
    assert HOURLY not in said
    assert proof not in said
    assert key.splitlines()[1] not in said
    assert "access_tokens" in heard.text
    access.close()


def an_app(github: Loopback, hourglass: Hourglass) -> tuple[Access, str]:
    """An App whose one installation is at acme, and its key."""
    key = (
        generate_private_key(public_exponent=65537, key_size=2048)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )
    end = hourglass.now + timedelta(hours=1)
    token = {"token": HOURLY, "expires_at": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
    github.say(
        Say(json=[{"id": 1, "account": {"login": "acme"}}]),
        Say(status=201, json=token),
        Say(json={}),
    )
    policy = hourglass.policy()
    return access_by_app(url=github.url, app=123, private_key=key, policy=policy), key


def test_a_wrong_token_is_not_quoted_by_what_refuses_it(hourglass: Hourglass) -> None:
    with pytest.raises(VpemetricsError) as caught:
        access_by_token(
            url="https://api.github.com", token=f"{CANARY}\n", policy=hourglass.policy()
        )

    assert CANARY not in str(caught.value)


@pytest.mark.slow
def test_pygithub_is_imported_with_the_first_client_and_not_before() -> None:
    code = (
        "import sys\n"
        "from vpemetrics.collectors.github import client\n"
        "assert not {'github', 'requests', 'urllib3'} & set(sys.modules)\n"
        "client.access_by_token(\n"
        "    url='https://api.github.com', token='ghp_a', policy=client.WaitPolicy()\n"
        ")\n"
        "assert {'github', 'requests'} <= set(sys.modules)\n"
    )

    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False
    )

    assert run.stderr == ""
