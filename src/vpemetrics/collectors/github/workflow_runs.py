"""Workflow runs, which only the REST API tells: in windows of their creation, newest first.

GitHub gives no more than 1,000 runs to a question, so windows are made small enough. What is
run again keeps its creation, and GitHub lets that happen for 30 days: once a day these are looked
at again. What was not completed is asked about by its id.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from vpemetrics.collectors.github.cursor import GitHubCursor, ListGap, ListProgress, RunAttempts
from vpemetrics.collectors.github.options import Rule
from vpemetrics.collectors.github.parse.naming import Node, instant
from vpemetrics.collectors.github.parse.runs import (
    attempt,
    is_completed,
    is_of,
    job_deployment,
    parse_run,
    run_deployment,
)
from vpemetrics.collectors.github.problems import Gone
from vpemetrics.collectors.github.repository import RepositoryTarget
from vpemetrics.records import AnyRecord

MINUTES: Final = 54 * 7 * 24 * 60
"""How long a window is at first, and at most."""
_SHORTEST: Final = 5
CAP: Final = 1000
_PAGE: Final = 100
_FEW: Final = 250
_RERUN: Final = timedelta(days=31)
_OFTEN: Final = timedelta(days=1)


@dataclass
class RunsReader:
    """Reads the runs of one repository; `cursor` says how far when records are yielded.

    `lost` counts the runs of windows so full that GitHub does not give all of them.
    """

    target: RepositoryTarget
    cursor: GitHubCursor
    lost: int = 0
    _workflows: list[str] | None = field(default=None, init=False)

    def is_due(self) -> bool:
        """Whether a day has passed since all was looked at that may have been run again."""
        looked_at = self.cursor.looked_back_at
        return looked_at is None or self.target.now - looked_at >= _OFTEN

    def open_again(self) -> Iterator[list[AnyRecord]]:
        """What was not completed when it was last asked about."""
        for id_, created_at in list(self.cursor.open_runs.items()):
            run = self._get(id_)
            records = self._tell([run]) if run else []
            if run is None or created_at < self.target.now - _RERUN:
                still = {k: v for k, v in self.cursor.open_runs.items() if k != id_}
                self.cursor = replace(self.cursor, open_runs=still)
            if run is None:  # if it turns up again, all of it is to be told
                told = {k: v for k, v in self.cursor.attempts.items() if k != id_}
                self.cursor = replace(self.cursor, attempts=told)
            yield records

    def look_back(self, progress: ListProgress) -> ListProgress:
        """With what may have been run again as a gap, if that is due."""
        if not self.is_due():
            return progress
        now = self.target.now
        self.cursor = replace(self.cursor, looked_back_at=now)
        first, *others = progress.gaps
        down_to = max(progress.start, now - _RERUN)
        fresh = replace(first, down_to=min(first.down_to, down_to))
        return replace(progress, gaps=(fresh, *others))

    def read(self, progress: ListProgress) -> Iterator[tuple[list[AnyRecord], ListProgress]]:
        """The runs in the gaps of a list, a window at a time."""
        while progress.gaps:
            gap = progress.gaps[0]
            start = max(gap.down_to, gap.reached - timedelta(minutes=progress.size))
            found, is_full = self._window(start, gap.reached)
            if is_full and progress.size > _SHORTEST:
                progress = replace(progress, size=max(_SHORTEST, progress.size // 2))
                continue
            wider = progress.size * 2 if len(found) < _FEW else progress.size
            progress = _advanced(replace(progress, size=min(MINUTES, wider)), gap, start)
            yield self._tell(found), progress

    def _window(self, start: datetime, end: datetime) -> tuple[list[Node], bool]:
        """The runs created in a window, and whether there are more than GitHub gives."""
        found: dict[int, Node] = {}
        for path in self._paths():
            runs, is_full = self._listed(path, f"{_text(start)}..{_text(end)}")
            if is_full and end - start > timedelta(minutes=_SHORTEST):
                return [], True
            found |= {run["id"]: run for run in runs}
        return list(found.values()), False

    def _listed(self, path: str, created: str) -> tuple[list[Node], bool]:
        found, page, total = list[Node](), 1, 0
        while True:
            answer = self.target.asking.get(
                path, {"created": created, "per_page": _PAGE, "page": page}
            )
            runs, total = answer.get("workflow_runs") or [], answer.get("total_count") or 0
            if total >= CAP and page == 1:
                return runs, True
            found += runs
            if not runs or page * _PAGE >= min(total, CAP):
                return found, False
            page += 1

    def _paths(self) -> list[str]:
        """Where the wanted runs are listed: all of them, or those of the deploying workflows."""
        base = f"/repos/{self.target.probe.name}/actions"
        if self.target.options.runs:
            return [f"{base}/runs"]
        if self._workflows is None:
            self._workflows = [
                f"{base}/workflows/{one['id']}/runs"
                for one in self._all(f"{base}/workflows", "workflows")
                if any(is_of(one, rule) for rule in self.target.rules_from("workflow"))
            ]
        return self._workflows

    def _all(self, path: str, key: str, **parameters: str) -> Iterator[Node]:
        page = 1
        while True:
            answer = self.target.asking.get(path, {**parameters, "per_page": _PAGE, "page": page})
            yield from answer.get(key) or ()
            if page * _PAGE >= (answer.get("total_count") or 0):
                return
            page += 1

    def _tell(self, runs: Sequence[Node]) -> list[AnyRecord]:
        records: list[AnyRecord] = []
        for run in runs:
            records += self._told(run)
        self._forget()
        return records

    def _told(self, run: Node) -> Iterator[AnyRecord]:
        """The attempts of a run that were not told before, and the deployments they were."""
        id_, created_at = str(run["id"]), instant(run.get("created_at")) or self.target.now
        known = self.cursor.attempts.get(id_)
        told, was_open = known.told if known else 0, id_ in self.cursor.open_runs
        if told >= attempt(run) and not was_open:
            return
        if told and was_open:
            told -= 1  # the last one told had not ended yet
        rules = [one for one in self.target.rules_from("workflow") if is_of(run, one)]
        missing = []
        for number in range(told + 1, attempt(run)):
            if earlier := self._get(f"{id_}/attempts/{number}"):
                yield from self._attempt(earlier, rules)
            else:
                missing.append(number)
        yield from self._attempt(run, rules)
        yield from self._jobs(run, by_job := [one for one in rules if one.job])
        told = missing[0] - 1 if missing else attempt(run)
        self._note(run, id_, created_at, told if by_job or attempt(run) > 1 else None)

    def _attempt(self, run: Node, rules: Sequence[Rule]) -> Iterator[AnyRecord]:
        naming = self.target.naming
        if self.target.options.runs:
            yield parse_run(run, naming)
        for rule in rules:
            if not rule.job:
                yield run_deployment(run, rule, naming)
                return

    def _jobs(self, run: Node, rules: Sequence[Rule]) -> Iterator[AnyRecord]:
        if not rules:
            return
        path = f"/repos/{self.target.probe.name}/actions/runs/{run['id']}/jobs"
        met: set[tuple[object, ...]] = set()
        for job in self._all(path, "jobs", filter="all"):
            # What succeeded before is listed again, under a new id, by an attempt that skips it.
            mark = (job.get("name"), job.get("started_at"), job.get("completed_at"))
            if mark in met and is_completed(job):
                continue
            met.add(mark)
            made = (job_deployment(job, run, rule, self.target.naming) for rule in rules)
            yield from [one for one in made if one][:1]

    def _note(self, run: Node, id_: str, created_at: datetime, told: int | None) -> None:
        """Remembers what is open, and the attempts `told` where more requests tell them again."""
        attempts = dict(self.cursor.attempts)
        still = {k: v for k, v in self.cursor.open_runs.items() if k != id_}
        if not is_completed(run):
            still[id_] = created_at
        if told is not None and created_at >= self.target.now - _RERUN:
            attempts[id_] = RunAttempts(told=told, created_at=created_at)
        self.cursor = replace(self.cursor, attempts=attempts, open_runs=still)

    def _forget(self) -> None:
        """Lets go of runs that nobody can run again any more."""
        late = self.target.now - _RERUN
        kept = {k: v for k, v in self.cursor.attempts.items() if v.created_at >= late}
        self.cursor = replace(self.cursor, attempts=kept)

    def _get(self, path: str) -> Node | None:
        try:
            found: Node = self.target.asking.get(
                f"/repos/{self.target.probe.name}/actions/runs/{path}"
            )
        except Gone:  # deleted, or older than GitHub keeps
            return None
        return found


def _advanced(progress: ListProgress, gap: ListGap, start: datetime) -> ListProgress:
    progress = replace(progress, newest=max(progress.newest or gap.top, gap.top))
    if start <= gap.down_to:
        return replace(progress, gaps=progress.gaps[1:])
    return replace(progress, gaps=(replace(gap, reached=start, after="read"), *progress.gaps[1:]))


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
