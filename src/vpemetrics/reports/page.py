"""The report as one web page that needs nothing else: light, dark, on a phone, on one sheet of A4.

What it says comes from `content`, in words; the template sets it (templates/page.html).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from vpemetrics.hidden_characters import remove_hidden
from vpemetrics.names import load
from vpemetrics.reports import columns, content, signal_words, sparkline, words
from vpemetrics.reports.charts import palette
from vpemetrics.reports.model import FailureRow, Problem, Report
from vpemetrics.reports.registry import CHARTS

if TYPE_CHECKING:
    from vpemetrics.reports.charts.chart import ChartPicture

CHARTS_SHOWN: Final = (("deployments", "stages"), ("lead_time",))
"""The charts of the page, column by column."""

FAILURES_SHOWN: Final = 6
PROBLEMS_SHOWN: Final = 3

IN_THE_DARK: Final = {
    palette.INK: "#ececec",
    palette.QUIET: "#b4b4b4",
    palette.GRID: "#474747",
    palette.BAND: "#2b2b2b",
    palette.BAR: "#6b6b6b",
    palette.USUAL: "#9b9b9b",
    palette.BETTER: "#56b4e9",
    palette.CONCERN: "#f0863a",
    palette.PAPER: "#161616",
}
"""The colours of charts on a dark page, by those on a light one."""


def render(report: Report) -> bytes:
    """The page as UTF-8 HTML; it asks for no other file."""
    shown = content.shown_columns(report)
    page = _template().render(
        report=report,
        head=_head(report),
        headline=columns.plain(report.summary),
        commentary=NO_COMMENTARY,
        decisions=NO_COMMENTARY,
        table=_table(report, shown),
        targets=signal_words.targets(report),
        reliability=columns.plain(report.reliability or "not provided"),
        charts_title=f"Half a year to {words.title(report.window)}",
        charts=[[_chart(report, name) for name in column] for column in CHARTS_SHOWN],
        failures=_failures(report),
        exceptions=list(content.exceptions(report)),
        declare=signal_words.DECLARE,
        new_levels=[(signal_words.new_level(level), level.step) for level in report.new_levels],
        detail_title=f"In detail, {shown[-1].name}",
        details=list(_details(report, shown[-1])),
        problems=[_problem(problem) for problem in _worst(report)],
        notes=list(content.footnotes(report)),
        in_the_dark=list(IN_THE_DARK.items()),
    )
    return remove_hidden(page).encode()


NO_COMMENTARY: Final = "No commentary."


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("vpemetrics.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html")


@dataclass(frozen=True, kw_only=True)
class Head:
    """The head of a page: whose report it is, of when, and how complete."""

    whose: str
    when: str
    facts: Sequence[str]
    coverage: Sequence[str]


def _head(report: Report) -> Head:
    return Head(
        whose=" · ".join(content.scope_names(report, content.WIDE)),
        when=content.dated_window(report),
        facts=[*content.longer_window_note(report), content.data_age(report)],
        coverage=list(content.coverage(report)),
    )


# --- the table ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A row of the table with its half year as a small drawing."""

    row: content.Row
    drawing: Markup


@dataclass(frozen=True, kw_only=True)
class FigureTable:
    """Headings of the figures, of what the limits say and of the drawings; and the rows."""

    headings: Sequence[str]
    margin: tuple[str, ...]
    rows: Sequence[Drawn]
    drawn: str

    @property
    def all_headings(self) -> list[str]:
        """All but the first, over the names of the metrics; of drawings where there are any."""
        return [*self.headings, *self.margin, *([self.drawn] if self.has_drawings else [])]

    @property
    def has_drawings(self) -> bool:
        """True if there is anything in the last column."""
        return any(row.drawing for row in self.rows)


def _table(report: Report, shown: Sequence[content.Column]) -> FigureTable:
    """The table; it has no rows where nothing is known."""
    rows = list(content.rows(report, shown))
    known = any(content.says_something(row) for row in rows)
    judged = any(row.usual or row.signal for row in rows)
    return FigureTable(
        headings=[column.heading for column in shown],
        margin=tuple(heading for heading in content.margin(report) if heading) if judged else (),
        rows=[Drawn(row=row, drawing=sparkline.draw(report, row.metric)) for row in rows if known],
        drawn=words.quantity(sparkline.drawn_weeks(report), "week"),
    )


# --- charts ---------------------------------------------------------------------------------------


def _chart(report: Report, name: str) -> tuple["ChartPicture", Markup]:
    from vpemetrics.reports.charts.image import inline_svg

    picture: ChartPicture = load(CHARTS[name])(report)
    return picture, Markup(inline_svg(picture))  # noqa: S704  # our own drawing, texts escaped


# --- what failed, and what is unusual -------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A failed deployment in words."""

    service: str
    deployment: str
    url: str | None
    open: bool
    facts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FailureTable:
    """A table of the failures, the open ones first, and what else there is to say."""

    headings: Sequence[str]
    rows: Sequence[Failure]
    lines: Sequence[str]


def _failures(report: Report) -> FailureTable:
    shown = content.failures(report)[:FAILURES_SHOWN]
    return FailureTable(
        headings=content.FAILURE_HEADINGS,
        rows=[_failure(report, row) for row in shown],
        lines=list(content.failure_notes(report, len(shown))),
    )


def _failure(report: Report, row: FailureRow) -> Failure:
    service, deployment, *facts = content.failure(report, row)
    return Failure(
        service=service,
        deployment=deployment,
        url=_web_address(row.url),
        open=row.open,
        facts=tuple(facts),
    )


def _web_address(url: str | None) -> str | None:
    """The address where it is one of the web, and not a script."""
    return url if url and url.startswith(("https://", "http://")) else None


# --- what stands below ----------------------------------------------------------------------------


def _details(report: Report, column: content.Column) -> Iterator[tuple[str, str]]:
    drawn = "Where the time goes"
    for label, told in content.DETAILS:
        if label != drawn and (pieces := told(report, column)):
            yield label, " · ".join(pieces)


def _worst(report: Report) -> list[Problem]:
    return sorted(report.problems, key=lambda problem: -problem.count)[:PROBLEMS_SHOWN]


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A problem in the data, in words, with what mends it."""

    text: str
    remedy: Markup
    command: str


def _unbroken(text: str) -> Markup:
    """The text, with options of a command that no line may break after their hyphens."""
    return Markup(_OPTION.sub(r'<span class="whole">\g<0></span>', str(escape(text))))  # noqa: S704  # escaped


_OPTION: Final = re.compile(r"--[a-z][a-z-]*")


def _problem(problem: Problem) -> Trouble:
    examples = content.examples(problem)
    what = f"{words.count(problem.count)} {words.reason(problem.reason, problem.count)}"
    return Trouble(
        text=columns.plain(f"{what} ({examples})" if examples else what),
        remedy=_unbroken(columns.plain(problem.remedy or "")),
        command=columns.plain(problem.command or ""),
    )
