"""The cost of a query by GitHub's published formula, known before it is run.

https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api:
every connection takes as many requests as it has parents at most, each page being full; the sum
divided by 100 and rounded is the points, at least 1. Nodes are the items that may be given.

A connection is what is given `first` or `last`, or asked for what only connections have. GitHub
leaves open what `totalCount` alone and `nodes(ids:)` cost: here each takes its requests too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from graphql import (
    ArgumentNode,
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    value_from_ast_untyped,
)

from github_server.execution import Invalid, Query, place_of

MOST_NODES: Final = 500_000
LARGEST_PAGE: Final = 100
REQUESTS_PER_POINT: Final = 100
PAGED: Final = frozenset({"nodes", "edges", "pageInfo"})


@dataclass(frozen=True, kw_only=True)
class Price:
    """The needs of a query: requests inside GitHub, and nodes that it may give."""

    requests: int = 0
    nodes: int = 0

    @property
    def points(self) -> int:
        """The points that are taken off the hour's limit."""
        return max(1, (self.requests + REQUESTS_PER_POINT // 2) // REQUESTS_PER_POINT)

    def __add__(self, other: "Price") -> "Price":
        return Price(requests=self.requests + other.requests, nodes=self.nodes + other.nodes)


def price(query: Query) -> Price:
    """Price a query; raises Invalid where a page has no size, or too much is asked."""
    found = _price(query, _by_key(query, [query.operation.selection_set]), 1, ())
    if found.nodes > MOST_NODES:
        raise Invalid(
            f"This query requests up to {found.nodes:,} possible nodes"
            f" which exceeds the maximum limit of {MOST_NODES:,}.",
            type="MAX_NODE_LIMIT_EXCEEDED",
        )
    return found


def _price(
    query: Query, asked: Mapping[str, list[FieldNode]], parents: int, path: tuple[str, ...]
) -> Price:
    """Of fields by their keys."""
    total = Price()
    for key, fields in asked.items():
        parts = [field.selection_set for field in fields if field.selection_set]
        if not parts:
            continue
        inner = _by_key(query, parts)
        children = {child.name.value for same in inner.values() for child in same}
        sizes = [_size(query, field, children, (*path, key)) for field in fields]
        size = max((each for each in sizes if each is not None), default=None)
        if size is not None:
            total += Price(requests=parents, nodes=parents * size)
        below = parents if size is None else parents * size
        total += _price(query, inner, below, (*path, key))
    return total


def _by_key(query: Query, parts: Iterable[SelectionSetNode]) -> dict[str, list[FieldNode]]:
    """The fields by their keys: what two fragments ask for alike is there once."""
    found: dict[str, list[FieldNode]] = {}
    for part in parts:
        for selection in part.selections:
            if selection.directives and not _is_wanted(query, selection):
                continue
            if isinstance(selection, FieldNode):
                key = selection.alias or selection.name
                found.setdefault(key.value, []).append(selection)
                continue
            for name, fields in _by_key(query, [_inner(query, selection)]).items():
                found.setdefault(name, []).extend(fields)
    return found


def _inner(query: Query, fragment: SelectionNode) -> SelectionSetNode:
    if isinstance(fragment, FragmentSpreadNode):
        return query.fragments[fragment.name.value].selection_set
    return cast(InlineFragmentNode, fragment).selection_set


def _is_wanted(query: Query, selection: SelectionNode) -> bool:
    """True where @include and @skip leave the thing in."""
    return not any(
        _values(query, directive.arguments)["if"] is (directive.name.value == "skip")
        for directive in selection.directives or ()
    )


def _values(query: Query, arguments: Iterable[ArgumentNode] | None) -> dict[str, Any]:
    return {
        argument.name.value: value_from_ast_untyped(argument.value, query.values)
        for argument in arguments or ()
    }


def _size(query: Query, field: FieldNode, children: set[str], path: tuple[str, ...]) -> int | None:
    """The most items that one page of the connection has; None where it is no connection."""
    arguments = _values(query, field.arguments)
    name = field.name.value
    if name == "nodes" and isinstance(arguments.get("ids"), list):
        return _few_enough(len(arguments["ids"]), field, path)
    for bound in ("first", "last"):
        if arguments.get(bound) is not None:
            return _within_a_page(arguments[bound], bound, field, path)
    if children & PAGED:
        raise Invalid(
            "You must provide a `first` or `last` value to properly paginate"
            f" the `{name}` connection.",
            [place_of(field)],
            type="MISSING_PAGINATION_BOUNDARIES",
            path=list(path),
        )
    return 0 if "totalCount" in children else None


def _within_a_page(size: int, bound: str, field: FieldNode, path: tuple[str, ...]) -> int:
    if 1 <= size <= LARGEST_PAGE:
        return size
    raise Invalid(
        f"Requesting {size} records on the `{field.name.value}` connection"
        f" exceeds the `{bound}` limit of {LARGEST_PAGE} records.",
        [place_of(field)],
        type="EXCESSIVE_PAGINATION",
        path=list(path),
    )


def _few_enough(ids: int, field: FieldNode, path: tuple[str, ...]) -> int:
    if ids <= LARGEST_PAGE:
        return ids
    raise Invalid(
        f"You may not provide more than {LARGEST_PAGE} node ids; you provided {ids}.",
        [place_of(field)],
        type="ARGUMENT_LIMIT",
        path=list(path),
    )
