"""Requests to the simulated GitHub and its answers, before either becomes bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

DOCUMENTATION: Final = "https://docs.github.com/rest"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request; names of headers are in small letters.

    `number` counts the server's requests from 1, `at` is the server's clock. `path` begins behind
    /api/v3, as it was sent, and is "/graphql" for GraphQL. `body` is what was sent as JSON.
    """

    number: int
    at: datetime
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = None

    @property
    def is_graphql(self) -> bool:
        """True where it is counted in points."""
        return self.path == "/graphql"

    @property
    def id(self) -> str:
        """The id that GitHub wants to be told in reports of a problem."""
        return f"5A17:{self.number:06X}"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status, headers of its own and a JSON body; a text is sent as it is, as a page.

    The REST part is `rest(world, method, path, query, headers) -> Answer`: `path` begins behind
    /api/v3, names of headers are in small letters, and the address for links is
    http://{headers["host"]}/api/v3. The server adds the headers that every answer has: rate
    limits, scopes, request id, date. Only so many of its bytes are sent as `cut_after` says.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    cut_after: int | None = None


def problem(status: int, message: str, **headers: str) -> Answer:
    """An error as GitHub's REST API words it; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
    return Answer(status=status, headers=named, body=body)
