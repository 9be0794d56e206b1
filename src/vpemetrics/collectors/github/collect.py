"""GitHub as a source: a look at all repositories, then several at once that have anything new."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from vpemetrics.collectors.base import Batch, CollectionContext
from vpemetrics.collectors.git.commits import GitAuthors
from vpemetrics.collectors.git.mirror import Mirror
from vpemetrics.collectors.github.client import Access, access_by_app, access_by_token
from vpemetrics.collectors.github.commit_history import is_read, prefix
from vpemetrics.collectors.github.connections import RUNS, is_quiet, wanted_lists
from vpemetrics.collectors.github.coverage import coverage
from vpemetrics.collectors.github.cursor import GitHubCursor, SeenCommits, parse_cursor
from vpemetrics.collectors.github.estimate import Estimate, estimate
from vpemetrics.collectors.github.mirror_history import mirrors_in_cache
from vpemetrics.collectors.github.options import Options
from vpemetrics.collectors.github.repository import (
    Naming,
    RepositoryProbe,
    RepositoryTarget,
)
from vpemetrics.collectors.github.repository_collector import COMMITS, RepositoryCollector
from vpemetrics.collectors.github.repository_search import FoundRepositories, find_repositories
from vpemetrics.collectors.github.workflow_runs import is_look_back_due
from vpemetrics.collectors.http import (
    BadAnswer,
    Budget,
    BudgetExhausted,
    Pool,
    SourceProblem,
    wait_policy,
)
from vpemetrics.collectors.http.pool import AT_ONCE
from vpemetrics.errors import VpemetricsError
from vpemetrics.rules import is_chosen

_WEEKS: Final = 53
_MUCH: Final = 60
"""An estimate of so many requests or more is announced before they are made."""
_FEW: Final = 3


def access(options: Options, context: CollectionContext, budget: Budget | None = None) -> Access:
    """The way to GitHub under the settings; a person hears of waits for limits."""
    policy = wait_policy(context, max_wait=options.longest_wait, max_answer=options.max_answer)
    if options.app:
        key = context.secret(options.app.private_key)
        return access_by_app(
            url=options.url,
            app=options.app.id,
            private_key=key,
            policy=policy,
            budget=budget,
        )
    token = context.secret(options.token or "")
    return access_by_token(url=options.url, token=token, policy=policy, budget=budget)


def collect(options: Options, context: CollectionContext) -> Iterator[Batch]:
    """Collect what is new on GitHub since the cursors.

    What goes wrong with one repository keeps none of the others from being collected; it is
    raised at the end.
    """
    budget = Budget(options.max_requests)
    opened = access(options, context, budget)
    try:
        yield from _Collection(options, context, opened, budget).batches()
    finally:
        opened.close()


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The repositories that a collection would find, and how many of them have anything new.

    `cost` is that of those never collected; `problems` are by owner or repository.
    """

    names: Sequence[str]
    busy: int
    cost: Estimate
    problems: Mapping[str, SourceProblem]


def forecast(options: Options, context: CollectionContext, opened: Access) -> Forecast:
    """Look at all repositories, as a collection begins; nothing is collected."""
    return _Collection(options, context, opened, Budget()).forecast()


@dataclass(frozen=True, kw_only=True)
class _Task:
    """A repository, where it stands, and what open of it GitHub changed since."""

    target: RepositoryTarget
    cursor: GitHubCursor
    moved: Sequence[str]


