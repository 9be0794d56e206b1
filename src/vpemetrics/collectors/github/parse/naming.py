"""Under which names things are known: repositories, authors, and what makes one a bot."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from vpemetrics.collectors.base import IsBot
from vpemetrics.window import parse_instant

Node = Mapping[str, Any]
"""A JSON object of GitHub's."""


class Author(NamedTuple):
    """Who did something: the login as people write it; None for a deleted account."""

    login: str | None
    is_bot: bool | None


@dataclass(frozen=True, kw_only=True)
class Naming:
    """How the things of one repository are named in records.

    `known` is the repository's name in records, which a rename does not change, `current` what
    GitHub calls it now. `others` are known names by current ones in small letters.
    """

    known: str
    current: str
    is_bot: IsBot
    others: Mapping[str, str] = field(default_factory=dict)

    def numbered(self, number: int | str, repository: str = "") -> str:
        """The id of a pull request or issue, by default of this repository."""
        return f"{self.name(repository)}#{number}"

    def name(self, repository: str) -> str:
        """The known name of a repository; of this one for no name at all."""
        if not repository or repository.lower() in (self.current.lower(), self.known.lower()):
            return self.known
        return self.others.get(repository.lower(), repository)

    def author(self, actor: Node | None) -> Author:
        """Who an actor is. GraphQL tells bots by their type, REST by a `[bot]` in the login."""
        if not actor or not actor.get("login"):
            return Author(None, None)
        login, kind = str(actor["login"]), actor.get("__typename") or actor.get("type")
        if kind == "Bot" and not login.endswith("[bot]"):
            login += "[bot]"
        return Author(login, kind == "Bot" or self.is_bot(login))


def instant(text: str | None) -> datetime | None:
    """The moment GitHub names; None for none, or for what is no time."""
    try:
        return parse_instant(text) if text else None
    except ValueError:
        return None


def nodes(connection: Node | None) -> list[Node]:
    """What a connection holds, gaps in partial answers left out."""
    return [one for one in (connection or {}).get("nodes") or () if one]
