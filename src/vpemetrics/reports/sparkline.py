"""The half year of a metric as a small line in a table, for pages."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import Final

from markupsafe import Markup, escape

from vpemetrics.metrics.figures import Figure
from vpemetrics.reports import words
from vpemetrics.reports.content import WEEKS_DRAWN
from vpemetrics.reports.model import Report

WIDTH, HEIGHT, EDGE = 100, 16, 2
DRAWN: Final = ("deployment_frequency", "share_within_24h", "change_fail_rate",
                "change_fail_rate_with_suspected", "deployment_rework_rate")  # fmt: skip
"""Metrics of which a single week says something, be it noisy."""


def draw(report: Report, metric: str) -> Markup:
    """An `svg` element with the last weeks of a metric; nothing where there is nothing to draw.

    The scale begins at 0; weeks without a value interrupt the line, partial ones too.
    """
    weeks = _weeks(report, metric) if metric in DRAWN else []
    values = [_value(week) for week in weeks]
    known = [week for week in weeks if week is not None and _value(week) is not None]
    if len(known) < 2:
        return Markup("")
    return Markup(  # noqa: S704  # numbers and an escaped label
        f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(_in_words(metric, known))}"><path d="{_path(values)}"/></svg>'
    )


def _weeks(report: Report, metric: str) -> list[Figure | None]:
    """The weeks to the window's end, in a row; None where there is no figure."""
    found = {
        figure.window.start: figure
        for figure in report.figures
        if (figure.metric, figure.scope) == (metric, report.scope) and words.is_week(figure.window)
    }
    if not found:
        return []
    last = max(found)
    drawn = min((last - min(found)).days // 7 + 1, WEEKS_DRAWN)
    return [found.get(last - timedelta(weeks=ago)) for ago in reversed(range(drawn))]


def drawn_weeks(report: Report) -> int:
    """Over how many weeks the lines of a report go."""
    return max(len(_weeks(report, metric)) for metric in DRAWN)


def _value(week: Figure | None) -> float | None:
    if week is None or week.partial or week.n is None:
        return None
    if week.k is None:
        return float(week.n)
    return week.k / week.n if week.n and week.note != words.NO_INCIDENT_SOURCE else None


def _path(values: Sequence[float | None]) -> str:
    """Lines through neighbouring values; one alone is a short dash."""
    highest = max(value for value in values if value is not None) or 1.0
    step = WIDTH / (len(values) - 1)
    pieces = []
    for known, some in groupby(enumerate(values), key=lambda one: one[1] is not None):
        if not known:
            continue
        points = [
            (at * step, HEIGHT - EDGE - (value or 0.0) / highest * (HEIGHT - 2 * EDGE))
            for at, value in some
        ]
        if len(points) == 1:
            points.append((points[0][0] + 1, points[0][1]))
        pieces.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points))
    return "".join(pieces)


def _in_words(metric: str, known: Sequence[Figure]) -> str:
    low, high = (
        _value_text(found(known, key=lambda week: _value(week) or 0.0)) for found in (min, max)
    )
    return f"{words.name(metric)}, {words.quantity(len(known), 'week')}: {low} to {high} a week"


def _value_text(week: Figure) -> str:
    if week.k is None or week.n is None:
        return words.count(week.n or 0)
    return words.percentage_of(week.k, week.n) or words.ratio(week.k, week.n)
