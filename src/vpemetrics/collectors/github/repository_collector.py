"""One repository collected, part by part: each goes on where the last collection left off.

First come the commits, so that originals of pull requests can be told from what is on a branch
already; last the histories of deployed commits that are on no branch that was read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

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
from vpemetrics.collectors.github.record_builder import BuiltRecords, GitHubRecordBuilder
from vpemetrics.collectors.github.repository import RepositoryTarget
from vpemetrics.collectors.github.workflow_runs import RunReader, is_look_back_due
from vpemetrics.collectors.http import (
    BadAnswer,
    BudgetExhausted,
    Node,
    SourceProblem,
    as_object,
    check_not_all_bad,
    given,
    name_of,
    need,
)
from vpemetrics.errors import VpemetricsError
from vpemetrics.records import AnyRecord, Change, Deployment, Repository

COMMITS: Final = " commits"
"""The ending of a repository's name in the cursors where its seen commits are."""

_AT_ONCE: Final = 25
"""The number of things that are fetched again at a time."""
_WITHOUT_ID: Final = ("Release", "Tag")
_WORDS: Final = {
    "PullRequest": "a pull request",
    "Deployment": "a deployment",
    "Issue": "an issue",
    "Release": "a release",
    "Tag": "a tag",
}


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
                except (SourceProblem, GitFailed, Unfetched) as error:
                    if isinstance(error, SourceProblem) and error.concerns_all:
                        raise
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
            built = self._build(page.nodes, connection.kind, page.partial)
            check_not_all_bad(len(page.nodes), built.bad)
            self._leave_out(built.bad)
            if built.has_nameless and page.again:
                progress = progress.with_again(page.again)
            self.cursor = self.cursor.with_list(name, progress).with_items(built.items)
            yield self._batch(built.records)
        done = replace(progress, sign=sign(self.target, name)[0])
        self.cursor = self.cursor.with_list(name, done)

    def _build(self, nodes: Sequence[Node], kind: str, partial: frozenset[str]) -> "_Built":
        """The records of things of a kind, and by their ids what of them is open."""
        records: list[AnyRecord] = []
        items: dict[str, OpenItem | None] = {}
        bad: dict[str, str] = {}
        has_nameless = False
        for node in nodes:
            id_ = node.get("id") if isinstance(node, dict) else None
            try:
                built = self._build_one(node, kind)
            except BadAnswer as problem:
                bad[self._name(node, kind)] = str(problem)
                has_nameless = has_nameless or not isinstance(id_, str)
                if isinstance(id_, str):
                    items[id_] = self._bad_item(id_, kind)
                continue
            records += built.records
            self._lose("commits of pull requests", built.lost)
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
        return _Built(records, items, bad, has_nameless)

    def _build_one(self, node: Node, kind: str) -> BuiltRecords:
        def build() -> BuiltRecords:
            take = given if kind in _WITHOUT_ID else need
            take(as_object(node, "it"), "id", str)
            whole = complete(self._client, node, kind)
            return self._builder.build(whole, kind)

        return self.target.read_strictly(node, _WORDS.get(kind, "a thing"), build)

    def _name(self, node: Node, kind: str) -> str:
        return name_of(node, _WORDS.get(kind, "a thing"), self.target.naming.known)

    def _bad_item(self, id_: str, kind: str) -> OpenItem:
        before = self.cursor.open.get(id_)
        created_at = before.created_at if before else self.target.now
        return OpenItem(kind=kind, created_at=created_at, is_bad=True)

    def _leave_out(self, bad: Mapping[str, str]) -> None:
        for name, why in bad.items():
            self.target.leave_out(name, why)

    def _refetch(self, ids: Sequence[str]) -> Iterator[Batch]:
        """Things behind some ids: those that are open, or of which GitHub left something out."""
        for at in range(0, len(ids), _AT_ONCE):
            fetched = refetch(self._client, ids[at : at + _AT_ONCE])
            records: list[AnyRecord] = []
            items = {id_: self._missing(id_) for id_ in fetched.gone}
            items |= {id_: self._bad_item(id_, self._kind(id_, {})) for id_ in fetched.bad}
            self._leave_out(fetched.bad)
            for id_, node in fetched.nodes.items():
                built = self._build([node], self._kind(id_, node), fetched.partial)
                records += built.records
                items |= built.items
                self._leave_out(built.bad)
                if built.bad:
                    items[id_] = self._bad_item(id_, self._kind(id_, node))
            self.cursor = self.cursor.with_items(items)
            yield self._batch(records)

    def _kind(self, id_: str, node: object) -> str:
        """The kind of a thing as GitHub names it, or as it was when it was read."""
        kind = node.get("__typename") if isinstance(node, dict) else None
        before = self.cursor.open.get(id_)
        return str(kind if isinstance(kind, str) else before.kind if before else "")

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
        # Pull requests are issues too:
        # https://docs.github.com/en/rest/issues/issues#list-repository-issues
        parameters = {"type": type_, "state": "all", "since": since.isoformat()}
        order = {"sort": "updated", "direction": "desc", "per_page": FULL}
        path = f"/repos/{self.target.probe.name}/issues"
        for issues in self._client.pages(path, {**parameters, **order}):
            for issue in issues:
                id_ = self.target.read(issue, _WORDS["Issue"], partial(_id_of_issue, issue))
                if id_:
                    yield id_

    def _partial(self) -> list[str]:
        return [
            id_
            for id_, item in self.cursor.open.items()
            if item.updated_at is None and not item.is_bad
        ]

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


class _Built(NamedTuple):
    """The records of some things, what of these is open, and by their names why some are bad.

    `has_nameless` is true if one of these has no id by which it could be asked for again.
    """

    records: list[AnyRecord]
    items: dict[str, OpenItem | None]
    bad: Mapping[str, str]
    has_nameless: bool


def _id_of_issue(issue: Node) -> str | None:
    return None if "pull_request" in as_object(issue, "it") else need(issue, "node_id", str)


def _merged_commits(records: Sequence[AnyRecord]) -> list[str]:
    """The commits of merged pull requests among some records."""
    changes = (record for record in records if isinstance(record, Change) and record.merged_at)
    return [sha for change in changes for sha in change.commit_shas]