class _Collection:
    """One collection of all repositories."""

    def __init__(
        self, options: Options, context: CollectionContext, opened: Access, budget: Budget
    ) -> None:
        self._options = options
        self._context = context
        self._access = opened
        self._budget = budget
        self._authors = GitAuthors(context.rules)
        self._problems: dict[str, VpemetricsError] = {}
        cursors = map(parse_cursor, context.cursors.values())
        self._cursors = {cursor.id: cursor for cursor in cursors if cursor}

    def batches(self) -> Iterator[Batch]:
        """All that is new: first the coverage of what is quiet, then the records of the rest."""
        try:
            shown = self._look()
        except BudgetExhausted:
            self._warn_of_end()
            return
        self._problems |= shown.problems
        for name, why in shown.bad.items():
            self._context.leave_out(name, why)
        tasks = [self._task(probe, shown) for probe in shown.probes]
        busy = [task for task in tasks if self._is_busy(task)]
        active = {task.target.probe.id for task in busy}
        quiet = [task for task in tasks if task.target.probe.id not in active]
        if quiet:
            now = self._context.now
            yield Batch(
                records=[
                    record
                    for task in quiet
                    for record in coverage(task.target, task.cursor, now=now)
                ]
            )
        self._warn_of_paths(busy)
        self._announce_cost(busy)
        yield from self._collect(busy)
        if self._problems:
            lines = (f"{name}: {problem}" for name, problem in sorted(self._problems.items()))
            raise SourceProblem("\n".join(lines))

    def forecast(self) -> Forecast:
        """The findings and the cost of a collection that is not made."""
        shown = self._look()
        tasks = [self._task(probe, shown) for probe in shown.probes]
        busy = [task for task in tasks if self._is_busy(task)]
        return Forecast(
            names=[task.target.probe.name for task in tasks],
            busy=len(busy),
            cost=self._cost(_fresh(busy)),
            problems=shown.problems,
        )

    def _look(self) -> FoundRepositories:
        return find_repositories(self._access, self._options, self._cursors.values())

    def _task(self, probe: RepositoryProbe, shown: FoundRepositories) -> _Task:
        context, before = self._context, self._cursors.get(probe.id)
        since = context.begin(self._options.since)
        begin = since or (before.begin if before else context.now - timedelta(weeks=_WEEKS))
        cursor = before or GitHubCursor(
            id=probe.id, known=probe.known, name=probe.name, asked=probe.asked, begin=begin
        )
        moved = [
            id_
            for id_, item in cursor.open.items()
            if cursor.is_fresh(item) or _has_moved(item.updated_at, id_, shown)
        ]
        return _Task(
            target=self._target(probe, begin),
            cursor=replace(cursor, begin=begin, asked=probe.asked),
            moved=moved,
        )

    def _target(self, probe: RepositoryProbe, begin: datetime) -> RepositoryTarget:
        options, context = self._options, self._context
        others = {cursor.name.lower(): cursor.known for cursor in self._cursors.values()}
        is_code = any(is_chosen(name, options.repositories) for name in (probe.name, probe.known))
        return RepositoryTarget(
            probe=probe,
            naming=Naming(
                known=probe.known, current=probe.name, authors=self._authors, others=others
            ),
            options=options,
            rules=context.rules,
            source=context.source,
            now=context.now,
            begin=begin,
            is_code=is_code,
            leave_out=context.leave_out,
        )

    def _is_busy(self, task: _Task) -> bool:
        target, cursor = task.target, task.cursor
        if task.moved or cursor.open_runs or cursor.name != target.probe.name:
            return True
        if target.is_code and not is_read(target, cursor):
            return True
        lists = wanted_lists(target)
        due = RUNS in lists and is_look_back_due(target, cursor)
        return due or not all(is_quiet(target, cursor, name) for name in lists)

    def _collect(self, tasks: Sequence[_Task]) -> Iterator[Batch]:
        """Collect the busy ones; some may go wrong, but what concerns all ends the rest."""
        collectors = [self._collector(task) for task in tasks]
        pool = Pool(collectors, RepositoryCollector.batches, stop=self._context.stop)
        end: Exception | None = None
        lost: Counter[str] = Counter()
        done = 0
        try:
            for result in pool.results():
                if isinstance(result, Batch):
                    yield result
                    continue
                done += 1
                self._context.progress(done, len(tasks))
                lost.update(result.target.lost)
                self._note_problems(result.target)
                if result.error and not isinstance(result.error, BudgetExhausted):
                    end = end or result.error
                    self._budget.stop()
        finally:
            self._budget.stop()
        self._warn_of_loss(lost)
        if end:
            raise end
        if self._budget.is_reached:
            self._warn_of_end()

    def _collector(self, task: _Task) -> RepositoryCollector:
        seen = SeenCommits(self._context.cursors.get(task.cursor.known + COMMITS, ""))
        client, mirror = self._access.client(task.target.probe.account), self._mirror(task.target)
        return RepositoryCollector(task.target, client, task.cursor, seen, task.moved, mirror)

    def _mirror(self, target: RepositoryTarget) -> Mirror | None:
        if not self._options.clone:
            return None
        token = self._context.secret(self._options.token or "")
        mirrors = mirrors_in_cache(os.environ, url=self._options.url, token=token)
        return mirrors.mirror(target.probe.id, target.probe.name, paths=bool(target.paths))

    def _note_problems(self, collector: RepositoryCollector) -> None:
        for part, error in collector.errors.items():
            self._problems[f"{collector.target.probe.name}, {part}"] = error

    def _cost(self, fresh: Sequence[RepositoryTarget]) -> Estimate:
        """The cost of collecting repositories for the first time."""
        total = Estimate()
        for account in sorted({target.probe.account for target in fresh}):
            mine = [target for target in fresh if target.probe.account == account]
            total += estimate(self._access.client(account), mine)
        return total

    def _announce_cost(self, tasks: Sequence[_Task]) -> None:
        """Say what a first collection is going to cost, where that is much."""
        fresh = _fresh(tasks)
        try:
            total = self._cost(fresh)
        except (BadAnswer, BudgetExhausted):
            return
        if total.requests >= _MUCH:
            begin = min(target.begin for target in fresh)
            many = "repository" if total.repositories == 1 else "repositories"
            self._context.announce(
                f"the first collection of {total.repositories} {many} since "
                f"{begin:%Y-%m-%d} takes about {total.requests:,} requests and {total.points:,} "
                f"GraphQL points, some {minutes(total)}; it may be interrupted at any time"
            )

    def _warn_of_end(self) -> None:
        self._context.warn(
            f"ended after {self._budget.requests} requests, as max_requests says; "
            f"the next collection goes on from here"
        )

    def _warn_of_loss(self, lost: Mapping[str, int]) -> None:
        for what, count in sorted(lost.items()):
            self._context.warn(f"GitHub did not give {count} {what} that it has")

    def _warn_of_paths(self, tasks: Sequence[_Task]) -> None:
        wild = {pattern for task in tasks for pattern in task.target.paths if not prefix(pattern)}
        if wild and not self._options.clone:
            self._context.warn(
                f"GitHub cannot be asked which commits touch {', '.join(sorted(wild)[:_FEW])}; "
                f"set clone = true, or write folders without wildcards"
            )


def _fresh(tasks: Sequence[_Task]) -> list[RepositoryTarget]:
    """Those that were never collected."""
    return [task.target for task in tasks if task.cursor.history is None and task.target.is_code]


def _has_moved(before: datetime | None, id_: str, shown: FoundRepositories) -> bool:
    """Return whether something open changed since it was read, or is fetched in any case."""
    if before is None:
        return True
    return id_ in shown.open and shown.open[id_] != before


def minutes(total: Estimate) -> str:
    """The time it takes, several at once, as in `12 min`."""
    at_once = min(AT_ONCE, total.repositories)
    return f"{ceil(total.time.total_seconds() / at_once / 60)} min"
