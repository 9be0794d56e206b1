"""The log of a schedule: its words, and whoever else listens to what comes of its jobs."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from vpemetrics import __version__
from vpemetrics.config.secrets import mask
from vpemetrics.errors import VpemetricsError
from vpemetrics.records import counts_text
from vpemetrics.reports.words import duration
from vpemetrics.scheduler.plan import Agenda, Plan
from vpemetrics.usecases.collecting import Collected, error_text, news
from vpemetrics.window import Window


class Listener(Protocol):
    """Whoever hears from any thread, after each job, and of whatever people should know."""

    def log_collection(self, result: Collected, again_at: datetime) -> None:
        """A source was collected, well or in vain."""

    def log_warning(self, source: str, text: str) -> None:
        """A source says what a person should know."""

    def log_report(
        self, week: Window, path: Path, seconds: float, failing: Mapping[str, str]
    ) -> None:
        """A report was written, without the news of sources that fail (name to error)."""

    def log_wait(self, week: Window, sources: Sequence[str], until: datetime) -> None:
        """A due report waits for sources to be collected, until some moment at most."""

    def log_lack(self, week: Window, collected_until: datetime) -> None:
        """A due report waits for data that reaches the end of its week."""

    def log_retention(self, gone: Mapping[str, int]) -> None:
        """Records were kept for long enough, and are forgotten."""

    def log_pass_over(self, week: Window) -> None:
        """A report will not be written, because nothing was collected of its week."""

    def log_failure(self, job: str, error: Exception) -> None:
        """A job ended with an error; it is tried again."""

    def log_stop(self, job: str) -> None:
        """A job was stopped before its end."""

    def log_change(self, path: Path) -> None:
        """The configuration is not what the schedule goes by any more."""


class ScheduleLog:
    """The log of what happens, a line each with its time on the organisation's clocks.

    `write` takes a line; `describe_bug` keeps what is known of a bug and says where.
    """

    def __init__(
        self,
        plan: Plan,
        clock: Callable[[], datetime],
        write: Callable[[str], None],
        describe_bug: Callable[[Exception], str],
        *,
        quiet: bool = False,
    ) -> None:
        self._plan, self._clock, self._quiet = plan, clock, quiet
        self._write, self._describe_bug = write, describe_bug
        self._zone = ZoneInfo(plan.zone)
        self._warned: set[str] = set()

    def log_begin(self, configuration: Path, coming: Agenda) -> None:
        """Say what will be done and when it comes next."""
        plan = self._plan
        self._note(f"vpemetrics {__version__} goes by {configuration}, on clocks of {plan.zone}")
        for done in coming.yet_to_come:
            self._warn(
                f"the store knows of {done}, which is yet to come: a clock was wrong, so that does "
                "not count"
            )
        times = ", ".join(f"{name} {self._when(at)}" for name, at in coming.collections.items())
        self._note(f"collects each source every {duration(plan.every.total_seconds())}: {times}")
        self._note(
            f"reports every {plan.report} into {plan.output}: next {self._when(coming.report_at)}"
        )

    def log_ending(self) -> None:
        """Say that it was told to stop."""
        self._note("stopping")

    def log_left(self, jobs: Sequence[str]) -> None:
        """Say which jobs end with the process."""
        self._warn(f"did not stop in time, and ends with the process: {', '.join(jobs)}")

    def log_end(self) -> None:
        """Say that all is over."""
        self._note("stopped")

    def log_collection(self, result: Collected, again_at: datetime) -> None:
        """A source was collected, well or in vain."""
        seconds = f"({result.seconds:.1f} s)"
        again = self._when(again_at)
        if result.bug:
            self.log_failure(result.source, result.bug)
        elif result.error:
            self._fail(f"{result.source}: {result.error} {seconds}; tried again {again}")
        else:
            self._note(f"{result.source}: {news(result)} {seconds}; again {again}")

    def log_warning(self, source: str, text: str) -> None:
        """A source says what a person should know; once is enough."""
        line = f"{source}: {text}"
        if line not in self._warned:
            self._warned.add(line)
            self._warn(line)

    def log_report(
        self, week: Window, path: Path, seconds: float, failing: Mapping[str, str]
    ) -> None:
        """A report was written, without the news of sources that fail."""
        for name, error in failing.items():
            self._warn(f"report: {week.label} may lack news of {name}: {error}")
        again = self._when(self._plan.report_after(self._clock()))
        self._note(f"report: wrote {path} ({seconds:.1f} s); next {again}")

    def log_wait(self, week: Window, sources: Sequence[str], until: datetime) -> None:
        """A due report waits for sources to be collected."""
        names = ", ".join(sources)
        self._note(f"report: {week.label} waits for {names}, until {self._at(until)} at most")

    def log_lack(self, week: Window, collected_until: datetime) -> None:
        """A due report waits for data that reaches the end of its week."""
        self._warn(
            f"report: {week.label} waits for data: deployments were collected until "
            f"{self._at(collected_until)} only; looking again after each collection"
        )

    def log_retention(self, gone: Mapping[str, int]) -> None:
        """Records were kept for long enough, and are forgotten."""
        self._note(f"kept for long enough, and forgotten: {counts_text(gone)}")

    def log_pass_over(self, week: Window) -> None:
        """A report will not be written."""
        again = self._when(self._plan.report_after(self._clock()))
        self._note(f"report: nothing was collected of {week.label}, so there is none; next {again}")

    def log_failure(self, job: str, error: Exception) -> None:
        """A job ended with an error."""
        self._fail(f"{job}: {self._text(error)}; it is tried again")

    def log_stop(self, job: str) -> None:
        """A job was stopped before its end."""
        self._note(f"stopped in the middle: {job}; what was saved stays, the next start goes on")

    def log_change(self, path: Path) -> None:
        """The configuration changed."""
        self._warn(f"{path} changed; this schedule goes by what it read until it is started anew")

    def _note(self, text: str) -> None:
        if not self._quiet:
            self._say(text)

    def _warn(self, text: str) -> None:
        self._say(f"warning: {text}")

    def _fail(self, text: str) -> None:
        self._say(f"error: {text}")

    def _say(self, text: str) -> None:
        now = self._clock().astimezone(self._zone).isoformat(timespec="seconds")
        line = " ".join(f"{now} {mask(text)}".split("\n"))
        with suppress(OSError):  # where nobody listens any more, work goes on
            self._write(line)

    def _when(self, at: datetime) -> str:
        """`now`, or `at` a moment."""
        return "now" if at <= self._clock() else f"at {self._at(at)}"

    def _at(self, at: datetime) -> str:
        """A moment on the organisation's clocks: `Mon 7 Sep 06:00`; today the time alone."""
        there, today = at.astimezone(self._zone), self._clock().astimezone(self._zone).date()
        if there.date() == today:
            return (
                f"{there:%H:%M:%S}" if self._plan.every < timedelta(minutes=1) else f"{there:%H:%M}"
            )
        return f"{there:%a} {there.day} {there:%b %H:%M}"

    def _text(self, error: Exception) -> str:
        """The text of an error; of a bug where its log is."""
        if isinstance(error, VpemetricsError | OSError):
            return error_text(error)
        try:
            return self._describe_bug(error)
        except OSError:
            return f"this is a bug in vpemetrics: {type(error).__name__}"
