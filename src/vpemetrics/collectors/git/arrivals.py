"""The order in which commits came to the deployed history, and what each merge brought."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

NOWHERE: Final = -1


class Arrivals:
    """Commits in the order in which a branch got them, oldest first.

    A branch is its line of first parents. Where one of them is a merge, all that its other
    parents reach and nothing older does came with it, and stands right before it. Such a side
    is a branch too, so merges into branches are told apart likewise.
    """

    def __init__(
        self,
        parents: Mapping[str, Sequence[str]],
        is_pull: Callable[[str], bool],
        boundary: Collection[str] = (),
    ) -> None:
        """Nothing has arrived yet; `is_pull` tells merges of pull requests, by their sha.

        Parents that are none of the commits themselves arrived long ago. At the commits of the
        `boundary` the history is cut: what lies behind is not known.
        """
        self._parents = parents
        self._is_pull = is_pull
        self._boundary = boundary
        self.order: list[str] = []
        self.place: dict[str, int] = {}
        self.inside: set[str] = set()
        """Commits that came as part of some pull request's own."""
        self._starts: dict[str, int] = {}
        self._trunk = 0

    def add(self, tip: str) -> list[str]:
        """Let a branch arrive; its own line, newest first, as far as it had not arrived yet.

        The default branch comes first.
        """
        whole = self._line(tip)
        self._grow(whole)
        self._trunk = self._trunk or len(self.order)
        return whole

    def _grow(self, line: Sequence[str]) -> None:
        lines = [(list(line), False)]
        while lines:
            line, inside = lines[-1]
            side = self._next_side(line, inside=inside)
            if side is None:
                lines.pop()
            else:
                lines.append((self._line(side), inside or self._is_pull(line[-1])))

    def _next_side(self, line: list[str], *, inside: bool) -> str | None:
        """Let a line arrive up to a merge of what has not, and return that; None at its end."""
        parents, place, order = self._parents, self.place, self.order
        while line:
            commit = line[-1]
            if len(parents[commit]) > 1:
                self._starts.setdefault(commit, len(order))
                for side in parents[commit][1:]:
                    if side in parents and side not in place:
                        return side
            line.pop()
            place[commit] = len(order)
            order.append(commit)
            if inside:
                self.inside.add(commit)
        return None

    def commits_of_merge(self, merge: str) -> Sequence[str]:
        """The commits that came with a merge, oldest first, the merge itself apart."""
        return self.order[self._starts.get(merge, self.place[merge]) : self.place[merge]]

    def commits_of_head(self, head: str, landed: str) -> list[str] | None:
        """The commits of a pull request's head beyond the branch it was merged into, oldest first.

        `landed` is the commit its squash left on the branch. None where that cannot be told:
        the history is cut, or the head has no commit in common with the branch.
        """
        place, parents, boundary = self.place, self._parents, self._boundary
        before = next(iter(parents[landed]), "")
        base, end, trunk = place.get(before, NOWHERE), place[landed], self._trunk
        found: dict[str, None] = {}
        stack, met = [head], not before
        while stack:
            commit = stack.pop()
            while commit not in found:
                at, of = place.get(commit), parents.get(commit)
                on_branch = at is not None and (at <= base or end <= at < trunk)
                if of is None or (on_branch and not commit == head == landed):
                    met = True
                    break
                if commit in boundary:
                    return None
                found[commit] = None
                if len(of) != 1:
                    stack += of
                    break
                commit = of[0]  # nearly always: a branch is a straight line
        return list(reversed(found)) if met else None

    def _line(self, tip: str) -> list[str]:
        """A commit and its first parents that have not arrived yet, newest first."""
        parents, place = self._parents, self.place
        line = []
        while tip in parents and tip not in place:
            line.append(tip)
            tip = next(iter(parents[tip]), "")
        return line


def imported_commits(
    parents: Mapping[str, Sequence[str]], line: Sequence[str], boundary: frozenset[str]
) -> frozenset[str]:
    """The commits that merges brought in from elsewhere: those of another root than the line's.

    `line` is the default branch's own, newest first. Where it ends at a cut, there are none.
    """
    roots = {sha for sha, of in parents.items() if not of} - set(line[-1:])
    if not roots or not line or not boundary.isdisjoint([line[-1], *roots]):
        return frozenset()
    children = defaultdict(list)
    for sha, of in parents.items():
        for parent in of:
            children[parent].append(sha)
    left: dict[str, int] = {}
    elsewhere, todo = set(roots), list(roots)
    while todo:
        for child in children[todo.pop()]:
            left[child] = left.get(child, len(parents[child])) - 1
            if not left[child]:
                elsewhere.add(child)
                todo.append(child)
    merges = (sha for sha, others in left.items() if others)
    found, todo = set[str](), [parent for sha in merges for parent in parents[sha]]
    while todo:
        sha = todo.pop()
        if sha in elsewhere and sha not in found:
            found.add(sha)
            todo += parents[sha]
    return frozenset(found)
