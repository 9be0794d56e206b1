"""A simulated GitHub whose repositories can be fetched with git too, by who has the token.

Git's own server program answers for them; everything else is passed on.
"""

import os
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from loopback import serving


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    repositories: Path
    behind: str
    token: str
    meanwhile: Callable[[], object]


def _nothing() -> None:
    """Nobody does anything."""


@contextmanager
def with_git(
    behind: str, repositories: Path, *, token: str, meanwhile: Callable[[], object] = _nothing
) -> Iterator[str]:
    """The REST address of one that passes on to the one `behind`.

    `repositories` has bare ones as OWNER/NAME.git. `meanwhile` is called while who asks waits.
    """
    server = _Server(("127.0.0.1", 0), _Handler)
    server.repositories, server.behind = repositories, behind
    server.token, server.meanwhile = token, meanwhile
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}/api/v3"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Tests look at what comes of it."""

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.meanwhile()
        if ".git/" in self.path:
            self._of_git(content)
        else:
            self._passed_on(content)

    def _passed_on(self, content: bytes) -> None:
        connection = HTTPConnection(urlsplit(self.server.behind).netloc)
        connection.request(self.command, self.path, content, dict(self.headers))
        found = connection.getresponse()
        self._reply(found.status, found.getheaders(), found.read())
        connection.close()

    def _of_git(self, content: bytes) -> None:
        account = b64encode(f"x-access-token:{self.server.token}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {account}":
            said = f"refused: {self.headers.items()}"  # as some proxies do
            self._reply(403, [("Content-Type", "text/plain")], said.encode())
            return
        path, _, query = self.path.partition("?")
        asked = {
            "GIT_PROJECT_ROOT": str(self.server.repositories),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol") or "",
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type") or "",
            "CONTENT_LENGTH": str(len(content)),
        }
        done = subprocess.run(
            ["git", "http-backend"],
            env={"PATH": os.environ["PATH"], **asked},
            input=content,
            stdout=subprocess.PIPE,
            check=True,
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        lines = [line.partition(": ") for line in head.decode().split("\r\n")]
        headers = [(name, value) for name, _, value in lines]
        status = next((int(value[:3]) for name, value in headers if name == "Status"), 200)
        self._reply(status, headers, body)

    def _reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("status", "content-length", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
