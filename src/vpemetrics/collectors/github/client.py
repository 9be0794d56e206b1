"""GitHub's answers to GraphQL queries and REST requests, over the client that sources share.

`access_by_token` and `access_by_app` open the way; `Access.client(account)` is who asks on
behalf of an account. PyGithub is imported when one of the two is called, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from vpemetrics.collectors.github.credentials import (
    InstallationToken,
    check_github_url,
    how_to_install,
    parse_installation,
    prove_by_app,
    prove_by_token,
    token_kind,
)
from vpemetrics.collectors.github.errors import GRAPHQL, organisations_left_out, read_problem
from vpemetrics.collectors.github.graphql_result import GraphQLResult, Missing, read_result
from vpemetrics.collectors.github.queries import Query
from vpemetrics.collectors.github.rate_limits import (
    FREE,
    GITHUB_LIMITS,
    Limits,
    Spent,
    read_limits,
)
from vpemetrics.collectors.http import (
    FULL,
    Budget,
    Forbidden,
    HttpClient,
    Node,
    Request,
    Response,
    WaitPolicy,
    as_object,
    read_shape,
)
from vpemetrics.errors import FixConfiguration

if TYPE_CHECKING:
    from vpemetrics.collectors.http.transport import Authorize

__all__ = [
    "Access",
    "Client",
    "GraphQLResult",
    "Limits",
    "Missing",
    "Spent",
    "access_by_app",
    "access_by_token",
]


class Client:
    """Asks GitHub with one proof of who asks; several threads may ask at the same time.

    What goes wrong is raised as `HttpClient` does, in GitHub's words.
    """

    def __init__(
        self,
        url: str,
        authorize: Authorize,
        *,
        kind: str,
        policy: WaitPolicy,
        budget: Budget | None = None,
        permissions: Mapping[str, str] | None = None,
        renew: Callable[[], None] | None = None,
    ) -> None:
        self._http = HttpClient(
            url,
            authorize,
            server="GitHub",
            policy=policy,
            headers={"Accept": "application/vnd.github+json"},
            limits=GITHUB_LIMITS,
            problem=read_problem,
            budget=budget,
            renew=renew,
        )
        self._graphql_url = _graphql_url(url)
        self._kind = kind
        self._announce = policy.announce
        self._permissions = permissions
        self._lock = Lock()
        self._points = 0
        self._left_out = False

    def query(
        self, query: Query, variables: Mapping[str, Any] | None = None, *, halves: bool = False
    ) -> GraphQLResult:
        """Return the result of a GraphQL query, partial where GitHub gives only part.

        TooHeavy if GitHub cannot do so much at once: straight away where the caller `halves`
        its page and asks again, else after some more tries of the same. Gone or Forbidden if
        a single thing was asked for and that is not given.
        """
        given = dict(variables or {})
        request = Request(
            method="POST",
            address=self._graphql_url,
            body={"query": query.text, "variables": given},
            resource=GRAPHQL,
            label=query.wording(given),
        )
        result = read_result(self.ask(request, halves=halves))
        with self._lock:
            self._points += result.points
        return result

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """Return one REST answer, as of `get("/repos/acme/shop/environments")`.

        Renames are followed. Gone if there is no such thing.
        """
        return self.ask(Request(address=path, parameters=parameters or {})).json

    def pages(
        self, path: str, parameters: Mapping[str, Any] | None = None, key: str | None = None
    ) -> Iterator[list[Node]]:
        """Return the pages of a REST list, of 100 if the parameters do not say otherwise.

        `key` is where the list is in answers that are not a list themselves.
        """
        request = Request(address=path, parameters={"per_page": FULL, **(parameters or {})})
        for page in self._http.read_pages(request, key=key):
            self._tell_what_is_left_out(page.response)
            yield list(page.items)

    @property
    def spent(self) -> Spent:
        """The requests and points so far, tries again and refusals included."""
        with self._lock:
            return Spent(requests=self._http.requests, points=self._points)

    def limits(self) -> Limits:
        """Return what the token may do and what is left of its limits; free, whatever is left."""
        # A server that does not count has no such page; its headers are worth having all the same.
        request = Request(address="/rate_limit", resource=FREE, may_be_missing=True)
        return read_limits(self.ask(request), kind=self._kind, permissions=self._permissions)

    def close(self) -> None:
        """Let go of the connections, and of threads that wait for a limit (Waiting)."""
        self._http.close()

    def ask(self, request: Request, *, halves: bool = False) -> Response:
        """Return the response to any request: what the other methods are made of."""
        response = self._http.ask(request, halves=halves)
        self._tell_what_is_left_out(response)
        return response

    def _tell_what_is_left_out(self, response: Response) -> None:
        """Say it once if GitHub left out whole organisations, as lists do not show it."""
        left_out = organisations_left_out(response)
        with self._lock:
            is_news = bool(left_out) and not self._left_out
            self._left_out = self._left_out or is_news
        if is_news:
            self._announce(
                "GitHub leaves out organisations that want single sign-on (SAML): "
                f"{len(left_out)}; authorize the token for them in its settings"
            )


@dataclass(frozen=True, kw_only=True)
class Access:
    """The clients that ask on behalf of accounts: one for all, or one for each installation.

    `everywhere` is the client of a token; `installed` are those of an App by account, `app` is
    the App's own, and `elsewhere` says what to do for an account where it is not installed.
    """

    everywhere: Client | None = None
    installed: Mapping[str, Client] = field(default_factory=dict)
    app: Client | None = None
    elsewhere: str = ""

    @property
    def clients(self) -> tuple[Client, ...]:
        """Those that read what accounts own."""
        return tuple(self.installed.values()) or tuple(filter(None, [self.everywhere]))

    @property
    def accounts(self) -> tuple[str, ...]:
        """The logins where an App is installed; none for a token."""
        return tuple(self.installed)

    def client(self, account: str) -> Client:
        """Return who asks for what an account owns; Forbidden if the App is not installed there."""
        if self.everywhere:
            return self.everywhere
        for name, client in self.installed.items():
            if name.casefold() == account.casefold():
                return client
        raise Forbidden(f"{account}: {self.elsewhere}")

    @property
    def spent(self) -> Spent:
        """The requests and points of all clients and of the App itself."""
        return sum((client.spent for client in self._everyone()), Spent())

    def close(self) -> None:
        """Let go of all connections, and of threads that wait for a limit (Waiting)."""
        for client in self._everyone():
            client.close()

    def _everyone(self) -> Iterator[Client]:
        yield from self.clients
        if self.app:
            yield self.app


def access_by_token(
    *, url: str, token: str, policy: WaitPolicy, budget: Budget | None = None
) -> Access:
    """Return access with a token of whatever kind; `url` is the address of the REST interface.

    FixConfiguration if one of them cannot be right.
    """
    proof = prove_by_token(token)
    client = Client(
        check_github_url(url), proof, kind=token_kind(token), policy=policy, budget=budget
    )
    return Access(everywhere=client)


def access_by_app(
    *,
    url: str,
    app: int | str,
    private_key: str,
    policy: WaitPolicy,
    budget: Budget | None = None,
) -> Access:
    """Return access as a GitHub App, by its id and PEM key, with a client for each installation.

    GitHub is asked where the App is installed. FixConfiguration if that is nowhere, or if the
    address or the key cannot be right.
    """
    url = check_github_url(url)
    own = Client(url, prove_by_app(app, private_key), kind="App", policy=policy)
    told = [node for page in own.pages("/app/installations") for node in page]
    if not told:
        raise FixConfiguration(f"app {app}: it is not installed anywhere; {how_to_install(told)}")
    installations = read_shape(
        lambda: [parse_installation(as_object(node, "an item")) for node in told],
        server="GitHub",
        about="where the App is installed",
    )
    installed = {}
    for installation in installations:
        if not installation.suspended:
            token = InstallationToken(own.ask, installation, policy.clock)
            installed[installation.account] = Client(
                url,
                token,
                kind="App installation",
                policy=policy,
                budget=budget,
                permissions=installation.permissions,
                renew=token.forget,
            )
    suspended = [installation.account for installation in installations if installation.suspended]
    where = f" (suspended at {', '.join(suspended)})" if suspended else ""
    elsewhere = f"the App is not installed there{where}; {how_to_install(told)}"
    return Access(installed=installed, app=own, elsewhere=elsewhere)


def _graphql_url(url: str) -> str:
    """Return where GraphQL is: beside `/v3` on a server, below the interface elsewhere.

    https://docs.github.com/en/enterprise-server/graphql/guides/forming-calls-with-graphql
    """
    return f"{url.rstrip('/').removesuffix('/v3')}/graphql"
