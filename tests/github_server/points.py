"""What a query costs by GitHub's published formula, known before it is run.

https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api:
every connection takes as many requests as it has parents at most, each page being full; the sum
divided by 100 and rounded is the points, at least 1. Nodes are the items that may be given.

A connection is what is given `first` or `last`, or asked for what only connections have. GitHub
leaves open what `totalCount` alone and `nodes(ids:)` cost: here each takes its requests too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from github_server.language import Field, Place, Selection
from github_server.query import Invalid, Query

MOST_NODES: Final = 500_000
LARGEST_PAGE: Final = 100
REQUESTS_PER_POINT: Final = 100
PAGED: Final = frozenset({"nodes", "edges", "pageInfo"})


@dataclass(frozen=True, kw_only=True)
class Price:
    """What a query may need: requests inside GitHub, and nodes that it may give."""

    requests: int = 0
    nodes: int = 0

    @property
    def points(self) -> int:
        """What is taken off the hour's limit."""
        return max(1, (self.requests + REQUESTS_PER_POINT // 2) // REQUESTS_PER_POINT)

    def __add__(self, other: "Price") -> "Price":
        return Price(requests=self.requests + other.requests, nodes=self.nodes + other.nodes)


def price(query: Query) -> Price:
    """What the query costs; raises Invalid where a page has no size, or too much is asked."""
    found = _price(query, _by_key(query, [query.operation.selections]), 1, ())
    if found.nodes > MOST_NODES:
        raise Invalid(
            f"This query requests up to {found.nodes:,} possible nodes"
            f" which exceeds the maximum limit of {MOST_NODES:,}.",
            type="MAX_NODE_LIMIT_EXCEEDED",
        )
    return found


def _price(
    query: Query, asked: Mapping[str, list[Field]], parents: int, path: tuple[str, ...]
) -> Price:
    """Of fields by their keys."""
    total = Price()
    for key, fields in asked.items():
        inner = _by_key(query, [field.selections for field in fields])
        children = {child.name for same in inner.values() for child in same}
        sizes = [_size(query, field, children, (*path, key)) for field in fields]
        size = max((each for each in sizes if each is not None), default=None)
        if size is not None:
            total += Price(requests=parents, nodes=parents * size)
        below = parents if size is None else parents * size
        total += _price(query, inner, below, (*path, key))
    return total


def _by_key(query: Query, parts: Iterable[tuple[Selection, ...]]) -> dict[str, list[Field]]:
    """The fields by their keys: what two fragments ask for alike is there once."""
    found: dict[str, list[Field]] = {}
    for selections in parts:
        for selection in query.unfolded(selections):
            if isinstance(selection, Field):
                found.setdefault(selection.key, []).append(selection)
                continue
            for key, fields in _by_key(query, [selection.selections]).items():
                found.setdefault(key, []).extend(fields)
    return found


def _size(query: Query, field: Field, children: set[str], path: tuple[str, ...]) -> int | None:
    """How many items one page of the connection has at most; None where it is no connection."""
    arguments = query.arguments(field.arguments)
    if field.name == "nodes" and isinstance(arguments.get("ids"), list):
        return _few_enough(len(arguments["ids"]), field.place, path)
    for bound in ("first", "last"):
        if arguments.get(bound) is not None:
            return _within_a_page(arguments, bound, field, path)
    if children & PAGED:
        raise Invalid(
            "You must provide a `first` or `last` value to properly paginate"
            f" the `{field.name}` connection.",
            field.place,
            type="MISSING_PAGINATION_BOUNDARIES",
            path=list(path),
        )
    return 0 if "totalCount" in children else None


def _within_a_page(
    arguments: Mapping[str, Any], bound: str, field: Field, path: tuple[str, ...]
) -> int:
    size = int(arguments[bound])
    if 1 <= size <= LARGEST_PAGE:
        return size
    raise Invalid(
        f"Requesting {size} records on the `{field.name}` connection"
        f" exceeds the `{bound}` limit of {LARGEST_PAGE} records.",
        field.place,
        type="EXCESSIVE_PAGINATION",
        path=list(path),
    )


def _few_enough(ids: int, place: Place, path: tuple[str, ...]) -> int:
    if ids <= LARGEST_PAGE:
        return ids
    raise Invalid(
        f"You may not provide more than {LARGEST_PAGE} node ids; you provided {ids}.",
        place,
        type="ARGUMENT_LIMIT",
        path=list(path),
    )
