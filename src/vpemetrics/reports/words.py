"""Values in the words of every output: durations, shares, intervals, dates, names, "no data".

Rounding is half to even on the decimal a person would write down, and it never lies:
nothing is 0 unless it is zero, no share is 100 % unless it is all of them.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from vpemetrics.metrics.figures import IntervalRef, Unit, WindowRef
from vpemetrics.metrics.registry import METRICS

NO_DATA: Final = "no data"
NO_VALUE: Final = "–"
NO_INCIDENT_SOURCE: Final = "no incident source"
NO_CHANGE_SOURCE: Final = "no change source"
NO_REVIEW_SOURCE: Final = "no review source"
PROVISIONAL: Final = "p"

ENOUGH_FOR_A_PERCENTAGE: Final = 20
"""Below this denominator a share is printed as k/n alone (rule N1)."""


STAGES: Final = tuple(name for name in METRICS if name.startswith("stage_"))
"""The stages of change lead time, in their order."""

FIVE: Final = (
    "deployment_frequency",
    "change_lead_time",
    "failed_deployment_recovery_time",
    "change_fail_rate",
    "deployment_rework_rate",
)
"""DORA's five, in the order of the reports."""

OLDER_NAMES: Final[Mapping[str, str]] = {
    "change_lead_time": "lead time for changes",
    "failed_deployment_recovery_time": "MTTR",
    "change_fail_rate": "change failure rate",
}
"""The names of metrics in DORA's earlier reports; many readers know only these."""

REASONS: Final[Mapping[str, str]] = {
    "backport": "back-ports of other pull requests",
    "backports_not_understood": "pull requests that may be back-ports, in words not known here",
    "automation": "changes by automation",
    "commit_not_collected": "deployments of a commit that was not collected",
    "deployed_before_merge": "changes deployed before their merge",
    "changes_not_covered": "services of whose changes nothing was collected",
    "ends_before_start": "incidents that end before they start",
    "external": "incidents with an external cause",
    "first_deployment": "changes in the first known deployment",
    "imported_history": "commits of another repository that a merge brought in",
    "incidents_not_covered": "services whose incidents were not collected all the while",
    "light_tag": "changes tagged by tags without a time of their own",
    "merges_not_understood": "merges that may be of pull requests, in words not known here",
    "named_not_shipped": "incidents that name a cause which never shipped",
    "near_names": "services with nearly the same name as another",
    "negative": "negative times",
    "never_deployed": "configured services without a production deployment",
    "no_beginning": "incidents without a beginning",
    "no_commit_left": "pull requests whose commits are all another's",
    "no_author_date": "changes without an author date",
    "no_finish": "deployments without a finish, counted at the start",
    "no_incident_source": "deployments of services without an incident source",
    "no_place": "deployments that name neither a service nor a repository",
    "no_restored_at": "failures without a time of restoration",
    "no_service": "incidents without a service",
    "no_review_source": "changes whose reviews were not collected",
    "no_time": "deployments without a start and a finish",
    "not_covered": "services not collected over the whole window",
    "open_without_update": "incidents open for 30 days without an update",
    "other_author_lists": "imports whose authors were judged by earlier lists",
    "other_branch": "changes merged into a branch that ships nothing",
    "parents_not_collected": "services with commits whose parents were not collected",
    "release_commit": "changes that only make a release",
    "stale": "older builds that finished late",
    "starts_at_merge": "changes whose original commits are unknown",
    "unknown": "incidents without a known cause",
    "unknown_commit": "deployments of an unknown commit",
    "without_paths": "services that share a repository without path patterns: each counts the "
    "changes of all",
}
"""The words for what is left out, or a problem, by the reason a figure or problem gives."""


def name(metric: str) -> str:
    """The metric's name for a reader, as in `Lead time`."""
    known = METRICS.get(metric)
    return known.title if known else metric.replace("_", " ").capitalize()


def reason(key: str, number: int = 2) -> str:
    """Spell out a reason: `unknown_commit` is "deployments of an unknown commit".

    Of one it is "deployment of an unknown commit".
    """
    several = REASONS.get(key, key.replace("_", " "))
    return _of_one(several) if number == 1 else several


