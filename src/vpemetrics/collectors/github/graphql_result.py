"""The result of a GraphQL query: what it gives, and what is missing in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vpemetrics.collectors.github.errors import graphql_errors, sso_hint
from vpemetrics.collectors.http import Response
from vpemetrics.collectors.http.messages import one_line


@dataclass(frozen=True, kw_only=True)
class Missing:
    """Something asked for and not given: its place in the data, GitHub's word for why, its text.

    Words are "NOT_FOUND", "FORBIDDEN" and others; "ERROR" where GitHub has none.
    """

    path: tuple[str | int, ...]
    kind: str
    message: str


@dataclass(frozen=True, kw_only=True)
class GraphQLResult:
    """The data of a GraphQL query, and what is missing in it."""

    data: Mapping[str, Any]
    missing: tuple[Missing, ...] = ()

    @property
    def points(self) -> int:
        """The points it cost, where the query asked for `rateLimit { cost }`."""
        limit = self.data.get("rateLimit")
        cost = limit.get("cost") if isinstance(limit, dict) else None
        return cost if isinstance(cost, int) else 0


def read_result(response: Response) -> GraphQLResult:
    """Return the result in a response that has one."""
    hint = sso_hint(response)
    return GraphQLResult(
        data=response.json.get("data") or {},
        missing=tuple(_missing(error, hint) for error in graphql_errors(response)),
    )


def _path(path: object) -> tuple[str | int, ...]:
    steps = path if isinstance(path, list) else []
    return tuple(step for step in steps if isinstance(step, str | int))


def _missing(error: Mapping[str, Any], hint: str) -> Missing:
    kind = str(error.get("type") or "ERROR")
    return Missing(
        path=_path(error.get("path")),
        kind=kind,
        message=hint if hint and kind == "FORBIDDEN" else one_line(str(error.get("message"))),
    )
