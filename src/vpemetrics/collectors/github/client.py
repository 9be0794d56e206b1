"""GraphQL and REST answers of GitHub: asked, waited for and asked again, in one place.

`access_by_token` and `access_by_app` open the way; `Access.client(account)` is who asks on
behalf of an account. PyGithub is imported when one of the two is called, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from vpemetrics.collectors.github.answers import Answer, Missing, answer_in
from vpemetrics.collectors.github.credentials import checked_token, checked_url, token_kind
from vpemetrics.collectors.github.gate import Gate
from vpemetrics.collectors.github.limits import (
    Limits,
    Spent,
    limited,
    limits_told,
    quota_told,
    until_reset,
)
from vpemetrics.collectors.github.messages import FREE, GRAPHQL, Question, Reply
from vpemetrics.collectors.github.patience import Patience
from vpemetrics.collectors.github.problems import (
    BadCredentials,
    Cut,
    Forbidden,
    GitHubProblem,
    Slow,
    TooHeavy,
    Unreachable,
)
from vpemetrics.collectors.github.verdicts import organisations_left_out, problem_with
from vpemetrics.errors import FixConfiguration, VpemetricsError

if TYPE_CHECKING:
    from vpemetrics.collectors.github.session import Session

__all__ = [
    "Access",
    "Answer",
    "Client",
    "Limits",
    "Missing",
    "Patience",
    "Spent",
    "access_by_app",
    "access_by_token",
]

_PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
_MOVES: Final = 5
_MOVED: Final = frozenset({301, 302, 307, 308})


class Client:
    """Asks GitHub with one token; several threads may ask at the same time.

    Limits are waited for as the `Patience` allows (else Waiting), lost connections and failing
    servers are tried again a few times (then Unreachable or TooHeavy). Every method may also
    raise BadCredentials and Forbidden, and FixConfiguration where something else than GitHub
    answers.
    """

    def __init__(
        self,
        session: Session,
        *,
        kind: str,
        patience: Patience,
        permissions: Mapping[str, str] | None = None,
        renew: Callable[[], None] | None = None,
    ) -> None:
        self._session = session
        self._kind = kind
        self._patience = patience
        self._permissions = permissions
        self._renew = renew
        self._gate = Gate(patience)
        self._lock = Lock()
        self._spent = Spent()
        self._left_out = False

    def query(
        self, text: str, variables: Mapping[str, Any] | None = None, *, halves: bool = False
    ) -> Answer:
        """The answer to a GraphQL query, partial where GitHub gives only part.

        TooHeavy if GitHub cannot do so much at once: straight away where the caller `halves`
        its page and asks again, else after some more tries of the same. Gone or Forbidden if
        a single thing was asked for and that is not given.
        """
        body = {"query": text, "variables": dict(variables or {})}
        question = Question(method="POST", address="/graphql", body=body, resource=GRAPHQL)
        answer = answer_in(self.ask(question, halves=halves))
        self._note(Spent(points=answer.points))
        return answer

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """One REST answer, as in `get("/repos/acme/shop/environments")`; renames are followed.

        Gone if there is no such thing.
        """
        return self.ask(Question(address=path, parameters=parameters or {})).json

    def pages(
        self, path: str, parameters: Mapping[str, Any] | None = None, key: str | None = None
    ) -> Iterator[list[dict[str, Any]]]:
        """The pages of a REST list, of 100 if the parameters do not say otherwise.

        `key` is where the list is in answers that are not a list themselves.
        """
        question = Question(address=path, parameters={"per_page": 100, **(parameters or {})})
        asked: set[str] = set()
        while True:
            reply = self.ask(question)
            yield (reply.json if key is None else reply.json[key]) or []
            following = reply.following
            if following is None or following in asked:
                return
            asked.add(following)
            question = Question(address=self._at_home(following))

    @property
    def spent(self) -> Spent:
        """What was asked so far, tries again and refusals included."""
        with self._lock:
            return self._spent

    def limits(self) -> Limits:
        """What the token may do and what is left of its limits; free, whatever is left."""
        # A server that does not count has no such page; its headers are worth having all the same.
        question = Question(address="/rate_limit", resource=FREE, may_be_missing=True)
        return limits_told(self.ask(question), kind=self._kind, permissions=self._permissions)

    def close(self) -> None:
        """Lets go of the connections, and of threads that wait for a limit (Waiting)."""
        self._gate.close()
        self._session.close()

    def ask(self, question: Question, *, halves: bool = False) -> Reply:
        """The reply to any question: what the other methods are made of."""
        for _ in range(_MOVES):
            reply = self._reply(question, halves=halves)
            if reply.status not in _MOVED:
                return reply
            question = self._moved(question, reply)
        raise GitHubProblem(f"{question.name}: GitHub sends us in a circle")

    def _reply(self, question: Question, *, halves: bool) -> Reply:
        """The reply, after as many tries as it is worth."""
        pauses, renew = iter(_PAUSES), self._renew
        while True:
            outcome = self._try(question)
            if isinstance(outcome, Reply):
                return outcome
            if isinstance(outcome, BadCredentials) and renew:
                renew()
                renew = None
                continue
            pause = next(pauses, None)
            if pause is None or not _is_passing(outcome, halves=halves):
                raise outcome
            self._patience.sleep(pause)

    def _try(self, question: Question) -> Reply | VpemetricsError:
        """The reply or what is wrong, once no limit is in the way."""
        while True:
            ticket = self._gate.enter(question.resource)
            self._note(Spent(requests=1))
            try:
                reply = self._session.send(question)
            except Slow as slow:
                return TooHeavy(f"{question.name}: {slow}")
            except Cut as cut:
                return self._unreachable(question, cut)
            now = self._patience.clock()
            refusal = limited(reply, now)
            if not refusal:
                quota = quota_told(reply)
                left = until_reset(quota, reply, now) if quota else timedelta()
                self._gate.answered(question.resource, quota, left, ticket=ticket)
                self._tell_what_is_left_out(reply)
                return problem_with(reply, question, now) or reply
            self._gate.refused(refusal, question.resource, ticket=ticket)

    def _unreachable(self, question: Question, cut: Cut) -> Unreachable:
        return Unreachable(
            f"{question.name}: {self._session.host} cannot be reached: {cut}",
            is_final=cut.is_final,
        )

    def _moved(self, question: Question, reply: Reply) -> Question:
        """The same question where GitHub says it belongs now, with its parameters."""
        location = reply.headers.get("location")
        if location is None or question.method != "GET":
            raise FixConfiguration(f"url: {self._session.url} is not where GitHub answers")
        address = self._at_home(location)
        has_parameters = bool(urlsplit(address).query)
        return replace(
            question, address=address, parameters={} if has_parameters else question.parameters
        )

    def _at_home(self, location: str) -> str:
        """The address GitHub sends us to, if it is its own: the token goes nowhere else."""
        base = self._session.url
        address = urljoin(f"{base}/", location)
        if _origin(address) != _origin(base):
            raise FixConfiguration(
                f"url: {base} sends on to {urlsplit(address).hostname}, another server, where the "
                "token is not sent; if GitHub has moved there, write its new address"
            )
        return address

    def _tell_what_is_left_out(self, reply: Reply) -> None:
        """Says it once if GitHub left out whole organisations, as lists do not show it."""
        left_out = organisations_left_out(reply)
        with self._lock:
            is_news = bool(left_out) and not self._left_out
            self._left_out = self._left_out or is_news
        if is_news:
            self._patience.announce(
                "GitHub leaves out organisations that want single sign-on (SAML): "
                f"{len(left_out)}; authorize the token for them in its settings"
            )

    def _note(self, spent: Spent) -> None:
        with self._lock:
            self._spent += spent


@dataclass(frozen=True, kw_only=True)
class Access:
    """Who asks on behalf of which account: one client for all, or one for each installation.

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
        """Who asks for what an account owns; Forbidden if the App is not installed there."""
        if self.everywhere:
            return self.everywhere
        for name, client in self.installed.items():
            if name.casefold() == account.casefold():
                return client
        raise Forbidden(f"{account}: {self.elsewhere}")

    @property
    def spent(self) -> Spent:
        """What all clients have spent, and the App itself."""
        return sum((client.spent for client in self._everyone()), Spent())

    def close(self) -> None:
        """Lets go of all connections, and of threads that wait for a limit (Waiting)."""
        for client in self._everyone():
            client.close()

    def _everyone(self) -> Iterator[Client]:
        yield from self.clients
        if self.app:
            yield self.app


def access_by_token(*, url: str, token: str, patience: Patience) -> Access:
    """Access with a token of whatever kind; `url` is the address of the REST interface.

    FixConfiguration if one of them cannot be right.
    """
    from github.Auth import Token

    from vpemetrics.collectors.github.session import Session

    auth = Token(checked_token(token))
    session = Session(checked_url(url), auth, answer_time=patience.answer_time)
    return Access(everywhere=Client(session, kind=token_kind(token), patience=patience))


def access_by_app(*, url: str, app: int | str, private_key: str, patience: Patience) -> Access:
    """Access as a GitHub App, by its id and PEM key, with a client for each installation.

    Asks GitHub where the App is installed. FixConfiguration if that is nowhere, or if the
    address or the key cannot be right.
    """
    from vpemetrics.collectors.github.app import app_access

    return app_access(url=checked_url(url), app=app, private_key=private_key, patience=patience)


def _is_passing(problem: VpemetricsError, *, halves: bool) -> bool:
    """Whether the same again may well go better."""
    if isinstance(problem, TooHeavy):
        return not halves
    return isinstance(problem, Unreachable) and not problem.is_final


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default
