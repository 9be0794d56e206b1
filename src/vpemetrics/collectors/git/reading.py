"""The history of a repository: what is new in it since the last time, or all of it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vpemetrics.collectors.git.arrivals import Arrivals, imported_commits
from vpemetrics.collectors.git.clone import Clone
from vpemetrics.collectors.git.commands import GitFailed
from vpemetrics.collectors.git.commits_read import CommitsRead
from vpemetrics.collectors.git.cursor import GitCursor
from vpemetrics.collectors.git.log import LogColumns, Logged, read_log, read_log_columns
from vpemetrics.collectors.git.pulls import Landing, Numbers, landings
from vpemetrics.collectors.git.subjects import Merged, is_merge, title_of
from vpemetrics.record_columns import RecordColumns
from vpemetrics.version_tags import Tag


@dataclass(frozen=True, kw_only=True)
class HistoryReading:
    """A history, or what is new in it.

    `commits` are all that were read; those of pull requests' heads come with `wait`.
    `logged` are those that say they merged a pull request, as git told them. `line` are the
    default branch's own, newest first. `tags` are the deployed ones, `titles` those of their
    commits; `after` is where the last collection ended, None if all was read.
    """

    commits: CommitsRead = field(repr=False)
    logged: Mapping[str, Logged] = field(repr=False)
    arrivals: Arrivals = field(repr=False)
    line: Sequence[str] = field(repr=False)
    landings: Mapping[int, Landing] = field(repr=False)
    tags: Sequence[Tag]
    titles: Mapping[str, str]
    after: GitCursor | None
    marked: Collection[int]
    """The numbers that were only marked, of pull requests or of issues."""
    imports: bool
    """True if a merge brought in another repository's history, now or before."""
    odd_merges: Mapping[str, str]
    """The subjects of merges on the branch's own line that are in no known form, by their shas."""
    wait: Callable[[], None] = field(repr=False)
    """Reads the original commits of pull requests, unless they are read; git is at it."""

    def is_merge(self, landing: Landing) -> bool:
        """True if a pull request was merged with a merge commit."""
        return len(self.commits.parents[landing.sha]) > 1

    def originals(self, landing: Landing, pulls: Mapping[int, str]) -> Sequence[str]:
        """The original commits of a pull request, oldest first; none where they are unknown."""
        self.wait()
        if self.is_merge(landing):
            # A merge that brought nothing new lists its head: another's commit by now.
            brought = self.arrivals.commits_of_merge(landing.sha)
            return brought or self.commits.parents[landing.sha][1:2]
        head = pulls.get(landing.said.number)
        return (self.arrivals.commits_of_head(head, landing.sha) or []) if head else []


