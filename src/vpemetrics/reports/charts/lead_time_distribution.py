"""The changes in production after an hour, a day, a week, a month."""

from typing import TYPE_CHECKING

from vpemetrics.metrics.samples import Distribution
from vpemetrics.reports import words
from vpemetrics.reports.charts import series
from vpemetrics.reports.charts.chart import ChartPicture, nothing
from vpemetrics.reports.charts.palette import INK, QUIET, USUAL
from vpemetrics.reports.model import Report

if TYPE_CHECKING:
    from vpemetrics.reports.charts.canvas import Canvas

NAME = "lead_time_distribution"
METRIC = "change_lead_time"
SUBTITLE = "Share of changes in production, by time since their first commit"
_LINES = {
    "hour": ("1 h", series.HOUR),
    "day": ("1 d", series.DAY),
    "week": ("1 wk", 7 * series.DAY),
    "month": ("1 mo", 30 * series.DAY),
}


def picture(report: Report) -> ChartPicture:
    """The share of the headline window's changes that took at most so long, at any length."""
    found = report.history.lead_times if report.history else None
    if found is None or not found.n:
        footnote = series.small_print(report, [METRIC])
        return nothing(NAME, SUBTITLE, "No change was shipped in this window.", footnote)
    window = series.dates(found.window.start, found.window.end)
    facts = f"n={words.count(found.n)} changes, {window}; a month is 30 days"
    shares = ", ".join(f"{_share(found, name)} within {words_of(name)}" for name in _LINES)
    return ChartPicture(
        name=NAME,
        title=f"{_share(found, 'day')} of changes within a day, {_share(found, 'week')} in a week",
        subtitle=SUBTITLE,
        footnote=series.small_print(report, [METRIC], facts),
        alt=f"{SUBTITLE}, {window}: {shares}; n={words.count(found.n)}.",
        height=17,
        draw=lambda canvas: _draw(canvas, found),
    )


def words_of(name: str) -> str:
    """`an hour`, `a day`."""
    return f"an {name}" if name == "hour" else f"a {name}"


def _share(found: Distribution, name: str) -> str:
    k = found.within[name]
    return words.percentage_of(k, found.n) or words.ratio(k, found.n)


def _draw(canvas: "Canvas", found: Distribution) -> None:
    ends = [found.seconds[0], found.seconds[-1], series.HOUR, 30 * series.DAY]
    edges, _ = series.log_scale(ends)
    panel = canvas.panel(x=edges, y=(0, 1), top=1, left=3.4, right=3.4)
    panel.scale([(part / 4, f"{25 * part}%") for part in range(5)])
    xs = [series.log_position(seconds) for seconds in found.seconds]
    ys = [(rank + 1) / len(xs) for rank in range(len(xs))]
    panel.line([edges[0], xs[0], *xs, edges[1]], [0, 0, *ys, 1], color=INK, width=0.2, steps=True)
    for name, (label, seconds) in _LINES.items():
        x, y = series.log_position(seconds), found.within[name] / found.n
        panel.line((x, x), (0, 1), color=USUAL, width=0.08, dashed=True)
        panel.text(x, 0, label, dy=-1.3, size=0.95, color=QUIET)
        panel.dots([x], [y], color=INK, size=0.45)
        high = y > 0.85
        panel.text(
            x, y, _share(found, name), dx=-0.35 if not high else 0.35, dy=0.4 if not high else -1.2,
            bold=True, ha="right" if not high else "left",
        )  # fmt: skip
