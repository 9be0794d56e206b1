"""Records built from what was read of a repository."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Final, NamedTuple

from vpemetrics.collectors.backports import backported_pulls
from vpemetrics.collectors.git.clone import Clone
from vpemetrics.collectors.git.commits import with_whole_shas
from vpemetrics.collectors.git.cursor import GitCursor
from vpemetrics.collectors.git.log import moment, read_parents, read_paths
from vpemetrics.collectors.git.options import Options
from vpemetrics.collectors.git.reading import HistoryReading
from vpemetrics.collectors.git.subjects import Merged, body_of, reverted_pulls
from vpemetrics.record_columns import RecordColumns
from vpemetrics.records import (
    Change,
    Coverage,
    CoverageKind,
    Deployment,
    Repository,
    Status,
)
from vpemetrics.release_titles import names_version
from vpemetrics.version_tags import Tag, environment_of, service_of
from vpemetrics.window import parse_instant, why_no_time

_TOGETHER: Final = timedelta(seconds=60)


_MERGE: Final = 2
"""The parents that a merge has at least."""


class Push(NamedTuple):
    """Commits of a branch that arrived together: the first and the last, each with its time."""

    first: str
    began_at: datetime
    last: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class GitRecordBuilder:
    """The records of one reading, under the name of its repository."""

    options: Options
    clone: Clone
    repository: str
    tags: Sequence[Tag]
    reading: HistoryReading
    since: datetime | None
    now: datetime

    def repositories(self) -> Iterator[Repository]:
        """The repository itself."""
        yield Repository(id=self.repository, name=self.repository, default_branch=self.clone.branch)

    @cached_property
    def _listed(self) -> list[Sequence[str]]:
        """The original commits of each merged pull request."""
        pulls = self.clone.pulls
        return [self.reading.originals(one, pulls) for one in self.reading.landings.values()]

    def changes(self, source: str) -> RecordColumns:
        """The merged pull requests, as a source tells them."""
        landings, name, remote = self.reading.landings, self.repository, self.clone.remote
        said = [landing.said for landing in landings.values()]
        merges = [landing.sha for landing in landings.values()]
        messages = [self.reading.logged[sha].message for sha in merges]
        own = self.clone.branch
        bases = [own if landing.on_line else None for landing in landings.values()]
        return RecordColumns.filled(
            Change,
            source,
            {
                "id": list(map(self.change_id, landings)),
                "repository": [name] * len(landings),
                "number": list(landings),
                "url": [remote.change_url(number) if remote else None for number in landings],
                "title": [one.title for one in said],
                "merge_commit_sha": merges,
                "commit_shas": list(map(tuple, self._listed)),
                "base_branch": [
                    one.base_branch or base for one, base in zip(said, bases, strict=True)
                ],
                "head_branch": [one.head_branch for one in said],
                "reverts": [
                    tuple(map(self.change_id, reverted_pulls(message, name)))
                    for message in messages
                ],
                "backports": [
                    self._backports(number, one, message)
                    for number, one, message in zip(landings, said, messages, strict=True)
                ],
            },
            {"merged_at": self.reading.commits.committed_at(merges)},
        )

    def _backports(self, number: int, said: Merged, message: str) -> tuple[str, ...]:
        name = self.repository
        brought = backported_pulls(said.title, said.head_branch, body_of(message), name, number)
        return tuple(map(self.change_id, brought))

    def change_id(self, number: int) -> str:
        """The id of a pull request by its number."""
        return f"{self.repository}#{number}"

    @property
    def deployed(self) -> Sequence[str]:
        """The commits of the deployed history."""
        return self.reading.arrivals.order

    @cached_property
    def originals(self) -> Sequence[str]:
        """The original commits of what was merged into it, as far as they are no part of it."""
        found = dict.fromkeys(chain.from_iterable(self._listed))
        arrived, read = self.reading.arrivals.place, self.reading.commits.parents
        return [sha for sha in found if sha not in arrived and sha in read]

    def commits(self, shas: Sequence[str], *, with_paths: bool) -> RecordColumns:
        """The records of commits, where it is wanted with what they touch."""
        found = with_whole_shas(self.clone.git, self.reading.commits.records(shas))
        if cut := [sha for sha in shas if sha in self.clone.boundary]:
            # A commit that lost its parents is no first one.
            told, lost = found.values, read_parents(self.clone.git, cut)
            whole = [lost.get(sha, of) for sha, of in zip(shas, told["parents"], strict=True)]
            found = replace(found, values={**told, "parents": whole})
        if not with_paths:
            return found
        paths, parents = read_paths(self.clone.git, shas), found.values["parents"]
        touched = [
            paths.get(sha) if len(of) < _MERGE else None
            for sha, of in zip(shas, parents, strict=True)
        ]
        return replace(found, values={**found.values, "paths": touched})

    @cached_property
    def deployments(self) -> list[Deployment]:
        """The deployments, by tags or by the branch's own line; the oldest first on a line."""
        if self.options.deployments == "tags":
            return [self._of_tag(tag) for tag in self.reading.tags]
        if self.options.deployments == "commits":
            return [
                self._deployment(push.first, push.last, push.at)
                for push in self._pushes
                if self.since is None or push.at >= self.since
            ]
        return []

    def _of_tag(self, tag: Tag) -> Deployment:
        service = service_of(tag.name, self.repository)
        made = self._deployment(tag.name, tag.commit, moment(tag.seconds), tag.name, service)
        place = None if self.options.tags else environment_of(tag.name)
        return replace(
            made,
            environment=place or made.environment,
            light_tag=tag.light,
            chosen_by_name=not self.options.tags,
            service_by_name=True if service else None,
            release_commit=names_version(self.reading.titles.get(tag.commit), tag.name),
        )

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
    def latest_push(self) -> Push | None:
        """The commits of the branch that were deployed last, where commits are."""
        told = self.options.deployments == "commits" and self._pushes
        return told[-1] if told else None

    @cached_property
    def _pushes(self) -> list[Push]:
        """The branch's own commits that arrived together, oldest first (rule D1).

        All within a minute of the first of them; none arrived before its parent.
        """
        after, found = self.reading.after, dict[str, Push]()
        push = _push_of(after) if after else None
        for sha in reversed(self.reading.line):
            at = self.reading.commits.moment_of(sha)
            known = [push.at] if push else []
            if at and not why_no_time(at, self.now):
                known.append(at)
            if not known:
                continue
            at = max(known)
            if push is None or at - push.began_at > _TOGETHER:
                push = Push(sha, at, sha, at)
            else:
                push = push._replace(last=sha, at=at)
            found[push.first] = push
        return list(found.values())

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
            return sorted({self.repository, *filter(None, named)}) if self.tags else []
        return [self.repository] if self.options.deployments == "commits" else []


def _push_of(cursor: GitCursor) -> Push | None:
    """The commits that a collection found last, if it looked for any."""
    if not cursor.push:
        return None
    times = parse_instant(cursor.pushed_at), parse_instant(cursor.newest_at)
    return Push(cursor.push, times[0], "", times[1])
