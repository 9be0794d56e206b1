"""GitHub's limits of a token: what it may do, how much of it, and when one is reached."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from vpemetrics.collectors.github.errors import GRAPHQL, graphql_errors
from vpemetrics.collectors.http import Quota, RateLimits, Refusal, Response
from vpemetrics.collectors.http.messages import DEFAULT
from vpemetrics.collectors.http.rate_limit import make_quota, read_pause, read_used_up

CORE: Final = DEFAULT
FREE: Final = "free"
ACTIONS_HOURLY: Final = 1000

_LIMIT_TYPES: Final = frozenset({"RATE_LIMITED", "RATE_LIMIT"})
_SECONDARY = re.compile(r"secondary rate|abuse detection|wait a few minutes|again later", re.I)
_LIMIT = re.compile(r"(API rate limit|You have exceeded a|You have triggered an abuse)", re.I)


@dataclass(frozen=True, kw_only=True)
class Spent:
    """The cost so far: requests of both kinds, and GraphQL points as the answers tell them."""

    requests: int = 0
    points: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(requests=self.requests + other.requests, points=self.points + other.points)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """A token and its limits, as GitHub tells them.

    `kind` is "classic token", "OAuth token", "fine-grained token", "App installation",
    "Actions token", "App user token", or "token" where its looks do not tell. `scopes` are of
    classic and OAuth tokens, `permissions` (name to "read" or "write") of App installations;
    None where GitHub does not tell. A quota is None where the server has no limit.
    """

    kind: str
    scopes: tuple[str, ...] | None = None
    permissions: Mapping[str, str] | None = None
    core: Quota | None = None
    graphql: Quota | None = None


def read_refusal(response: Response, now: datetime) -> Refusal | None:
    """Return the refusal because of a limit that a response is; None if it is none.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api and
    https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api:
    Retry-After counts first, then the reset of an hour that is used up, else nothing is said.
    A GraphQL refusal comes as 200 or 403, with or without a type or a remaining count of zero.
    """
    if response.status in (403, 429):
        return _refused(response, now)
    found = [error for error in graphql_errors(response) if _is_limit(error)]
    if response.status != 200 or not found:
        return None
    is_hasty = "retry-after" in response.headers or _SECONDARY.search(str(found[0].get("message")))
    return read_pause(response, now) if is_hasty else read_used_up(response, now)


# A query without mutations and a GET are one point each:
# https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
GITHUB_LIMITS: Final = RateLimits(
    a_minute={CORE: 900, GRAPHQL: 2000},
    units={GRAPHQL: "GraphQL points"},
    period="hourly ",
    haste="its secondary rate limit",
    refusal=read_refusal,
)


def read_limits(response: Response, *, kind: str, permissions: Mapping[str, str] | None) -> Limits:
    """Return what an answer of `/rate_limit` says about a token of a kind.

    https://docs.github.com/en/rest/rate-limit/rate-limit
    """
    body = response.json if response.status == 200 else {}
    resources = body.get("resources") if isinstance(body, dict) else None
    told = resources if isinstance(resources, dict) else {}
    core = _resource(told.get("core"))
    if kind == "App installation" and permissions is None and core:
        kind = "Actions token" if core.limit == ACTIONS_HOURLY else kind
    scopes = response.headers.get("x-oauth-scopes")
    return Limits(
        kind=kind,
        scopes=None if scopes is None else tuple(filter(None, map(str.strip, scopes.split(",")))),
        permissions=permissions,
        core=core,
        graphql=_resource(told.get("graphql")),
    )


def _is_limit(error: Mapping[str, Any]) -> bool:
    is_typed = str(error.get("type")) in _LIMIT_TYPES or error.get("code") == "graphql_rate_limit"
    return is_typed or bool(_LIMIT.match(str(error.get("message"))))


def _refused(response: Response, now: datetime) -> Refusal | None:
    if "retry-after" in response.headers or _SECONDARY.search(response.message):
        return read_pause(response, now)
    if response.headers.get("x-ratelimit-remaining") == "0":
        return read_used_up(response, now)
    is_limit = response.status == 429 or _LIMIT.match(response.message)
    return Refusal(of_quota=False, wait=None) if is_limit else None


def _resource(told: object) -> Quota | None:
    if not isinstance(told, dict):
        return None
    return make_quota(*(told.get(name) for name in ("limit", "remaining", "reset")))
