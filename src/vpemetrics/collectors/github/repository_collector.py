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
from vpemetrics.collectors.git.mirror import Mirror, Unfetched
from vpemetrics.collectors.github.client import Client
from vpemetrics.collectors.github.commit_history import HistoryReader
from vpemetrics.collectors.github.connections import (
    CONNECTIONS,
    FULL,
    ISSUES,
    RUNS,
    base,
    complete,
    is_empty,
    is_quiet,
    label_of,
    read_gaps,
    refetch,
    resume,
    runs_sign,
    sign,
    wanted_lists,
)
from vpemetrics.collectors.github.coverage import coverage
from vpemetrics.collectors.github.cursor import GitHubCursor, OpenItem, SeenCommits
from vpemetrics.collectors.github.mirror_history import MirrorHistoryReader
from vpemetrics.collectors.github.record_builder import GitHubRecordBuilder
from vpemetrics.collectors.github.repository import RepositoryTarget
from vpemetrics.collectors.github.workflow_runs import RunReader, is_look_back_due
from vpemetrics.collectors.http import (
    BudgetExhausted,
    Forbidden,
    Gone,
    Node,
    SourceProblem,
    TooHeavy,
)
from vpemetrics.errors import VpemetricsError
from vpemetrics.records import AnyRecord, Change, Deployment, Repository

COMMITS: Final = " commits"
"""The ending of a repository's name in the cursors where its seen commits are."""

_AT_ONCE: Final = 25
"""The number of things that are fetched again at a time."""


