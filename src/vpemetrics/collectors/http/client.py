"""Answers of one server: asked for, waited for and asked for again, in one place.

`requests` is imported when a client is made, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self
from urllib.parse import urlsplit

from vpemetrics.addresses import origin_of
from vpemetrics.collectors.base import CollectionContext
from vpemetrics.collectors.http.budget import Budget
from vpemetrics.collectors.http.credentials import check_token, check_url
from vpemetrics.collectors.http.errors import (
    MOVED,
    BadAnswer,
    BadCredentials,
    ProblemReader,
    SourceProblem,
    TooHeavy,
    Unreachable,
    problem_with,
)
from vpemetrics.collectors.http.messages import Node, Request, Response
from vpemetrics.collectors.http.paging import Page, Paging, follow_link, read_pages
from vpemetrics.collectors.http.rate_limit import RateLimiter, RateLimits, WaitPolicy
from vpemetrics.collectors.sizes import MOST_BYTES, parse_size
from vpemetrics.errors import FixConfiguration, VpemetricsError

if TYPE_CHECKING:
    from vpemetrics.collectors.http.transport import Authorize

_PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
_MOVES: Final = 5


class HttpClient:
    """Asks one server with one set of secrets; several threads may ask at the same time.

    Limits are waited for as the `policy` allows (else Waiting), lost connections and failing
    servers are tried again a few times (then Unreachable or TooHeavy). Every method may raise
    any SourceProblem, BudgetExhausted once the `budget` is used up, and FixConfiguration where
    something else than the server answers.
    """

    def __init__(
        self,
        url: str,
        authorize: Authorize,
        *,
        server: str,
        policy: WaitPolicy | None = None,
        headers: Mapping[str, str] | None = None,
        limits: RateLimits | None = None,
        problem: ProblemReader = problem_with,
        budget: Budget | None = None,
        renew: Callable[[], None] | None = None,
    ) -> None:
        """Ask the server that people call `server`, whose interface is at `url`.

        `authorize` gives the headers with the secrets, `headers` are all others; `renew` has
        `authorize` make them anew where the server refused them. `limits` and `problem` say
        how the server tells its limits and its failures.
        """
        from vpemetrics.collectors.http.transport import Transport

        self._server = server
        self._policy = policy or WaitPolicy()
        self._transport = Transport(
            url,
            authorize,
            headers={"Accept": "application/json", **(headers or {})},
            answer_time=self._policy.answer_time,
            total_time=self._policy.total_time,
            most_bytes=self._policy.most_bytes,
        )
        self._limiter = RateLimiter(self._policy, limits or RateLimits(), server=server)
        self._problem = problem
        self._budget = budget or Budget()
        self._renew = renew
        self._lock = Lock()
        self._requests = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The address of the interface, without a slash at the end."""
        return self._transport.url

    @property
    def server(self) -> str:
        """The name by which people call the server."""
        return self._server

    @property
    def requests(self) -> int:
        """The number of requests so far, tries again and refusals included."""
        with self._lock:
            return self._requests

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON at a path, as in `get("projects/7/deployments")`.

        Redirects within the server are followed. Gone if there is no such thing.
        """
        return self.ask(Request(address=path, parameters=parameters or {})).json

    def pages(
        self,
        path: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        paging: Paging = follow_link,
        key: str | None = None,
    ) -> Iterator[list[Node]]:
        """Return the items of a list, a page at a time, as `read_pages` does."""
        request = Request(address=path, parameters=parameters or {})
        return (list(page.items) for page in self.read_pages(request, paging=paging, key=key))

    def items(
        self,
        path: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        paging: Paging = follow_link,
        key: str | None = None,
    ) -> Iterator[Node]:
        """Return the items of a list, one after the other."""
        for page in self.pages(path, parameters, paging=paging, key=key):
            yield from page

    def read_pages(
        self, request: Request, *, paging: Paging = follow_link, key: str | None = None
    ) -> Iterator[Page]:
        """Return a list page by page; `key` is where it is in bodies that are objects.

        SourceProblem if the same page comes again.
        """
        return read_pages(self.ask, replace(request, server=self._server), paging, key)

    def ask(self, request: Request, *, halves: bool = False) -> Response:
        """Return the response to any request: what the other methods are made of.

        Who `halves` what is asked for gets TooHeavy straight away, others after some more tries.
        """
        self._budget.check()
        request = replace(request, server=self._server)
        self._check_home(request.address)
        for _ in range(_MOVES):
            response = self._response(request, halves=halves)
            if response.status not in MOVED:
                return response
            request = self._moved(request, response)
        raise SourceProblem(f"{request.name}: {self._server} sends us in a circle")

    def close(self) -> None:
        """Let go of the connections, and of threads that wait for a limit (Waiting)."""
        self._limiter.close()
        self._transport.close()

    def _response(self, request: Request, *, halves: bool) -> Response:
        """Return the response, after as many tries as it is worth."""
        pauses, renew = iter(_PAUSES), self._renew
        while True:
            outcome = self._try(request)
            if isinstance(outcome, Response):
                return outcome
            if isinstance(outcome, BadCredentials) and renew:
                renew()
                renew = None
                continue
            pause = next(pauses, None)
            if pause is None or not _is_passing(outcome, halves=halves):
                raise outcome
            self._policy.sleep(pause)

    def _try(self, request: Request) -> Response | VpemetricsError:
        """Return the response or what is wrong, once no limit is in the way."""
        from vpemetrics.collectors.http.transport import Cut, Oversized, Slow

        while True:
            ticket = self._limiter.enter(request.resource)
            self._count()
            try:
                response = self._transport.send(request)
            except Slow as slow:
                return TooHeavy(f"{request.name}: {slow}")
            except Oversized as oversized:
                hint = "" if oversized.is_slow else "; `max_answer` allows more"
                text = f"{request.name}: {oversized}, so it is given up{hint}"
                return TooHeavy(text, is_final=True)
            except Cut as cut:
                return self._unreachable(request, cut, is_final=cut.is_final)
            if not self._limiter.read(response, request.resource, ticket=ticket):
                return self._problem(response, request, self._policy.clock()) or response

    def _count(self) -> None:
        self._budget.note()
        with self._lock:
            self._requests += 1

    def _unreachable(self, request: Request, why: Exception, *, is_final: bool) -> Unreachable:
        return Unreachable(
            f"{request.name}: {self._transport.host} cannot be reached: {why}", is_final=is_final
        )

    def _moved(self, request: Request, response: Response) -> Request:
        """Return the same request where the server says it belongs now, with its parameters."""
        location = response.headers.get("location")
        if location is None or request.method != "GET":
            raise FixConfiguration(
                f"url: {self._transport.url} is not where {self._server} answers"
            )
        address = self._transport.follow(location)
        self._check_home(address)
        has_parameters = bool(urlsplit(address).query)
        return replace(
            request, address=address, parameters={} if has_parameters else request.parameters
        )

    def _check_home(self, address: str) -> None:
        """Raise FixConfiguration for another server: the secrets go nowhere else."""
        if not self._transport.is_home(address):
            raise FixConfiguration(
                f"url: {self._transport.url} sends on to {_host(address)}, another "
                f"server, where the token is not sent; if {self._server} has moved there, write "
                "its new address"
            )


class SecretHeaders:
    """Headers that hold secrets, as `PRIVATE-TOKEN: …`; no repr shows them."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers)

    def __call__(self) -> Mapping[str, str]:
        """Return the headers for one request."""
        return self._headers


