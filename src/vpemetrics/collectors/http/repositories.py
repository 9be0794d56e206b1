"""Repositories of a forge by their names and by patterns, as `acme/*`, `!acme/*-archive`."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, NamedTuple, Protocol, TypeVar
from urllib.parse import quote

from vpemetrics.collectors.base import CollectionContext
from vpemetrics.collectors.http.client import HttpClient
from vpemetrics.collectors.http.errors import BadAnswer, Forbidden, Gone
from vpemetrics.collectors.http.messages import Node
from vpemetrics.collectors.http.shapes import check_record, name_of, need, read_items, read_shape
from vpemetrics.records import Repository
from vpemetrics.rules import is_chosen

_PATTERN: Final = re.compile(r"!?[\w.-]+/[\w./*?-]+")
_WILD: Final = re.compile(r"[*?]")
_NAME: Final = "name of repository"


class RepositoryItem(Protocol):
    """The thing that a source makes of a repository's node."""

    @property
    def repository(self) -> Repository:
        """The record of it."""


Item = TypeVar("Item", bound=RepositoryItem)


def check_patterns(patterns: Sequence[str], *, setting: str) -> None:
    """Raise ValueError for what is neither a name nor a pattern, or where there is but `!`."""
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern):
            raise ValueError(f'{setting}: {pattern!r} is not like "acme/shop" or "acme/*"')
    if all(pattern.startswith("!") for pattern in patterns):
        raise ValueError(f'{setting}: names none, as in ["acme/*"]')


@dataclass(frozen=True, kw_only=True)
class RepositoryPaths:
    """The places of repositories in an interface, where `{}` stands for a name.

    `one` is that of a repository, as `projects/{}`, `many` that of the list of an owner's or
    group's; `name` is what a repository has its name under.
    """

    one: str
    many: str
    name: str


class Found(NamedTuple, Generic[Item]):
    """Repositories by their names, and what could not be found, a line each.

    The `cursors` keep the names, so that a repository has in records the one it had first.
    """

    items: dict[str, Item]
    problems: list[str]
    cursors: dict[str, str]


def find_by_patterns(
    client: HttpClient,
    paths: RepositoryPaths,
    patterns: Sequence[str],
    make: Callable[[str, Node], Item],
    context: CollectionContext,
) -> Found[Item]:
    """Return what `make` makes of the names and nodes of repositories.

    Of a pattern the owner is what stands before the last `/` without a wildcard. What is named
    is taken, whatever patterns leave out. The name that `make` gets is the first that was known,
    as the cursors of the `context` tell by its id. What cannot be read, or makes no record of a
    repository, is left out.
    """
    nodes: dict[object, Node] = {}
    problems: list[str] = []
    unwanted = [pattern for pattern in patterns if pattern.startswith("!")]
    for pattern in patterns:
        if pattern not in unwanted:
            try:
                listed = _list(client, paths, pattern)
                chosen = [pattern, *unwanted] if _WILD.search(pattern) else []
                nodes |= _by_id(listed, paths.name, chosen, client, context)
            except (BadAnswer, Gone, Forbidden) as problem:
                problems.append(f"{pattern}: {problem}")
    names = _first_names(nodes, paths.name, context.cursors)
    items = {}
    for id_, node in nodes.items():
        try:
            read = partial(_make_checked, make, names[id_], node)
            items[names[id_]] = read_shape(read, server=client.server, about=names[id_])
        except BadAnswer as bad:
            context.leave_out(names[id_], str(bad))
    return Found(items, problems, {f"{_NAME} {id_}": known for id_, known in names.items()})


def _make_checked(make: Callable[[str, Node], Item], name: str, node: Node) -> Item:
    item = make(name, node)
    check_record(item.repository)
    return item


def _list(client: HttpClient, paths: RepositoryPaths, pattern: str) -> list[Node]:
    """The repositories that a name means, or all of the owner of a pattern."""
    if not _WILD.search(pattern):
        return [client.get(paths.one.format(quote(pattern, safe="")))]
    owner = _WILD.split(pattern)[0].rpartition("/")[0]
    return list(client.items(paths.many.format(quote(owner, safe=""))))


def _by_id(
    listed: Sequence[Node],
    key: str,
    chosen: Sequence[str],
    client: HttpClient,
    context: CollectionContext,
) -> dict[object, Node]:
    """The repositories that are chosen, if only some are; what has no id or name is left out."""

    def read(node: Node) -> list[Node]:
        if not isinstance(node.get("id"), str):
            need(node, "id", int)
        name = need(node, key, str)
        return [node] if not chosen or is_chosen(name, chosen) else []

    nodes, _ = read_items(
        listed,
        read,
        server=client.server,
        name=lambda node: name_of(node, "a repository", client.server),
        leave_out=context.leave_out,
    )
    return {node["id"]: node for node in nodes}


def _first_names(
    nodes: Mapping[object, Node], name: str, cursors: Mapping[str, str]
) -> dict[object, str]:
    """The names of repositories by their ids: the first known, else the one they have now.

    A new repository may have got the name that another one had first; then its id tells it apart.
    """
    known = {key: first for key, first in cursors.items() if key.startswith(_NAME)}
    names = {}
    for id_, node in nodes.items():
        new = f"{node[name]} ({id_})" if node[name] in known.values() else node[name]
        names[id_] = known.get(f"{_NAME} {id_}", new)
    return names
