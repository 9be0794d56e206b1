"""One repository that is collected: what it is called, what is wanted of it, and who asks."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final

from vpemetrics.collectors.base import bot_test
from vpemetrics.collectors.git.commits import BotAuthors
from vpemetrics.collectors.github.asking import Asking
from vpemetrics.collectors.github.options import Options, Rule
from vpemetrics.collectors.github.parse.naming import Naming, Node
from vpemetrics.rules import Rules, is_chosen, matches

_TOLD: Final = 1
"""The version of what is told: with another one the next collection reads all again."""


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
        """What GitHub calls it now."""
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
        """How many there are in a list; None if that was not told."""
        found: Node = self.node.get(connection) or {}
        return found.get("totalCount")

    def sign(self, connection: str) -> tuple[str, str | None]:
        """What tells whether a list is as it was, and the latest moment in it if it tells one."""
        found: Node = self.node.get(connection) or {}
        newest: Mapping[str, Any] = next((one for one in found.get("nodes") or () if one), {})
        text = json.dumps((found.get("totalCount"), newest), sort_keys=True)
        return text, newest.get("updatedAt") or newest.get("createdAt")


@dataclass(frozen=True, kw_only=True)
class RepositoryTarget:
    """A repository, and what is wanted of it under which names.

    `is_code` is False where only incidents are looked for. `paths` are the path patterns of
    services that lie in it.
    """

    probe: RepositoryProbe
    naming: Naming
    asking: Asking
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
            one
            for one in self.options.deployments
            if not one.repositories or any(is_chosen(name, one.repositories) for name in names)
        ]

    def rules_from(self, kind: str) -> list[Rule]:
        """Those of the rules that are of one kind."""
        return [one for one in self.deployments if one.kind == kind]

    @property
    def has_incidents(self) -> bool:
        """Whether some of its issues are incidents."""
        incidents = self.options.incidents
        places = {name.lower() for name in incidents.repositories}
        mine = {self.probe.name.lower(), self.naming.known.lower()}
        return bool(incidents) and (bool(places & mine) if places else self.is_code)

    @property
    def tells_of_all(self) -> bool:
        """Whether its incidents are those of all repositories."""
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
        """Whether an environment is a production one, of whichever service."""
        return matches(environment, self.rules.environments) or any(
            matches(environment, service.environments) for service in self.rules.services
        )

    def settings(self, *decisive: object) -> str:
        """A short text that differs where something else would be told of the same things."""
        told = (_TOLD, self.rules.bots, self.begin, *decisive)
        return blake2b(json.dumps(told, default=_plain).encode(), digest_size=6).hexdigest()


def bots_of(rules: Rules) -> BotAuthors:
    """What tells the bots among authors of commits."""
    return BotAuthors(bot_test(rules.bots))


def _plain(value: object) -> object:
    return asdict(value) if isinstance(value, Rule) else str(value)
