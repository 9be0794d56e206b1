"""Branches that older versions are released from, and what goes there and comes back."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from vpemetrics.demo.hours import DAY, MINUTE, WEEK, moment
from vpemetrics.demo.mainline import Joining, Mainline
from vpemetrics.demo.workshop import MergedWork, Workshop
from vpemetrics.records import AnyRecord, Commit

CADENCE: Final = 12 * WEEK


class ReleaseBranches:
    """The release branches of a repository, one every twelve weeks."""

    def __init__(self, mainline: Mainline, workshop: Workshop) -> None:
        self._mainline = mainline
        self._workshop = workshop
        self._tips: dict[str, str] = {}

    def backport(self, work: MergedWork, at: int) -> Iterator[AnyRecord]:
        """Work that the main branch has is picked onto the release branch, by a change."""
        name, tip = self._branch(at)
        commit = replace(
            work.commits[-1],
            sha=self._mainline.new_sha(),
            parents=(tip,),
            committed_at=moment(at),
            picked_from_sha=work.sha,
            reverts_sha=(),
        )
        self._tips[name] = commit.sha
        yield commit
        yield self._workshop.backport(work, commit, name, at)

    def mend_there_first(self, work: MergedWork, at: int) -> Iterator[Commit]:
        """A repair of work is made on the release branch, and picked onto the main branch."""
        name, tip = self._branch(at)
        repair = replace(
            work.commits[-1],
            sha=self._mainline.new_sha(),
            parents=(tip,),
            authored_at=moment(at - 30 * MINUTE),
            committed_at=moment(at),
            reverts_sha=(),
        )
        self._tips[name] = repair.sha
        yield repair
        picked = replace(repair, picked_from_sha=repair.sha)
        yield from self._mainline.join([picked], Joining.REBASE, at)

    def _branch(self, at: int) -> tuple[str, str]:
        """The newest release branch, with its tip; it left the main branch a week before."""
        name = f"release/{at // CADENCE}"
        return name, self._tips.get(name) or self._mainline.head_at(at - 7 * DAY)
