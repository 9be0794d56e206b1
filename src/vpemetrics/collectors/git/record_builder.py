"""Records built from what was read of a repository."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from vpemetrics.collectors.git.clone import Clone
from vpemetrics.collectors.git.log import moment, read_paths
from vpemetrics.collectors.git.options import Options
from vpemetrics.collectors.git.reading import HistoryReading
from vpemetrics.collectors.git.subjects import reverted_pulls
from vpemetrics.collectors.git.tags import Tag, environment_of, service_of
from vpemetrics.records import (
    Change,
    Commit,
    Coverage,
    CoverageKind,
    Deployment,
    Repository,
    Status,
)
from vpemetrics.window import parse_instant

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class GitRecordBuilder:
    """The records of one reading, under the name of its repository."""

    options: Options
    clone: Clone
    repository: str
    tags: Sequence[Tag]
    reading: HistoryReading
    since: datetime | None

    def repositories(self) -> Iterator[Repository]:
        """The repository itself."""
        yield Repository(id=self.repository, name=self.repository, default_branch=self.clone.branch)

    @cached_property
    def changes(self) -> list[Change]:
        """The merged pull requests."""
        return [self._change(number) for number in self.reading.landings]

    def _change(self, number: int) -> Change:
        landing = self.reading.landings[number]
        said, message = landing.said, self.reading.logged[landing.sha].message
        remote, name = self.clone.remote, self.repository
        base = self.clone.branch if landing.on_line else None
        return Change(
            id=f"{name}#{number}",
            repository=name,
            number=number,
            url=remote.change_url(number) if remote else None,
            title=said.title,
            merged_at=self.reading.commits[landing.sha].committed_at,
            merge_commit_sha=landing.sha,
            commit_shas=tuple(self.reading.originals(landing, self.clone.pulls)),
            base_branch=said.base_branch or base,
            head_branch=said.head_branch,
            reverts=tuple(f"{name}#{number}" for number in reverted_pulls(message, name)),
        )

    @property
    def deployed(self) -> Sequence[str]:
        """The commits of the deployed history."""
        return self.reading.arrivals.order

    @cached_property
    def originals(self) -> Sequence[str]:
        """The original commits of what was merged into it, as far as they are no part of it."""
        arrived, read = self.reading.arrivals.place, self.reading.commits
        found = dict.fromkeys(sha for change in self.changes for sha in change.commit_shas)
        return [sha for sha in found if sha not in arrived and sha in read]

    def commits(self, shas: Sequence[str], *, with_paths: bool) -> Iterator[Commit]:
        """The records of commits, where it is wanted with what they touch."""
        found = map(self.reading.commits.__getitem__, shas)
        if not with_paths:
            return found
        paths = read_paths(self.clone.git, shas)
        return (
            replace(commit, paths=paths.get(commit.sha)) if len(commit.parents) < 2 else commit
            for commit in found
        )

    @cached_property
    def deployments(self) -> list[Deployment]:
        """The deployments, by tags or by the branch's own line; the oldest first on a line."""
        if self.options.deployments == "tags":
            return [self._of_tag(tag) for tag in self.reading.tags]
        if self.options.deployments == "commits":
            return [
                self._deployment(sha, sha, at)
                for sha, at in self._line
                if at and (self.since is None or at >= self.since)
            ]
        return []

    def _of_tag(self, tag: Tag) -> Deployment:
        made = self._deployment(
            tag.name,
            tag.commit,
            moment(tag.seconds),
            tag.name,
            service_of(tag.name, self.repository),
        )
        place = None if self.options.tags else environment_of(tag.name)
        return replace(made, environment=place) if place else made

    def _deployment(
        self,
        id_: str,
        commit: str,
        at: datetime | None,
        version: str | None = None,
        service: str | None = None,
    ) -> Deployment:
        return Deployment(
            id=id_,
            environment=self.options.environment,
            status=Status.SUCCEEDED,
            service=service,
            repository=self.repository,
            commit_sha=commit,
            version=version,
            finished_at=at,
        )

    @property
    def newest_at(self) -> datetime | None:
        """The time at which the branch's newest commit counts as deployed, where commits are."""
        if self.options.deployments != "commits" or not self._line:
            return None
        return self._line[-1][1]

    @cached_property
    def _line(self) -> list[tuple[str, datetime | None]]:
        """The branch's own commits, oldest first; those of one second a microsecond apart."""
        after = self.reading.after
        before = parse_instant(after.newest_at) if after and after.newest_at else None
        found = []
        for sha in reversed(self.reading.line):
            at = self.reading.commits[sha].committed_at
            if at and before and at == before.replace(microsecond=0):
                at = before + _TICK
            before = at or before
            found.append((sha, at))
        return found

    def coverage(self, source: str, start: datetime, end: datetime) -> Iterator[Coverage]:
        """For which time commits, changes and, of each service, deployments are known."""
        mine = [self.repository]
        places = (
            (CoverageKind.COMMITS, mine),
            (CoverageKind.PULL_REQUESTS, mine),
            (CoverageKind.DEPLOYMENTS, self._services()),
        )
        for kind, scopes in places:
            late = self.since if kind is CoverageKind.DEPLOYMENTS else None
            begin = max(start, late) if late else start
            for scope in scopes if begin < end else ():
                yield Coverage(source=source, scope=scope, kind=kind, start=begin, end=end)

    def _services(self) -> list[str]:
        if self.options.deployments == "tags":
            named = (service_of(tag.name, self.repository) for tag in self.tags)
            return sorted({name or self.repository for name in named})
        return [self.repository] if self.options.deployments == "commits" else []
