"""One request and its response over `requests`; nothing is tried again here.

The secrets that a request carries go to the one server they are meant for, and are taken out of
what comes back; no error keeps the frames that hold them.
"""

import base64
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from queue import Empty, LifoQueue
from threading import BoundedSemaphore, Lock, Timer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

from vpemetrics import __version__
from vpemetrics.addresses import origin_of
from vpemetrics.collectors.http.messages import Request, Response
from vpemetrics.collectors.sizes import MOST_BYTES, size_text

AT_ONCE: Final = 8
"""Requests that are under way at a time at most."""

_CONNECTING: Final = 10.0
_PIECE: Final = 2**16
_HIDDEN: Final = "(hidden)"
_SHORTEST: Final = 8

Authorize = Callable[[], Mapping[str, str]]
"""Gives the headers that hold the secrets of one request."""


class Cut(Exception):
    """One connection failed; trying again helps, unless that `is_final`."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


class Slow(Exception):
    """One answer did not come in time."""


class Oversized(Exception):
    """One answer is larger, or comes slower, than any that is wanted; the next would be too."""

    def __init__(self, reason: str, *, is_slow: bool = False) -> None:
        super().__init__(reason)
        self.is_slow = is_slow


class Transport:
    """Sends requests to the server at `url`, `AT_ONCE` at a time, and to no other.

    Each connection is used by one thread at a time. `headers` are sent with every request,
    with those that `authorize` gives.
    """

    def __init__(
        self,
        url: str,
        authorize: Authorize,
        *,
        headers: Mapping[str, str],
        answer_time: timedelta,
        total_time: timedelta,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.url = url.rstrip("/")
        self._authorize = authorize
        self._headers = {"User-Agent": f"vpemetrics/{__version__}", **headers}
        self._timeout = (_CONNECTING, answer_time.total_seconds())
        self._total_s = total_time.total_seconds()
        self._most_bytes = most_bytes
        self._idle: LifoQueue[_Session] = LifoQueue()
        self._turns = BoundedSemaphore(AT_ONCE)

    @property
    def host(self) -> str:
        """The host that requests go to, with the port if it is not the usual one."""
        return urlsplit(self.url).netloc

    def resolve(self, address: str) -> str:
        """Return the URL of an address: below `url` if it is a path, else as it is."""
        if address.lower().startswith(("https://", "http://")):
            return address
        return f"{self.url}/{address.lstrip('/')}"

    def follow(self, location: str) -> str:
        """Return the URL that a server's link or redirect means; as it is if it can mean none."""
        try:
            return urljoin(f"{self.url}/", location)
        except ValueError:  # brackets that are no address of IPv6
            return location

    def is_home(self, address: str) -> bool:
        """True if an address is of this server: the secrets go nowhere else."""
        origin = origin_of(self.resolve(address))
        return origin is not None and origin == origin_of(self.url)

    def send(self, request: Request) -> Response:
        """Return the response to one request, which has to be at home.

        Cut if the connection fails, Slow if no answer comes, Oversized if it comes without an
        end.
        """
        if not self.is_home(request.address):
            raise ValueError("a request to another server")
        with self._turns:
            session = self._session()
            problem: Exception
            try:
                response: Response | None = self._ask(session, request)
            except Oversized as error:
                response, problem = None, Oversized(str(error), is_slow=error.is_slow)
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                response, problem = None, _problem(error)
            except BaseException:
                session.close()
                raise
            if response is None:
                session.close()
                raise problem  # here, as the frames of the error behind it hold the secrets
            self._idle.put(session)
            return response

    def close(self) -> None:
        """Let go of the connections."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    def _ask(self, session: "_Session", request: Request) -> Response:
        secrets = self._authorize()
        url = _with_query(self.resolve(request.address), request.query)
        with _Deadline(session, self._total_s) as deadline:
            try:
                reply = session.request(
                    request.method,
                    url,
                    json=request.body,
                    headers={**self._headers, **secrets},
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                )
                content = self._read(reply)
            finally:
                deadline.check()
        hidden = _secrets_in(secrets)
        return Response(
            status=reply.status_code,
            headers={name.lower(): _masked(value, hidden) for name, value in reply.headers.items()},
            content=_masked_bytes(content, hidden),
            url=url,
        )

    def _read(self, reply: requests.Response) -> bytes:
        """Read the body piece by piece, as much as comes at a time, up to its largest size."""
        pieces, length = [], 0
        while piece := reply.raw.read1(_PIECE, decode_content=True):
            pieces.append(piece)
            length += len(piece)
            if length > self._most_bytes:
                raise Oversized(f"the answer is larger than {size_text(self._most_bytes)}")
        reply.raw.release_conn()
        return b"".join(pieces)

    def _session(self) -> "_Session":
        try:
            return self._idle.get_nowait()
        except Empty:
            return _Session(self.url)


class _Session(requests.Session):
    """One connection to one server, which can be cut.

    What the environment says of proxies and certificates is read once. What it says of passwords
    (.netrc) is not asked for: the secrets are ours to give.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        found = self.merge_environment_settings(url, {}, None, None, None)
        self.proxies, self.verify = found["proxies"], found["verify"]
        self.trust_env = False
        self._adapter = _Adapter()
        self.mount("https://", self._adapter)
        self.mount("http://", self._adapter)

    def get_redirect_target(self, _response: Any) -> None:
        """Look at no redirect, as `requests` would: it chokes on some."""

    def cut(self) -> None:
        """End the connection in the middle of what it does; who reads from it gets an error."""
        connection = self._adapter.connection
        sock = connection.sock if connection else None
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    """Remembers the connection that was opened last.

    https://requests.readthedocs.io/en/latest/api/#requests.adapters.HTTPAdapter.get_connection_with_tls_context
    """

    connection: HTTPConnection | None = None

    def get_connection_with_tls_context(self, *arguments: Any, **settings: Any) -> Any:
        """Return the pool as it is, with an eye on what it opens."""
        pool: Any = super().get_connection_with_tls_context(*arguments, **settings)
        if "ConnectionCls" not in vars(pool):
            kind = pool.ConnectionCls

            def remembered(*arguments: Any, **settings: Any) -> Any:
                self.connection = kind(*arguments, **settings)
                return self.connection

            vars(pool)["ConnectionCls"] = remembered
        return pool


