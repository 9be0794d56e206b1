"""The report as text for a terminal, 80 columns wide unless told otherwise (METRICS, Layouts).

From top to bottom: whose report and how complete, the headline, the table of the five metrics,
what lies behind them, what is still open, what is wrong in the data, definitions.
Colour repeats what the words say; without it nothing is lost.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from vpemetrics.metrics.figures import Figure, WindowRef
from vpemetrics.reports import cells, columns, words
from vpemetrics.reports.cells import Cell
from vpemetrics.reports.model import FailureRow, Problem, Report

NARROWEST: Final = 80
WEEKS_DRAWN: Final = 26
OPEN_SHOWN: Final = 6
PROBLEMS_SHOWN: Final = 4
LABEL: Final = 23


class Style(StrEnum):
    """How a line is set; the colours are those of Okabe and Ito, nearest of 256."""

    PLAIN = ""
    STRONG = "1"
    CONCERN = "38;5;166"
    QUIET = "38;5;244"


@dataclass(frozen=True)
class Line:
    """One line of the report."""

    text: str = ""
    style: Style = Style.PLAIN


def render(report: Report, *, width: int = NARROWEST, color: bool = False) -> str:
    """The report as text of at most `width` columns (80 at least), with a newline at the end.

    `color` adds ANSI colours; what is in words stays the same.
    """
    own = _of_its_own_scope(report)
    blocks = (block(own, max(width, NARROWEST)) for block in _BLOCKS)
    lines = [line for block in blocks if block for line in (*block, Line())][:-1]
    return "".join(f"{_paint(line) if color else line.text}\n" for line in lines)


def render_file(report: Report) -> bytes:
    """The text for a file: 80 columns, no colour, UTF-8."""
    return render(report).encode()


def _of_its_own_scope(report: Report) -> Report:
    """The report without the figures of other scopes, which this output never shows."""
    own = tuple(figure for figure in report.figures if figure.scope == report.scope)
    return report.model_copy(update={"figures": own})


def _paint(line: Line) -> str:
    return f"\x1b[{line.style}m{line.text}\x1b[0m" if line.style and line.text else line.text


# Whose report, and how complete ------------------------------------------------------------


def _head(report: Report, width: int) -> list[Line]:
    pieces = [*_whose(report), _when(report), *_widened(report), _data_age(report)]
    title = columns.flow(pieces, " · ", width)
    coverage = columns.flow(_coverage(report), " · ", width - len("Coverage: "))
    return [
        *(Line(line, Style.STRONG) for line in title),
        *(Line(line) for line in _hanging("Coverage: ", coverage)),
    ]


def _whose(report: Report) -> Iterator[str]:
    yield _name(report.organisation)
    if report.scope.kind != "organisation":
        yield f"{report.scope.kind} {_name(report.scope.name)}"


def _when(report: Report) -> str:
    window, partial = report.window, ", partial" if report.partial else ""
    title, dates = words.title(window), words.dates(window)
    if dates in title:
        return f"{title} ({report.zone}{partial})"
    return f"{title} ({dates}, {report.zone}{partial})"


def _widened(report: Report) -> Iterator[str]:
    """Why a longer window than usual stands beside the week (rule 8)."""
    frequency = report.figure("deployment_frequency", report.headline)
    if report.headline != report.window and frequency and frequency.note in _SELDOM:
        yield f"and {words.length(report.headline)}, as deployments are {frequency.note}"


_SELDOM: Final = ("monthly", "less than monthly")


def _data_age(report: Report) -> str:
    if report.data_as_of is None:
        return words.NO_DATA
    return f"data to {words.moment(report.data_as_of, report.zone, in_year=_year(report))}"


def _coverage(report: Report) -> Iterator[str]:
    services, incidents = report.services, report.incidents
    known = words.ratio(services.known, services.total)
    yield f"{known} services" if services.total else "no service known"
    if incidents is None:
        yield words.NO_INCIDENT_SOURCE
    elif incidents.total:
        yield f"{words.ratio(incidents.known, incidents.total)} incidents have a cause"
    else:
        yield "no incidents"
    if report.incidents_external:
        yield f"{words.counted(report.incidents_external, 'external incident')}"
    if report.bot_changes:
        yield f"{words.counted(report.bot_changes, 'bot change')} apart"


# The headline --------------------------------------------------------------------------------


def _headline(report: Report, width: int) -> list[Line]:
    summary = columns.plain(report.summary)
    return [Line(line, Style.STRONG) for line in columns.wrap(summary, width)]


# The table -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """A column of the table: its heading, what else it is called, what it says about a metric."""

    heading: str
    name: str
    window: WindowRef
    cell: Callable[[str], Cell]
    listing: Callable[[str], str | None]


@dataclass(frozen=True)
class Row:
    """A row of the table: a cell for each column, or a text across all of them."""

    label: str
    cells: tuple[Cell, ...] = ()
    across: str = ""


_SECTIONS: Final = (
    (
        "Throughput",
        (
            ("  Deployments", "deployment_frequency"),
            ("  Lead time, median", "change_lead_time"),
            ("    within 24 h", "share_within_24h"),
            ("  Recovery, median", "failed_deployment_recovery_time"),
        ),
    ),
    (
        "Instability",
        (
            ("  Change fail rate", "change_fail_rate"),
            ("    incl. suspected", "change_fail_rate_with_suspected"),
            ("  Rework rate", "deployment_rework_rate"),
        ),
    ),
    (
        "All incidents",
        (
            ("  Restore, median", "incident_restore_time"),
            ("  Customers affected", "customers_affected_time"),
        ),
    ),
)
_SECTIONS_WITHOUT_INCIDENTS: Final = _SECTIONS[:2]


def _table(report: Report, width: int) -> list[Line]:
    shown = _columns(report)
    rows = list(_rows(report, shown))
    if not any(_says_something(row) for row in rows):
        return [Line("No figures for this window; `vpemetrics status` shows what was collected.")]
    reliability = columns.plain(report.reliability or "not provided")
    return [
        *_side_by_side_or_stacked(report, shown, width),
        *map(Line, _hanging("Reliability  ", columns.wrap(reliability, width - 13))),
    ]


def _columns(report: Report) -> list[Column]:
    week = words.is_week(report.window)
    name = "this week" if week else words.title(report.window)
    asked_for = _window_column(report, report.window, name, interval=not week)
    if report.partial:
        asked_for = replace(asked_for, heading=f"{asked_for.heading}, partial")
    if report.headline == report.window:
        return [asked_for]
    longer = _window_column(report, report.headline, words.length(report.headline), interval=True)
    frequency = report.figure("deployment_frequency", report.headline)
    if frequency and frequency.partial:
        longer = replace(longer, heading=f"{longer.heading}, partial")
    return [asked_for, longer]


def _window_column(report: Report, window: WindowRef, name: str, *, interval: bool) -> Column:
    def figure(metric: str) -> Figure | None:
        return report.figure(metric, window)

    def cell(metric: str) -> Cell:
        whole = cells.cell(figure(metric))
        return whole if interval else _without_interval(whole, metric)

    return Column(
        heading=_heading(name, interval=interval),
        name=name,
        window=window,
        cell=cell,
        listing=lambda metric: cells.listing(figure(metric)),
    )


def _heading(name: str, *, interval: bool) -> str:
    heading = name[:1].upper() + name[1:]
    return f"{heading} [95% CI]" if interval else heading


def _without_interval(cell: Cell, metric: str) -> Cell:
    cadence = metric == "deployment_frequency"
    return replace(cell, interval="", base="" if cadence else cell.base)


def _rows(report: Report, shown: Sequence[Column]) -> Iterator[Row]:
    known = {figure.metric for figure in report.figures}
    for section, metrics in _SECTIONS if report.incidents else _SECTIONS_WITHOUT_INCIDENTS:
        present = [(label, metric) for label, metric in metrics if metric in known]
        if present:
            yield Row(section)
        for label, metric in present:
            yield from _metric_rows(report, label, metric, shown)


def _metric_rows(report: Report, label: str, metric: str, shown: Sequence[Column]) -> Iterator[Row]:
    yield Row(label, _noted_once([column.cell(metric) for column in shown]))
    for column in shown:
        if listed := column.listing(metric):
            yield Row(f"    each, {column.name}", across=listed)
    if longer := _longer_window(report, metric, shown[-1].window):
        blank = (Cell(),) * (len(shown) - 1)
        yield Row(f"    over {words.length(longer.window)}", (*blank, cells.cell(longer)))
        if listed := cells.listing(longer):
            yield Row("      each", across=listed)


def _noted_once(row: Sequence[Cell]) -> tuple[Cell, ...]:
    """The cells with a shared note in the last one only."""
    *others, last = row
    spoken = replace(last, text=f"{last.text} ({last.note})") if last.note else last
    return (*others, spoken)


def _longer_window(report: Report, metric: str, shown: WindowRef) -> Figure | None:
    """The metric over more than the columns show: recovery is rare and wants 13 weeks."""
    if shown != report.headline:
        return None
    longer = [
        figure
        for figure in report.figures
        if figure.metric == metric == "failed_deployment_recovery_time"
        and figure.window.end == shown.end
        and figure.window.start < shown.start
        and figure.note != words.NO_INCIDENT_SOURCE
    ]
    return max(longer, key=lambda figure: figure.window.end - figure.window.start, default=None)


def _says_something(row: Row) -> bool:
    return any(cell not in (Cell(), cells.NO_DATA) for cell in row.cells) or bool(row.across)


def _side_by_side_or_stacked(report: Report, shown: Sequence[Column], width: int) -> list[Line]:
    """One table; where long numbers do not fit side by side, a table for each column."""
    table = _set(shown, list(_rows(report, shown)), width)
    if len(shown) == 1 or all(columns.width(line.text) <= width for line in table):
        return table
    return [
        line for column in shown for line in _set([column], list(_rows(report, [column])), width)
    ]


def _set(shown: Sequence[Column], rows: Sequence[Row], width: int) -> list[Line]:
    grids = [
        _grid(column.heading, [row.cells[i] if row.cells else Cell() for row in rows])
        for i, column in enumerate(shown)
    ]
    labels = max(columns.width(row.label) for row in rows)
    gap = _gap(width - labels - sum(columns.width(grid[0]) for grid in grids), len(grids))
    heading, *texts = [gap.join(parts) for parts in zip(*grids, strict=True)]
    return [
        Line(" " * labels + gap + heading.rstrip(), Style.STRONG),
        *(
            line
            for row, text in zip(rows, texts, strict=True)
            for line in _set_row(row, columns.left(row.label, labels) + gap, text, width)
        ),
    ]


def _set_row(row: Row, start: str, text: str, width: int) -> list[Line]:
    if row.across:
        return [*map(Line, _hanging(start, columns.wrap(row.across, width - columns.width(start))))]
    return [Line((start + text).rstrip(), Style.PLAIN if row.cells else Style.STRONG)]


def _gap(slack: int, grids: int) -> str:
    return " " * max(2, min(6, slack // grids))


def _grid(heading: str, column: Sequence[Cell]) -> list[str]:
    """The heading and the cells, equally wide, their values, intervals and bases each in line."""
    value, interval, base = (
        max(columns.width(getattr(cell, part)) for cell in column)
        for part in ("value", "interval", "base")
    )
    texts = [
        heading,
        *(
            cell.text
            or _spaced(
                columns.right(cell.value, value),
                columns.left(cell.interval, interval),
                columns.left(cell.base, base),
            )
            for cell in column
        ),
    ]
    size = max(map(columns.width, texts))
    return [columns.left(text, size) for text in texts]


def _spaced(*parts: str) -> str:
    return " ".join(part for part in parts if part).rstrip()


# What lies behind the table ------------------------------------------------------------------


def _behind(report: Report, width: int) -> list[Line]:
    *_, column = _columns(report)
    weeks = _weekly_deployments(report)
    drawn = _labelled(f"Deployments/wk, {len(weeks)} wk", _sparkline(weeks), width, " ")
    details = [
        line
        for label, told in _DETAILS
        for line in _labelled(f"  {label}", told(report, column), width, " · ")
    ]
    return [*drawn, Line(f"In detail, {column.name}", Style.STRONG), *details] if details else drawn


def _labelled(label: str, pieces: Sequence[str], width: int, separator: str) -> list[Line]:
    """The label with its pieces; nothing where there is nothing to say."""
    if not pieces:
        return []
    lines = columns.flow(pieces, separator, width - LABEL)
    return [Line(line) for line in _hanging(columns.left(label, LABEL), lines)]


def _sparkline(weeks: Sequence[Figure | None]) -> list[str]:
    whole = [week.n for week in weeks if week and week.n is not None and not week.partial]
    if not whole:
        return []
    bars = "".join(_bar(week, max(whole)) for week in weeks)
    if set(bars) == {_NONE}:
        return ["none"]
    legend = _legend(bars)
    return [f"{bars}  {_least_to_most(whole)}", *([f"({legend})"] if legend else [])]


def _weekly_deployments(report: Report) -> list[Figure | None]:
    """The last weeks of the report in a row, from its first; None where one is missing."""
    by_monday = {
        _monday(figure.window.start): figure
        for figure in report.figures
        if figure.metric == "deployment_frequency" and words.is_week(figure.window)
    }
    if not by_monday:
        return []
    last = _monday(report.window.end - timedelta(days=1))
    drawn = min((last - min(by_monday)).days // 7 + 1, WEEKS_DRAWN)
    return [by_monday.get(last - timedelta(weeks=ago)) for ago in reversed(range(drawn))]


def _monday(on: date) -> date:
    return on - timedelta(days=on.weekday())


_GAP, _NONE, _PARTIAL, _LEVELS = "·", "▁", "○", "▂▃▄▅▆▇█"


def _bar(week: Figure | None, highest: int) -> str:
    if week is None or week.n is None:
        return _GAP
    if week.partial:
        return _PARTIAL
    if not week.n:
        return _NONE
    return _LEVELS[-(-week.n * len(_LEVELS) // highest) - 1]


def _least_to_most(counts: Sequence[int]) -> str:
    least, most = words.count(min(counts)), words.count(max(counts))
    return f"{least} a week" if least == most else f"{least} to {most} a week"


def _legend(bars: str) -> str:
    meanings = ((_NONE, "none"), (_PARTIAL, "partial week"), (_GAP, "not collected"))
    return ", ".join(f"{glyph} {meaning}" for glyph, meaning in meanings if glyph in bars)


def _stages(report: Report, column: Column) -> list[str]:
    figures = [figure for stage in words.STAGES if (figure := report.figure(stage, column.window))]
    if not figures:
        return []
    parts = [figure.value for figure in figures if figure.value is not None]
    if len(parts) < len(figures):
        return [figures[0].note or "no change with all its times known"]
    shares = zip(figures, words.shares(parts), strict=True)
    known = f"{words.counted(figures[0].n or 0, 'change')} with all times known"
    return [*(f"{words.name(figure.metric)} {share}" for figure, share in shares), known]


def _kinds(report: Report, column: Column) -> list[str]:
    figure = report.figure("deployment_frequency", column.window)
    beside = figure.beside if figure else {}
    counted = _counts(beside, _COUNTED)
    apart = _counts(beside, _APART)
    if len(counted) < 2 and not apart:
        return []
    return [*counted, *([f"apart: {', '.join(apart)}"] if apart else [])]


_COUNTED: Final = {kind: kind for kind in ("forward", "redeploy", "rollback", "stale")}
_APART: Final = {"rollout": "roll-out", "failed_attempts": "failed before production"}


def _counts(beside: Mapping[str, float], kinds: Mapping[str, str]) -> list[str]:
    return [
        f"{words.count(int(beside[kind]))} {text}"
        for kind, text in kinds.items()
        if beside.get(kind)
    ]


def _pace(report: Report, column: Column) -> list[str]:
    frequency = report.figure("deployment_frequency", column.window)
    between = report.figure("time_between_deployments", column.window)
    batch = report.figure("batch_size", column.window)
    pieces = []
    if frequency and frequency.beside.get("days_with_deployment", 0) >= 1:
        days = words.number(frequency.beside["days_with_deployment"])
        pieces.append(f"deployed on {days} days a week")
    if frequency and "median_service" in frequency.beside and report.services.total > 1:
        pieces.append(f"median service {words.number(frequency.beside['median_service'])}/wk")
    if between and between.value is not None:
        pieces.append(f"median {words.duration(between.value)} apart")
    if batch and batch.value is not None:
        pieces.append(f"median batch {_batch(batch.value, batch.beside)}")
    return pieces


def _batch(changes: float, beside: Mapping[str, float]) -> str:
    texts = {"human": "{} by people", "lines": "{} lines a change"}
    parts = [text.format(words.number(beside[key])) for key, text in texts.items() if key in beside]
    size = words.number(changes)
    return ", ".join([f"{size} change{'' if size == '1' else 's'}", *parts])


def _lead_time(report: Report, column: Column) -> list[str]:
    figure = report.figure("change_lead_time", column.window)
    if figure is None or figure.n is None:
        return []
    return [*_samples(figure, figure.n), *_waiting(figure)]


def _samples(figure: Figure, n: int) -> Iterator[str]:
    beside = figure.beside
    if n and figure.deployments is not None:
        changes = words.counted(n, "change")
        yield f"{changes} in {words.counted(figure.deployments, 'deployment')}"
    if "p90" in beside:
        yield f"9 of 10 within {words.duration(beside['p90'])}"
    elif "slowest" in beside and n > 1:
        yield f"slowest {words.duration(beside['slowest'])}"
    if beside.get("starts_at_merge"):
        at_merge = words.count(int(beside["starts_at_merge"]))
        yield f"starts at merge for {at_merge} of {words.count(n)}"
    if figure.attribution in _ATTRIBUTION:
        yield _ATTRIBUTION[figure.attribution]
    if figure.note:
        yield columns.plain(figure.note)


_ATTRIBUTION: Final = {
    "time": "shipped by time, not by commit",
    "mixed": "in part shipped by time, not by commit",
}


def _waiting(figure: Figure) -> Iterator[str]:
    if waiting := int(figure.beside.get("waiting", 0)):
        yield f"{words.count(waiting)} merged, not yet deployed"


def _left_out(report: Report, column: Column) -> list[str]:
    pieces = []
    for metric in words.FIVE:
        figure = report.figure(metric, column.window)
        excluded = {k: n for k, n in figure.excluded.items() if n and k != "bot"} if figure else {}
        pieces += [
            f"{words.reason(key)} ({words.count(n)})"
            for key, n in sorted(excluded.items(), key=_most_first)
        ]
    return pieces


def _most_first(excluded: tuple[str, int]) -> tuple[int, str]:
    return -excluded[1], excluded[0]


def _unplanned(report: Report, column: Column) -> list[str]:
    figure = report.figure("deployment_rework_rate", column.window)
    reasons = {reason: int(n) for reason, n in figure.beside.items()} if figure else {}
    return [
        f"{words.count(n)} {reason}" for reason, n in sorted(reasons.items(), key=_most_first) if n
    ]


def _suspected(report: Report, column: Column) -> list[str]:
    figure = report.figure("change_fail_rate_with_suspected", column.window)
    if figure is None or "suspected_by_chance" not in figure.beside or not report.incidents:
        return []
    chance = words.percent(figure.beside["suspected_by_chance"])
    return [f"by time alone; a random working hour is as near a deployment {chance} of the time"]


def _failed_not_forward(report: Report, column: Column) -> list[str]:
    figure = report.figure("change_fail_rate", column.window)
    failed = int(figure.beside.get("failed_not_forward", 0)) if figure else 0
    return [f"{words.count(failed)}, outside the fail rate"] if failed else []


def _collected(report: Report, column: Column) -> list[str]:
    figure = report.figure("deployment_frequency", column.window)
    coverage = figure.coverage if figure else None
    if coverage is None or coverage.start is None or coverage.end is None:
        return []
    held = WindowRef(start=coverage.start, end=coverage.end, label="..")
    if (held.start, held.end) == (column.window.start, column.window.end):
        return []
    return [f"only {words.dates(held)}"]


_DETAILS: Final = (
    ("Where the time goes", _stages),
    ("Kinds of deployment", _kinds),
    ("Pace", _pace),
    ("Lead time", _lead_time),
    ("Unplanned", _unplanned),
    ("Left out", _left_out),
    ("Suspected failures", _suspected),
    ("Failed, not forward", _failed_not_forward),
    ("Collected", _collected),
)


# What is still open, and what is wrong in the data ----------------------------------------------


def _open(report: Report, width: int) -> list[Line]:
    still_open = [row for row in report.failures if row.open]
    shown = still_open[:OPEN_SHOWN]
    lines = _hanging("Open   ", _open_rows(report, shown, width - 7))
    if len(still_open) > len(shown):
        lines.append(f"       and {words.count(len(still_open) - len(shown))} more")
    return [Line(line, Style.CONCERN) for line in lines]


def _open_rows(report: Report, shown: Sequence[FailureRow], width: int) -> list[str]:
    """A line for each failure, or two where a service's name would leave no room."""
    names = [columns.plain(row.service) for row in shown]
    facts = columns.aligned([_open_facts(report, row) for row in shown])
    lines = columns.aligned([*zip(names, facts, strict=True)])
    if all(columns.width(line) <= width for line in lines):
        return lines
    return [
        line
        for name, fact in zip(names, facts, strict=True)
        for line in (columns.cut(name, width), f"  {fact}")
    ]