class CloneReader:
    """A reader of one clone, whose deployed tags are known; `told` makes records of commits."""

    def __init__(
        self, clone: Clone, tags: Sequence[Tag], told: Callable[[LogColumns], RecordColumns]
    ) -> None:
        """Nothing is read yet."""
        self._clone = clone
        self._tags = tags
        self._told = told
        self._numbers = Numbers(clone.pulls, clone.mark)
        self._commits = CommitsRead()
        self._logged: dict[str, Logged] = {}
        self._said: dict[str, Merged] = {}
        self._odd: dict[str, str] = {}
        self._tagged = frozenset(tag.commit for tag in tags)
        self._titles: dict[str, str] = {}
        self._arriving: Iterator[LogColumns] = iter(())

    def read(self, after: GitCursor | None) -> HistoryReading:
        """Read what is new after a cursor, or else everything.

        Everything is read too where something new touches what was told before: a rewritten
        branch, a tag off the branch, a number met again.
        """
        found = self._read_new(after) if after else None
        return found or self._read_all()

    def _read_all(self) -> HistoryReading:
        self._commits, self._logged, self._said, self._odd = CommitsRead(), {}, {}, {}
        tip = [self._clone.tip] if self._clone.tip else []
        tags = sorted(self._tags, key=lambda tag: (int(tag.seconds or 0), tag.name))
        tips = [*tip, *(tag.commit for tag in tags)]
        self._log(tips)
        self._begin_heads(without=tips)
        return self._sorted_out(tags, [tag.commit for tag in tags], None)

    def _read_new(self, after: GitCursor) -> HistoryReading | None:
        """Read what is new, if that can be told without what was read before."""
        clone = self._clone
        if clone.tip is None or after.tip is None:
            return None
        new = [tag for tag in self._tags if after.tags.get(tag.name) != tag.state]
        try:
            self._log([clone.tip, *(tag.commit for tag in new)], without=[after.tip])
            if after.imports and self._has_branches(clone.tip):
                return None  # what a branch began from may be another repository's
            found = self._sorted_out(new, [], after)
            if not _follows(found, clone.tip, after):
                return None
            self._begin_heads(without=[after.tip])
        except GitFailed:  # what was read before is gone
            return None
        return found

    def _log(self, tips: Sequence[str], without: Sequence[str] = ()) -> None:
        """Read the history that tags and the branch hold."""
        # All that can be is done while git is still at work: that is for nothing where it has a
        # core of its own.
        for log in read_log_columns(self._clone.git, tips, without=without) if tips else ():
            self._commits.add(self._told(log))
            for logged in log.rows():
                if logged.sha in self._tagged:
                    self._titles[logged.sha] = title_of(logged.message)
                if said := self._numbers.merge_in(logged.message):
                    self._logged[logged.sha], self._said[logged.sha] = logged, said
                elif " " in logged.parents and not is_merge(logged.message):
                    self._odd[logged.sha] = logged.message.lstrip().partition("\n")[0]

    def _begin_heads(self, without: Sequence[str]) -> None:
        """Have git begin with the original commits of what was merged, as far as it has them."""
        pulls, numbers = self._clone.pulls, (merged.number for merged in self._said.values())
        heads = [pulls[number] for number in dict.fromkeys(numbers) if number in pulls]
        if heads:
            self._arriving = read_log_columns(self._clone.git, heads, without=without)

    def _read_heads(self) -> None:
        for log in self._arriving:
            self._commits.add(self._told(log))

    def _sorted_out(
        self, tags: Sequence[Tag], branches: Sequence[str], after: GitCursor | None
    ) -> HistoryReading:
        clone, logged, said = self._clone, self._logged, self._said
        arrivals = Arrivals(self._commits.parents, said.__contains__, boundary=clone.boundary)
        line = arrivals.add(clone.tip) if clone.tip else []
        for tip in branches:
            arrivals.add(tip)
        imported = imported_commits(self._commits.parents, line, clone.boundary)
        said = {sha: merged for sha, merged in said.items() if sha not in imported}
        return HistoryReading(
            commits=self._commits,
            logged=logged,
            arrivals=arrivals,
            line=line,
            landings=landings(logged, said, arrivals, line),
            tags=tags,
            titles=self._titles_of(tags),
            after=after,
            marked=self._numbers.marked,
            imports=bool(imported or (after and after.imports)),
            odd_merges={sha: self._odd[sha] for sha in line if sha in self._odd},
            wait=self._read_heads,
        )

    def _has_branches(self, tip: str) -> bool:
        """Tell whether anything that was read is on no first parents' line from the tip."""
        parents, count = self._commits.parents, 0
        while tip in parents:
            tip, count = next(iter(parents[tip]), ""), count + 1
        return count < len(parents)

    def _titles_of(self, tags: Sequence[Tag]) -> Mapping[str, str]:
        """The titles of tagged commits; one may have been read long before its tag was made."""
        left = [tag.commit for tag in tags if tag.commit not in self._titles]
        if left:
            for logged in read_log(self._clone.git, left, more=("--no-walk=unsorted",)):
                self._titles[logged.sha] = title_of(logged.message)
        return self._titles


def _follows(found: HistoryReading, tip: str, after: GitCursor) -> bool:
    """Tell whether all that is new stands on top of what was told."""
    before = found.commits.parents[found.line[-1]][:1] if found.line else (tip,)
    return (
        before == (after.tip,)
        and len(found.arrivals.order) == len(found.commits.parents)
        and found.landings.keys().isdisjoint(after.told)
    )