def _of_one(several: str) -> str:
    """The same with its noun, and the verb that follows it, in the singular."""
    one = re.sub(rf"\b({_NOUNS})s\b", r"\1", several, count=1)
    return re.sub(r"\bthat (only )?(name|end|make) ", r"that \1\2s ", one)


_NOUNS: Final = "build|change|commit|deployment|failure|incident|merge|pull request|service"


def count(number: int) -> str:
    """A whole number with thousands apart: `1,977`."""
    return f"{number:,}"


def quantity(number: int, noun: str) -> str:
    """`1 deployment`, `49 deployments`."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"


def number(value: float) -> str:
    """A number of things on average: `0.04`, `4.2`, `44.5`, `1,977`."""
    if 0 < value <= 0.005:
        return "<0.01"
    if 0 < (hundredths := _round(value, 2)) < 1:
        return str(hundredths)
    return f"{_round(value, 1 if value < 100 else 0):,}".removesuffix(".0")


def duration(seconds: float) -> str:
    """A length of time at two figures or so: `45 s`, `52 min`, `1.5 h`, `21 h`, `3.4 d`, `23 d`."""
    if 0 < seconds < 1:
        return "<1 s"
    for unit, length, limit, tenths_below in _STEPS:
        amount = Decimal(repr(float(seconds))) / length
        rounded = _whole_or_tenths(amount, tenths_below)
        if rounded < limit:
            return f"{rounded:,} {unit}"
    raise AssertionError("the last step has no limit")


def durations(lengths: Sequence[float]) -> str:
    """Several lengths of time: `4.1 h, 9.0 h, 2.3 d`."""
    return ", ".join(duration(length) for length in lengths)


def ratio(k: int, n: int) -> str:
    """`7/171`."""
    return f"{count(k)}/{count(n)}"


def percent(proportion: float, places: int | None = None) -> str:
    """A proportion as a percentage: `51%`, `4.1%`, `<0.1%`, `99.8%`; 0% and 100% only if exact.

    `places` after the point are one below 10 % and near 100 %, none elsewhere, unless given.
    """
    return f"{_percentage(proportion, places)}%"


def percentage_of(k: int, n: int) -> str | None:
    """`4.1%`, or None where the denominator is too small for a percentage (rule N1)."""
    return percent(k / n) if n >= ENOUGH_FOR_A_PERCENTAGE else None


def shares(parts: Sequence[float]) -> list[str]:
    """Proportions of one whole as whole percentages that add up to 100%.

    The largest remainders are rounded up. A part under half a percent counts as one and is
    written `<1%`, for it is not nothing.
    """
    exact = [_percents(part) for part in parts]
    return [
        f"{whole}%" if whole != 1 or part >= _HALF else "<1%"
        for whole, part in zip(_apportion(exact), exact, strict=True)
    ]


def measure(value: float, unit: Unit) -> str:
    """A value in its unit: `21 h`, `4.1%`, `3.5`."""
    match unit:
        case Unit.SECONDS:
            return duration(value)
        case Unit.PROPORTION:
            return percent(value)
    return number(value)


def interval(limits: IntervalRef, unit: Unit, value: float | None = None) -> str:
    """A confidence interval in brackets: `[18–30 h]`, `[2.0–8.2%]`, `[> 5 h]`.

    The limits of a proportion have as many places as its `value`.
    """
    sign = "≈" if limits.approx else ""
    low = None if limits.low is None else _limit(limits.low, unit, value)
    high = None if limits.high is None else _limit(limits.high, unit, value)
    if low is not None and high is not None:
        return f"{sign}[{_without_shared_unit(low, high, unit)}–{high}]"
    if low is not None:
        return f"{sign}[> {low}]"
    return f"{sign}[< {high}]" if high is not None else "[open]"


def day(on: date, *, year: bool = False) -> str:
    """`6 Sep`, or `6 Sep 2026`."""
    text = f"{on.day} {_MONTHS[on.month - 1]}"
    return f"{text} {on.year}" if year else text


def week(monday: date) -> str:
    """The ISO week of a date: `2026-W36`."""
    year, number, _ = monday.isocalendar()
    return f"{year}-W{number:02d}"


def dates(window: WindowRef, *, year: bool = False) -> str:
    """A window's first to last day: `31 Aug–6 Sep`, `3–9 Aug`, `28 Dec 2026–3 Jan 2027`."""
    first, last = window.start, window.end - timedelta(days=1)
    if first == last:
        return day(first, year=year)
    if first.year != last.year:
        return f"{day(first, year=True)}–{day(last, year=True)}"
    if first.month != last.month:
        return f"{day(first)}–{day(last, year=year)}"
    return f"{first.day}–{day(last, year=year)}"


