"""The limits of what a token may ask for in an hour, and GitHub's answer beyond them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from github_server.answer import Answer, Request, problem

WINDOW: Final = timedelta(hours=1)


@dataclass(kw_only=True)
class Bucket:
    """One limit: REST requests ("core") or points ("graphql"). The hour begins with its use."""

    resource: str
    limit: int
    used: int = 0
    resets_at: datetime | None = None

    def open(self, now: datetime) -> None:
        """Begins a new hour where the last one is over."""
        if self.resets_at is None or now >= self.resets_at:
            self.used = 0
            self.resets_at = now + WINDOW

    @property
    def remaining(self) -> int:
        """The rest that may be used in this hour."""
        return max(0, self.limit - self.used)

    @property
    def reset(self) -> int:
        """The end of the hour, in seconds since 1970; begin one first."""
        if self.resets_at is None:
            raise ValueError("the limit was not used yet")
        return int(self.resets_at.timestamp())

    def facts(self) -> dict[str, int]:
        """The limit as /rate_limit tells it."""
        return {
            "limit": self.limit,
            "used": self.used,
            "remaining": self.remaining,
            "reset": self.reset,
        }

    def headers(self) -> dict[str, str]:
        """The limit as every answer tells it."""
        facts = {f"x-ratelimit-{name}": str(value) for name, value in self.facts().items()}
        return {**facts, "x-ratelimit-resource": self.resource}


def exceeded(request: Request, headers: Mapping[str, str], kind: str = "RATE_LIMIT") -> Answer:
    """The answer beyond a primary limit; GraphQL's has status 200.

    `kind` is the type of GraphQL's error: "RATE_LIMIT" since 2025, "RATE_LIMITED" before.
    """
    message = "API rate limit exceeded for user ID 1."
    if not request.is_graphql:
        return problem(403, message, **headers)
    error = {"type": kind, "code": "graphql_rate_limit", "message": message}
    return Answer(headers=headers, body={"errors": [error]})


def rate_limits(core: Bucket, graphql: Bucket) -> Answer:
    """The answer to GET /rate_limit; asking for it is free."""
    resources: dict[str, Any] = {each.resource: each.facts() for each in (core, graphql)}
    resources["search"] = {**core.facts(), "limit": 30, "used": 0, "remaining": 30}
    return Answer(body={"resources": resources, "rate": core.facts()})
