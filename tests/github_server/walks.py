"""The history behind a commit in the order in which git log, and so GitHub, tells it."""

from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush
from typing import Final

from github_server.things import Commit

_REMEMBERED: Final = 8


class Walks:
    """The histories of one repository's commits; the last few are remembered."""

    def __init__(self) -> None:
        """Nothing was walked yet."""
        self._known: dict[str, list[Commit]] = {}

    def behind(self, oid: str, commits: Mapping[str, Commit]) -> list[Commit]:
        """A commit and all that it reaches, the latest committed first.

        Which commits a commit reaches never changes, so it is told from memory where it can be.
        """
        found = self._known.pop(oid, None)
        if found is None:
            found = list(_walk(oid, commits))
            if len(self._known) >= _REMEMBERED:
                del self._known[next(iter(self._known))]
        self._known[oid] = found
        return found


def touching(commits: Iterable[Commit], path: str) -> list[Commit]:
    """Those of the commits that touch a file, or a file in a folder; merges touch nothing."""
    inside = f"{path.rstrip('/')}/"
    return [
        commit
        for commit in commits
        if len(commit.parents) < 2
        and any(one == path or one.startswith(inside) for one in commit.paths or ())
    ]


def _walk(oid: str, commits: Mapping[str, Commit]) -> Iterator[Commit]:
    seen, heap = {oid}, list[tuple[float, int, str]]()
    _push(heap, oid, commits, 0)
    while heap:
        current = heappop(heap)[-1]
        commit = commits[current]
        yield commit
        for parent in commit.parents:
            if parent not in seen:
                seen.add(parent)
                _push(heap, parent, commits, len(seen))


def _push(
    heap: list[tuple[float, int, str]], oid: str, commits: Mapping[str, Commit], number: int
) -> None:
    """Remembers a commit to be told in its turn; parents that are not there are passed over."""
    if found := commits.get(oid):
        heappush(heap, (-found.committer.date.timestamp(), number, oid))
