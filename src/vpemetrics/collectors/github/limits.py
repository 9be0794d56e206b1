"""What GitHub lets a token do and how much of it: kind, scopes, and what is left of the hour."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


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
class Spent:
    """What was used up: requests of both kinds, and GraphQL points as the answers tell them."""

    requests: int = 0
    points: int = 0