def _open_facts(report: Report, row: FailureRow) -> list[str]:
    lasting = "" if row.recovery_time is None else words.duration(row.recovery_time)
    grade = f"suspected {row.grade}" if row.grade == "D" else f"evidence {row.grade}"
    commit = row.commit[:7] if row.commit else columns.cut(row.deployment, 12)
    since = words.moment(row.started_at, report.zone, in_year=_year(report))
    return [columns.plain(commit), f"since {since}", lasting, grade, _incidents(row.incidents)]


def _incidents(names: Sequence[str]) -> str:
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    return columns.cut(columns.plain(names[0]), 12) + more if names else ""


def _problems(report: Report, width: int) -> list[Line]:
    by_count = sorted(report.problems, key=lambda problem: -problem.count)
    shown = by_count[:PROBLEMS_SHOWN]
    size = max((len(words.count(problem.count)) for problem in shown), default=0)
    lines = [line for problem in shown for line in _problem(problem, size, width)]
    if len(by_count) > len(shown):
        lines.append(f"  and {words.counted(len(by_count) - len(shown), 'more kind')}, see --json")
    return (
        [Line("Problems in the data, all of it", Style.STRONG), *map(Line, lines)] if lines else []
    )


def _problem(problem: Problem, size: int, width: int) -> Iterator[str]:
    start = f"  {columns.right(words.count(problem.count), size)}  "
    room = width - len(start)
    what = columns.plain(words.reason(problem.reason))
    examples = _examples(problem)
    yield from _hanging(start, columns.wrap(f"{what} ({examples})" if examples else what, room))
    if problem.remedy:
        remedy = columns.wrap(columns.plain(problem.remedy), room - 2)
        yield from _hanging(" " * len(start) + "→ ", remedy)
    if problem.command:
        yield from _hanging(" " * (len(start) + 2), columns.command(problem.command, room - 2))


