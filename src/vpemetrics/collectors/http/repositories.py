"""Repositories of a forge by their names and by patterns, as `acme/*`, `!acme/*-archive`."""

import re
from collections.abc import Callable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar
from urllib.parse import quote

from vpemetrics.collectors.http.client import HttpClient
from vpemetrics.collectors.http.errors import Forbidden, Gone
from vpemetrics.collectors.http.messages import Node
from vpemetrics.rules import is_chosen

_PATTERN: Final = re.compile(r"!?[\w.-]+/[\w./*?-]+")
Item = TypeVar("Item")
_WILD: Final = re.compile(r"[*?]")


def check_patterns(patterns: Sequence[str], *, setting: str) -> None:
    """Raise ValueError for what is neither a name nor a pattern, or where there is but `!`."""
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern):
            raise ValueError(f'{setting}: {pattern!r} is not like "acme/shop" or "acme/*"')
    if all(pattern.startswith("!") for pattern in patterns):
        raise ValueError(f'{setting}: names none, as in ["acme/*"]')


class Found(NamedTuple, Generic[Item]):
    """Repositories by their names, and what could not be found, a line each."""

    items: dict[str, Item]
    problems: list[str]


def find_by_patterns(
    client: HttpClient,
    patterns: Sequence[str],
    make: Callable[[str, Node], Item],
    *,
    one: str,
    many: str,
    name: str,
) -> Found[Item]:
    """Return what `make` makes of the names and nodes of repositories.

    `one` is the path of a repository, as `projects/{}`, `many` that of a list of an owner's;
    `name` is what a repository has its name under. Of a pattern the
    owner is what stands before the last `/` without a wildcard. What is named is taken,
    whatever patterns leave out.
    """
    nodes: dict[str, Node] = {}
    problems: list[str] = []
    unwanted = [pattern for pattern in patterns if pattern.startswith("!")]
    for pattern in patterns:
        try:
            if pattern in unwanted:
                continue
            if _WILD.search(pattern):
                owner = quote(_WILD.split(pattern)[0].rpartition("/")[0], safe="")
                items = client.items(many.format(owner))
                listed = [node for node in items if is_chosen(node[name], [pattern, *unwanted])]
            else:
                listed = [client.get(one.format(quote(pattern, safe="")))]
        except (Gone, Forbidden) as problem:
            problems.append(f"{pattern}: {problem}")
        else:
            nodes |= {node[name]: node for node in listed}
    return Found({each: make(each, node) for each, node in nodes.items()}, problems)
