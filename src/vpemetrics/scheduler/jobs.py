"""The jobs of a schedule under APScheduler: each does its work, and says when it wants it again.

A job runs once at a time, in a thread of its own, so a source that takes long, or fails, keeps
nothing else waiting. APScheduler stores no jobs: they are made from the configuration, and when
they are due follows from the store.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Condition, Event, Lock
from time import perf_counter
from typing import Any, Final

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from vpemetrics.config.sources import Source
from vpemetrics.errors import Stopped, StoreBusy
from vpemetrics.scheduler.config_watch import WatchedFile
from vpemetrics.scheduler.log import Listener
from vpemetrics.scheduler.plan import Agenda, Plan, sources_not_asked_since
from vpemetrics.scheduler.reporting import collected_between, write_report
from vpemetrics.store import Store
from vpemetrics.store.audit import RETENTION
from vpemetrics.store.report_marks import note_reported, reported_week
from vpemetrics.usecases.collecting import collect
from vpemetrics.usecases.forgetting import keep_only_and_finish
from vpemetrics.usecases.status import lacking
from vpemetrics.usecases.update_lineage import bring_up_to_date
from vpemetrics.window import Window, from_micros

REPORT: Final = "report"
_LOOK_EVERY: Final = timedelta(minutes=1)


class Schedule:
    """The jobs of a plan, from `start` to `stop`."""

    def __init__(
        self, plan: Plan, listener: Listener, configuration: Path, clock: Callable[[], datetime]
    ) -> None:
        self._plan, self._listener, self._clock = plan, listener, clock
        self._configuration = WatchedFile(configuration)
        self._began = clock()
        self._following = Lock()
        self._stopping = Event()
        self._busy: set[str] = set()
        self._at_work: set[str] = set()
        self._idle = Condition()
        self._jobs: dict[str, Callable[[], datetime | None]] = {
            _collection_of(source.name): partial(self._collect, source) for source in plan.sources
        } | {REPORT: self._report}
        workers = ThreadPoolExecutor(len(self._jobs) + 1)
        # Late is better than never: after the machine has slept, say. None is however late:
        # https://apscheduler.readthedocs.io/en/3.x/modules/job.html
        late = {"misfire_grace_time": None, "coalesce": True}
        self._scheduler = BackgroundScheduler(
            executors={"default": workers}, job_defaults=late, timezone=UTC
        )
        self._scheduler.add_listener(self._reschedule, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)

    def start(self, agenda: Agenda) -> None:
        """Start with what an agenda says; return at once."""
        for name, at in agenda.collections.items():
            self._put(_collection_of(name), at)
        self._put(REPORT, self._began if agenda.overdue else agenda.report_at)
        # Once a minute the scheduler is awake then, and finds what a sleeping machine missed.
        self._scheduler.add_job(
            self._check_configuration, "interval", seconds=_LOOK_EVERY.total_seconds()
        )
        self._scheduler.start()

    def stop(self, patience: timedelta) -> tuple[str, ...]:
        """Start nothing any more, have running jobs stop, return those that did not in time."""
        self._stopping.set()
        with self._idle:
            self._idle.wait_for(lambda: not self._busy, patience.total_seconds())
            left = tuple(sorted(self._busy))
        if self._scheduler.running:  # it may be stopped while it starts
            self._scheduler.shutdown(wait=False)
        return left

    def _put(self, job: str, at: datetime) -> None:
        self._scheduler.add_job(
            self._run, "date", args=[job], run_date=at, id=job, replace_existing=True
        )

    def _reschedule(self, event: Any) -> None:
        """Put a job that has ended where it wants to be next; whatever happened, it comes again.

        Only from here: before its end APScheduler would pass over a job as still running.
        """
        if self._stopping.is_set() or event.job_id not in self._jobs:
            return
        # By default one instance of a job runs at a time:
        # https://apscheduler.readthedocs.io/en/3.x/modules/job.html
        self._put(event.job_id, event.retval or self._clock() + self._plan.every)

    def _run(self, job: str) -> datetime | None:
        """Do a job; return when it wants to be done again."""
        with self._busy_with(job):
            try:
                return self._jobs[job]()
            except Stopped:
                self._listener.log_stop(job)
                return None

    @contextmanager
    def _busy_with(self, job: str) -> Iterator[None]:
        with self._idle:
            self._busy.add(job)
        try:
            yield
        finally:
            with self._idle:
                self._busy.discard(job)
                self._idle.notify_all()

    def _go_on(self, _done: int = 0, _of: int = 0) -> None:
        if self._stopping.is_set():
            raise Stopped

    def _collect(self, source: Source) -> datetime:
        started = self._clock()
        self._at_work.add(source.name)
        try:
            with Store.open(self._plan.location) as store:
                result = collect(
                    store,
                    source,
                    self._plan.rules,
                    clock=self._clock,
                    warn=partial(self._listener.log_warning, source.name),
                    progress=_ignore,
                    stop=self._stopping.is_set,
                    environ=os.environ,
                )
        except Exception as error:
            self._listener.log_failure(source.name, error)
        else:
            self._listener.log_collection(result, self._collection_after(started))
            self._follow_up(self._write_if_due)
        finally:
            self._at_work.discard(source.name)
        self._follow_up(self._keep_only, RETENTION)
        self._follow_up(self._trace)
        return self._collection_after(started)

    def _collection_after(self, started: datetime) -> datetime:
        return self._plan.collection_after(started, self._clock())

    def _report(self) -> datetime:
        """Write the report that is due, or say why not; return when to look again."""
        self._follow_up(partial(self._write_if_due, tell_waiting=True))
        now = self._clock()
        usual = self._plan.report_after(now)
        given_up = self._plan.report_gives_up_waiting(self._began, now)
        return min(usual, given_up) if given_up > now else usual

    def _follow_up(self, do: Callable[[Store], None], job: str = REPORT) -> None:
        """Do what follows from what was collected."""
        # One at a time; the next then finds it done.
        with self._following:
            self._go_on()
            try:
                with Store.open(self._plan.location) as store:
                    do(store)
            except Exception as error:
                self._listener.log_failure(job, error)

    def _keep_only(self, store: Store) -> None:
        """Forget what is kept for long enough."""
        warn = partial(self._listener.log_warning, RETENTION)
        now, plan = self._clock(), self._plan
        gone = keep_only_and_finish(store, plan.keep, plan.rules, now=now, warn=warn)
        if gone:
            self._listener.log_retention(gone)

    def _trace(self, store: Store) -> None:
        """Bring lineage up to date, so that nobody who asks for a report waits for it.

        The last source that is collected does, or the others would wait to save; where another
        process is writing, a report makes up for it.
        """
        if not self._at_work:
            with suppress(StoreBusy):
                bring_up_to_date(store, self._plan.rules, self._go_on)

    def _write_if_due(self, store: Store, *, tell_waiting: bool = False) -> None:
        now = self._clock()
        with store.view() as connection:
            reported = reported_week(connection)
        week = self._plan.overdue(reported, now)
        if week is None:
            return
        names = [source.name for source in self._plan.sources]
        waiting = sources_not_asked_since(week, names, store.collections(), now)
        until = self._plan.report_gives_up_waiting(self._began, now)
        if waiting and now < until:
            if tell_waiting:
                self._listener.log_wait(week, waiting, until)
            return
        since, end = collected_between(store, self._plan, self._go_on)
        if end < week.end_at:
            self._listener.log_lack(week, from_micros(end))
        elif since < week.end_at:
            self._write(store, week, lacking(store, names))
        elif not waiting:  # who is being asked still may know of that week
            self._listener.log_pass_over(week)
            self._mark_reported(store, week)

    def _write(self, store: Store, week: Window, failing: Mapping[str, str | None]) -> None:
        begun = perf_counter()
        path = write_report(store, self._plan, week, self._go_on)
        self._mark_reported(store, week)
        why = {name: error or "it was never collected" for name, error in failing.items()}
        self._listener.log_report(week, path, perf_counter() - begun, why)

    def _mark_reported(self, store: Store, week: Window) -> None:
        with store.transaction() as connection:
            note_reported(connection, week.label)

    def _check_configuration(self) -> None:
        if self._configuration.has_changed():
            self._listener.log_change(self._configuration.path)


def _ignore(_done: int, _of: int) -> None:
    """Nobody looks at how far a collection is."""


def _collection_of(source: str) -> str:
    """The job that collects a source."""
    return f"collect {source}"
