"""The commits of one repository: a main branch that grows, and the branches that join it."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from vpemetrics.demo.dice import Dice
from vpemetrics.demo.hours import moment
from vpemetrics.records import AuthorKind, Commit

REMEMBERED = 20_000
LONG_BRANCH = 4


class Joining(StrEnum):
    """The way a branch becomes part of the main branch."""

    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"


class Mainline:
    """The main branch of a repository, and what stood at its head when."""

    def __init__(
        self, repository: str, dice: Dice, born_at: int, paths: tuple[str, ...] | None = None
    ) -> None:
        self.root = Commit(
            sha=dice.sha(),
            repository=repository,
            authored_at=moment(born_at),
            committed_at=moment(born_at),
            author="founder",
            author_kind=AuthorKind.PERSON,
            paths=paths,
        )
        self._dice = dice
        self._times = [born_at]
        self._shas = [self.root.sha]

    @property
    def head(self) -> str:
        """The newest commit of the main branch."""
        return self._shas[-1]

    def new_sha(self) -> str:
        """A name for a commit that is on none of these branches."""
        return self._dice.sha()

    def head_at(self, at: int) -> str:
        """The head at an earlier time (the oldest one remembered, if that was later)."""
        return self._shas[max(bisect_right(self._times, at) - 1, 0)]

    def branch(self, started: list[int], commit: Commit) -> list[Commit]:
        """Commits on a branch, one for each time, that leave the main branch at the first.

        The commit given holds what they have in common. A long branch takes the main branch
        in once, by a merge commit.
        """
        base, commits = self.head_at(started[0]), []
        tip = base
        for index, at in enumerate(started, start=1):
            parents: tuple[str, ...] = (tip,)
            if index == len(started) > LONG_BRANCH and self.head_at(at) != base:
                parents = (tip, self.head_at(at))
            tip, on = self._dice.sha(), moment(at)
            commits.append(
                replace(commit, sha=tip, parents=parents, authored_at=on, committed_at=on)
            )
        return commits

    def join(self, branch: list[Commit], how: Joining, at: int) -> Iterator[Commit]:
        """The commits the main branch gains when a branch is merged, squashed or rebased."""
        if how is Joining.REBASE:
            for commit in branch:
                if len(commit.parents) < 2:
                    yield self._grow(commit, at)
                else:  # git leaves merges out; what seeds lead to stays as it was
                    self._dice.sha()
            return
        tip = branch[-1]
        if how is Joining.MERGE:
            merge = replace(tip, authored_at=moment(at), reverts_sha=())
            yield self._grow(merge, at, (self.head, tip.sha))
        else:
            yield self._grow(replace(tip, authored_at=moment(at)), at)

    def join_all(self, branches: list[list[Commit]], at: int) -> Commit:
        """The commit that merges several branches at once."""
        tips = tuple(branch[-1].sha for branch in branches)
        merge = replace(branches[0][-1], authored_at=moment(at), reverts_sha=())
        return self._grow(merge, at, (self.head, *tips))

    def _grow(self, commit: Commit, at: int, parents: tuple[str, ...] = ()) -> Commit:
        grown = replace(
            commit,
            sha=self._dice.sha(),
            parents=parents or (self.head,),
            committed_at=moment(at),
        )
        self._times.append(at)
        self._shas.append(grown.sha)
        if len(self._shas) > 2 * REMEMBERED:
            del self._times[:REMEMBERED], self._shas[:REMEMBERED]
        return grown
