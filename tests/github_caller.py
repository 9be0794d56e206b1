"""A plain client of the simulated GitHub, without any retry or knowledge of limits."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any, Self
from urllib.parse import urlsplit

from github_server.server import SimulatedGitHub
from subprocesses import PATIENCE


@dataclass(frozen=True, kw_only=True)
class Got:
    """An answer as it came back; names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass(kw_only=True)
class Caller:
    """Asks over one connection, as one token."""

    github: SimulatedGitHub
    token: str = "token ghp_example"
    connection: HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = HTTPConnection(urlsplit(self.github.url).netloc, timeout=PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def get(self, path: str, **headers: str) -> Got:
        return self._send("GET", f"/api/v3{path}", None, headers)

    def post(self, path: str) -> Got:
        return self._send("POST", f"/api/v3{path}", None, {})

    def query(self, text: str, **variables: Any) -> Got:
        body = json.dumps({"query": text, "variables": variables}).encode()
        return self._send("POST", "/api/graphql", body, {})

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Got:
        sent = {"Authorization": self.token} if self.token else {}
        self.connection.request(method, path, body, {**sent, **headers})
        with self.connection.getresponse() as response:
            named = {name.lower(): value for name, value in response.getheaders()}
            return Got(status=response.status, headers=named, content=response.read())


@contextmanager
def calling(github: SimulatedGitHub, token: str = "token ghp_example") -> Iterator[Caller]:
    """A caller of the simulated GitHub, for as long as both live."""
    with github, Caller(github=github, token=token) as caller:
        yield caller
