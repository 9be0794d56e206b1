"""The collection of sources into a store: only what is new, and when they were asked last."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic, sleep
from types import MappingProxyType
from typing import Final

from vpemetrics.collectors.authors import (
    AuthorCounts,
    author_test,
    lines_for,
    mark_authors,
    mark_authors_in,
    unlisted_automation,
    unlisted_text,
)
from vpemetrics.collectors.base import CollectionContext, never
from vpemetrics.config.secrets import mask
from vpemetrics.config.sources import Source
from vpemetrics.errors import Stopped, StoreProblem, VpemetricsError
from vpemetrics.names import first_few
from vpemetrics.records import RECORD_TYPES, Coverage, counts_text
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.impossible_times import ImpossibleTimes, covered_too_far
from vpemetrics.window import format_instant

BUG: Final = "a bug in vpemetrics"
_GRACE_S: Final = 0.3
_OFTEN_S: Final = 0.02
_FEW: Final = 3


@dataclass(frozen=True, kw_only=True)
class Collected:
    """The outcome of collecting one source.

    `read` counts the records it told by kind, `new` those that were not known before or said
    something else; `left_out` are those that it does not give as it should, and why. With an
    `error` these are what was saved before it happened; `bug` is the exception behind it where
    the fault is ours.
    """

    source: str
    seconds: float
    read: Mapping[str, int] = field(default_factory=dict)
    new: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
    bug: Exception | None = None


def collect(
    store: Store,
    source: Source,
    rules: Rules,
    *,
    clock: Callable[[], datetime],
    warn: Callable[[str], None],
    progress: Callable[[int, int], None],
    announce: Callable[[str], None] | None = None,
    countdown: Callable[[timedelta], None] | None = None,
    stop: Callable[[], bool] = never,
    environ: Mapping[str, str] = MappingProxyType({}),
) -> Collected:
    """Save what a source has to say that is new since it was collected last.

    Where nobody listens to what a source announces at once, it is a warning like others.
    `environ` is where the source's secrets of the form `env:NAME` are looked up.

    Each batch is saved with how far the source is then collected in one transaction, so an
    interruption costs repetition at most. What goes wrong is returned, and kept for `status`;
    only what is wrong with the store is raised (StoreProblem), and Stopped once `stop` says so.
    """
    started = clock()
    for text in _forget_future(store, source.name, started):
        warn(text)
    left_out: dict[str, str] = {}
    times = ImpossibleTimes(started)
    collecting = _Collecting(store, source, rules, times)
    context = CollectionContext(
        source=source.name,
        now=started,
        cursors=store.cursors(source.name),
        rules=rules,
        folder=source.folder,
        warn=warn,
        progress=_stoppable(progress, stop),
        announce=announce or warn,
        countdown=countdown or (lambda _left: None),
        stop=stop,
        secret=lambda reference: source.secret(reference, environ),
        leave_out=lambda name, why: left_out.update({mask(name): mask(why)}),
    )
    error, bug = None, None
    try:
        with source.place_patterns():
            collecting.save_all(context)
    except StoreProblem:
        raise
    except Exception as problem:
        if _is_stopped(stop):
            raise Stopped from None
        store.raise_if_damaged(problem)
        error, bug = _account_for(problem)
    finished = clock()
    store.note_collection(source.name, started, finished, error, left_out)
    if left_out:
        warn(left_out_text(left_out))
    if times.met:
        warn(times.text())
    if odd := unlisted_automation(collecting.authors, collecting.kind_of):
        warn(f"{unlisted_text(odd)}; {lines_for(odd)}")
    return Collected(
        source=source.name,
        seconds=(finished - started).total_seconds(),
        read=_in_order(collecting.read),
        new=_in_order(collecting.new),
        left_out=left_out,
        error=error,
        bug=bug,
    )


def _forget_future(store: Store, source: str, now: datetime) -> Iterator[str]:
    """Put right what a wrong clock has left in a store, and say so."""
    if latest := store.forget_future_collection(source, now):
        yield (
            f"its last collection was at {format_instant(latest)}, which is yet to come: a clock "
            "was wrong, so it is collected anew"
        )
    if latest := store.forget_future(now):
        yield covered_too_far(latest)


def _stoppable(
    progress: Callable[[int, int], None], stop: Callable[[], bool]
) -> Callable[[int, int], None]:
    """The same progress, from which a collection does not return once it is to stop."""

    def check_and_show(done: int, of: int) -> None:
        if stop():
            raise Stopped
        progress(done, of)

    return check_and_show


def _is_stopped(stop: Callable[[], bool]) -> bool:
    """Tell whether a collection failed because it was to stop.

    Ctrl-C reaches a git that is reading, too, and may do so first: so there is a moment's grace.
    """
    deadline = monotonic() + (_GRACE_S if stop is not never else 0)
    while not stop():
        if monotonic() >= deadline:
            return False
        sleep(_OFTEN_S)
    return True


def _account_for(problem: Exception) -> tuple[str, Exception | None]:
    """The text for what ended a collection, and the exception itself where the fault is ours."""
    if isinstance(problem, VpemetricsError | OSError):
        return error_text(problem), None
    return f"{BUG}: {type(problem).__name__}", problem


def news(result: Collected) -> str:
    """The new records by kind; how far was collected is not one of them."""
    new = {kind: count for kind, count in result.new.items() if kind != Coverage.KIND}
    return f"new {counts_text(new)}" if new else "nothing new"


def left_out_text(left_out: Mapping[str, str]) -> str:
    """The number of records that were left out, and why the first of them were."""
    count = len(left_out)
    records, they = ("1 record", "it") if count == 1 else (f"{count:,} records", "they")
    reasons = first_few(list(left_out.values()), _FEW, between="; ")
    return f"left out {records} until {they} can be read: {reasons}"


def _in_order(counts: Mapping[str, int]) -> dict[str, int]:
    return {kind: counts[kind] for kind in RECORD_TYPES if counts.get(kind)}


def error_text(problem: Exception) -> str:
    """The text of an error, without passwords and tokens."""
    if isinstance(problem, OSError) and problem.strerror:
        place = f"{problem.filename}: " if problem.filename else ""
        return mask(f"{place}{problem.strerror}")
    return mask(str(problem))


class _Collecting:
    """One collection of one source, and what it has saved so far."""

    def __init__(self, store: Store, source: Source, rules: Rules, times: ImpossibleTimes) -> None:
        self._store = store
        self._times = times
        self._source = source
        self.kind_of = author_test(rules.bots, rules.agents)
        self.authors = AuthorCounts()
        # Before the cursors are read, so that none is read that is forgotten unnoticed.
        self._times_forgotten = store.times_forgotten()
        self.read: Counter[str] = Counter()
        self.new: Counter[str] = Counter()

    def save_all(self, context: CollectionContext) -> None:
        for batch in self._source.collector.collect(self._source.options, context):
            context.check_stop()
            saved = self._store.save_collected(
                self._source.name,
                self._times.cleared(mark_authors(self.authors.see(batch.records), self.kind_of)),
                columns=(
                    self._times.cleared_in(
                        mark_authors_in(self.authors.see_columns(columns), self.kind_of)
                    )
                    for columns in batch.columns
                ),
                cursors=batch.cursors,
                gone=batch.gone,
                times_forgotten=self._times_forgotten,
            )
            self.read.update(saved.records)
            self.new.update(saved.changed)
        context.check_stop()
