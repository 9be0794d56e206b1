"""Pages of GitHub's lists: as large as it can bear, and nothing of them lost in silence."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from vpemetrics.collectors.github.asking import Asking
from vpemetrics.collectors.github.client import Answer, Missing
from vpemetrics.collectors.github.cursor import ListProgress
from vpemetrics.collectors.github.parse.naming import Node
from vpemetrics.collectors.github.problems import Forbidden, Gone, TooHeavy

FULL: Final = 100
"""The most that GitHub gives of anything."""

_TRIES: Final = 2
"""How often a page of one is asked for again."""
_GONE: Final = "NOT_FOUND"
_FORBIDDEN: Final = ("FORBIDDEN", "INSUFFICIENT_SCOPES")


class Absent(Gone):
    """What was asked about is simply not there; GitHub says so without calling it an error."""


def _timeless(_node: Node) -> datetime | None:
    """No moment: in a list that is in no order."""
    return None


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A list of GitHub's: its query, where it is in the answer, and the moment it is ordered by.

    `start` is how much is asked for at first, `largest` at most. Of what is `whole` a part is
    worth nothing.
    """

    query: str
    path: tuple[str, ...]
    moment: Callable[[Node], datetime | None] = _timeless
    start: int = FULL
    largest: int = FULL
    whole: bool = False


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page: what is on it, GitHub's cursor if another one follows, and the size that went well.

    `partial` are ids of things of which GitHub left something out; `lost` counts those it did
    not give at all.
    """

    nodes: Sequence[Node]
    after: str | None
    size: int
    partial: frozenset[str] = frozenset()
    lost: int = 0


def ask_page(asking: Asking, listing: Listing, variables: Mapping[str, Any], size: int) -> Page:
    """The page after `$after`, halved for as long as GitHub finds it too heavy or has gaps in it.

    TooHeavy if a page of one is; Gone or Forbidden if there is no such list for us.
    """
    tries = 0
    while True:
        try:
            answer = asking.query(listing.query, {**variables, "first": size}, halves=size > 1)
            page = _page(answer, listing, size)
            if listing.whole and answer.missing:
                raise TooHeavy(f"GitHub leaves something out: {answer.missing[0].message}")
        except TooHeavy:
            tries += size == 1
            if tries > _TRIES:
                raise
        else:
            if not page.lost or size == 1:
                return replace(page, size=min(listing.largest, size + size // 10 + 1))
        size = max(1, size // 2)


def read(
    asking: Asking, listing: Listing, variables: Mapping[str, Any], progress: ListProgress
) -> Iterator[tuple[Page, ListProgress]]:
    """The pages in the gaps of a list, each with how far it then was read."""
    while progress.gaps:
        gap = progress.gaps[0]
        page = ask_page(asking, listing, {**variables, "after": gap.after}, progress.size)
        if page.after is not None and page.after == gap.after:
            raise TooHeavy("GitHub gives the same page of a list again and again; try again later")
        moments = [at for one in page.nodes if (at := listing.moment(one))]
        progress = replace(progress, size=page.size).advanced(
            min(moments, default=None), page.after, max(moments, default=None)
        )
        wanted = [one for one in page.nodes if _is_within(one, listing, gap.down_to)]
        yield replace(page, nodes=wanted), progress


def rest(asking: Asking, listing: Listing, variables: Mapping[str, Any], connection: Node) -> Node:
    """A connection with all that follows its first page."""
    found, info = [*(connection.get("nodes") or ())], connection.get("pageInfo") or {}
    after = info.get("endCursor") if info.get("hasNextPage") else None
    while after:
        page = ask_page(asking, listing, {**variables, "after": after}, FULL)
        found += page.nodes
        after = page.after if page.after != after else None
    return {**connection, "nodes": found}


def _is_within(node: Node, listing: Listing, down_to: datetime) -> bool:
    at = listing.moment(node)
    return at is None or at >= down_to


def _page(answer: Answer, listing: Listing, size: int) -> Page:
    connection = _at(answer.data, listing.path)
    if connection is None or connection.get("nodes") is None:
        raise _refusal(answer.missing)
    given = connection["nodes"]
    info = connection.get("pageInfo") or {}
    depth = len(listing.path) + 1
    partial = {
        given[place]["id"]
        for one in answer.missing
        if (place := _place(one, (*listing.path, "nodes"), depth)) is not None
        and place < len(given)
        and given[place]
        and "id" in given[place]
    }
    return Page(
        nodes=[one for one in given if one],
        after=info.get("endCursor") if info.get("hasNextPage") else None,
        size=size,
        partial=frozenset(partial),
        lost=sum(one is None for one in given),
    )


def _place(missing: Missing, path: tuple[str, ...], depth: int) -> int | None:
    """Which of a list's items something missing is in."""
    at = missing.path[depth] if len(missing.path) > depth else None
    return at if missing.path[:depth] == path and isinstance(at, int) else None


def _refusal(missing: Sequence[Missing]) -> Exception:
    """Why a whole list was not given."""
    kinds: dict[str, str] = {one.kind: one.message for one in missing}
    if not missing:
        return Absent("there is no such thing")
    if _GONE in kinds:
        return Gone(kinds[_GONE])
    for kind in _FORBIDDEN:
        if kind in kinds:
            return Forbidden(kinds[kind])
    return TooHeavy(f"GitHub left a whole list out of its answer: {missing[0].message}")


def _at(data: Node, path: Sequence[str]) -> Any:
    found: Any = data
    for part in path:
        found = (found or {}).get(part)
    return found
