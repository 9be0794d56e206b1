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
from vpemetrics.collectors.github.covering import coverage
from vpemetrics.collectors.github.estimate import Estimate, estimate
from vpemetrics.collectors.github.history import is_read, prefix
from vpemetrics.collectors.github.lists import is_quiet, wanted
from vpemetrics.collectors.github.mirror import Mirror, mirrors_in_cache
from vpemetrics.collectors.github.options import Options
from vpemetrics.collectors.github.parse.naming import Naming
from vpemetrics.collectors.github.patience import Patience
from vpemetrics.collectors.github.place import Place, Seen, bots_of
from vpemetrics.collectors.github.position import Known, Position, parse_position
from vpemetrics.collectors.github.problems import GitHubProblem
from vpemetrics.collectors.github.repositories import Look, look
from vpemetrics.collectors.github.runs import Reader as RunsReader
from vpemetrics.collectors.github.several import AT_ONCE, Several
from vpemetrics.collectors.github.work import COMMITS, Work
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

    place: Place
    position: Position
    moved: Sequence[str]


class _Collection:
    """One collection of all repositories."""

    def __init__(self, options: Options, context: CollectionContext, access_: Access) -> None:
        self._options = options
        self._occasion = context
        self._access = access_
        self._bounds = Bounds(access_, options.max_requests)
        self._bots = bots_of(context.rules)
        self._is_bot = bot_test(context.rules.bots)
        self._problems: dict[str, VpemetricsError] = {}
        found = (parse_position(text) for text in context.cursors.values())
        self._positions = {one.id: one for one in found if one}

    def batches(self) -> Iterator[Batch]:
        """What is new: first of all that is quiet for how long, then of what is not."""
        try:
            found = look(self._access, self._bounds, self._options, self._positions.values())
        except Enough:
            self._tell_enough()
            return
        self._problems |= found.problems
        tasks = [self._task(seen, found) for seen in found.seen]
        busy = [task for task in tasks if self._is_busy(task)]
        active = {task.place.seen.id for task in busy}
        quiet = [task for task in tasks if task.place.seen.id not in active]
        if quiet:
            now = self._occasion.now
            yield Batch(
                records=[c for one in quiet for c in coverage(one.place, one.position, now=now)]
            )
        self._warn_of_paths(busy)
        self._tell_cost(busy)
        yield from self._several(busy)
        if self._problems:
            lines = (f"{name}: {problem}" for name, problem in sorted(self._problems.items()))
            raise GitHubProblem("\n".join(lines))

    def _task(self, seen: Seen, found: Look) -> _Task:
        context, before = self._occasion, self._positions.get(seen.id)
        since = context.begin(self._options.since)
        begin = since or (before.begin if before else context.now - timedelta(weeks=_WEEKS))
        position = before or Position(
            id=seen.id, known=seen.known, name=seen.name, asked=seen.asked, begin=begin
        )
        place = self._place(seen, begin)
        moved = [
            id_
            for id_, one in position.open.items()
            if position.is_fresh(one) or _has_moved(one.updated_at, id_, found)
        ]
        return _Task(
            place=place,
            position=replace(position, begin=begin, asked=seen.asked),
            moved=moved,
        )

    def _place(self, seen: Seen, begin: datetime) -> Place:
        options, context = self._options, self._occasion
        others = {one.name.lower(): one.known for one in self._positions.values()}
        is_code = any(is_chosen(name, options.repositories) for name in (seen.name, seen.known))
        return Place(
            seen=seen,
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
        place, position = task.place, task.position
        if task.moved or position.open_runs or position.name != place.seen.name:
            return True
        if place.is_code and not is_read(place, position):
            return True
        lists = wanted(place)
        due = "runs" in lists and RunsReader(place=place, position=position).is_due()
        return due or not all(is_quiet(place, position, name) for name in lists)

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
                self._occasion.progress(done, len(tasks))
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

    def _work(self, task: _Task) -> Work:
        known = Known(self._occasion.cursors.get(task.position.known + COMMITS, ""))
        return Work(task.place, task.position, known, task.moved, self._mirror(task.place))

    def _mirror(self, place: Place) -> Mirror | None:
        if not self._options.clone:
            return None
        token = self._occasion.secret(self._options.token or "")
        mirrors = mirrors_in_cache(os.environ, url=self._options.url, token=token)
        return mirrors.of(place.seen.id, place.seen.name, paths=bool(place.paths))

    def _note(self, work: Work) -> None:
        for part, error in work.errors.items():
            self._problems[f"{work.place.seen.name}, {part}"] = error

    def expected(self) -> Expected:
        """What a collection would find and cost."""
        found = look(self._access, self._bounds, self._options, self._positions.values())
        tasks = [self._task(seen, found) for seen in found.seen]
        busy = [task for task in tasks if self._is_busy(task)]
        return Expected(
            names=[task.place.seen.name for task in tasks],
            busy=len(busy),
            cost=self._cost(_fresh(busy)),
            problems=found.problems,
        )

    def _cost(self, fresh: Sequence[Place]) -> Estimate:
        """What collecting repositories for the first time is going to cost."""
        total = Estimate()
        for account in sorted({place.seen.account for place in fresh}):
            mine = [place for place in fresh if place.seen.account == account]
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
            begin = min(place.begin for place in fresh)
            many = "repository" if total.repositories == 1 else "repositories"
            self._occasion.announce(
                f"the first collection of {total.repositories} {many} since "
                f"{begin:%Y-%m-%d} takes about {total.requests:,} requests and {total.points:,} "
                f"GraphQL points, some {minutes(total)}; it may be interrupted at any time"
            )

    def _tell_enough(self) -> None:
        self._occasion.warn(
            f"ended after {self._bounds.requests} requests, as max_requests says; "
            f"the next collection goes on from here"
        )

    def _tell_lost(self, lost: Mapping[str, int]) -> None:
        for what, count in sorted(lost.items()):
            self._occasion.warn(f"GitHub did not give {count} {what} that it has")

    def _warn_of_paths(self, tasks: Sequence[_Task]) -> None:
        patterns = {one for task in tasks for one in task.place.paths if not prefix(one)}
        if patterns and not self._options.clone:
            self._occasion.warn(
                f"GitHub cannot be asked which commits touch {', '.join(sorted(patterns)[:_FEW])}; "
                f"set clone = true, or write folders without wildcards"
            )


def _fresh(tasks: Sequence[_Task]) -> list[Place]:
    """Those that were never collected."""
    return [task.place for task in tasks if task.position.history is None and task.place.is_code]


def _has_moved(before: datetime | None, id_: str, found: Look) -> bool:
    """Whether something open changed since it was read, or is to be asked for in any case."""
    if before is None:
        return True
    return id_ in found.open and found.open[id_] != before


def minutes(total: Estimate) -> str:
    """How long it takes, several at once, as in `12 min`."""
    at_once = min(AT_ONCE, total.repositories)
    return f"{ceil(total.time.total_seconds() / at_once / 60)} min"
