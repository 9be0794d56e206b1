"""`vpemetrics schedule`: a process that collects and reports by itself until it is stopped."""

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import typer

from vpemetrics import __version__
from vpemetrics.cli.collecting import news, nothing_to_collect
from vpemetrics.cli.session import Session, command
from vpemetrics.errors import FixConfiguration, VpemetricsError

if TYPE_CHECKING:
    from vpemetrics.config.load import Configuration
    from vpemetrics.scheduler.plan import Agenda, Plan
    from vpemetrics.usecases.collecting import Collected
    from vpemetrics.window import Window

_PATIENCE: Final = timedelta(seconds=5)


@command
def schedule(session: Session) -> None:
    """Collect every hour, write the week's report on Monday, until stopped.

    When, and where reports go, says [schedule] in vpemetrics.toml.
    Example: vpemetrics schedule
    """
    configuration = session.configuration()
    if configuration.path is None:
        raise FixConfiguration(
            "a schedule takes a vpemetrics.toml that names its sources, and there is none\n"
            f"`{session.hint('init')}` proposes one"
        )
    if not configuration.settings.sources:
        raise nothing_to_collect(configuration)
    choice = session.choose_store(configuration)
    session.note(str(choice))
    plan = _plan(configuration, choice.location)
    _make_room(plan)

    from vpemetrics.store.schedule_lock import only_schedule

    with only_schedule(plan.location):
        _run(plan, _Log(session, plan), configuration.path)


def _plan(configuration: "Configuration", location: str) -> "Plan":
    """What is to be done, into a store that is there."""
    from vpemetrics.scheduler.plan import Plan
    from vpemetrics.store import Store

    Store.open(location).close()
    return Plan.of(configuration, location)


def _make_room(plan: "Plan") -> None:
    """Finds out now, and not on Monday, that reports cannot be written."""
    from vpemetrics.config.model import WEEK

    folder = next(one for one in plan.output.parents if WEEK not in str(one))
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise FixConfiguration(f"schedule.output: {folder} is not yours to write to")


def _run(plan: "Plan", log: "_Log", configuration: Path) -> None:
    from vpemetrics.scheduler.jobs import Schedule
    from vpemetrics.scheduler.plan import agenda
    from vpemetrics.store import Store
    from vpemetrics.store.report_marks import reported_week

    with Store.open(plan.location) as store, store.view() as connection:
        last, reported = store.collections(), reported_week(connection)
    running = Schedule(plan, log, configuration, _now)
    coming = agenda(plan, last, reported, _now())
    log.begins(configuration, coming)
    # Both then interrupt the main thread, which does nothing but wait.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        running.start(coming)
        while True:
            time.sleep(timedelta(hours=1).total_seconds())
    _ignore_signals()
    log.ends()
    if left := running.stop(_PATIENCE):
        # Threads cannot be ended from outside. What they are saving is saved whole or not at
        # all, as when the machine fails.
        log.leaves(left)
        sys.stderr.flush()
        os._exit(0)
    log.ended()


