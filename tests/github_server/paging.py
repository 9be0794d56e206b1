"""Pages of GraphQL connections: which part of a list an answer holds, and its cursors.

Lists in an order of their own have cursors that say where in it a page ended, as GitHub's do:
what is touched while pages are read moves in the list, so it may come twice or be passed by.
The others count, so what is put before them shifts what follows.
"""

import json
from base64 import b64decode, b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from github_server.refusal import Refused

_VERSION: Final = "cursor:v2:"

Place = tuple[Any, ...]
"""The place of an item in its order: values that compare, unique taken together."""


@dataclass(kw_only=True, eq=False, slots=True)  # a frozen one takes three times as long to make
class Connection:
    """A page of a list whose items, all pages together, are `total_count`.

    It is its own page information. `cursor` gives the cursor of a node by its place there, from 0.
    """

    nodes: list[Any]
    cursor: Callable[[int], str]
    total_count: int
    has_previous_page: bool
    has_next_page: bool

    @property
    def page_info(self) -> Self:
        """The page information: whether there is more, and from where on."""
        return self

    @property
    def start_cursor(self) -> str | None:
        """The first item's cursor."""
        return self.cursor(0) if self.nodes else None

    @property
    def end_cursor(self) -> str | None:
        """The last item's cursor."""
        return self.cursor(len(self.nodes) - 1) if self.nodes else None

    @property
    def edges(self) -> "list[Edge]":
        """The items with their cursors."""
        return [Edge(node=node, cursor=self.cursor(at)) for at, node in enumerate(self.nodes)]


@dataclass(frozen=True, kw_only=True)
class Edge:
    """An item with its cursor."""

    node: Any
    cursor: str


def counted(
    items: Sequence[Any],
    arguments: Mapping[str, Any],
    *,
    total: int | None = None,
    prefix: str = "",
    make: Callable[[Any], Any] | None = None,
) -> Connection:
    """A page of a list whose cursors count; `make` gives the nodes of those on the page."""
    after = _number(arguments.get("after"), prefix, 0)
    before = _number(arguments.get("before"), prefix, len(items) + 1)
    start, stop = _bounds(after, min(before - 1, len(items)), arguments)
    return Connection(
        nodes=[make(item) for item in items[start:stop]] if make else list(items[start:stop]),
        cursor=lambda at: encode_cursor(f"{prefix}{start + at + 1}"),
        total_count=len(items) if total is None else total,
        has_previous_page=start > 0,
        has_next_page=stop < len(items),
    )


def ordered(
    items: Iterable[Any],
    arguments: Mapping[str, Any],
    place: Callable[[Any], Place],
    *,
    descending: bool = False,
) -> Connection:
    """A page of items in the order of their places."""
    rising = sorted(items, key=place)
    after, before = (arguments.get(name) or None for name in ("after", "before"))
    over, under = (before, after) if descending else (after, before)
    low = bisect_right(rising, _place(over), key=place) if over else 0
    high = bisect_left(rising, _place(under), key=place) if under else len(rising)
    first, last = arguments.get("first"), arguments.get("last")
    if descending:
        first, last = last, first
    low, high = _bounds(low, high, {"first": first, "last": last})
    nodes = rising[low:high][::-1] if descending else rising[low:high]
    below, above = low > 0, high < len(rising)
    return Connection(
        nodes=nodes,
        cursor=lambda at: _cursor(place(nodes[at])),
        total_count=len(rising),
        has_previous_page=above if descending else below,
        has_next_page=below if descending else above,
    )


def encode_cursor(text: str) -> str:
    """A cursor as clients see it."""
    return b64encode(text.encode()).decode()


def decode_cursor(cursor: str) -> str:
    """The text a cursor stands for; GitHub refuses what it did not make."""
    try:
        return b64decode(cursor, validate=True).decode()
    except ValueError:
        raise not_a_cursor(cursor) from None


def not_a_cursor(cursor: str) -> Refused:
    """The refusal of a cursor that GitHub did not make."""
    return Refused("INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor.")


def _bounds(start: int, stop: int, arguments: Mapping[str, Any]) -> tuple[int, int]:
    stop = max(start, stop)
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None:
        stop = min(stop, start + first)
    if last is not None:
        start = max(start, stop - last)
    return start, stop


def _number(cursor: str | None, prefix: str, default: int) -> int:
    if not cursor:
        return default
    text = decode_cursor(cursor)
    number = text.removeprefix(prefix)
    if not text.startswith(prefix) or not number.isdecimal():
        raise not_a_cursor(cursor)
    return int(number)


def _cursor(place: Place) -> str:
    told = [f"@{one.isoformat()}" if isinstance(one, datetime) else one for one in place]
    return encode_cursor(_VERSION + json.dumps(told))


def _place(cursor: str) -> Place:
    text = decode_cursor(cursor)
    try:
        told = json.loads(text.removeprefix(_VERSION))
        place = tuple(datetime.fromisoformat(one[1:]) if _is_time(one) else one for one in told)
    except (ValueError, TypeError):
        raise not_a_cursor(cursor) from None
    if not text.startswith(_VERSION):
        raise not_a_cursor(cursor)
    return place


def _is_time(told: Any) -> bool:
    return isinstance(told, str) and told.startswith("@")
