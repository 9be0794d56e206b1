"""The configuration's say on meaning: services, production, thresholds, targets.

Lineage and metrics take these frozen values; where they come from is the business of `config`.
"""

import re
from calendar import isleap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache


class LeadTimeStart(StrEnum):
    """The start of change lead time (rule T1)."""

    FIRST_COMMIT = "first_commit"
    EACH_COMMIT = "each_commit"
    MERGE = "merge"


@dataclass(frozen=True, kw_only=True)
class Service:
    """The thing that is deployed (rule D6).

    `sources` are glob patterns over the names sources use for it;
    `paths` are gitignore-style patterns, for a service of a monorepo;
    `environments` replace the organisation's production patterns where given.
    """

    name: str
    team: str | None = None
    repository: str | None = None
    sources: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Target:
    """A goal for a metric; `at_most` or `at_least` in the metric's unit (seconds, proportion)."""

    metric: str
    at_most: float | None = None
    at_least: float | None = None
    scope: str | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """A declared, dated, reasoned change of level: limits start anew there (rule L3)."""

    metric: str
    on: date
    why: str
    scope: str | None = None


@dataclass(frozen=True, kw_only=True)
class Quiet:
    """Days on which fewer people work, the last included: once, or in every year (rule L1)."""

    first: date
    last: date
    yearly: bool = False

    def touches(self, start: date, end: date) -> bool:
        """Tell whether one of them lies in a stretch of days, whose end is not in it."""
        years = range(start.year - 1, end.year + 1) if self.yearly else (self.first.year,)
        length = self.last - self.first
        begins = (_in_year(self.first, year) for year in years)
        return any(first < end and start <= first + length for first in begins)


def _in_year(day: date, year: int) -> date:
    """The same day of another year; 28 February for 29 where there is none."""
    leap = (day.month, day.day) == (2, 29) and not isleap(year)
    return day.replace(year=year, day=28 if leap else day.day)


@dataclass(frozen=True, kw_only=True)
class Event:
    """A dated remark that charts show."""

    on: date
    what: str


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Everything the configuration decides about meaning."""

    organisation: str = "Engineering"
    zone: str = "UTC"
    services: tuple[Service, ...] = ()
    environments: tuple[str, ...] = ("prod*", "live")
    lead_time_start: LeadTimeStart = LeadTimeStart.FIRST_COMMIT
    bots: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    incident_window: timedelta = timedelta(hours=4)
    incident_labels: tuple[str, ...] = ("incident",)
    hotfix_labels: tuple[str, ...] = ("hotfix", "incident")
    hotfix_branches: tuple[str, ...] = ("hotfix/*",)
    superseded_within: timedelta = timedelta(seconds=60)
    targets: tuple[Target, ...] = ()
    steps: tuple[Step, ...] = ()
    quiet: tuple[Quiet, ...] = ()
    events: tuple[Event, ...] = ()
    reliability: str | None = None


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Tell whether a name fits a pattern: `*` is any text, `?` one character, in any case.

    Everything else stands for itself, `[` too, so that `*[bot]` means what it says.
    Spaces around a name or a pattern do not count.
    """
    bare = name.strip()
    return any(_compile(pattern).fullmatch(bare) for pattern in patterns)


def matching(names: Iterable[str], patterns: Iterable[str]) -> set[str]:
    """Those of very many names that fit a pattern, as `matches` tells it of each."""
    listed = list(names)
    return {
        name for test in map(_compile, patterns) for name in listed if test.fullmatch(name.strip())
    }


def is_chosen(name: str, patterns: Sequence[str]) -> bool:
    """Tell whether a name fits patterns of which those that begin with `!` leave out again.

    Where there are none but those, they leave out of everything; without any all are chosen.
    """
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")] or ["*"]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return matches(name, wanted) and not matches(name, unwanted)


def expression_of(pattern: str) -> str:
    """The regular expression of a pattern, for a match of all of a name.

    What stands between two `*` is taken where it comes first and never looked for again, so that
    many of them take no longer than one: https://docs.python.org/3/library/re.html ((?>...))
    """
    first, *others = (re.escape(part).replace(r"\?", ".") for part in pattern.split("*"))
    if not others:
        return first
    *between, last = others
    return f"{first}{''.join(f'(?>.*?{part})' for part in between if part)}.*{last}"


@lru_cache(maxsize=1024)
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(expression_of(pattern.strip()), re.IGNORECASE | re.DOTALL)
