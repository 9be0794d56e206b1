"""Limits, signals, targets and quarters in words, the same in every output."""

import math
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from vpemetrics.metrics.charts import Baseline, Chart, ChartKind, Side, Signal, Word
from vpemetrics.metrics.figures import Unit, WindowRef
from vpemetrics.metrics.registry import METRICS
from vpemetrics.metrics.signals import FULL
from vpemetrics.reports import words
from vpemetrics.reports.model import NewLevel, Outside, Report, TargetStatus

NOTHING_OUTSIDE: Final = "No service outside its usual range"


def chart_of(report: Report, metric: str) -> Chart | None:
    """The chart of a metric of the report's scope."""
    return next((chart for chart in report.charts if chart.metric == metric), None)


# Limits ------------------------------------------------------------------------------------------


def usual_of(report: Report, metric: str) -> str:
    """The range of the metric's usual weeks: `38–98`, `1.2–8.9%`; nothing without full limits."""
    chart = chart_of(report, metric)
    return _range(chart) if chart and chart.kind is ChartKind.XMR and chart.baseline.judges else ""


def _range(chart: Chart) -> str:
    return range_of(chart.baseline, METRICS[chart.metric].unit)


def range_of(by: Baseline, unit: Unit = Unit.PER_WEEK) -> str:
    """The values inside limits, of counts the whole ones: `38–98`."""
    low, high = by.low or 0.0, by.high or 0.0
    if unit is Unit.PROPORTION:
        return f"{words.percent(low, 1).removesuffix('%')}–{words.percent(high, 1)}"
    return counts_between(low, high)


def counts_between(low: float, high: float) -> str:
    """The whole numbers between two limits: `38–98`."""
    return f"{words.count(math.ceil(low))}–{words.count(math.floor(high))}"


def limits(report: Report) -> str:
    """Say where the limits of the deployments come from, or what they wait for."""
    chart = chart_of(report, "deployment_frequency")
    if chart is None:
        return ""
    by = chart.baseline
    if by.judges and by.first and by.last:
        return f"limits {range_of(by)}, of {words.week(by.first)} to {words.week(by.last)}"
    if by.complete:
        return ""
    weeks = f"{by.points} of {FULL[ChartKind.XMR]} weeks"
    return f"trial limits {range_of(by)}, {weeks}" if by.limited else f"limits after {weeks}"


# Signals -----------------------------------------------------------------------------------------


RECENT: Final = 13
"""Weeks that are recent enough for a word in this week's report."""


def standing_of(report: Report, metric: str) -> str:
    """The standing of a metric to its limits: `usual`, `worse`, or `worse W34` of another week.

    A window longer than a week is never worse as a whole: it holds a week that was.
    """
    figure = report.figure(metric)
    if figure is None or figure.signal is None:
        return ""
    inside = _last_words(report, metric)
    if inside:
        return inside[0]
    before = _reason_before(report, metric)
    return f"{before.word} {_short(before)}" if before else figure.signal


def missing_word_reason(report: Report, metric: str) -> str:
    """Say why a week that has limits gets no word: it is quiet, or was not collected whole."""
    chart = chart_of(report, metric)
    if not chart or not usual_of(report, metric) or not words.is_week(report.window):
        return ""
    own = [point for point in chart.points if point.start == report.window.start]
    if any(point.quiet for point in own):
        return "quiet"
    return "not whole" if any(point.hollow for point in own) else ""


def _last_words(report: Report, metric: str) -> list[str]:
    """The words of a window longer than a week, bad news first: `worse W18`, `better W26`."""
    chart, figure = chart_of(report, metric), report.figure(metric)
    if chart is None or figure is None or figure.signal is None or words.is_week(report.window):
        return []
    last = {signal.word: signal for signal in _counting(chart, report)}
    return [f"{word} {_short(last[word])}" for word in (Word.WORSE, Word.BETTER) if word in last]


def _reason_before(report: Report, metric: str) -> Signal | None:
    """The signal of the weeks before that gives a metric its word, where its window is usual.

    A headline of a year, as where hardly anything is deployed, gives none: that is long ago.
    """
    figure, longer = report.figure(metric), report.figure(metric, report.headline)
    if figure is None or figure.signal != "usual" or longer is None:
        return None
    if longer.window.end - longer.window.start > timedelta(weeks=RECENT):
        return None
    found = _inside(chart_of(report, metric), report.headline)
    return next((signal for signal in reversed(found) if signal.word == longer.signal), None)


def _inside(chart: Chart | None, window: WindowRef) -> list[Signal]:
    found = chart.signals if chart else ()
    return [signal for signal in found if window.start <= signal.start < window.end]


def _short(signal: Signal) -> str:
    _, week, _ = signal.start.isocalendar()
    return f"W{week:02d}"


def signal_reasons(report: Report) -> Iterator[str]:
    """Give the reasons of the window's signals, and of those a word comes from; count the rest."""
    named: list[str] = []
    others: list[str] = []
    for chart in report.charts:
        before = _reason_before(report, chart.metric)
        for signal in _counting(chart, report):
            mine = signal.start >= report.window.start or signal == before
            said = f"{words.name(chart.metric)} {signal_reason(chart, signal)}"
            (named if mine else others).append(said)
    yield from named
    if len(others) > 1:
        since = words.length(report.headline)
        yield f"{len(others)} earlier signals in {since}; --json lists them"
    else:
        yield from others


def _counting(chart: Chart, report: Report) -> Iterator[Signal]:
    """The signals of the longer window, none of which is better while that is provisional."""
    figure = report.figure(chart.metric, report.headline)
    for signal in _inside(chart, report.headline):
        if not (figure and figure.provisional and signal.word == "better"):
            yield signal


