"""Tokens and the keys of a GitHub App, and what they may ask for."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from github_server.answer import Answer, Request, problem
from github_server.limits import Bucket
from github_server.things import Account
from github_server.world import World

LASTS: Final = timedelta(hours=1)
LONGEST_PROOF: Final = timedelta(minutes=10)
PERMISSIONS: Final = {
    "actions": "read",
    "contents": "read",
    "deployments": "read",
    "issues": "read",
    "metadata": "read",
    "pull_requests": "read",
}
BAD_CREDENTIALS: Final = problem(401, "Bad credentials")
NOT_FOUND: Final = problem(404, "Not Found")


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody who asks: what is left to them, and what every answer tells of their token."""

    core: Bucket
    graphql: Bucket
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rights:
    """The tokens that the server takes, and what they are worth.

    `tokens` are those that are taken (None: every one but the empty), `scopes` what a classic
    token may do, `requests` and `points` the limits of an hour, `installed` the logins where the
    GitHub App is installed (None: at every owner of a repository).
    """

    tokens: Collection[str] | None = None
    scopes: str = "repo, read:org"
    requests: int = 5_000
    points: int = 5_000
    installed: Collection[str] | None = None


class Desk:
    """Knows callers by their tokens and gives tokens to installations of the App."""

    def __init__(self, world: World, rights: Rights) -> None:
        self._world = world
        self._rights = rights
        self._callers: dict[str, Caller] = {}
        self._given: dict[str, datetime] = {}

    def caller(self, request: Request) -> Caller | None:
        """The sender of the request; None where the token is not taken."""
        token = token_of(request)
        if not self._takes(token, request.at):
            return None
        if token not in self._callers:
            self._callers[token] = Caller(
                core=Bucket(resource="core", limit=self._rights.requests),
                graphql=Bucket(resource="graphql", limit=self._rights.points),
                headers=self._headers(token),
            )
        return self._callers[token]

    def app(self, request: Request) -> Answer:
        """The answers to the App itself: about itself and its installations."""
        wrong = unproven(token_of(request), request.at)
        if wrong:
            return problem(401, wrong)
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["app"]:
                return Answer(body={"id": 1, "slug": "collector", "name": "Collector"})
            case "GET", ["app", "installations"]:
                return Answer(body=[self._facts(owner) for owner in self._owners()])
            case "GET", [_, login, "installation"]:
                return self._installation(login)
            case "POST", ["app", "installations", number, "access_tokens"]:
                return self._new_token(number, request)
        return NOT_FOUND

    def _takes(self, token: str, at: datetime) -> bool:
        if token in self._given:
            return at < self._given[token]
        if token.startswith("ghs_") or not token:
            return False
        return self._rights.tokens is None or token in self._rights.tokens

    def _headers(self, token: str) -> dict[str, str]:
        """Only classic tokens have scopes."""
        if token.startswith(("ghs_", "github_pat_")):
            return {}
        return {"X-OAuth-Scopes": self._rights.scopes, "X-Accepted-OAuth-Scopes": "repo"}

    def _owners(self) -> list[Account]:
        owners = {id(repo.owner): repo.owner for repo in self._world.repositories.values()}
        installed = self._rights.installed
        return [owner for owner in owners.values() if installed is None or owner.login in installed]

    def _installation(self, login: str) -> Answer:
        found = [owner for owner in self._owners() if owner.login == login]
        return Answer(body=self._facts(found[0])) if found else NOT_FOUND

    def _new_token(self, number: str, request: Request) -> Answer:
        if number not in {str(owner.database_id) for owner in self._owners()}:
            return NOT_FOUND
        token = f"ghs_{number}x{request.number}"
        until = request.at + LASTS
        self._given[token] = until
        return Answer(
            status=201,
            body={
                "token": token,
                "expires_at": f"{until:%Y-%m-%dT%H:%M:%SZ}",
                "permissions": PERMISSIONS,
                "repository_selection": "all",
            },
        )

    def _facts(self, owner: Account) -> dict[str, Any]:
        return {
            "id": owner.database_id,
            "account": {
                "login": owner.login,
                "id": owner.database_id,
                "node_id": owner.id,
                "type": owner.kind.value,
            },
            "repository_selection": "all",
            "app_id": 1,
            "app_slug": "collector",
            "target_id": owner.database_id,
            "target_type": owner.kind.value,
            "permissions": PERMISSIONS,
            "events": [],
            "suspended_at": None,
        }


def token_of(request: Request) -> str:
    """The text behind `Bearer` or `token`; empty where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "token") else ""


def is_for_apps(request: Request) -> bool:
    """True where the App itself asks, with a proof signed by its key."""
    parts = request.path.strip("/").split("/")
    return parts[0] == "app" or (len(parts) == 3 and parts[2] == "installation")


def unproven(proof: str, at: datetime) -> str | None:
    """The fault of an App's JSON web token, None if it has none; no signature is checked."""
    try:
        header, claims, _signature = (_decoded(part) for part in proof.split("."))
        issued, ends = _moment(claims["iat"]), _moment(claims["exp"])
        named = bool(claims["iss"])
    except (ValueError, KeyError, TypeError):
        return "A JSON web token could not be decoded"
    if header.get("alg") != "RS256" or not named:
        return "A JSON web token could not be decoded"
    if ends <= at:
        return (
            "'Expiration time' claim ('exp') must be a numeric value representing the future "
            "time at which the assertion expires"
        )
    if ends > at + LONGEST_PROOF:
        return "'Expiration time' claim ('exp') is too far in the future"
    if issued > at:
        return (
            "'Issued at' claim ('iat') must be an Integer representing the time that the "
            "assertion was issued"
        )
    return None


def _decoded(part: str) -> dict[str, Any]:
    data = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    decoded: Any = json.loads(data) if data.startswith(b"{") else {}
    return dict(decoded)


def _moment(seconds: Any) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
