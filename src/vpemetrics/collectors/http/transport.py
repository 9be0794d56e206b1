"""One request and its response over `requests`; nothing is tried again here.

The secrets that a request carries go to the one server they are meant for, and are taken out of
what comes back; no error keeps the frames that hold them.
"""

import base64
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from queue import Empty, LifoQueue
from threading import BoundedSemaphore
from typing import Final
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from vpemetrics import __version__
from vpemetrics.collectors.http.messages import Request, Response

AT_ONCE: Final = 8
"""Requests that are under way at a time at most."""
MOST_BYTES: Final = 64 * 2**20
"""The largest body of an answer, once it is unpacked."""

_CONNECTING: Final = 10.0
_PIECE: Final = 2**16
_HIDDEN: Final = "(hidden)"

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
        self._idle: LifoQueue[requests.Session] = LifoQueue()
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
        """Return the URL that a server's link or redirect means."""
        return urljoin(f"{self.url}/", location)

    def is_home(self, address: str) -> bool:
        """True if an address is of this server: the secrets go nowhere else."""
        return _origin(self.resolve(address)) == _origin(self.url)

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
                response, problem = None, Oversized(*error.args)
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

    def _ask(self, session: requests.Session, request: Request) -> Response:
        secrets = self._authorize()
        begin = time.monotonic()
        reply = session.request(
            request.method,
            _with_query(self.resolve(request.address), request.query),
            json=request.body,
            headers={**self._headers, **secrets},
            timeout=self._timeout,
            allow_redirects=False,
            stream=True,
        )
        hidden = _secrets_in(secrets)
        return Response(
            status=reply.status_code,
            headers={name.lower(): _masked(value, hidden) for name, value in reply.headers.items()},
            content=_masked_bytes(self._read(reply, begin), hidden),
        )

    def _read(self, reply: requests.Response, begin: float) -> bytes:
        """Read the body piece by piece, as much as comes at a time, within the caps."""
        pieces, length = [], 0
        while piece := reply.raw.read1(_PIECE, decode_content=True):
            pieces.append(piece)
            length += len(piece)
            if length > self._most_bytes:
                raise Oversized(f"the answer is larger than {self._most_bytes // 2**20} MiB")
            if time.monotonic() - begin > self._total_s:
                raise Oversized(f"the answer did not end within {self._total_s:g} s")
        reply.raw.release_conn()
        return b"".join(pieces)

    def _session(self) -> requests.Session:
        try:
            return self._idle.get_nowait()
        except Empty:
            return _settled(requests.Session(), self.url)


def _settled(session: requests.Session, url: str) -> requests.Session:
    """Give a session what the environment says of proxies and certificates, read once.

    What it says of passwords (.netrc) is not asked for: the secrets are ours to give.
    """
    found = session.merge_environment_settings(url, {}, None, None, None)
    session.proxies, session.verify = found["proxies"], found["verify"]
    session.trust_env = False
    return session


def _with_query(url: str, query: str) -> str:
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _secrets_in(headers: Mapping[str, str]) -> list[str]:
    """Return what must not be shown of headers: the last word, and what Basic packs into one."""
    secrets = []
    for value in headers.values():
        *kind, secret = value.split() or [""]
        secrets.append(secret)
        if [word.lower() for word in kind] == ["basic"]:
            secrets.append(base64.b64decode(secret).decode(errors="replace").partition(":")[2])
    return [secret for secret in secrets if secret]


def _masked(text: str, secrets: list[str]) -> str:
    """Return the text without the secrets, which some proxies send back."""
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return text


def _masked_bytes(content: bytes, secrets: list[str]) -> bytes:
    for secret in secrets:
        content = content.replace(secret.encode(), _HIDDEN.encode())
    return content


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default


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
