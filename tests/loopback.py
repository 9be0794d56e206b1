"""A server on loopback that says what a test wrote down, and a clock that only sleeping moves."""

import json
import ssl
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from threading import Event, Lock, Thread
from time import sleep
from typing import Any

from vpemetrics.collectors.http import WaitPolicy

NOON = datetime(2026, 9, 7, 12, tzinfo=UTC)


class Hourglass:
    """Time that passes when somebody sleeps, and what was told meanwhile."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now
        self.slept: list[float] = []
        self.announced: list[str] = []
        self.counted: list[timedelta] = []
        self.before_sleep: Callable[[], object] = lambda: None
        self._lock = Lock()

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.before_sleep()
        with self._lock:
            self.slept.append(seconds)
            self.now += timedelta(seconds=seconds)

    def policy(self, **settings: Any) -> WaitPolicy:
        return WaitPolicy(
            clock=self.clock,
            sleep=self.sleep,
            announce=self.announced.append,
            countdown=self.counted.append,
            **settings,
        )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it arrived, and when that was by the hourglass."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Say:
    """One reply: `json` or raw `content`; `cut` ends the connection in the middle of it.

    With `drip` the bytes of its body come one by one, so many seconds apart; with `drip_headers`
    those of a header do, before it.
    """

    status: int = 200
    json: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    held: Event | None = None
    drip: float = 0.0
    drip_headers: bool = False

    @property
    def body(self) -> bytes:
        return json.dumps(self.json).encode() if self.content is None else self.content


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """The settings of a source that asks a server."""

    url: str
    token: str = "env:TOKEN"
    max_answer: str = "64MiB"


class Loopback:
    """Says what is in `script`, one after the other, or what `answer` makes of a request."""

    def __init__(self, hourglass: Hourglass, url: str) -> None:
        self.hourglass = hourglass
        self.url = f"{url}/api/v3"
        self.script: deque[Say] = deque()
        self.answer: Callable[[Asked], Say] = lambda _asked: self.script.popleft()
        self.asked: list[Asked] = []

    def say(self, *replies: Say) -> None:
        self.script.extend(replies)

    def reply_to(self, asked: Asked) -> Say:
        self.asked.append(asked)
        return self.answer(asked)

    @property
    def paths(self) -> list[str]:
        return [one.path for one in self.asked]

    @property
    def waits(self) -> list[float]:
        """The seconds between one request and the next."""
        times = [one.at for one in self.asked]
        return [(b - a).total_seconds() for a, b in pairwise(times)]


@contextmanager
def loopback(
    hourglass: Hourglass, prepare: Callable[[ThreadingHTTPServer], None] = lambda _server: None
) -> Iterator[Loopback]:
    """A running server, made ready by `prepare`; it ends with the block."""
    server = _Server(("127.0.0.1", 0), _Handler)
    prepare(server)
    server.daemon_threads = True
    here = Loopback(hourglass, f"http://127.0.0.1:{server.server_port}")
    server.here = here  # type: ignore[attr-defined]
    with serving(server):
        yield here


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    """Has a server answer, in a thread of its own, to the end of the block."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of clients that leave before the end: tests have them do so."""
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    @property
    def here(self) -> Loopback:
        return self.server.here  # type: ignore[attr-defined, no-any-return]

    def do_GET(self) -> None:
        self._reply()

    def do_POST(self) -> None:
        self._reply()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(self.here.hourglass.now, usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests look at what is asked, not at a log."""

    def _reply(self) -> None:
        say = self.here.reply_to(self._asked())
        if say.held:
            say.held.wait(10)
        self.send_response_only(say.status)
        given = {"Date": self.date_time_string(), "Content-Type": "application/json"}
        for name, value in {**given, **say.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(say.body)))
        if say.drip_headers:
            self.flush_headers()
            self._drip(b"X-Slow: " + b"x" * 10_000, say.drip)
            return
        self.end_headers()
        if say.drip:
            self._drip(say.body, say.drip)
        else:
            self.wfile.write(say.body[: len(say.body) // 2] if say.cut else say.body)
        self.close_connection = self.close_connection or say.cut

    def _drip(self, content: bytes, seconds: float) -> None:
        """Sends byte by byte, until the other side has enough of it."""
        self.close_connection = True
        with suppress(ConnectionError, ssl.SSLError):
            for byte in content:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                sleep(seconds)

    def _asked(self) -> Asked:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return Asked(
            method=self.command,
            path=self.path,
            headers=dict(self.headers),
            body=json.loads(sent) if sent else None,
            at=self.here.hourglass.now,
        )
