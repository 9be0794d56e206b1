"""GitHub as a source: a look at all repositories, then several at once that have anything new."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from vpemetrics.collectors.base import Batch, CollectionContext, bot_test
from vpemetrics.collectors.github.asking import Asking, Bounds, Enough
from vpemetrics.collectors.github.client import Access, access_by_app, access_by_token
from vpemetrics.collectors.github.commit_history import is_read, prefix
from vpemetrics.collectors.github.connections import is_quiet, wanted
from vpemetrics.collectors.github.coverage import coverage
from vpemetrics.collectors.github.cursor import GitHubCursor, SeenCommits, parse_cursor
from vpemetrics.collectors.github.estimate import Estimate, estimate
from vpemetrics.collectors.github.mirror import Mirror, mirrors_in_cache
from vpemetrics.collectors.github.options import Options
from vpemetrics.collectors.github.parse.naming import Naming
from vpemetrics.collectors.github.patience import Patience
from vpemetrics.collectors.github.problems import GitHubProblem
from vpemetrics.collectors.github.repositories import Look, look
from vpemetrics.collectors.github.repository import RepositoryProbe, RepositoryTarget, bots_of
from vpemetrics.collectors.github.repository_collector import COMMITS, RepositoryCollector
from vpemetrics.collectors.github.several import AT_ONCE, Several
from vpemetrics.collectors.github.workflow_runs import RunsReader
from vpemetrics.errors import VpemetricsError
from vpemetrics.rules import is_chosen

_WEEKS: Final = 53
_MUCH: Final = 60
"""An estimate of so many requests or more is told before they are made."""
_FEW: Final = 3


def access(options: Options, context: CollectionContext) -> Access:
    """Who asks, by the settings; a person hears of waits for limits."""
    patience = Patience(
        max_wait=options.longest_wait,
        announce=context.announce,
        countdown=context.countdown,
        stop=context.stop,
    )
    if options.app:
        key = context.secret(options.app.private_key)
        return access_by_app(
            url=options.url, app=options.app.id, private_key=key, patience=patience
        )
    token = context.secret(options.token or "")
    return access_by_token(url=options.url, token=token, patience=patience)


def collect(options: Options, context: CollectionContext) -> Iterator[Batch]:
    """What is new on GitHub since the cursors.

    What goes wrong with one repository keeps none of the others from being collected; it is
    raised at the end.
    """
    opened = access(options, context)
    try:
        yield from _Collection(options, context, opened).batches()
    finally:
        opened.close()


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a collection would find: the repositories, and how many of them have anything new.

    `cost` is that of those never collected; `problems` are by owner or repository.
    """

    names: Sequence[str]
    busy: int
    cost: Estimate
    problems: Mapping[str, GitHubProblem]


def expected(options: Options, context: CollectionContext, opened: Access) -> Expected:
    """A look at all repositories, as a collection begins; nothing is collected."""
    return _Collection(options, context, opened).expected()


@dataclass(frozen=True, kw_only=True)
class _Task:
    """A repository with something new, and where it stands."""

    target: RepositoryTarget
    cursor: GitHubCursor
    moved: Sequence[str]


