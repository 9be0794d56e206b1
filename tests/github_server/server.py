"""Serves the simulated GitHub on loopback and counts what it was asked for.

GraphQL is at /api/graphql and REST at /api/v3, as on GitHub Enterprise Server.
"""

import json
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlsplit

from github_server.answer import Answer, Request
from github_server.execution import Invalid, execute, read_query
from github_server.faults import Faults
from github_server.limits import Bucket, exceeded, rate_limits
from github_server.points import Price, price
from github_server.rest import rest
from github_server.tokens import (
    BAD_CREDENTIALS,
    NOT_FOUND,
    Caller,
    Desk,
    Rights,
    is_for_apps,
)
from github_server.world import World

REST: Final = "/api/v3"
GRAPHQL: Final = "/api/graphql"
PUNCTUAL: Final = 0.05  # seconds until the end of the server is noticed


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """The `rateLimit` of a query: its own cost, and the state of the hour."""

    cost: int
    node_count: int
    limit: int
    used: int
    remaining: int
    reset_at: datetime | None

    @classmethod
    def after(cls, price: Price, bucket: Bucket) -> Self:
        """Tell of a query once its price is paid."""
        return cls(
            cost=price.points,
            node_count=price.nodes,
            limit=bucket.limit,
            used=bucket.used,
            remaining=bucket.remaining,
            reset_at=bucket.resets_at,
        )


class SimulatedGitHub:
    """GitHub over a world, for as long as the `with` block lasts.

    The world may be changed meanwhile. `clock` is what the server goes by: limits and dates.
    """

    def __init__(
        self,
        world: World,
        *,
        faults: Faults | None = None,
        rights: Rights | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.log: list[Request] = []
        self.points = 0
        self._world = world
        self._faults = faults or Faults()
        self._desk = Desk(world, rights or Rights())
        self._clock = clock
        self._answering = Lock()
        self._server = _Server(("127.0.0.1", 0), self)

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._server.serve_forever, args=(PUNCTUAL,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The address of the REST API."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{REST}"

    @property
    def requests(self) -> int:
        """The number of requests that came in, of both kinds, whatever became of them."""
        return len(self.log)

    def reply(
        self, method: str, address: str, headers: dict[str, str], content: bytes
    ) -> tuple[Answer, Request]:
        """The answer to what came in, faults and limits included."""
        request = self._logged(method, address, headers, content)
        return self._faults.answer(request, lambda: self._honest(request)), request

    def _logged(
        self, method: str, address: str, headers: dict[str, str], content: bytes
    ) -> Request:
        parts = urlsplit(address)
        path = "/graphql" if parts.path == GRAPHQL else parts.path.removeprefix(REST)
        with self._answering:
            request = Request(
                number=len(self.log) + 1,
                at=self._clock() + self._faults.skew,
                method=method,
                path=path,
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                headers=headers,
                body=_json(content),
            )
            self.log.append(request)
        return request

    def _honest(self, request: Request) -> Answer:
        with self._answering:
            if is_for_apps(request):
                return self._desk.app(request)
            caller = self._desk.caller(request)
            if caller is None:
                return BAD_CREDENTIALS
            caller.core.open(request.at)
            caller.graphql.open(request.at)
            if request.path == "/rate_limit":
                return _signed(rate_limits(caller.core, caller.graphql), caller, caller.core)
            if request.is_graphql:
                return _signed(self._graphql(request, caller), caller, caller.graphql)
            return _signed(self._rest(request, caller), caller, caller.core)

    def _rest(self, request: Request, caller: Caller) -> Answer:
        if not caller.core.remaining:
            return exceeded(request, {})
        answer = rest(self._world, request.method, request.path, request.query, request.headers)
        if answer.headers.get("etag") == request.headers.get("if-none-match", ""):
            return replace(answer, status=HTTPStatus.NOT_MODIFIED, body=None)  # it is free
        caller.core.used += 1
        return answer

    def _graphql(self, request: Request, caller: Caller) -> Answer:
        if not caller.graphql.remaining:
            return exceeded(request, {})
        if request.method != "POST" or not isinstance(request.body, dict):
            return NOT_FOUND
        try:
            query = read_query(
                str(request.body.get("query") or ""),
                request.body.get("variables"),
                request.body.get("operationName"),
            )
            found = price(query)
        except Invalid as invalid:
            return Answer(body={"errors": [invalid.error]})
        caller.graphql.used += found.points
        self.points += found.points
        return Answer(body=execute(query, self._world, RateLimit.after(found, caller.graphql)))


def _signed(answer: Answer, caller: Caller, bucket: Bucket) -> Answer:
    """The answer with what every one tells of the caller and their limit."""
    return replace(answer, headers={**caller.headers, **bucket.headers(), **answer.headers})


def _json(content: bytes) -> Any:
    """The JSON that was sent; None where that was nothing, or no JSON."""
    try:
        return json.loads(content)
    except ValueError:
        return None


class _Server(ThreadingHTTPServer):
    """Ends at once, whoever may still be connected."""

    block_on_close = False
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], github: SimulatedGitHub) -> None:
        super().__init__(address, _Handler)
        self.github = github
        self._connections: set[socket.socket] = set()
        self._lock = Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is none of our business; everything else is told."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        super().server_close()
        with self._lock:
            for connection in self._connections:
                _end(connection)


def _end(connection: socket.socket) -> None:
    """The other side and the thread that serves it learn that nothing more comes."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it ended before


class _Handler(BaseHTTPRequestHandler):
    """Turns bytes into requests and answers into bytes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else an answer waits 40 ms for the acknowledgement
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        """Answers what is to be read."""
        self._answer()

    def do_POST(self) -> None:
        """Answers queries, and gives tokens to Apps."""
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the log is kept by the server."""

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        content = self.rfile.read(int(headers.get("content-length", 0)))
        answer, request = self.server.github.reply(self.command, self.path, headers, content)
        data = _bytes(answer, request)
        self.wfile.write(data if answer.cut_after is None else data[: answer.cut_after])
        self.wfile.flush()
        self.close_connection = answer.cut_after is not None or headers.get("connection") == "close"


def _bytes(answer: Answer, request: Request) -> bytes:
    is_page = isinstance(answer.body, str)
    body = answer.body.encode() if is_page else _dumped(answer.body)
    headers = {
        "Server": "SimulatedGitHub",
        "Date": format_datetime(request.at, usegmt=True),
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(body)),
        "X-GitHub-Request-Id": request.id,
        "X-GitHub-Media-Type": "github.v4; format=json" if request.is_graphql else "github.v3",
    }
    known = {name.lower(): name for name in headers}
    headers.update({known.get(name, name): value for name, value in answer.headers.items()})
    status = HTTPStatus(answer.status)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _dumped(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body).encode()
