"""One request and its reply, over PyGithub's sessions; nothing is tried again here.

PyGithub's `Requester` brings addresses, headers and authentication; how it would go on is
switched off: it waits for limits unseen, drops the parameters when it follows a redirect, shares
one connection among threads, and logs whole answers, among them the tokens of installations.
"""

from __future__ import annotations

from collections.abc import ItemsView
from datetime import timedelta
from queue import Empty, LifoQueue
from threading import BoundedSemaphore
from typing import Final
from urllib.parse import urlsplit

import requests
from github.Auth import Auth
from github.Requester import (
    HTTPRequestsConnectionClass,
    HTTPSRequestsConnectionClass,
    Requester,
    RequestsResponse,
)

from vpemetrics import __version__
from vpemetrics.collectors.github.messages import GRAPHQL, Question, Reply
from vpemetrics.collectors.github.problems import Cut, Slow

AT_ONCE: Final = 8
CONNECTING: Final = 10.0
_HIDDEN: Final = "(hidden)"


class Session:
    """Sends questions with one authentication to one GitHub, `AT_ONCE` at a time.

    `url` is where its REST interface is; GraphQL is found from there.
    """

    def __init__(self, url: str, auth: Auth, *, answer_time: timedelta) -> None:
        self._requester = Requester(
            auth=auth,
            base_url=url.rstrip("/"),
            timeout=round(answer_time.total_seconds()),
            user_agent=f"vpemetrics/{__version__}",
            per_page=100,
            verify=True,
            retry=0,
            pool_size=1,
        )
        self._timeout = (CONNECTING, answer_time.total_seconds())
        self._idle: LifoQueue[_Line] = LifoQueue()
        self._turns = BoundedSemaphore(AT_ONCE)

    @property
    def url(self) -> str:
        """Where its REST interface is."""
        return self._requester.base_url

    @property
    def host(self) -> str:
        """Where the questions go."""
        return self._requester.hostname_and_port

    def send(self, question: Question) -> Reply:
        """The reply to one request. Cut if the connection fails, Slow if no answer comes."""
        with self._turns:
            line = self._line()
            try:
                reply = self._ask(line, question)
            except requests.RequestException as error:
                reply, problem = None, _problem(error)
            except BaseException:
                line.close()
                raise
            if reply is None:
                line.close()
                raise problem  # here, as the frames of the error behind it hold the token
            self._idle.put(line)
            return reply

    def close(self) -> None:
        """Lets go of the connections."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    def _ask(self, line: _Line, question: Question) -> Reply:
        is_query = question.resource == GRAPHQL
        self._requester.requestJson(
            question.method,
            self._requester.graphql_url if is_query else question.address,
            parameters=dict(question.parameters),
            headers={"Accept": "application/vnd.github+json"},
            input=question.body,
            cnx=line,
        )
        return Reply(
            status=line.reply.status_code,
            headers={name.lower(): value for name, value in line.reply.headers.items()},
            content=_fit_to_show(line.reply),
        )

    def _line(self) -> _Line:
        try:
            return self._idle.get_nowait()
        except Empty:
            kind = _Secure if self._requester.scheme == "https" else _Plain
            address = urlsplit(self._requester.base_url)
            line = kind(address.hostname or "", address.port, retry=0, pool_size=1)
            line.timeout = self._timeout  # type: ignore[assignment] # requests takes a pair
            self._settle(line)
            return line

    def _settle(self, line: _Line) -> None:
        """What the environment says of proxies and certificates: `requests` reads it each time."""
        session = line.session
        found = session.merge_environment_settings(self.url, {}, None, line.verify, None)
        session.proxies, line.verify = found["proxies"], found["verify"]
        session.trust_env = False


class _Seen(RequestsResponse):
    """What PyGithub gets to see of a reply, and so may log: how it went, and the limits."""

    def getheaders(self) -> ItemsView[str, str]:
        shown = {n: v for n, v in self.headers.items() if n.lower().startswith("x-")}
        return shown.items()

    def read(self) -> str:
        return ""


class _Plain(HTTPRequestsConnectionClass):
    """A connection that keeps the whole reply for us."""

    reply: requests.Response

    def getresponse(self) -> RequestsResponse:
        self.reply = super().getresponse().response
        return _Seen(self.reply)


class _Secure(HTTPSRequestsConnectionClass):
    """The same over TLS."""

    reply: requests.Response

    def getresponse(self) -> RequestsResponse:
        self.reply = super().getresponse().response
        return _Seen(self.reply)


_Line = _Plain | _Secure


def _fit_to_show(reply: requests.Response) -> bytes:
    """The content without the token, which some proxies send back."""
    sent = (reply.request.headers.get("Authorization") or "").split()
    return reply.content.replace(sent[-1].encode(), _HIDDEN.encode()) if sent else reply.content


def _problem(error: requests.RequestException) -> Cut | Slow:
    if isinstance(error, requests.ReadTimeout):
        return Slow("no answer came in time")
    return Cut(_reason(error), is_final=isinstance(error, requests.exceptions.SSLError))


def _reason(error: BaseException) -> str:
    """Why a connection failed, in the words of the system; addresses and headers left out."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted here (a company's own goes into REQUESTS_CA_BUNDLE)"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy does not let the request through (see HTTPS_PROXY)"
    if isinstance(error, requests.ConnectTimeout):
        return "it does not answer"
    causes = [error]
    while (cause := _cause(causes[-1])) is not None and len(causes) < 10:
        causes.append(cause)
    told = [one.strerror for one in causes if isinstance(one, OSError) and one.strerror]
    return told[-1] if told else "the connection was cut"


def _cause(error: BaseException) -> BaseException | None:
    """The error behind an error; urllib3 keeps it as an argument or `reason`."""
    inside = (getattr(error, "reason", None), *error.args)
    behind = [one for one in inside if isinstance(one, BaseException)]
    return behind[0] if behind else error.__cause__ or error.__context__