def _ignore_signals() -> None:
    """Whoever asks again gets no other answer; it takes a few seconds at most."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)


def _now() -> datetime:
    return datetime.now(UTC)


class _Log:
    """Says on stderr what happens, a line each with its time on the organisation's clocks."""

    def __init__(self, session: Session, plan: "Plan") -> None:
        self._session, self._plan = session, plan
        self._zone = ZoneInfo(plan.zone)
        self._warned: set[str] = set()

    def begins(self, configuration: Path, coming: "Agenda") -> None:
        """Says what will be done and when it comes next."""
        from vpemetrics.reports.words import duration

        plan = self._plan
        self._note(f"vpemetrics {__version__} goes by {configuration}, on clocks of {plan.zone}")
        times = ", ".join(f"{name} {self._when(at)}" for name, at in coming.collections.items())
        self._note(f"collects each source every {duration(plan.every.total_seconds())}: {times}")
        self._note(
            f"reports every {plan.report} into {plan.output}: next {self._when(coming.report_at)}"
        )

    def ends(self) -> None:
        """Says that it was told to stop."""
        self._note("stopping")

    def leaves(self, jobs: Sequence[str]) -> None:
        """Says which jobs end with the process."""
        self._warn(f"did not stop in time, and ends with the process: {', '.join(jobs)}")

    def ended(self) -> None:
        """Says that all is over."""
        self._note("stopped")

    def collected(self, result: "Collected", again_at: datetime) -> None:
        """A source was collected, well or in vain."""
        seconds = f"({result.seconds:.1f} s)"
        again = self._when(again_at)
        if result.bug:
            self.failed(result.source, result.bug)
        elif result.error:
            self._fail(f"{result.source}: {result.error} {seconds}; tried again {again}")
        else:
            self._note(f"{result.source}: {news(result)} {seconds}; again {again}")

    def warned(self, source: str, text: str) -> None:
        """A source says what a person should know; once is enough."""
        line = f"{source}: {text}"
        if line not in self._warned:
            self._warned.add(line)
            self._warn(line)

    def wrote(self, week: "Window", path: Path, seconds: float, failing: Mapping[str, str]) -> None:
        """A report was written, without the news of sources that fail."""
        for name, error in failing.items():
            self._warn(f"report: {week.label} may lack news of {name}: {error}")
        again = self._when(self._plan.report_after(_now()))
        self._note(f"report: wrote {path} ({seconds:.1f} s); next {again}")

    def waits(self, week: "Window", sources: Sequence[str], until: datetime) -> None:
        """A due report waits for sources to be collected."""
        names = ", ".join(sources)
        self._note(f"report: {week.label} waits for {names}, until {self._at(until)} at most")

    def lacks(self, week: "Window", collected_until: datetime) -> None:
        """A due report waits for data that reaches the end of its week."""
        self._warn(
            f"report: {week.label} waits for data: deployments were collected until "
            f"{self._at(collected_until)} only; looking again after each collection"
        )

    def passes_over(self, week: "Window") -> None:
        """A report will not be written."""
        again = self._when(self._plan.report_after(_now()))
        self._note(f"report: nothing was collected of {week.label}, so there is none; next {again}")

    def failed(self, job: str, error: Exception) -> None:
        """A job ended with an error."""
        self._fail(f"{job}: {_said(error)}; it is tried again")

    def stopped(self, job: str) -> None:
        """A job was stopped before its end."""
        self._note(f"stopped in the middle: {job}; what was saved stays, the next start goes on")

    def changed(self, path: Path) -> None:
        """The configuration changed."""
        self._warn(f"{path} changed; this schedule goes by what it read until it is started anew")

    def _note(self, text: str) -> None:
        if not self._session.quiet:
            self._say(text)

    def _warn(self, text: str) -> None:
        self._say(f"warning: {text}")

    def _fail(self, text: str) -> None:
        self._say(f"error: {text}")

    def _say(self, text: str) -> None:
        from vpemetrics.config.secrets import mask

        now = _now().astimezone(self._zone).isoformat(timespec="seconds")
        line = " ".join(f"{now} {mask(text)}".split("\n"))
        with suppress(OSError):  # where nobody listens any more, work goes on
            typer.echo(line, err=True)

    def _when(self, at: datetime) -> str:
        """`now`, or `at` a moment."""
        return "now" if at <= _now() else f"at {self._at(at)}"

    def _at(self, at: datetime) -> str:
        """A moment on the organisation's clocks: `Mon 7 Sep 06:00`; today the time alone."""
        there, today = at.astimezone(self._zone), _now().astimezone(self._zone).date()
        if there.date() == today:
            return (
                f"{there:%H:%M:%S}" if self._plan.every < timedelta(minutes=1) else f"{there:%H:%M}"
            )
        return f"{there:%a} {there.day} {there:%b %H:%M}"


def _said(error: Exception) -> str:
    """What an error says; of a bug where its log is."""
    from vpemetrics.cli.crash_log import keep, told
    from vpemetrics.usecases.collecting import error_text

    if isinstance(error, VpemetricsError | OSError):
        return error_text(error)

    try:
        return told(error, keep(error, os.environ))
    except OSError:
        return f"this is a bug in vpemetrics: {type(error).__name__}"
