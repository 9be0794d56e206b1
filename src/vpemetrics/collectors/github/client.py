"""GraphQL and REST answers of GitHub: asked, waited for and asked again, in one place.

`access_by_token` and `access_by_app` open the way; `Access.client(account)` is who asks on
behalf of an account. PyGithub is imported when one of the two is called, and not before.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any

from vpemetrics.collectors.github.limits import Limits, Spent


def _now() -> datetime:
    return datetime.now(UTC)


def _unheard(_text: str) -> None:
    """Nobody listens."""


def _unseen(_left: timedelta) -> None:
    """Nobody looks."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a limit is waited for, and who is told.

    `announce` hears of a wait once, with its end, `countdown` every second how much is left.
    """

    max_wait: timedelta = timedelta(hours=1)
    announce: Callable[[str], None] = _unheard
    countdown: Callable[[timedelta], None] = _unseen
    clock: Callable[[], datetime] = _now
    sleep: Callable[[float], None] = sleep


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What was asked and not given: where in the data, GitHub's word for why, and its text."""

    path: tuple[str | int, ...]
    kind: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The data of a GraphQL query, and what is missing in it."""

    data: Mapping[str, Any]
    missing: tuple[Missing, ...] = ()


class Client:
    """Asks GitHub with one token; several threads may ask at the same time.

    Limits are waited for as the `Patience` allows (else Waiting), lost connections and failing
    servers are tried again a few times (then Unreachable). Every method may also raise
    BadCredentials and Forbidden.
    """

    def query(
        self, text: str, variables: Mapping[str, Any] | None = None, *, halves: bool = False
    ) -> Answer:
        """The answer to a GraphQL query, partial where GitHub gives only part.

        TooHeavy if GitHub cannot do so much at once: straight away where the caller `halves`
        its page and asks again, else after some more tries of the same. Gone if nothing but
        what was not found had been asked for.
        """
        raise NotImplementedError

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """One REST answer, as in `get("/repos/acme/shop/environments")`; renames are followed.

        Gone if there is no such thing.
        """
        raise NotImplementedError

    def pages(
        self, path: str, parameters: Mapping[str, Any] | None = None, key: str | None = None
    ) -> Iterator[list[dict[str, Any]]]:
        """The pages of a REST list, of 100 if the parameters do not say otherwise.

        `key` is where the list is in answers that are not a list themselves.
        """
        raise NotImplementedError

    @property
    def spent(self) -> Spent:
        """What was asked so far, tries again and refusals included."""
        raise NotImplementedError

    def limits(self) -> Limits:
        """What the token may do and what is left of its limits; costs nothing."""
        raise NotImplementedError

    def close(self) -> None:
        """Lets go of the connections."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Access:
    """Who asks on behalf of which account: one client for all, or one an App installation.

    `accounts` are the logins where an App is installed, and empty for a token.
    """

    clients: tuple[Client, ...]
    accounts: tuple[str, ...] = field(default=())

    def client(self, account: str) -> Client:
        """Who asks for what an account owns; Forbidden if the App is not installed there."""
        raise NotImplementedError

    @property
    def spent(self) -> Spent:
        """What all clients have spent."""
        raise NotImplementedError

    def close(self) -> None:
        """Lets go of all connections."""
        raise NotImplementedError


def access_by_token(*, url: str, token: str, patience: Patience) -> Access:
    """Access with a token, of whatever kind; `url` is the REST address."""
    raise NotImplementedError


def access_by_app(*, url: str, app: int | str, private_key: str, patience: Patience) -> Access:
    """Access as a GitHub App, by its id and PEM key, with a client for each installation."""
    raise NotImplementedError