def _examples(problem: Problem) -> str:
    shown = [columns.cut(columns.plain(text), 36) for text in problem.examples[:3]]
    return ", ".join([*shown, "…"] if shown and problem.count > len(shown) else shown)


# Notes and definitions ---------------------------------------------------------------------------


def _foot(report: Report, width: int) -> list[Line]:
    notes = [
        *map(columns.plain, report.notes),
        *_provisional(report),
        *_definitions(report),
        "Team-level use only.",
    ]
    return [Line(line, Style.QUIET) for note in notes for line in columns.wrap(note, width)]


def _provisional(report: Report) -> Iterator[str]:
    if any(figure.provisional for figure in report.figures):
        yield f"{words.PROVISIONAL} = provisional, may rise: failures come to light late."


def _definitions(report: Report) -> Iterator[str]:
    """The five definitions, each up to its first semicolon; JSON has them whole."""
    older = []
    for metric in words.FIVE:
        figure = report.figure(metric)
        if figure and (definition := report.definitions.get(figure.definition_id)):
            gist = columns.plain(definition).removesuffix(".").partition(";")[0]
            yield f"{words.name(metric)}: {gist} ({figure.definition_id})."
            older += [words.OLDER_NAMES[metric]] if metric in words.OLDER_NAMES else []
    if older:
        yield f"Older names: {', '.join(older)}."


# Said in more than one block ------------------------------------------------------------------


def _name(text: str) -> str:
    return columns.cut(columns.plain(text), 36)


def _year(report: Report) -> int:
    return (report.window.end - timedelta(days=1)).year


def _hanging(start: str, lines: Sequence[str]) -> list[str]:
    """The lines after `start`, those below the first set in as far."""
    blank = " " * columns.width(start)
    return [f"{blank if i else start}{line}".rstrip() for i, line in enumerate(lines)]


_BLOCKS: Final = (_head, _headline, _table, _behind, _open, _problems, _foot)
