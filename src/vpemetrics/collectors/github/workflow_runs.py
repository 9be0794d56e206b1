"""Workflow runs, which only the REST API has: in windows of their creation, newest first.

GitHub gives no more than 1,000 runs to a question, so windows are made small enough. What is
run again keeps its creation, and GitHub lets that happen for 30 days: once a day these are looked
at again. What was not completed is asked about by its id.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
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
)
from vpemetrics.collectors.github.options import Rule
from vpemetrics.collectors.github.repository import RepositoryTarget, instant
from vpemetrics.collectors.http import Gone, Node
from vpemetrics.records import AnyRecord

Item = TypeVar("Item")

_SHORTEST: Final = 5
# https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
CAP: Final = 1000
"""The most runs that GitHub gives to a question."""
_FEW: Final = 250
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
            run = self._fetch(id_)
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
        found: dict[int, Node] = {}
        for path in self._paths():
            # https://docs.github.com/en/search-github/getting-started-with-searching-on-github/understanding-the-search-syntax#query-for-dates
            created = f"{_text(start)}..{_text(end)}"
            runs = self._fetch_runs(path, created, may_shorten=may_shorten)
            if runs is None:
                return None
            found |= {run["id"]: run for run in runs}
        return list(found.values())

    def _fetch_runs(self, path: str, created: str, *, may_shorten: bool) -> list[Node] | None:
        found, page = list[Node](), 1
        while True:
            answer = self.client.get(path, {"created": created, "per_page": FULL, "page": page})
            runs, total = answer.get("workflow_runs") or [], answer.get("total_count") or 0
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
            self._workflows = [
                f"{base}/workflows/{workflow['id']}/runs"
                for workflow in self._fetch_all(f"{base}/workflows", "workflows")
                if any(is_of(workflow, rule) for rule in self.target.rules_from("workflow"))
            ]
        return self._workflows

    def _fetch_all(self, path: str, key: str, **parameters: str) -> Iterator[Node]:
        page = 1
        while True:
            answer = self.client.get(path, {**parameters, "per_page": FULL, "page": page})
            yield from answer.get(key) or ()
            if page * FULL >= (answer.get("total_count") or 0):
                return
            page += 1

    def _build(self, runs: Sequence[Node]) -> list[AnyRecord]:
        records = [record for run in runs for record in self._records(run)]
        self._forget()
        return records

    def _records(self, run: Node) -> Iterator[AnyRecord]:
        """The attempts of a run that are not in records yet, and the deployments they were."""
        id_, created_at = str(run["id"]), instant(run.get("created_at")) or self.target.now
        before = self.cursor.attempts.get(id_)
        built, was_open = before.count if before else 0, id_ in self.cursor.open_runs
        if built >= attempt(run) and not was_open:
            return
        if built and was_open:
            built -= 1  # the last one had not ended yet
        rules = [rule for rule in self.target.rules_from("workflow") if is_of(run, rule)]
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
            mark = (job.get("name"), job.get("started_at"), job.get("completed_at"))
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
        return run


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
