"""The plan of a schedule, as the configuration says, and what of it is due first."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from vpemetrics.config.load import Configuration
from vpemetrics.config.model import WEEK
from vpemetrics.config.sources import Source, configured_sources
from vpemetrics.config.weekly import Weekly, parse_weekly
from vpemetrics.errors import FixConfiguration
from vpemetrics.rules import Rules
from vpemetrics.scheduler.due import (
    end_of,
    last_moment,
    last_week,
    next_collection,
    next_moment,
    reported_week,
)
from vpemetrics.store.loading import LastCollection
from vpemetrics.window import CLOCK_DIFFERENCE, Window, format_instant, is_yet_to_come


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The sources to collect, how often and into which store, and the reports to write."""

    location: str = field(repr=False)
    """The store; its address may hold a password."""
    rules: Rules
    sources: tuple[Source, ...]
    every: timedelta
    report: Weekly
    output: Path
    """The path of reports; `{week}` stands for the week."""
    is_found: bool = False
    """Tell whether no person named the configuration, so that links in its folders mean nothing."""
    keep: timedelta | None = None
    """The time that records are kept for; None for ever."""

    @classmethod
    def of(cls, configuration: Configuration, location: str) -> "Plan":
        """The plan of a configuration, for a store."""
        said = configuration.settings.schedule
        return cls(
            location=location,
            rules=configuration.rules(),
            sources=tuple(configured_sources(configuration)),
            every=said.collect,
            report=parse_weekly(said.report),
            output=configuration.locate(said.output),
            is_found=configuration.is_found,
            keep=configuration.settings.retention.keep,
        )

    @property
    def zone(self) -> str:
        """The zone of the organisation's clocks."""
        return self.rules.zone

    @property
    def folder(self) -> Path:
        """The folder that all reports go to, or folders in it."""
        return next(parent for parent in self.output.parents if WEEK not in str(parent))

    def path(self, week: Window) -> Path:
        """The file of a week's report. FixConfiguration if a link leads elsewhere."""
        path = Path(str(self.output).replace(WEEK, week.label))
        if self.is_found and not path.resolve().is_relative_to(self.folder.resolve()):
            raise FixConfiguration(
                f"schedule.output: {path} is a link that leads out of {self.folder}; remove it, or "
                "name the configuration with --config"
            )
        return path

    def collection_after(self, asked: datetime | None, now: datetime) -> datetime:
        """The moment to ask a source again that was asked last at some other."""
        return next_collection(asked, self.every, self.report, self.zone, now)

    def report_after(self, now: datetime) -> datetime:
        """The moment at which the next report becomes due."""
        return next_moment(self.report, self.zone, now)

    def overdue(self, reported: str, now: datetime) -> Window | None:
        """The week whose report is due and not written, `reported` being the last that was.

        Of several weeks the last; the default week of a report then (rule W3).
        """
        week = reported_week(last_moment(self.report, self.zone, now), self.zone)
        written = reported >= week.label and not self.is_yet_to_come(reported, now)
        return None if written else week

    def is_yet_to_come(self, reported: str, now: datetime) -> bool:
        """Tell whether a week said to be reported on is not over: a clock was wrong then."""
        return reported > last_week(self.zone, now).label

    def report_gives_up_waiting(self, began: datetime, now: datetime) -> datetime:
        """The moment from which a report goes without the sources that are still being asked.

        An interval after it became due, or after the schedule `began`, whichever is later.
        """
        return max(began, last_moment(self.report, self.zone, now)) + self.every


@dataclass(frozen=True, kw_only=True)
class Agenda:
    """The first collection of each source, the report that is due already, and the next."""

    collections: Mapping[str, datetime]
    overdue: Window | None
    report_at: datetime
    yet_to_come: tuple[str, ...] = ()
    """The things that the store says were done, and cannot have been; they do not count."""


def agenda(plan: Plan, last: Mapping[str, LastCollection], reported: str, now: datetime) -> Agenda:
    """The agenda after what a store says was done: collections, and the last report."""
    asked = {name: collection.started_at for name, collection in last.items()}
    return Agenda(
        collections={
            source.name: plan.collection_after(asked.get(source.name), now)
            for source in plan.sources
        },
        overdue=plan.overdue(reported, now),
        report_at=plan.report_after(now),
        yet_to_come=tuple(_yet_to_come(plan, asked, reported, now)),
    )


def _yet_to_come(
    plan: Plan, asked: Mapping[str, datetime], reported: str, now: datetime
) -> Iterator[str]:
    if plan.is_yet_to_come(reported, now):
        yield f"a report of {reported}"
    for name, at in asked.items():
        if is_yet_to_come(at, now):
            yield f"a collection of {name} at {format_instant(at)}"


def sources_not_asked_since(
    week: Window, names: Iterable[str], last: Mapping[str, LastCollection], now: datetime
) -> list[str]:
    """The sources that were not asked since a week ended, well or in vain."""
    end = end_of(week)
    asked = {name for name in last if end <= last[name].started_at <= now + CLOCK_DIFFERENCE}
    return [name for name in names if name not in asked]
