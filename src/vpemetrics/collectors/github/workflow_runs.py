"""Workflow runs, which only the REST API has: in windows of their creation, newest first.

GitHub gives no more than 1,000 runs to a question, so windows are made small enough. What is
run again keeps its creation, and GitHub lets that happen for 30 days: once a day these are looked
at again. What was not completed is asked about by its id.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from vpemetrics.collectors.github.client import Client
from vpemetrics.collectors.github.connections import FULL, RUN_MINUTES
from vpemetrics.collectors.github.cursor import GitHubCursor, ListGap, ListProgress, RunAttempts
from vpemetrics.collectors.github.deployment_builder import (
    attempt,
    build_job_deployment,
    build_run,
    build_run_deployment,
    is_completed,
    is_of,
    may_reach_production,
)
from vpemetrics.collectors.github.options import Rule
from vpemetrics.collectors.github.repository import RepositoryTarget
from vpemetrics.collectors.http import (
    BadAnswer,
    Gone,
    Node,
    as_object,
    check_record,
    count,
    given,
    moment,
    need,
    read_shape,
)
from vpemetrics.records import AnyRecord

Item = TypeVar("Item")

_SHORTEST: Final = 5
# https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
CAP: Final = 1000
"""The most runs that GitHub gives to a question."""
_FEW: Final = 250
# Of a workflow's jobs there are 256 for each matrix at most:
# https://docs.github.com/en/actions/reference/limits
_MOST_JOBS: Final = 10_000
# https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs
_RERUN: Final = timedelta(days=31)
_OFTEN: Final = timedelta(days=1)


@dataclass
class RunReader:
    """Reads the runs of one repository; `cursor` says how far when records are yielded.

    `lost` counts the runs of windows so full that GitHub does not give all of them.
    """

    target: RepositoryTarget
    client: Client
    cursor: GitHubCursor
    lost: int = 0
    _workflows: list[str] | None = field(default=None, init=False)

    def refetch_open(self) -> Iterator[list[AnyRecord]]:
        """The records of what was not completed when it was last asked about."""
        for id_, created_at in list(self.cursor.open_runs.items()):
            try:
                run = self._fetch(id_)
            except BadAnswer as bad:
                self.target.leave_out(
                    f"a run of {self.target.naming.known} with id {id_}", str(bad)
                )
                continue
            records = self._build([run]) if run else []
            if run is None or created_at < self.target.now - _RERUN:
                self.cursor = replace(self.cursor, open_runs=_without(self.cursor.open_runs, id_))
            if run is None:  # if it turns up again, all of it becomes records
                self.cursor = replace(self.cursor, attempts=_without(self.cursor.attempts, id_))
            yield records

    def look_back(self, progress: ListProgress) -> ListProgress:
        """Add what may have been run again as a gap, if that is due."""
        if not is_look_back_due(self.target, self.cursor):
            return progress
        now = self.target.now
        self.cursor = replace(self.cursor, looked_back_at=now)
        first, *others = progress.gaps
        down_to = max(progress.start, now - _RERUN)
        fresh = replace(first, down_to=min(first.down_to, down_to))
        return replace(progress, gaps=(fresh, *others))

    def read(self, progress: ListProgress) -> Iterator[tuple[list[AnyRecord], ListProgress]]:
        """The records of runs in the gaps of the list, a window at a time."""
        while progress.gaps:
            gap = progress.gaps[0]
            start = max(gap.down_to, gap.reached - timedelta(minutes=progress.size))
            runs = self._fetch_window(start, gap.reached)
            if runs is None:
                progress = replace(progress, size=max(_SHORTEST, progress.size // 2))
                continue
            wider = progress.size * 2 if len(runs) < _FEW else progress.size
            progress = _advance(replace(progress, size=min(RUN_MINUTES, wider)), gap, start)
            yield self._build(runs), progress

    def _fetch_window(self, start: datetime, end: datetime) -> list[Node] | None:
        """The runs created in a window; None for so many that a shorter one is to be read."""
        may_shorten = end - start > timedelta(minutes=_SHORTEST)
        found: dict[object, Node] = {}
        for path in self._paths():
            # https://docs.github.com/en/search-github/getting-started-with-searching-on-github/understanding-the-search-syntax#query-for-dates
            created = f"{_text(start)}..{_text(end)}"
            runs = self._fetch_runs(path, created, may_shorten=may_shorten)
            if runs is None:
                return None
            found |= {_key(run): run for run in runs}
        return list(found.values())

    def _fetch_runs(self, path: str, created: str, *, may_shorten: bool) -> list[Node] | None:
        found, page = list[Node](), 1
        while True:
            answer = self.client.get(path, {"created": created, "per_page": FULL, "page": page})
            runs, total = _list(answer, "workflow_runs", "workflow runs")
            if may_shorten and total >= CAP and page == 1:
                return None
            found += runs
            if not runs or page * FULL >= min(total, CAP):
                self.lost += max(0, total - CAP)
                return found
            page += 1

    def _paths(self) -> list[str]:
        """The lists with the wanted runs: of all of them, or of each deploying workflow."""
        base = f"/repos/{self.target.probe.name}/actions"
        if self.target.options.runs:
            return [f"{base}/runs"]
        if self._workflows is None:
            found = self._fetch_all(f"{base}/workflows", "workflows")
            ids = [self._wanted_workflow(workflow) for workflow in found]
            self._workflows = [f"{base}/workflows/{id_}/runs" for id_ in ids if id_]
        return self._workflows

    def _wanted_workflow(self, workflow: Node) -> int | None:
        """The id of a workflow that deploys; None for others."""

        def read() -> int | None:
            node, rules = as_object(workflow, "it"), self.target.rules_from("workflow")
            return need(node, "id", int) if any(is_of(node, rule) for rule in rules) else None

        return self.target.read(workflow, "a workflow", read)

    def _fetch_all(self, path: str, key: str, **parameters: str) -> Iterator[Node]:
        page = 1
        while True:
            answer = self.client.get(path, {**parameters, "per_page": FULL, "page": page})
            items, total = _list(answer, key, key)
            yield from items
            if page * FULL >= min(total, _MOST_JOBS) or not items:
                return
            page += 1

    def _build(self, runs: Sequence[Node]) -> list[AnyRecord]:
        records: list[AnyRecord] = []
        for run in runs:
            built = self.target.read(run, "a run", partial(self._checked, run))
            records += built or []
            if built is None:
                self._ask_again(run)
        self._forget()
        return records

    def _checked(self, run: Node) -> list[AnyRecord]:
        return [check_record(record) for record in self._records(as_object(run, "it"))]

    def _ask_again(self, run: object) -> None:
        """Have a run that cannot be read asked for next time: by its id, else with all others."""
        id_ = run.get("id") if isinstance(run, dict) else None
        if type(id_) is int:
            created_at = self.cursor.open_runs.get(str(id_), self.target.now)
            open_runs = {**self.cursor.open_runs, str(id_): created_at}
            self.cursor = replace(self.cursor, open_runs=open_runs)
        else:
            self.cursor = replace(self.cursor, looked_back_at=None)

    def _records(self, run: Node) -> Iterator[AnyRecord]:
        """The attempts of a run that are not in records yet, and the deployments they were."""
        id_, created_at = str(need(run, "id", int)), moment(run, "created_at") or self.target.now
        before = self.cursor.attempts.get(id_)
        built, was_open = before.count if before else 0, id_ in self.cursor.open_runs
        if built >= attempt(run) and not was_open:
            return
        if built and was_open:
            built -= 1  # the last one had not ended yet
        rules = [rule for rule in self.target.rules_from("workflow") if self._deploys(run, rule)]
        missing = []
        # https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run-attempt
        for number in range(built + 1, attempt(run)):
            if earlier := self._fetch(f"{id_}/attempts/{number}"):
                yield from self._attempt(earlier, rules)
            else:
                missing.append(number)
        yield from self._attempt(run, rules)
        yield from self._jobs(run, by_job := [rule for rule in rules if rule.job])
        built = missing[0] - 1 if missing else attempt(run)
        self._note(run, id_, created_at, built if by_job or attempt(run) > 1 else None)

    def _deploys(self, run: Node, rule: Rule) -> bool:
        return is_of(run, rule) and may_reach_production(run, rule, self.target.probe.branch)

    def _attempt(self, run: Node, rules: Sequence[Rule]) -> Iterator[AnyRecord]:
        naming = self.target.naming
        if self.target.options.runs:
            yield build_run(run, naming)
        for rule in rules:
            if not rule.job:
                yield build_run_deployment(run, rule, naming)
                return

    def _jobs(self, run: Node, rules: Sequence[Rule]) -> Iterator[AnyRecord]:
        if not rules:
            return
        # https://docs.github.com/en/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run
        path = f"/repos/{self.target.probe.name}/actions/runs/{run['id']}/jobs"
        met: set[tuple[object, ...]] = set()
        for job in self._fetch_all(path, "jobs", filter="all"):
            # What succeeded before is listed again, under a new id, by an attempt that skips it.
            job = as_object(job, "a job")
            mark = tuple(given(job, key, str) for key in ("name", "started_at", "completed_at"))
            if mark in met and is_completed(job):
                continue
            met.add(mark)
            built = (build_job_deployment(job, run, rule, self.target.naming) for rule in rules)
            yield from [deployment for deployment in built if deployment][:1]

    def _note(self, run: Node, id_: str, created_at: datetime, built: int | None) -> None:
        """Note what is open, and how many attempts where it takes more requests to know them."""
        attempts = dict(self.cursor.attempts)
        open_runs = _without(self.cursor.open_runs, id_)
        if not is_completed(run):
            open_runs[id_] = created_at
        if built is not None and created_at >= self.target.now - _RERUN:
            attempts[id_] = RunAttempts(count=built, created_at=created_at)
        self.cursor = replace(self.cursor, attempts=attempts, open_runs=open_runs)

    def _forget(self) -> None:
        """Let go of runs that nobody can run again any more."""
        late = self.target.now - _RERUN
        kept = {id_: run for id_, run in self.cursor.attempts.items() if run.created_at >= late}
        self.cursor = replace(self.cursor, attempts=kept)

    def _fetch(self, path: str) -> Node | None:
        try:
            run: Node = self.client.get(f"/repos/{self.target.probe.name}/actions/runs/{path}")
        except Gone:  # deleted, or older than GitHub keeps
            return None
        about = f"run {path} of {self.target.naming.known}"
        return read_shape(lambda: as_object(run, "it"), server="GitHub", about=about)


def _list(answer: object, key: str, about: str) -> tuple[list[Node], int]:
    """The items of a page, whatever they are, and how many there are of them in all."""

    def read() -> tuple[list[Node], int]:
        node = as_object(answer, "it")
        return given(node, key, list) or [], count(node, "total_count")

    return read_shape(read, server="GitHub", about=about)


def _key(run: object) -> object:
    """The id of a run, by which it is the same on two lists; any other key for one without."""
    id_ = run.get("id") if isinstance(run, dict) else None
    return id_ if type(id_) is int else object()


def is_look_back_due(target: RepositoryTarget, cursor: GitHubCursor) -> bool:
    """Return whether a day has passed since all was looked at that may have been run again."""
    looked_at = cursor.looked_back_at
    return looked_at is None or target.now - looked_at >= _OFTEN


def _advance(progress: ListProgress, gap: ListGap, start: datetime) -> ListProgress:
    progress = replace(progress, newest=max(progress.newest or gap.top, gap.top))
    if start <= gap.down_to:
        return replace(progress, gaps=progress.gaps[1:])
    return replace(progress, gaps=(replace(gap, reached=start, after="read"), *progress.gaps[1:]))


def _without(by_id: Mapping[str, Item], id_: str) -> dict[str, Item]:
    return {other: item for other, item in by_id.items() if other != id_}


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
