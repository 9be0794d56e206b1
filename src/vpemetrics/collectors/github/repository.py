"""One repository that is collected: its names, what GitHub shows of it, what is wanted of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final, NamedTuple

from vpemetrics.collectors.base import IsBot, bot_test
from vpemetrics.collectors.git.commits import BotAuthors
from vpemetrics.collectors.github.options import Options, Rule
from vpemetrics.collectors.http import Node
from vpemetrics.fingerprint import fingerprint
from vpemetrics.rules import Rules, is_chosen, matches
from vpemetrics.window import parse_instant

_VERSION: Final = 1
"""The version of the records that are built: with another one the next collection reads all."""


class Author(NamedTuple):
    """The author of something: the login as people write it; None for a deleted account."""

    login: str | None
    is_bot: bool | None


@dataclass(frozen=True, kw_only=True)
class Naming:
    """The names of one repository's things in records.

    `known` is the repository's name in records, which a rename does not change, `current` what
    GitHub calls it now. `others` are known names by current ones in small letters.
    """

    known: str
    current: str
    is_bot: IsBot
    others: Mapping[str, str] = field(default_factory=dict)

    def id_of(self, number: int | str, repository: str = "") -> str:
        """The id of a pull request or issue, by default of this repository."""
        return f"{self.name(repository)}#{number}"

    def name(self, repository: str) -> str:
        """The known name of a repository; of this one for no name at all."""
        if not repository or repository.lower() in (self.current.lower(), self.known.lower()):
            return self.known
        return self.others.get(repository.lower(), repository)

    def author(self, actor: Node | None) -> Author:
        """Return who an actor is.

        GraphQL tells bots by their type, REST by a `[bot]` in the login.
        """
        # The author of a deleted account is null:
        # https://docs.github.com/en/graphql/reference/interfaces#comment
        if not actor or not actor.get("login"):
            return Author(None, None)
        # https://docs.github.com/en/graphql/reference/objects#bot
        login, kind = str(actor["login"]), actor.get("__typename") or actor.get("type")
        if kind == "Bot" and not login.endswith("[bot]"):
            login += "[bot]"
        return Author(login, kind == "Bot" or self.is_bot(login))


@dataclass(frozen=True, kw_only=True)
class RepositoryProbe:
    """A repository as GitHub shows it at the beginning of a collection.

    `known` is its name in records, `asked` the one in the settings if it is there by name,
    `account` who owns it.
    """

    node: Node
    known: str
    asked: str | None
    account: str

    @property
    def id(self) -> str:
        """GitHub's permanent id."""
        return str(self.node["id"])

    @property
    def name(self) -> str:
        """The name that GitHub has for it now."""
        return str(self.node["nameWithOwner"])

    @property
    def branch(self) -> str | None:
        """The default branch; None in an empty repository."""
        branch: Node = self.node.get("defaultBranchRef") or {}
        return branch.get("name")

    @property
    def tip(self) -> str | None:
        """The default branch's newest commit."""
        branch: Node = self.node.get("defaultBranchRef") or {}
        return (branch.get("target") or {}).get("oid")

    def total(self, connection: str) -> int | None:
        """The length of a list; None if that was not asked for."""
        shown: Node = self.node.get(connection) or {}
        return shown.get("totalCount")

    def sign(self, connection: str) -> tuple[str, str | None]:
        """A text that differs once a list has news, and the latest moment in it if it has one."""
        shown: Node = self.node.get(connection) or {}
        newest: Node = next((node for node in shown.get("nodes") or () if node), {})
        text = json.dumps((shown.get("totalCount"), newest), sort_keys=True)
        return text, newest.get("updatedAt") or newest.get("createdAt")


@dataclass(frozen=True, kw_only=True)
class RepositoryTarget:
    """A repository, and what is wanted of it under which names.

    `is_code` is False where only incidents are looked for. `paths` are the path patterns of
    services that lie in it.
    """

    probe: RepositoryProbe
    naming: Naming
    options: Options
    rules: Rules
    source: str
    now: datetime
    begin: datetime
    is_code: bool
    bots: BotAuthors

    @cached_property
    def deployments(self) -> list[Rule]:
        """The rules that say what in it was a deployment."""
        if not self.is_code:
            return []
        names = {self.probe.name, self.naming.known}
        return [
            rule
            for rule in self.options.deployments
            if not rule.repositories or any(is_chosen(name, rule.repositories) for name in names)
        ]

    def rules_from(self, kind: str) -> list[Rule]:
        """Those of the rules that are of one kind."""
        return [rule for rule in self.deployments if rule.kind == kind]

    @property
    def has_incidents(self) -> bool:
        """True if some of its issues are incidents."""
        incidents = self.options.incidents
        wanted = {name.lower() for name in incidents.repositories}
        mine = {self.probe.name.lower(), self.naming.known.lower()}
        return bool(incidents) and (bool(wanted & mine) if wanted else self.is_code)

    @property
    def has_incidents_of_all(self) -> bool:
        """True if its incidents are those of all repositories."""
        return bool(self.options.incidents.repositories)

    @cached_property
    def paths(self) -> list[str]:
        """The path patterns of all services that lie in it."""
        names = {self.probe.name.lower(), self.naming.known.lower()}
        return sorted(
            {
                pattern
                for service in self.rules.services
                if service.repository and service.repository.lower() in names
                for pattern in service.paths
            }
        )

    def is_production(self, environment: str) -> bool:
        """Return whether an environment is a production one, of whichever service."""
        return matches(environment, self.rules.environments) or any(
            matches(environment, service.environments) for service in self.rules.services
        )

    def fingerprint(self, *decisive: object) -> str:
        """A short text that differs where the same things would become other records."""
        return fingerprint(_VERSION, self.rules.bots, self.begin, *decisive, size=6)


def bots_of(rules: Rules) -> BotAuthors:
    """The bots among authors of commits."""
    return BotAuthors(bot_test(rules.bots))


def instant(text: str | None) -> datetime | None:
    """The moment GitHub names; None for none, or for what is no time."""
    try:
        return parse_instant(text) if text else None
    except ValueError:
        return None


def nodes(connection: Node | None) -> list[Node]:
    """The items of a connection, gaps in partial answers left out."""
    return [node for node in (connection or {}).get("nodes") or () if node]
