"""What a GraphQL reply gives, and what is missing in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vpemetrics.collectors.github.messages import Reply, shortened
from vpemetrics.collectors.github.verdicts import sso_hint


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What was asked and not given: where in the data, GitHub's word for why, and its text.

    Words are "NOT_FOUND", "FORBIDDEN" and others; "ERROR" where GitHub has none.
    """

    path: tuple[str | int, ...]
    kind: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The data of a GraphQL query, and what is missing in it."""

    data: Mapping[str, Any]
    missing: tuple[Missing, ...] = ()

    @property
    def points(self) -> int:
        """What it cost, where the query asked for `rateLimit { cost }`."""
        return int((self.data.get("rateLimit") or {}).get("cost") or 0)


def answer_in(reply: Reply) -> Answer:
    """The answer in a reply that has one."""
    return Answer(
        data=reply.json.get("data") or {},
        missing=tuple(_missing(error, sso_hint(reply)) for error in reply.errors),
    )


def _missing(error: Mapping[str, Any], hint: str) -> Missing:
    kind = str(error.get("type") or "ERROR")
    return Missing(
        path=tuple(error.get("path") or ()),
        kind=kind,
        message=hint if hint and kind == "FORBIDDEN" else shortened(str(error.get("message"))),
    )
