"""Reads a repository's history: what is new in it since the last time, or all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vpemetrics.collectors.git.arrivals import Arrivals
from vpemetrics.collectors.git.clone import Clone
from vpemetrics.collectors.git.commands import GitFailed
from vpemetrics.collectors.git.log import Logged, read_log
from vpemetrics.collectors.git.position import Position
from vpemetrics.collectors.git.pulls import Landing, Numbers, is_pull, landings
from vpemetrics.collectors.git.tags import Tag


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A history, or what is new in it.

    `commits` are all that were read, by sha. `line` are the default branch's own, newest first.
    `tags` are the deployed ones, `after` is where the last collection ended, None if all was
    read.
    """

    commits: Mapping[str, Logged] = field(repr=False)
    arrivals: Arrivals = field(repr=False)
    line: Sequence[str] = field(repr=False)
    landings: Mapping[int, Landing] = field(repr=False)
    tags: Sequence[Tag]
    after: Position | None

    def is_merge(self, landing: Landing) -> bool:
        """Whether a pull request was merged with a merge commit."""
        return " " in self.commits[landing.sha].parents

    def originals(self, landing: Landing, pulls: Mapping[int, str]) -> list[str]:
        """The original commits of a pull request, oldest first; none where they are unknown."""
        if self.is_merge(landing):
            # A merge that brought nothing new lists its head: another's commit by now.
            brought = self.arrivals.brought(landing.sha)
            return [*brought] or self.commits[landing.sha].parents.split()[1:2]
        head = pulls.get(landing.said.number)
        return (self.arrivals.own(head, landing.sha) or []) if head else []


def read(clone: Clone, tags: Sequence[Tag], after: Position | None) -> Reading:
    """What is new in a clone after a position, or else everything.

    Everything is read too where something new touches what was told before: a rewritten
    branch, a tag off the branch, a number met again.
    """
    found = _read_new(clone, tags, after) if after else None
    return found or _read_all(clone, tags)


def _read_all(clone: Clone, tags: Sequence[Tag]) -> Reading:
    tips = [*([clone.tip] if clone.tip else []), *(tag.commit for tag in tags)]
    commits = {one.sha: one for one in read_log(clone.git, [*tips, *clone.pulls.values()])}
    return _sorted_out(clone, commits, tags, None)


def _read_new(clone: Clone, tags: Sequence[Tag], after: Position) -> Reading | None:
    """What is new, if that can be told without what was read before."""
    if clone.tip is None or after.tip is None:
        return None
    new = [tag for tag in tags if after.tags.get(tag.name) != tag.commit]
    try:
        tips = [clone.tip, *(tag.commit for tag in new)]
        commits = {one.sha: one for one in read_log(clone.git, tips, without=[after.tip])}
        found = _sorted_out(clone, commits, new, after)
        if not _follows(found, clone.tip, after):
            return None
        heads = [clone.pulls[number] for number in found.landings if number in clone.pulls]
        if heads:
            commits |= {one.sha: one for one in read_log(clone.git, heads, without=[after.tip])}
        return found
    except GitFailed:  # what was read before is gone
        return None


def _follows(found: Reading, tip: str, after: Position) -> bool:
    """Whether all that is new stands on top of what was told."""
    before = found.commits[found.line[-1]].parents.partition(" ")[0] if found.line else tip
    return (
        before == after.tip
        and len(found.arrivals.order) == len(found.commits)
        and found.landings.keys().isdisjoint(after.told)
    )


def _sorted_out(
    clone: Clone, commits: dict[str, Logged], tags: Sequence[Tag], after: Position | None
) -> Reading:
    numbers, mark = Numbers(clone.pulls), clone.mark
    arrivals = Arrivals(
        commits, lambda sha: is_pull(commits[sha], numbers, mark), boundary=clone.boundary
    )
    line = arrivals.add(clone.tip) if clone.tip else []
    if after is None:
        for tag in sorted(tags, key=lambda tag: (int(tag.seconds or 0), tag.name)):
            arrivals.add(tag.commit)
    return Reading(
        commits=commits,
        arrivals=arrivals,
        line=line,
        landings=landings(commits, arrivals, line, numbers, mark),
        tags=tags,
        after=after,
    )