class _Deadline:
    """Cuts a connection that is in use for longer than so many seconds, whatever comes of it.

    A timeout of a socket begins anew with every byte, of the headers too.
    """

    def __init__(self, session: _Session, seconds: float) -> None:
        self._session = session
        self._seconds = seconds
        self._lock = Lock()
        self._is_over = False
        self._is_missed = False
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._is_over = True

    def check(self) -> None:
        """Raise Oversized if the connection was cut."""
        if self._is_missed:
            raise Oversized(f"the answer did not end within {self._seconds:g} s", is_slow=True)

    def _cut(self) -> None:
        with self._lock:
            if not self._is_over:
                self._is_missed = True
                self._session.cut()


def _with_query(url: str, query: str) -> str:
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _secrets_in(headers: Mapping[str, str]) -> list[str]:
    """Return what must not be shown of headers: the last word, and what Basic packs into one.

    It may stand behind `token=`, as PagerDuty has it. What is so short that it stands everywhere
    is no secret that a vendor gives, and hiding it would hide the answer.
    """
    secrets = []
    for value in headers.values():
        *kind, secret = value.split() or [""]
        secrets.append(secret.removeprefix("token="))
        if [word.lower() for word in kind] == ["basic"]:
            secrets.append(base64.b64decode(secret).decode(errors="replace").partition(":")[2])
    return [secret for secret in secrets if len(secret) >= _SHORTEST]


def _masked(text: str, secrets: list[str]) -> str:
    """Return the text without the secrets, which some proxies send back."""
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return text


def _masked_bytes(content: bytes, secrets: list[str]) -> bytes:
    for secret in secrets:
        content = content.replace(secret.encode(), _HIDDEN.encode())
    return content


def _problem(error: Exception) -> Exception:
    if isinstance(error, requests.ReadTimeout | urllib3.exceptions.ReadTimeoutError):
        return Slow("no answer came in time")
    is_untrusted = isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError)
    return Cut(_reason(error), is_final=is_untrusted)


def _reason(error: BaseException) -> str:
    """Return why a connection failed, in the words of the system, without addresses and headers."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted here (a company's own goes into REQUESTS_CA_BUNDLE)"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy does not let the request through (see HTTPS_PROXY)"
    if isinstance(error, requests.ConnectTimeout):
        return "it does not answer"
    causes = [error]
    while (cause := _cause(causes[-1])) is not None and len(causes) < 10:
        causes.append(cause)
    told = [cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror]
    return told[-1] if told else "the connection was cut"


def _cause(error: BaseException) -> BaseException | None:
    """Return the error behind an error; urllib3 keeps it as an argument or `reason`."""
    inside = (getattr(error, "reason", None), *error.args)
    behind = [part for part in inside if isinstance(part, BaseException)]
    return behind[0] if behind else error.__cause__ or error.__context__