class RepositoryCollector:
    """The collection of one repository.

    `batches` are what is new; `errors` what went wrong in which part, while others went on.
    `lost` counts by what GitHub did not give of it.
    """

    def __init__(
        self,
        target: RepositoryTarget,
        client: Client,
        cursor: GitHubCursor,
        seen: SeenCommits,
        moved: Sequence[str],
        mirror: Mirror | None = None,
    ) -> None:
        """Go on from a cursor; GitHub changed the open items `moved` since they were read."""
        self.target = target
        self.cursor = cursor
        self.errors: dict[str, VpemetricsError] = {}
        self.lost: dict[str, int] = {}
        self._client = client
        self._seen = seen
        self._moved = moved
        self._builder = GitHubRecordBuilder(
            target=target, seen=seen, has_originals=mirror is not None
        )
        self._history = self._history_reader(mirror) if target.is_code else None

    def _history_reader(self, mirror: Mirror | None) -> HistoryReader:
        """The reader of the commits: git where there is a mirror, else the API."""
        common = (self.target, self._client, self._seen, self.cursor.history)
        return MirrorHistoryReader(*common, mirror) if mirror else HistoryReader(*common)

    def batches(self) -> Iterator[Batch]:
        """All that is new. BudgetExhausted, or the problem, if it ends before all is read."""
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
        except (BudgetExhausted, SourceProblem) as reason:
            end = reason
        covered = coverage(self.target, self.cursor, in_part=isinstance(end, BudgetExhausted))
        yield self._batch([self._repository(), *covered])
        if end:
            raise end

    def _parts(self) -> list[str]:
        lists = wanted_lists(self.target)
        code = ["commits"] if self.target.is_code else []
        late = ["deployed commits"] if self.target.is_code else []
        return [*code, "open", *lists, "open again", *late]

    def _part(self, name: str) -> Iterator[Batch]:
        match base(name):
            case "commits" | "deployed commits":
                return self._commits()
            case "open":
                return self._refetch(self._moved)
            case "open again":
                return self._refetch(self._partial())
            case "issues of type":
                return self._issues_of_type(name)
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
            self.cursor = self.cursor.with_list(name, known)
            return
        connection = CONNECTIONS[base(name)]
        progress = resume(self.target, self.cursor, name)
        if is_empty(self.target, name):
            progress = replace(progress, gaps=())
        variables: dict[str, object] = {"id": self.target.probe.id}
        if base(name) == ISSUES:
            variables |= {"labels": [label_of(name)]}
        for page, reached in read_gaps(self._client, connection, variables, progress):
            progress = reached
            self._lose(name, page.lost)
            records, items = self._build(page.nodes, connection.kind, page.partial)
            self.cursor = self.cursor.with_list(name, progress).with_items(items)
            yield self._batch(records)
        done = replace(progress, sign=sign(self.target, name)[0])
        self.cursor = self.cursor.with_list(name, done)

    def _build(
        self, nodes: Sequence[Node], kind: str, partial: frozenset[str]
    ) -> tuple[list[AnyRecord], dict[str, OpenItem | None]]:
        """The records of things of a kind, and by their ids what of them is open."""
        records: list[AnyRecord] = []
        items: dict[str, OpenItem | None] = {}
        for node in nodes:
            built = self._builder.build(complete(self._client, node, kind), kind)
            records += built.records
            self._lose("commits of pull requests", built.lost)
            id_ = node.get("id")
            if id_ in partial:
                before = self.cursor.open.get(id_) or OpenItem(
                    kind=kind, created_at=self.target.now
                )
                items[id_] = self._builder.retry(node, before)
                self._lose(f"parts of {kind}", items[id_] is None)
            elif id_:
                items[id_] = built.open
        if isinstance(self._history, MirrorHistoryReader):
            records += self._history.originals(_merged_commits(records))
        return records, items

    def _refetch(self, ids: Sequence[str]) -> Iterator[Batch]:
        """Things behind some ids: those that are open, or of which GitHub left something out."""
        for at in range(0, len(ids), _AT_ONCE):
            fetched = refetch(self._client, ids[at : at + _AT_ONCE])
            records: list[AnyRecord] = []
            items = {id_: self._missing(id_) for id_ in fetched.gone}
            for node in fetched.nodes:
                built, opened = self._build([node], node["__typename"], fetched.partial)
                records += built
                items |= opened
            self.cursor = self.cursor.with_items(items)
            yield self._batch(records)

    def _missing(self, id_: str) -> OpenItem | None:
        """An item that is not found: fetched some more times before it counts as gone."""
        before = self.cursor.open.get(id_)
        return self._builder.retry({}, before) if before else None

    def _issues_of_type(self, name: str) -> Iterator[Batch]:
        """Issues of a type: GraphQL knows none, so REST names them."""
        if is_quiet(self.target, self.cursor, name):
            return
        progress = resume(self.target, self.cursor, name)
        ids = list(self._ids_of_type(label_of(name), progress.gaps[0].down_to))
        yield from self._refetch(ids)
        done = replace(progress, gaps=(), newest=self.target.now, sign=sign(self.target, name)[0])
        self.cursor = self.cursor.with_list(name, done)

    def _ids_of_type(self, type_: str, since: datetime) -> Iterator[str]:
        page, issues = 1, list[dict[str, Any]]()
        while issues or page == 1:
            # Pull requests are issues too:
            # https://docs.github.com/en/rest/issues/issues#list-repository-issues
            issues = self._client.get(
                f"/repos/{self.target.probe.name}/issues",
                {"type": type_, "state": "all", "since": since.isoformat(), "page": page}
                | {"sort": "updated", "direction": "desc", "per_page": FULL},
            )
            yield from (issue["node_id"] for issue in issues if "pull_request" not in issue)
            page += 1

    def _partial(self) -> list[str]:
        return [id_ for id_, item in self.cursor.open.items() if item.updated_at is None]

    def _runs(self) -> Iterator[Batch]:
        reader = RunReader(target=self.target, client=self._client, cursor=self.cursor)
        for records in reader.refetch_open():
            self.cursor = reader.cursor
            yield self._batch(records)
            reader.cursor = self.cursor
        is_due = is_look_back_due(self.target, self.cursor)
        if is_quiet(self.target, self.cursor, RUNS) and not is_due:
            return
        progress = reader.look_back(resume(self.target, self.cursor, RUNS))
        for records, reached in reader.read(progress):
            progress = reached
            self.cursor = reader.cursor.with_list(RUNS, progress)
            yield self._batch(records)
            reader.cursor = self.cursor
        self._lose(RUNS, reader.lost)
        done = replace(progress, sign=runs_sign(self.target))
        self.cursor = reader.cursor.with_list(RUNS, done)

    def _repository(self) -> Repository:
        probe, known = self.target.probe, self.target.naming.known
        return Repository(
            id=probe.id,
            name=probe.name,
            aliases=(known,) if known != probe.name else (),
            default_branch=probe.branch,
        )

    def _batch(self, records: Sequence[AnyRecord]) -> Batch:
        if self._history:
            for sha in self._builder.deployed_tips(records):
                self._history.want(sha)
            self.cursor = replace(self.cursor, history=self._history.history)
        deployments = (record for record in records if isinstance(record, Deployment))
        named = {deployment.service for deployment in deployments if deployment.service}
        services = named | set(self.cursor.services)
        self.cursor = replace(self.cursor, services=tuple(sorted(services)))
        return Batch(records=records, cursors=self._cursors())

    def _cursors(self) -> Mapping[str, str]:
        known = self.cursor.known
        cursors = {known: self.cursor.to_json()}
        if self._seen.changed:
            cursors[known + COMMITS] = self._seen.to_text()
            self._seen.changed = False
        return cursors

    def _lose(self, what: str, count: int) -> None:
        if count:
            self.lost[what] = self.lost.get(what, 0) + count


def _merged_commits(records: Sequence[AnyRecord]) -> list[str]:
    """The commits of merged pull requests among some records."""
    changes = (record for record in records if isinstance(record, Change) and record.merged_at)
    return [sha for change in changes for sha in change.commit_shas]
