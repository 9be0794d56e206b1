"""Questions to GitHub and its replies, as they go over the wire; no meaning, no network."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Final

from vpemetrics.collectors.github.wording import asked_for

CORE: Final = "core"
GRAPHQL: Final = "graphql"
FREE: Final = "free"

_NEXT = re.compile(r'<([^>]+)>\s*;[^,]*\brel="next"')
_LONGEST: Final = 300


@dataclass(frozen=True, kw_only=True)
class Question:
    """One request: `address` is a path or a URL of GitHub's, `resource` the limit it counts on.

    With `may_be_missing` "not found" is an answer like others.
    """

    address: str
    method: str = "GET"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    resource: str = CORE
    may_be_missing: bool = False

    @property
    def name(self) -> str:
        """What people read in messages, as in `asking GitHub for the repositories of acme`."""
        body = self.body or {}
        what = (
            asked_for(str(body.get("query", "")), body.get("variables") or {})
            if self.resource == GRAPHQL
            else self.address.split("?")[0]
        )
        return f"asking GitHub for {what}" if what else "asking GitHub"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @cached_property
    def json(self) -> Any:
        """What the content says; ValueError if it is no JSON, or cut off."""
        return json.loads(self.content)

    @cached_property
    def is_json(self) -> bool:
        """Whether the content can be read."""
        try:
            _ = self.json
        except ValueError:
            return False
        return True

    @property
    def is_page(self) -> bool:
        """Whether it is for browsers, as that of a proxy or of GitHub's own site."""
        return "text/html" in self.headers.get("content-type", "")

    @property
    def message(self) -> str:
        """GitHub's own words about a failure, on one line; empty if there are none."""
        body = self.json if self.is_json else None
        said = body.get("message") if isinstance(body, dict) else None
        return shortened(str(said or ""))

    @property
    def errors(self) -> tuple[Mapping[str, Any], ...]:
        """The errors of a GraphQL answer."""
        body = self.json if self.is_json else None
        found = body.get("errors") if isinstance(body, dict) else None
        return tuple(one for one in found or () if isinstance(one, dict))

    @property
    def following(self) -> str | None:
        """The URL of the next page, if there is one."""
        found = _NEXT.search(self.headers.get("link", ""))
        return found[1] if found else None

    @property
    def sent_at(self) -> datetime | None:
        """What GitHub's clock said."""
        return moment(self.headers.get("date"))


def moment(text: str | None) -> datetime | None:
    """The moment a header names; None for none."""
    try:
        found = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def shortened(text: str) -> str:
    """A text on one line of bearable length."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
