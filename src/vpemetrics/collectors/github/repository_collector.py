"""One repository collected, part by part: each goes on where the last collection left off.

First come the commits, so that originals of pull requests can be told from what is on a branch
already; last the histories of deployed commits that are on no branch that was read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from vpemetrics.collectors.base import Batch
from vpemetrics.collectors.git.commands import GitFailed
from vpemetrics.collectors.github.asking import Enough
from vpemetrics.collectors.github.commit_history import HistoryReader
from vpemetrics.collectors.github.connections import (
    ISSUES,
    LISTINGS,
    RUNS,
    base,
    is_empty,
    is_quiet,
    label_of,
    progress_of,
    runs_sign,
    sign,
    wanted,
)
from vpemetrics.collectors.github.coverage import coverage
from vpemetrics.collectors.github.cursor import GitHubCursor, OpenItem, SeenCommits
from vpemetrics.collectors.github.mirror import Mirror, Unfetched
from vpemetrics.collectors.github.mirror_history import MirrorReader
from vpemetrics.collectors.github.paging import FULL, read
from vpemetrics.collectors.github.parse.naming import Node
from vpemetrics.collectors.github.problems import Forbidden, GitHubProblem, Gone, TooHeavy
from vpemetrics.collectors.github.record_builder import GitHubRecordBuilder
from vpemetrics.collectors.github.refetch import ask_again
from vpemetrics.collectors.github.repository import RepositoryTarget
from vpemetrics.collectors.github.workflow_runs import RunsReader
from vpemetrics.errors import VpemetricsError
from vpemetrics.records import AnyRecord, Change, Deployment, Repository

COMMITS: Final = " commits"
"""What stands behind a repository's name where the commits it told are noted."""

_AGAIN_AT_ONCE: Final = 25


def _history_reader(
    target: RepositoryTarget, known: SeenCommits, cursor: GitHubCursor, mirror: Mirror | None
) -> HistoryReader:
    """What reads the commits: git where there is a mirror, else the API."""
    if mirror is None:
        return HistoryReader(target, known, cursor.history)
    return MirrorReader(target, known, cursor.history, mirror)


