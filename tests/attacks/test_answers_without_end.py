"""Answers that never end, or are far larger than they look: given up at a bound, and said to be."""

import gzip
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_server, socket
from threading import Event, Thread

import pytest
from loopback import Asked, Hourglass, Loopback, Say, ServerSettings, loopback
from subprocesses import PATIENCE

from vpemetrics.collectors.base import CollectionContext
from vpemetrics.collectors.http import (
    HttpClient,
    SecretHeaders,
    SourceProblem,
    TooHeavy,
    WaitPolicy,
    connect,
)
from vpemetrics.config.load import load
from vpemetrics.scheduler.jobs import Schedule
from vpemetrics.scheduler.plan import Plan, agenda
from vpemetrics.store import Store
from vpemetrics.store.loading import LastCollection

pytestmark = pytest.mark.slow

HUGE = 512 * 2**20


@pytest.fixture
def hourglass() -> Hourglass:
    return Hourglass()


@pytest.fixture
def server(hourglass: Hourglass) -> Iterator[Loopback]:
    with loopback(hourglass) as running:
        yield running


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """Half a gibibyte of zeros, in half a mebibyte."""
    mebibyte, packed = b"0" * 2**20, []
    packer = zlib.compressobj(wbits=31)
    for _ in range(HUGE // 2**20):
        packed.append(packer.compress(mebibyte))
    return b"".join([*packed, packer.flush()])


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_what_unpacks_to_far_more_is_given_up_at_the_bound(
    server: Loopback, hourglass: Hourglass, bomb: bytes, layers: int
) -> None:
    for _ in range(layers - 1):
        bomb = gzip.compress(bomb)
    headers = {"Content-Encoding": ", ".join(["gzip"] * layers)}
    server.say(Say(content=bomb, headers=headers))
    client = HttpClient(server.url, SecretHeaders({}), server="Forge", policy=hourglass.policy())

    tracemalloc.start()
    with client, pytest.raises(TooHeavy) as caught:
        client.get("x")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert str(caught.value) == (
        "asking Forge for x: the answer is larger than 64 MiB, so it is given up; "
        "`max_answer` allows more"
    )
    assert peak < HUGE // 2
    assert len(server.asked) == 1


@pytest.mark.parametrize(("bound", "fits"), [("512KiB", False), ("2MiB", True)])
def test_the_bound_is_a_setting(server: Loopback, bound: str, fits: bool) -> None:
    server.say(Say(json="x" * 2**20))
    context = CollectionContext(source="forge", now=datetime.now(UTC), secret=lambda _: "t")
    settings = ServerSettings(url=server.url, max_answer=bound)

    with connect(settings, context, server="Forge") as client:
        if fits:
            assert len(client.get("x")) == 2**20
        else:
            with pytest.raises(TooHeavy, match="the answer is larger than 512 KiB"):
                client.get("x")


def _continue(connection: socket) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def _head(connection: socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(10**9):
        connection.sendall(b"X-%d: x\r\n" % number)


def _line(connection: socket) -> None:
    connection.sendall(b"HTTP/1.1 200 ")
    while True:
        connection.sendall(b"x" * 1000)


def _chunks(connection: socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;")
    while True:
        connection.sendall(b"x" * 1000)


def _silence(_connection: socket) -> None:
    Event().wait(5)


def _drip(connection: socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n[")
    while True:
        time.sleep(0.05)
        connection.sendall(b" ")


Speak = Callable[[socket], None]


@contextmanager
def speaking(speak: Speak) -> Iterator[str]:
    """A server of bare bytes, which says the same to everybody."""
    listener = create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            Thread(target=talk, args=(connection,), daemon=True).start()

    def talk(connection: socket) -> None:
        with connection, suppress(OSError):
            connection.recv(4096)
            speak(connection)

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api"
    finally:
        listener.close()


@pytest.mark.parametrize("speak", [_continue, _head, _line, _chunks, _drip, _silence])
def test_what_never_ends_is_given_up(hourglass: Hourglass, speak: Speak) -> None:
    # The socket's clock is the real one: it has to be a short time.
    short = timedelta(milliseconds=300)
    policy = hourglass.policy(answer_time=short, total_time=short)

    with (
        speaking(speak) as url,
        HttpClient(url, SecretHeaders({}), server="Forge", policy=policy) as client,
        pytest.raises(SourceProblem, match="asking Forge for x: "),
    ):
        client.get("x")


class Heard:
    """A listener that counts the collections that it is told of."""

    def __init__(self) -> None:
        self.collections = 0

    def __getattr__(self, name: str) -> Callable[..., None]:
        def hear(*_said: object) -> None:
            self.collections += name == "log_collection"

        return hear


@pytest.mark.slow
def test_a_source_that_hangs_is_given_up_and_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Loopback
) -> None:
    # What is five minutes for people is half a second here.
    defaults = WaitPolicy.__init__.__kwdefaults__ or {}
    monkeypatch.setitem(defaults, "total_time", timedelta(seconds=0.5))
    server.answer = _dripping
    (tmp_path / "token").write_text("ghp_abc")
    configuration = tmp_path / "vpemetrics.toml"
    configuration.write_text(
        f'[schedule]\ncollect = "1s"\n[sources.forge]\ntype = "github"\nurl = "{server.url}"\n'
        'token = "file:token"\nrepositories = ["acme/*"]\n'
    )
    plan = Plan.of(load(configuration, {}), str(tmp_path / "x.db"))
    Store.open(plan.location).close()
    heard = Heard()
    schedule = Schedule(plan, heard, configuration, lambda: datetime.now(UTC))

    schedule.start(agenda(plan, {}, "", datetime.now(UTC)))
    try:
        deadline = time.monotonic() + PATIENCE
        while heard.collections < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        schedule.stop(timedelta(seconds=PATIENCE))

    assert len(server.asked) >= 2
    assert "the answer did not end within 0.5 s, so it is given up" in str(_last(plan).error)


def _dripping(_asked: Asked) -> Say:
    return Say(json="x" * 9999, drip=0.02)


def _last(plan: Plan) -> LastCollection:
    with Store.open(plan.location) as store:
        return store.collections()["forge"]