def signal_reason(chart: Chart, signal: Signal) -> str:
    """Say what made a signal one: `worse in 2026-W18: 28, usual 38–98`."""
    return f"{signal.word} {_reason(chart, signal)}"


def _reason(chart: Chart, signal: Signal) -> str:
    by = _baseline(chart, signal)
    if chart.kind is ChartKind.G:
        return _why_rare(by, signal)
    if signal.rule == "outside_limits":
        usual = range_of(by, METRICS[chart.metric].unit)
        return f"in {signal.label}: {_of_week(chart, signal)}, usual {usual}"
    center = _value(chart.metric, by.center or 0.0)
    return f"in {signal.label}: eight weeks in a row {signal.side} {center}"


def _of_week(chart: Chart, signal: Signal) -> str:
    """The week's count; k of n, with a percentage where n is large enough for one."""
    week = next(point for point in chart.points if point.start == signal.start)
    if week.k is None or week.n is None:
        return words.number(signal.value)
    return " ".join(
        filter(None, (words.percentage_of(week.k, week.n), words.ratio(week.k, week.n)))
    )


def _why_rare(by: Baseline, signal: Signal) -> str:
    day = words.day(signal.start)
    if signal.rule == "outside_limits":
        high = words.count(math.floor(by.high or 0.0))
        return f"on {day}: {words.count(int(signal.value))} without in between, usual up to {high}"
    center = words.number(by.center or 0.0)
    return f"on {day}: eight stretches in a row {_than(signal.side)} than {center}"


def _value(metric: str, value: float) -> str:
    unit = METRICS[metric].unit
    return words.percent(value) if unit is Unit.PROPORTION else words.number(value)


def _baseline(chart: Chart, signal: Signal) -> Baseline:
    """The baseline that made a point a signal."""
    begun = [by for by in chart.baselines if by.applies_from <= signal.start]
    return begun[-1] if begun else chart.baseline


def new_level(level: NewLevel) -> str:
    """Say what has been on one side of the usual for long."""
    since = words.day(level.since, year=True)
    return f"{words.name(level.metric)}: {level.points} {_in_a_row(level)}, since {since}."


DECLARE: Final = "If that is the new level, declare it:"
"""The words before the lines that declare a new level."""


def _in_a_row(level: NewLevel) -> str:
    if level.kind is ChartKind.G:
        return f"stretches in a row {_than(level.side)} than {words.number(level.center)}"
    return f"weeks in a row {level.side} the usual {_value(level.metric, level.center)}"


def _than(side: Side) -> str:
    return "longer" if side is Side.ABOVE else "shorter"


def chance_note(report: Report) -> Iterator[str]:
    """Say how many signals to expect of nothing at all (rule L2)."""
    if report.expected_false_alarms:
        expected = words.number(report.expected_false_alarms)
        yield f"False alarms to expect in {words.title(report.window)} by chance alone: {expected}."


def words_of(report: Report) -> Iterator[tuple[str, str]]:
    """The metrics of which better or worse is said, by limits or beside the quarter before.

    Of a window longer than a week both may be said, of two weeks in it.
    """
    said = [
        (chart.metric, word)
        for chart in report.charts
        for word in _last_words(report, chart.metric) or [standing_of(report, chart.metric)]
    ]
    before = f" than in {words.title(report.before)}" if report.before else ""
    said += [
        (
            comparison.metric,
            f"{comparison.word}{before if comparison.word is not Word.USUAL else ''}",
        )
        for comparison in report.comparisons
    ]
    yield from ((metric, word) for metric, word in said if word not in ("", "usual"))


def has_words(report: Report) -> bool:
    """Tell whether limits say anything of the window."""
    return any(
        figure.signal is not None
        for chart in report.charts
        if (figure := report.figure(chart.metric))
    )


# Services ----------------------------------------------------------------------------------------


def exceptions(report: Report) -> list[str]:
    """The services outside their limits and how many were looked at; nothing where nobody asks."""
    found = report.exceptions
    if found is None or not found.judged:
        return []
    if not found.outside:
        return [f"none of {words.quantity(found.judged, 'service')} with limits"]
    chance = words.number(found.expected)
    return [
        *map(_outside, found.outside),
        f"of {found.judged} with limits, where chance gives up to {chance}",
    ]


def _outside(one: Outside) -> str:
    return (
        f"{one.service} {words.count(one.deployments)} (usual {counts_between(one.low, one.high)})"
    )


# Targets and quarters ----------------------------------------------------------------------------


def targets(report: Report) -> list[str]:
    """Each target with how its limits stand to it."""
    return [
        f"{words.name(target.metric)} {_goal(target)}: {target.word}" for target in report.targets
    ]


def _goal(one: TargetStatus) -> str:
    unit = METRICS[one.metric].unit
    least = None if one.at_least is None else f"at least {_amount(one.at_least, unit)}"
    most = None if one.at_most is None else f"at most {_amount(one.at_most, unit)}"
    return " and ".join(filter(None, (least, most)))


def _amount(value: float, unit: Unit) -> str:
    per = " a week" if unit is Unit.PER_WEEK else ""
    return f"{_WHOLE.sub('', words.measure(value, unit))}{per}"


_WHOLE: Final = re.compile(r"\.0(?!\d)")


def change_of(report: Report, metric: str) -> str:
    """The word for a quarter against the one before; nothing where they cannot be compared."""
    for comparison in report.comparisons:
        if comparison.metric == metric and comparison.difference is not None:
            return str(comparison.word)
    return ""
