"""What GitHub lets a token do and how much of it: kind, scopes, limits, and when one is reached."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from vpemetrics.collectors.github.messages import GRAPHQL, Reply, moment

ACTIONS_HOURLY: Final = 1000

_LIMIT_TYPES: Final = frozenset({"RATE_LIMITED", "RATE_LIMIT"})
_SECONDARY = re.compile(r"secondary rate|abuse detection|wait a few minutes|again later", re.I)
_LIMIT = re.compile(r"(API rate limit|You have exceeded a|You have triggered an abuse)", re.I)


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What was used up: requests of both kinds, and GraphQL points as the answers tell them."""

    requests: int = 0
    points: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(requests=self.requests + other.requests, points=self.points + other.points)


@dataclass(frozen=True, kw_only=True)
class Quota:
    """One hourly limit: requests for REST, points for GraphQL."""

    limit: int
    remaining: int
    reset_at: datetime


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


@dataclass(frozen=True, kw_only=True)
class Limited:
    """A refusal because of a limit, and for how long as far as GitHub says.

    `hourly` tells the hourly limit from those against haste (GitHub's "secondary" limits), which
    stand for every resource. `quota` is the hourly limit that is used up, where it is told.
    """

    hourly: bool
    wait: timedelta | None
    quota: Quota | None = None


def quota_told(reply: Reply) -> Quota | None:
    """How much is left after this reply; None where the server does not count."""
    told = [reply.headers.get(f"x-ratelimit-{name}") for name in ("limit", "remaining", "reset")]
    return _quota(*told) if all(told) else None


def limited(reply: Reply, now: datetime) -> Limited | None:
    """Whether a reply is a refusal because of a limit.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api and
    https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api:
    Retry-After counts first, then the reset of an hour that is used up, else nothing is said.
    A GraphQL refusal comes as 200 or 403, with or without a type or a remaining count of zero.
    """
    if reply.status in (403, 429):
        return _refused(reply, now)
    found = [error for error in reply.errors if _is_limit(error)]
    if reply.status != 200 or not found:
        return None
    is_hasty = "retry-after" in reply.headers or _SECONDARY.search(str(found[0].get("message")))
    return _paused(reply, now) if is_hasty else _used_up(reply, now)


def limits_told(reply: Reply, *, kind: str, permissions: Mapping[str, str] | None) -> Limits:
    """What an answer of `/rate_limit` says about a token of a kind."""
    body = reply.json if reply.status == 200 else {}
    resources = body.get("resources", {})
    core = _resource(resources.get("core"))
    if kind == "App installation" and permissions is None and core:
        kind = "Actions token" if core.limit == ACTIONS_HOURLY else kind
    scopes = reply.headers.get("x-oauth-scopes")
    return Limits(
        kind=kind,
        scopes=None if scopes is None else tuple(filter(None, map(str.strip, scopes.split(",")))),
        permissions=permissions,
        core=core,
        graphql=_resource(resources.get(GRAPHQL)),
    )


def _is_limit(error: Mapping[str, Any]) -> bool:
    is_typed = error.get("type") in _LIMIT_TYPES or error.get("code") == "graphql_rate_limit"
    return is_typed or bool(_LIMIT.match(str(error.get("message"))))


def _refused(reply: Reply, now: datetime) -> Limited | None:
    if "retry-after" in reply.headers or _SECONDARY.search(reply.message):
        return _paused(reply, now)
    if reply.headers.get("x-ratelimit-remaining") == "0":
        return _used_up(reply, now)
    is_limit = reply.status == 429 or _LIMIT.match(reply.message)
    return Limited(hourly=False, wait=None) if is_limit else None


def _paused(reply: Reply, now: datetime) -> Limited:
    told = reply.headers.get("retry-after", "")
    if told.strip().isdigit():
        return Limited(hourly=False, wait=timedelta(seconds=int(told)))
    until = moment(told)
    return Limited(hourly=False, wait=until - (reply.sent_at or now) if until else None)


def _used_up(reply: Reply, now: datetime) -> Limited:
    quota = quota_told(reply)
    wait = until_reset(quota, reply, now) if quota else None
    return Limited(hourly=True, wait=wait, quota=quota)


def until_reset(quota: Quota, reply: Reply, now: datetime) -> timedelta:
    """How long until the hour ends, by GitHub's clock, whatever ours says.

    A second more, as nobody knows where in its second the reset is.
    """
    return quota.reset_at - (reply.sent_at or now) + timedelta(seconds=1)


def _resource(told: Mapping[str, Any] | None) -> Quota | None:
    return _quota(told["limit"], told["remaining"], told["reset"]) if told else None


def _quota(limit: Any, remaining: Any, reset: Any) -> Quota:
    """Whole numbers, though GitHub was seen to send others."""
    return Quota(
        limit=int(float(limit)),
        remaining=int(float(remaining)),
        reset_at=datetime.fromtimestamp(int(float(reset)), UTC),
    )
