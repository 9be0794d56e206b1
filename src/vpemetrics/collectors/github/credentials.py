"""Proofs to GitHub of who asks: a token, or the key of an App and where it is installed.

PyGithub makes the proofs; it is imported when one is made, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from vpemetrics.collectors.http import (
    Malformed,
    Request,
    Response,
    as_object,
    check_token,
    check_url,
    given,
    moment,
    need,
    part,
    read_shape,
)
from vpemetrics.collectors.http.credentials import is_token
from vpemetrics.errors import FixConfiguration

if TYPE_CHECKING:
    from github.Auth import Auth

# https://github.blog/changelog/2021-03-31-authentication-token-format-updates-are-generally-available/
_KINDS: Final = {
    "github_pat_": "fine-grained token",
    "ghp_": "classic token",
    "gho_": "OAuth token",
    "ghs_": "App installation",
    "ghu_": "App user token",
}
_PUBLIC: Final = "https://api.github.com"
_EARLY: Final = timedelta(minutes=2)
_LONGEST: Final = timedelta(hours=1)


def token_kind(token: str) -> str:
    """Return what kind of token this is, by its looks."""
    return next((kind for start, kind in _KINDS.items() if token.startswith(start)), "token")


def check_github_url(url: str) -> str:
    """Return the address of GitHub's REST interface, without a slash at the end.

    FixConfiguration if it cannot be one.
    """
    if urlsplit(url).hostname in ("github.com", "www.github.com"):
        raise FixConfiguration(f"url: {url} is GitHub's site for people; write {_PUBLIC}")
    return check_url(url, example=_PUBLIC)


class Proof:
    """The header by which PyGithub's `Auth` proves who we are; no repr shows it."""

    def __init__(self, auth: Auth) -> None:
        self._auth = auth

    def __call__(self) -> Mapping[str, str]:
        """Return the header for one request."""
        headers: dict[str, str] = {}
        self._auth.authentication(headers)
        return headers


def prove_by_token(token: str) -> Proof:
    """Return the proof of who has a token; FixConfiguration if it cannot be one."""
    from github.Auth import Token

    return Proof(Token(check_token(token)))


def prove_by_app(app: int | str, private_key: str) -> Proof:
    """Return the proof of an App; FixConfiguration if its key cannot be one."""
    from github.Auth import AppAuth

    auth = AppAuth(app, private_key)
    try:
        auth.create_jwt()
    except Exception as error:  # what a bad key raises differs by what is bad about it
        reason = type(error).__name__
    else:
        return Proof(auth)
    raise FixConfiguration(
        f"app {app}: its private key cannot be used ({reason}); it has to be the whole PEM file "
        "that GitHub gave, from -----BEGIN to the end, without a password"
    )


@dataclass(frozen=True, kw_only=True)
class Installation:
    """An account where the App is installed, and what it may do there."""

    id: int
    account: str
    permissions: Mapping[str, str] = field(default_factory=dict)
    suspended: bool = False


def parse_installation(told: Mapping[str, Any]) -> Installation:
    """Return what one entry of `/app/installations` says.

    https://docs.github.com/en/rest/apps/apps#list-installations-for-the-authenticated-app
    """
    id_ = need(told, "id", int)
    permissions = {
        name: level for name, level in part(told, "permissions").items() if isinstance(level, str)
    }
    return Installation(
        id=id_,
        account=given(part(told, "account"), "login", str) or str(id_),
        permissions=permissions,
        suspended=told.get("suspended_at") is not None,
    )


def how_to_install(told: Sequence[Mapping[str, Any]]) -> str:
    """Return where people install the App of these installations, as a sentence."""
    slugs = (given(installation, "app_slug", str) for installation in told)
    slug = next(filter(None, slugs), None)
    page = f"https://github.com/apps/{slug}" if slug else "the App's page"
    return f"install it at {page}, with the repositories that are to be read"


class InstallationToken:
    """The token of an installation: good for an hour, made anew before that is over.

    PyGithub has one too, but asks for the token behind the back of our limits and retries, and
    logs it. https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
    """

    def __init__(
        self,
        ask_as_app: Callable[[Request], Response],
        installation: Installation,
        clock: Callable[[], datetime],
    ) -> None:
        """Make none yet; `ask_as_app` asks with the App's own proof."""
        self._ask_as_app = ask_as_app
        self._installation = installation
        self._clock = clock
        self._lock = Lock()
        self._token = ""
        self._good_until: datetime | None = None

    def __call__(self) -> Mapping[str, str]:
        """Return the header of a token that is good for some minutes at least."""
        with self._lock:
            if self._good_until is None or self._clock() >= self._good_until:
                self._make()
            return {"Authorization": f"token {self._token}"}

    def forget(self) -> None:
        """Have the next request made with a new token, as GitHub refused this one."""
        with self._lock:
            self._good_until = None

    def _make(self) -> None:
        address = f"/app/installations/{self._installation.id}/access_tokens"
        response = self._ask_as_app(Request(address=address, method="POST"))
        now = self._clock()
        about = f"the token for {self._installation.account}"
        self._token, ends_at = read_shape(
            lambda: _token(response.json), server="GitHub", about=about
        )
        left = min(ends_at - (response.sent_at or now), _LONGEST)
        self._good_until = now + left - _EARLY


def _token(told: object) -> tuple[str, datetime]:
    """A token and its end; Malformed if it can be none, and then the text does not repeat it."""
    node = as_object(told, "all of it")
    token = need(node, "token", str)
    if not is_token(token):
        raise Malformed("has no `token` that can be one")
    ends_at = moment(node, "expires_at")
    if ends_at is None:
        raise Malformed("has no `expires_at`")
    return token, ends_at
