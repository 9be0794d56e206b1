"""Time by stage: the share of each in the time of changes, never their medians stacked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vpemetrics.metrics.figures import Figure
from vpemetrics.reports import words
from vpemetrics.reports.charts import series
from vpemetrics.reports.charts.chart import ChartPicture, nothing
from vpemetrics.reports.charts.palette import BAR, INK, USUAL
from vpemetrics.reports.model import Report

if TYPE_CHECKING:
    from vpemetrics.reports.charts.canvas import Canvas

NAME = "stages"
SUBTITLE = "Where the time from first commit to production goes, share of all hours"
_ROW = 1.5


def picture(report: Report) -> ChartPicture:
    """A bar for each stage of the headline window, adding up to all of the time."""
    found = [figure for stage in words.STAGES if (figure := _stage(report, stage))]
    known = found[0].n or 0 if found else 0
    window = series.dates(report.headline.start, report.headline.end)
    footnote = series.small_print(
        report,
        [],
        f"Sum of a stage divided by the sum of all, over n={words.count(known)} changes with all "
        "times known; medians of stages do not add up",
        window,
    )
    if not found or any(figure.value is None for figure in found):
        why = (found[0].note if found else None) or "no change has all times known"
        return nothing(NAME, SUBTITLE, f"{why[:1].upper()}{why[1:]}.", footnote)
    shares = words.shares([figure.value or 0.0 for figure in found])
    told = ", ".join(
        f"{words.name(figure.metric)} {share}" for figure, share in zip(found, shares, strict=True)
    )
    return ChartPicture(
        name=NAME,
        title=_title(found, shares),
        subtitle=SUBTITLE,
        footnote=footnote,
        alt=f"{SUBTITLE}, {window}: {told}; {words.count(known)} changes.",
        height=_ROW * len(found) + 1,
        draw=lambda canvas: _draw(canvas, found, shares),
    )


def _stage(report: Report, stage: str) -> Figure | None:
    return report.figure(stage, report.headline)


def _title(found: Sequence[Figure], shares: Sequence[str]) -> str:
    longest = max(range(len(found)), key=lambda at: found[at].value or 0.0)
    return f"{shares[longest]} of the time is {_LONG[found[longest].metric]}"


_LONG = {
    "stage_coding": "coding",
    "stage_waiting_for_review": "waiting for review",
    "stage_review": "review",
    "stage_unreviewed": "between ready and merge, without a review",
    "stage_waiting_to_deploy": "waiting to deploy",
    "stage_deploying": "deploying",
}


def _draw(canvas: "Canvas", found: Sequence[Figure], shares: Sequence[str]) -> None:
    rows = len(found)
    longest = max(figure.value or 0.0 for figure in found)
    panel = canvas.panel(x=(0, longest), y=(rows, 0), top=0.5, bottom=0.5, left=8.4, right=3.6)
    for row, (figure, share) in enumerate(zip(found, shares, strict=True)):
        value = figure.value or 0.0
        panel.text(0, row + 0.66, words.name(figure.metric), dx=-0.5, ha="right")
        panel.box(0, value, row + 0.2, row + 0.8, BAR)
        panel.text(value, row + 0.66, share, dx=0.4, ha="left", bold=value == longest, color=INK)
    panel.line((0, 0), (0.05, rows - 0.05), color=USUAL, width=0.09)
