"""GitHub Apps: where one is installed, and the tokens its installations work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final

from github.Auth import AppAuth, Auth

from vpemetrics.collectors.github.client import Access, Client
from vpemetrics.collectors.github.messages import Question
from vpemetrics.collectors.github.patience import Patience
from vpemetrics.collectors.github.session import Session
from vpemetrics.errors import FixConfiguration
from vpemetrics.window import parse_instant

_EARLY: Final = timedelta(minutes=2)


@dataclass(frozen=True, kw_only=True)
class Installation:
    """An account where the App is installed, and what it may do there."""

    id: int
    account: str
    permissions: Mapping[str, str] = field(default_factory=dict)
    suspended: bool = False


def app_access(*, url: str, app: int | str, private_key: str, patience: Patience) -> Access:
    """Access as an App: a client for each installation, and the App's own."""

    def session(auth: Auth) -> Session:
        return Session(url, auth, answer_time=patience.answer_time)

    own = Client(session(_app_auth(app, private_key)), kind="App", patience=patience)
    told = [one for page in own.pages("/app/installations") for one in page]
    if not told:
        raise FixConfiguration(f"app {app}: it is not installed anywhere; {_how_to(told)}")
    installed = {}
    for installation in map(_installation, told):
        if not installation.suspended:
            auth = InstallationAuth(own, installation, patience.clock)
            installed[installation.account] = Client(
                session(auth),
                kind="App installation",
                patience=patience,
                permissions=installation.permissions,
                renew=auth.forget,
            )
    return Access(installed=installed, app=own, elsewhere=_not_installed(told))


def _not_installed(told: Sequence[Mapping[str, Any]]) -> str:
    """What to tell of an account without an installation."""
    suspended = [one.account for one in map(_installation, told) if one.suspended]
    where = f" (suspended at {', '.join(suspended)})" if suspended else ""
    return f"the App is not installed there{where}; {_how_to(told)}"


def _how_to(told: Sequence[Mapping[str, Any]]) -> str:
    slug = next((one["app_slug"] for one in told if one.get("app_slug")), None)
    page = f"https://github.com/apps/{slug}" if slug else "the App's page"
    return f"install it at {page}, with the repositories that are to be read"


def _app_auth(app: int | str, private_key: str) -> AppAuth:
    """How an App proves who it is; FixConfiguration if the key cannot be one."""
    auth = AppAuth(app, private_key)
    try:
        auth.create_jwt()
    except Exception as error:  # what a bad key raises differs by what is bad about it
        reason = type(error).__name__
    else:
        return auth
    raise FixConfiguration(
        f"app {app}: its private key cannot be used ({reason}); it has to be the whole PEM file "
        "that GitHub gave, from -----BEGIN to the end, without a password"
    )


def _installation(told: Mapping[str, Any]) -> Installation:
    """One entry of `/app/installations`."""
    return Installation(
        id=told["id"],
        account=(told.get("account") or {}).get("login") or str(told["id"]),
        permissions=told.get("permissions") or {},
        suspended=told.get("suspended_at") is not None,
    )


class InstallationAuth(Auth):
    """The token of an installation: good for an hour, made anew before that is over.

    PyGithub has one too, but asks for the token behind the back of our limits and retries.
    """

    def __init__(
        self, app: Client, installation: Installation, clock: Callable[[], datetime]
    ) -> None:
        self._app = app
        self._installation = installation
        self._clock = clock
        self._lock = Lock()
        self._token = ""
        self._good_until: datetime | None = None

    @property
    def token_type(self) -> str:
        """The word before the token in the header."""
        return "token"

    @property
    def token(self) -> str:
        """A token that is good for some minutes at least."""
        with self._lock:
            if self._good_until is None or self._clock() >= self._good_until:
                self._make()
            return self._token

    def forget(self) -> None:
        """Has the next request made with a new token, as GitHub refused this one."""
        with self._lock:
            self._good_until = None

    def _make(self) -> None:
        address = f"/app/installations/{self._installation.id}/access_tokens"
        reply = self._app.ask(Question(address=address, method="POST"))
        now = self._clock()
        ends_at = parse_instant(reply.json["expires_at"])
        self._token = reply.json["token"]
        self._good_until = now + (ends_at - (reply.sent_at or now)) - _EARLY