def moment(at: datetime, zone: str, *, in_year: int | None = None) -> str:
    """A moment on the zone's clocks: `6 Sep 11:10`; outside `in_year` its day, `6 Sep 2025`."""
    there = at.astimezone(ZoneInfo(zone))
    if there.year != in_year:
        return day(there.date(), year=True)
    return f"{day(there.date())} {there:%H:%M}"


def length(window: WindowRef) -> str:
    """`4 weeks`, `10 days`; the label of a week, month or quarter."""
    if not _is_range(window):
        return window.label
    days = (window.end - window.start).days
    return quantity(days // 7, "week") if days % 7 == 0 else quantity(days, "day")


def title(window: WindowRef) -> str:
    """A window as a heading: `2026-W36`, `2026-09`, `2026-Q3`, or the dates of a range."""
    if _is_range(window):
        return dates(window, year=True)
    return window.label


def is_week(window: WindowRef) -> bool:
    """Tell whether the window is one ISO week, whole or clipped."""
    return "-W" in window.label


def _is_range(window: WindowRef) -> bool:
    return ".." in window.label


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HALF = Decimal("0.5")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_STEPS: Final[Sequence[tuple[str, int, int | Decimal, int]]] = (
    # unit, its length in seconds, the amount from which the next unit is used, tenths below
    ("s", 1, 60, 0),
    ("min", _MINUTE, 60, 0),
    ("h", _HOUR, 48, 10),
    ("d", _DAY, Decimal("Infinity"), 10),
)


def _round(value: float | Decimal, places: int) -> Decimal:
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    return exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)


def _whole_or_tenths(amount: Decimal, tenths_below: int) -> Decimal:
    tenths = _round(amount, 1)
    return tenths if tenths < tenths_below else _round(amount, 0)


def _percentage(proportion: float, places: int | None) -> str:
    if proportion in (0, 1):
        return "100" if proportion else "0"
    exact = _percents(proportion)
    if places is None:
        places = _places(exact)
    rounded, least = _round(exact, places), Decimal(1).scaleb(-places)
    if exact > 0 and not rounded:
        return f"<{least}"
    if exact < 100 <= rounded:
        return f">{100 - least}"
    return str(rounded)


def _percents(proportion: float) -> Decimal:
    return Decimal(repr(float(proportion))) * 100


def _places(percentage: Decimal) -> int:
    plain = _round(percentage, 1) >= 10 and _round(percentage, 0) < 100
    return 0 if plain else 1


def _apportion(percentages: Sequence[Decimal]) -> list[int]:
    wholes = [_whole_but_not_nothing(part) for part in percentages]
    by_remainder = sorted(
        range(len(wholes)), key=lambda i: percentages[i] - wholes[i], reverse=True
    )
    for i in by_remainder[: max(0, 100 - sum(wholes))]:
        wholes[i] += 1
    while sum(wholes) > 100:
        wholes[wholes.index(max(wholes))] -= 1
    return wholes


def _whole_but_not_nothing(percentage: Decimal) -> int:
    return max(1, int(percentage)) if percentage else 0


def _limit(limit: float, unit: Unit, value: float | None) -> str:
    if unit is not Unit.PROPORTION or value is None:
        return measure(limit, unit)
    return percent(limit, _places(_percents(value)))


def _without_shared_unit(low: str, high: str, unit: Unit) -> str:
    if unit is Unit.PROPORTION:
        return low.removesuffix("%")
    amount, _, low_unit = low.rpartition(" ")
    return amount if low_unit == high.rpartition(" ")[2] else low