class RepositoryCollector:
    """The collection of one repository.

    `batches` are what is new; `errors` what went wrong in which part, while others went on.
    `lost` counts by what GitHub did not give of it.
    """

    def __init__(
        self,
        target: RepositoryTarget,
        cursor: GitHubCursor,
        known: SeenCommits,
        moved: Sequence[str],
        mirror: Mirror | None = None,
    ) -> None:
        """`moved` are ids of open things that GitHub changed since they were read."""
        self.target = target
        self.cursor = cursor
        self.errors: dict[str, VpemetricsError] = {}
        self.lost: dict[str, int] = {}
        self._known = known
        self._moved = moved
        self._telling = GitHubRecordBuilder(
            target=target, known=known, has_originals=mirror is not None
        )
        self._history = _history_reader(target, known, cursor, mirror) if target.is_code else None

    def batches(self) -> Iterator[Batch]:
        """All that is new. Enough, or the problem, if it ends before all is told."""
        end: Exception | None = None
        self.cursor = replace(
            self.cursor, name=self.target.probe.name, branch=self.target.probe.branch
        )
        try:
            for name in self._parts():
                try:
                    yield from self._part(name)
                except (Forbidden, Gone, TooHeavy, GitFailed, Unfetched) as error:
                    self.errors[name] = error
        except (Enough, GitHubProblem) as reason:
            end = reason
        covered = coverage(self.target, self.cursor, in_part=isinstance(end, Enough))
        yield self._batch([*self._repository(), *covered])
        if end:
            raise end

    def _parts(self) -> list[str]:
        lists = wanted(self.target)
        code = ["commits"] if self.target.is_code else []
        late = ["deployed commits"] if self.target.is_code else []
        return [*code, "open", *lists, "open again", *late]

    def _part(self, name: str) -> Iterator[Batch]:
        match base(name):
            case "commits" | "deployed commits":
                return self._commits()
            case "open":
                return self._ask_again(self._moved)
            case "open again":
                return self._ask_again(self._partial())
            case "issues of type":
                return self._typed(name)
            case "runs":
                return self._runs()
        return self._list(name)

    def _commits(self) -> Iterator[Batch]:
        if self._history:
            for commits in self._history.read():
                yield self._batch(commits)

    def _list(self, name: str) -> Iterator[Batch]:
        if is_quiet(self.target, self.cursor, name):
            known = replace(self.cursor.lists[name], end=self.target.now)
            self.cursor = self.cursor.listed(name, known)
            return
        listing = LISTINGS[base(name)]
        progress = progress_of(self.target, self.cursor, name)
        if is_empty(self.target, name):
            progress = replace(progress, gaps=())
        variables: dict[str, object] = {"id": self.target.probe.id}
        if base(name) == ISSUES:
            variables |= {"labels": [label_of(name)]}
        for page, reached in read(self.target.asking, listing.listing, variables, progress):
            progress = reached
            self._lose(name, page.lost)
            records, found = self._told(page.nodes, listing.kind, page.partial)
            self.cursor = self.cursor.listed(name, progress).opened(found)
            yield self._batch(records)
        done = replace(progress, sign=sign(self.target, name)[0])
        self.cursor = self.cursor.listed(name, done)

    def _told(
        self, nodes: Sequence[Node], kind: str, partial: frozenset[str]
    ) -> tuple[list[AnyRecord], dict[str, OpenItem | None]]:
        records: list[AnyRecord] = []
        found: dict[str, OpenItem | None] = {}
        for node in nodes:
            told = self._telling.tell(node, kind)
            records += told.records
            id_ = node.get("id")
            if id_ in partial:
                before = self.cursor.open.get(id_) or OpenItem(
                    kind=kind, created_at=self.target.now
                )
                found[id_] = self._telling.again(node, before)
                self._lose(f"parts of {kind}", found[id_] is None)
            elif id_:
                found[id_] = told.open
        if isinstance(self._history, MirrorReader):
            merged = [one for one in records if isinstance(one, Change) and one.merged_at]
            records += self._history.originals([sha for one in merged for sha in one.commit_shas])
        return records, found

    def _ask_again(self, ids: Sequence[str]) -> Iterator[Batch]:
        """What is open, and what GitHub left something out of, by its ids."""
        for at in range(0, len(ids), _AGAIN_AT_ONCE):
            some = ids[at : at + _AGAIN_AT_ONCE]
            again = ask_again(self.target.asking, some)
            records: list[AnyRecord] = []
            found = {id_: self._not_there(id_) for id_ in again.gone}
            for node in again.nodes:
                own, opened = self._told([node], node["__typename"], again.partial)
                records += own
                found |= opened
            self.cursor = self.cursor.opened(found)
            yield self._batch(records)

    def _not_there(self, id_: str) -> OpenItem | None:
        """Something that was open and is not found: asked for some more times before it counts."""
        before = self.cursor.open.get(id_)
        return self._telling.again({}, before) if before else None

    def _typed(self, name: str) -> Iterator[Batch]:
        """Issues of a type: GraphQL knows none, so REST names them."""
        if is_quiet(self.target, self.cursor, name):
            return
        progress = progress_of(self.target, self.cursor, name)
        ids = list(self._typed_ids(label_of(name), progress.gaps[0].down_to))
        yield from self._ask_again(ids)
        done = replace(progress, gaps=(), newest=self.target.now, sign=sign(self.target, name)[0])
        self.cursor = self.cursor.listed(name, done)

    def _typed_ids(self, type_: str, since: datetime) -> Iterator[str]:
        page, some = 1, list[dict[str, Any]]()
        while some or page == 1:
            some = self.target.asking.get(
                f"/repos/{self.target.probe.name}/issues",
                {"type": type_, "state": "all", "since": since.isoformat(), "page": page}
                | {"sort": "updated", "direction": "desc", "per_page": FULL},
            )
            yield from (one["node_id"] for one in some if "pull_request" not in one)
            page += 1

    def _partial(self) -> list[str]:
        return [id_ for id_, one in self.cursor.open.items() if one.updated_at is None]

    def _runs(self) -> Iterator[Batch]:
        reader = RunsReader(target=self.target, cursor=self.cursor)
        for records in reader.open_again():
            self.cursor = reader.cursor
            yield self._batch(records)
            reader.cursor = self.cursor
        if is_quiet(self.target, self.cursor, RUNS) and not reader.is_due():
            return
        progress = reader.look_back(progress_of(self.target, self.cursor, RUNS))
        for records, reached in reader.read(progress):
            progress = reached
            self.cursor = reader.cursor.listed(RUNS, progress)
            yield self._batch(records)
            reader.cursor = self.cursor
        self._lose(RUNS, reader.lost)
        done = replace(progress, sign=runs_sign(self.target))
        self.cursor = reader.cursor.listed(RUNS, done)

    def _repository(self) -> Iterator[Repository]:
        seen, known = self.target.probe, self.target.naming.known
        yield Repository(
            id=seen.id,
            name=seen.name,
            aliases=(known,) if known != seen.name else (),
            default_branch=seen.branch,
        )

    def _batch(self, records: Sequence[AnyRecord]) -> Batch:
        if self._history:
            for sha in self._telling.tips(records):
                self._history.want(sha)
            self.cursor = replace(self.cursor, history=self._history.history)
        services = {one.service for one in records if isinstance(one, Deployment) and one.service}
        services |= set(self.cursor.services)
        self.cursor = replace(self.cursor, services=tuple(sorted(services)))
        return Batch(records=records, cursors=self._cursors())

    def _cursors(self) -> Mapping[str, str]:
        known = self.cursor.known
        cursors = {known: self.cursor.to_json()}
        if self._known.changed:
            cursors[known + COMMITS] = self._known.to_text()
            self._known.changed = False
        return cursors

    def _lose(self, what: str, count: int) -> None:
        if count:
            self.lost[what] = self.lost.get(what, 0) + count
