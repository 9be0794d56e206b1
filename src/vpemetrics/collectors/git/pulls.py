"""The pull requests merged into a history, each with the commit that did it (rule C1)."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from vpemetrics.collectors.git.arrivals import Arrivals
from vpemetrics.collectors.git.log import Logged
from vpemetrics.collectors.git.subjects import Merged, parse_merge

WEB: Final = "noreply@github.com"
"""The committer of what was merged on the web.

https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification
"""


_FEW: Final = 20
"""Heads are few if they are not even one of so many numbers."""


class Landing(NamedTuple):
    """A pull request and the commit that merged it."""

    sha: str
    said: Merged
    on_line: bool
    """True if that commit lies on the default branch's own line."""


class Numbers:
    """Numbers that can be pull requests: the rest are issues, where heads are at hand.

    A number above all known heads may be of a pull request whose head was not fetched yet;
    and a few heads, fetched by hand, say nothing about the others.
    """

    def __init__(self, heads: Collection[int], mark: str = "#") -> None:
        """The known heads' numbers, and what stands before a number here."""
        self._heads = heads
        self._mark = mark
        last = max(heads, default=0)
        self._last = last if len(heads) * _FEW > last else 0

        self.marked: set[int] = set()
        """The numbers of which no more was said than a mark, whatever they can be."""

    def merge_in(self, message: str) -> Merged | None:
        """The pull request that a message says was merged, if it can be one."""
        said = parse_merge(message, self._mark)
        if said is None or not said.only_marked:
            return said
        self.marked.add(said.number)
        return said if self.can_be_pull(said.number) else None

    def can_be_pull(self, number: int) -> bool:
        """Tell whether a number that is only marked can be a pull request's."""
        return number > self._last or number in self._heads


def landings(
    logged: Mapping[str, Logged],
    said: Mapping[str, Merged],
    arrivals: Arrivals,
    line: Iterable[str],
) -> dict[int, Landing]:
    """The merged pull requests by number, each with the commit it was merged by.

    `said` is what commits say they merged, by their sha.

    A number met twice is that of the default branch's own line, else of what arrived first:
    the other is a copy on another branch. A squash that came with another pull request is such
    a copy too, unless it was made on the web and is the only one.
    """
    own_line, inside = frozenset(line), arrivals.inside
    found: dict[int, Landing] = {}
    doubtful: dict[int, Landing] = {}
    for sha in filter(said.__contains__, arrivals.order):
        commit, number = logged[sha], said[sha].number
        landing = Landing(sha, said[sha], sha in own_line)
        if sha in inside and " " not in commit.parents:
            if commit.committer == WEB:
                doubtful.setdefault(number, landing)
            continue
        before = found.get(number)
        if before is None or (landing.on_line and not before.on_line):
            found[number] = landing
    return doubtful | found