class _Collection:
    """One collection of all repositories."""

    def __init__(self, options: Options, context: CollectionContext, access_: Access) -> None:
        self._options = options
        self._context = context
        self._access = access_
        self._bounds = Bounds(access_, options.max_requests)
        self._bots = bots_of(context.rules)
        self._is_bot = bot_test(context.rules.bots)
        self._problems: dict[str, VpemetricsError] = {}
        found = (parse_cursor(text) for text in context.cursors.values())
        self._cursors = {one.id: one for one in found if one}

    def batches(self) -> Iterator[Batch]:
        """What is new: first of all that is quiet for how long, then of what is not."""
        try:
            found = look(self._access, self._bounds, self._options, self._cursors.values())
        except Enough:
            self._tell_enough()
            return
        self._problems |= found.problems
        tasks = [self._task(seen, found) for seen in found.seen]
        busy = [task for task in tasks if self._is_busy(task)]
        active = {task.target.probe.id for task in busy}
        quiet = [task for task in tasks if task.target.probe.id not in active]
        if quiet:
            now = self._context.now
            yield Batch(
                records=[c for one in quiet for c in coverage(one.target, one.cursor, now=now)]
            )
        self._warn_of_paths(busy)
        self._tell_cost(busy)
        yield from self._several(busy)
        if self._problems:
            lines = (f"{name}: {problem}" for name, problem in sorted(self._problems.items()))
            raise GitHubProblem("\n".join(lines))

    def _task(self, seen: RepositoryProbe, found: Look) -> _Task:
        context, before = self._context, self._cursors.get(seen.id)
        since = context.begin(self._options.since)
        begin = since or (before.begin if before else context.now - timedelta(weeks=_WEEKS))
        cursor = before or GitHubCursor(
            id=seen.id, known=seen.known, name=seen.name, asked=seen.asked, begin=begin
        )
        target = self._target(seen, begin)
        moved = [
            id_
            for id_, one in cursor.open.items()
            if cursor.is_fresh(one) or _has_moved(one.updated_at, id_, found)
        ]
        return _Task(
            target=target,
            cursor=replace(cursor, begin=begin, asked=seen.asked),
            moved=moved,
        )

    def _target(self, seen: RepositoryProbe, begin: datetime) -> RepositoryTarget:
        options, context = self._options, self._context
        others = {one.name.lower(): one.known for one in self._cursors.values()}
        is_code = any(is_chosen(name, options.repositories) for name in (seen.name, seen.known))
        return RepositoryTarget(
            probe=seen,
            naming=Naming(known=seen.known, current=seen.name, is_bot=self._is_bot, others=others),
            asking=Asking(self._access.client(seen.account), self._bounds),
            options=options,
            rules=context.rules,
            source=context.source,
            now=context.now,
            begin=begin,
            is_code=is_code,
            bots=self._bots,
        )

    def _is_busy(self, task: _Task) -> bool:
        target, cursor = task.target, task.cursor
        if task.moved or cursor.open_runs or cursor.name != target.probe.name:
            return True
        if target.is_code and not is_read(target, cursor):
            return True
        lists = wanted(target)
        due = "runs" in lists and RunsReader(target=target, cursor=cursor).is_due()
        return due or not all(is_quiet(target, cursor, name) for name in lists)

    def _several(self, tasks: Sequence[_Task]) -> Iterator[Batch]:
        """The busy ones; those that go wrong are remembered, what concerns all ends the rest."""
        several = Several([self._work(task) for task in tasks])
        end: Exception | None = None
        lost: Counter[str] = Counter()
        done = 0
        try:
            for found in several.results():
                if isinstance(found, Batch):
                    yield found
                    continue
                done += 1
                self._context.progress(done, len(tasks))
                lost.update(found.work.lost)
                self._note(found.work)
                if found.end and not isinstance(found.end, Enough):
                    end = end or found.end
                    self._bounds.stop()
        finally:
            self._bounds.stop()
        self._tell_lost(lost)
        if end:
            raise end
        if self._bounds.is_reached:
            self._tell_enough()

    def _work(self, task: _Task) -> RepositoryCollector:
        known = SeenCommits(self._context.cursors.get(task.cursor.known + COMMITS, ""))
        return RepositoryCollector(
            task.target, task.cursor, known, task.moved, self._mirror(task.target)
        )

    def _mirror(self, target: RepositoryTarget) -> Mirror | None:
        if not self._options.clone:
            return None
        token = self._context.secret(self._options.token or "")
        mirrors = mirrors_in_cache(os.environ, url=self._options.url, token=token)
        return mirrors.of(target.probe.id, target.probe.name, paths=bool(target.paths))

    def _note(self, work: RepositoryCollector) -> None:
        for part, error in work.errors.items():
            self._problems[f"{work.target.probe.name}, {part}"] = error

    def expected(self) -> Expected:
        """What a collection would find and cost."""
        found = look(self._access, self._bounds, self._options, self._cursors.values())
        tasks = [self._task(seen, found) for seen in found.seen]
        busy = [task for task in tasks if self._is_busy(task)]
        return Expected(
            names=[task.target.probe.name for task in tasks],
            busy=len(busy),
            cost=self._cost(_fresh(busy)),
            problems=found.problems,
        )

    def _cost(self, fresh: Sequence[RepositoryTarget]) -> Estimate:
        """What collecting repositories for the first time is going to cost."""
        total = Estimate()
        for account in sorted({target.probe.account for target in fresh}):
            mine = [target for target in fresh if target.probe.account == account]
            total += estimate(mine[0].asking, mine)
        return total

    def _tell_cost(self, tasks: Sequence[_Task]) -> None:
        """Says what a first collection is going to cost, where that is much."""
        fresh = _fresh(tasks)
        try:
            total = self._cost(fresh)
        except Enough:
            return
        if total.requests >= _MUCH:
            begin = min(target.begin for target in fresh)
            many = "repository" if total.repositories == 1 else "repositories"
            self._context.announce(
                f"the first collection of {total.repositories} {many} since "
                f"{begin:%Y-%m-%d} takes about {total.requests:,} requests and {total.points:,} "
                f"GraphQL points, some {minutes(total)}; it may be interrupted at any time"
            )

    def _tell_enough(self) -> None:
        self._context.warn(
            f"ended after {self._bounds.requests} requests, as max_requests says; "
            f"the next collection goes on from here"
        )

    def _tell_lost(self, lost: Mapping[str, int]) -> None:
        for what, count in sorted(lost.items()):
            self._context.warn(f"GitHub did not give {count} {what} that it has")

    def _warn_of_paths(self, tasks: Sequence[_Task]) -> None:
        patterns = {one for task in tasks for one in task.target.paths if not prefix(one)}
        if patterns and not self._options.clone:
            self._context.warn(
                f"GitHub cannot be asked which commits touch {', '.join(sorted(patterns)[:_FEW])}; "
                f"set clone = true, or write folders without wildcards"
            )


def _fresh(tasks: Sequence[_Task]) -> list[RepositoryTarget]:
    """Those that were never collected."""
    return [task.target for task in tasks if task.cursor.history is None and task.target.is_code]


def _has_moved(before: datetime | None, id_: str, found: Look) -> bool:
    """Whether something open changed since it was read, or is to be asked for in any case."""
    if before is None:
        return True
    return id_ in found.open and found.open[id_] != before


def minutes(total: Estimate) -> str:
    """How long it takes, several at once, as in `12 min`."""
    at_once = min(AT_ONCE, total.repositories)
    return f"{ceil(total.time.total_seconds() / at_once / 60)} min"