class ServerOptions(Protocol):
    """The settings that every source of one server has."""

    @property
    def url(self) -> str:
        """The address of the interface."""

    @property
    def token(self) -> str:
        """The place of the secret, as in `env:FORGE_TOKEN`."""

    @property
    def max_answer(self) -> str:
        """The size of the largest answer that is read, as in `64MiB`."""


def connect(
    options: ServerOptions,
    context: CollectionContext,
    *,
    server: str,
    header: str = "Authorization",
    scheme: str = "",
    headers: Mapping[str, str] | None = None,
    max_wait: timedelta = WaitPolicy.max_wait,
    limits: RateLimits | None = None,
    budget: Budget | None = None,
) -> HttpClient:
    """Return a client for one collection: what a source in one file begins with.

    The secret is sent in a `header` after the word `scheme`, as in
    `Authorization: Bearer …` or `PRIVATE-TOKEN: …`, with no blank after a `=`. Waits for limits
    are announced to the context. FixConfiguration if the token or the address cannot be right.
    """
    blank = "" if scheme.endswith("=") else " "
    value = f"{scheme}{blank}{check_token(context.secret(options.token))}".strip()
    return HttpClient(
        check_url(options.url, example=f"https://{server.lower()}.example.com/api"),
        SecretHeaders({header: value}),
        server=server,
        policy=wait_policy(context, max_wait=max_wait, max_answer=options.max_answer),
        headers=headers,
        limits=limits,
        budget=budget,
    )


def wait_policy(
    context: CollectionContext,
    *,
    max_wait: timedelta = WaitPolicy.max_wait,
    max_answer: str | None = None,
) -> WaitPolicy:
    """Return how long a collection waits and for how much, and that its context hears of it."""
    return WaitPolicy(
        max_wait=max_wait,
        most_bytes=parse_size(max_answer) if max_answer else MOST_BYTES,
        zone=context.rules.zone,
        announce=context.announce,
        countdown=context.countdown,
        stop=context.stop,
    )


def _host(address: str) -> str:
    return origin_of(address) or "an address that is none"


def _is_passing(problem: VpemetricsError, *, halves: bool) -> bool:
    """Return whether the same again may well go better."""
    if isinstance(problem, TooHeavy):
        return not halves and not problem.is_final
    if isinstance(problem, BadAnswer):
        return problem.may_pass
    return isinstance(problem, Unreachable) and not problem.is_final
