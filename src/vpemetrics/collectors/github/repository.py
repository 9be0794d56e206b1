"""One repository that is collected: its names, what GitHub shows of it, what is wanted of it."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final, NamedTuple, TypeVar

from vpemetrics.agents import author_settings
from vpemetrics.collectors.base import not_noted
from vpemetrics.collectors.git.commits import GitAuthors
from vpemetrics.collectors.github.options import Options, Rule
from vpemetrics.collectors.http import (
    BadAnswer,
    Malformed,
    Node,
    check_record,
    given,
    name_of,
    need,
    part,
    parts,
    read_shape,
)
from vpemetrics.fingerprint import fingerprint
from vpemetrics.names import name_key
from vpemetrics.records import AuthorKind, Repository
from vpemetrics.rules import Rules, is_chosen, matches
from vpemetrics.window import parse_instant

Value = TypeVar("Value")
# https://docs.github.com/en/graphql/reference/scalars#gitobjectid
OID: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NAME: Final = re.compile(r"\w[\w-]*/(?!\.\.?$)[\w.-]+")
_VERSION: Final = 1
"""The version of the records that are built: with another one the next collection reads all."""


class Author(NamedTuple):
    """The author of something: the login as people write it; None for a deleted account."""

    login: str | None
    kind: AuthorKind | None

    @property
    def is_bot(self) -> bool | None:
        """False for a person, True for what is none, None for who is not known."""
        return None if self.kind is None else self.kind is not AuthorKind.PERSON


@dataclass(frozen=True, kw_only=True)
class Naming:
    """The names of one repository's things in records.

    `known` is the repository's name in records, which a rename does not change, `current` what
    GitHub calls it now. `others` are known names by current ones in small letters.
    """

    known: str
    current: str
    authors: GitAuthors
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
        if not actor or not given(actor, "login", str):
            return Author(None, None)
        # https://docs.github.com/en/graphql/reference/objects#bot
        login, kind = str(actor["login"]), actor.get("__typename") or actor.get("type")
        if kind == "Bot" and not login.endswith("[bot]"):
            login += "[bot]"
        told = AuthorKind.AUTOMATION if kind == "Bot" else AuthorKind.PERSON
        return Author(login, self.authors.kind_of(login) or told)


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
        return given(part(self.node, "defaultBranchRef"), "name", str)

    @property
    def tip(self) -> str | None:
        """The default branch's newest commit."""
        return given(part(part(self.node, "defaultBranchRef"), "target"), "oid", str)

    def total(self, connection: str) -> int | None:
        """The length of a list; None if that was not asked for."""
        return given(part(self.node, connection), "totalCount", int)

    def sign(self, connection: str) -> tuple[str, str | None]:
        """A text that differs once a list has news, and the latest moment in it if it has one."""
        newest: Node = next(iter(nodes(self.node, connection)), {})
        text = json.dumps((self.total(connection), newest), sort_keys=True)
        return text, given(newest, "updatedAt", str) or given(newest, "createdAt", str)


@dataclass(frozen=True, kw_only=True)
class RepositoryTarget:
    """A repository, and what is wanted of it under which names.

    `is_code` is False where only incidents are looked for. `paths` are the path patterns of
    services that lie in it. `leave_out` is told of what cannot be read.
    """

    probe: RepositoryProbe
    naming: Naming
    options: Options
    rules: Rules
    source: str
    now: datetime
    begin: datetime
    is_code: bool
    leave_out: Callable[[str, str], None] = not_noted

    def read(self, node: object, what: str, read: Callable[[], Value]) -> Value | None:
        """Return what is read of a thing; None if it cannot be, which is noted under its name."""
        try:
            return self.read_strictly(node, what, read)
        except BadAnswer as bad:
            self.leave_out(name_of(node, what, self.naming.known), str(bad))
            return None

    def read_strictly(self, node: object, what: str, read: Callable[[], Value]) -> Value:
        """Return what is read of a thing; BadAnswer with its name if it cannot be."""
        return read_shape(read, server="GitHub", about=name_of(node, what, self.naming.known))

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
        names = {name_key(self.probe.name), name_key(self.naming.known)}
        return sorted(
            {
                pattern
                for service in self.rules.services
                if service.repository and name_key(service.repository) in names
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
        return fingerprint(_VERSION, author_settings(self.rules), self.begin, *decisive, size=6)


def check_probe(node: Node) -> Node:
    """Return what GitHub shows of a repository, if it can be gone by; Malformed if it cannot."""
    need(node, "id", str)
    if not _NAME.fullmatch(need(node, "nameWithOwner", str)):
        raise Malformed("has no `owner/name` as `nameWithOwner`")
    probe = RepositoryProbe(node=node, known="", asked=None, account="")
    given(node, "pushedAt", str)
    check_record(Repository(id=probe.id, name=probe.name, default_branch=probe.branch))
    if probe.branch is not None and not OID.fullmatch(probe.tip or ""):
        raise Malformed("has no commit as its `defaultBranchRef`")
    for name, value in node.items():
        if isinstance(value, dict) and "totalCount" in value:
            probe.sign(name)
    return node


def instant(text: object) -> datetime | None:
    """The moment GitHub names; None for none, or for what is no time."""
    try:
        return parse_instant(text) if text and isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None


def sha_of(node: Node, key: str = "oid") -> str:
    """The commit that a thing names; Malformed if it names none."""
    if not OID.fullmatch(oid := need(node, key, str)):
        raise Malformed(f"has no commit as `{key}`")
    return oid


def tagged(tag: Node) -> Node:
    """The thing that a tag's name stands for; one tag may be of another."""
    found = part(tag, "target")
    while given(found, "__typename", str) == "Tag" or "tagger" in found:
        found = part(found, "target")
    return found


def nodes(node: Node, connection: str) -> list[Node]:
    """The items of a thing's connection, gaps in partial answers left out."""
    return parts(part(node, connection), "nodes")
