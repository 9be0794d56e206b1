"""What the simulated GitHub answers to one request, before it becomes bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status, headers of its own and a JSON body; no body where it is None.

    The REST part is `rest(world, method, path, query, headers) -> Answer`: `path` begins behind
    /api/v3, names of headers are in small letters, and the address for links is
    http://{headers["host"]}/api/v3. The server adds the headers that every answer has (rate
    limits, scopes, request id, date) and turns a body away where `headers` ask for what the
    answer's own `etag` says.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


def problem(status: int, message: str, **headers: str) -> Answer:
    """An error as GitHub's REST API words it; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}
    return Answer(status=status, headers=named, body=body)


DOCUMENTATION = "https://docs.github.com/rest"
