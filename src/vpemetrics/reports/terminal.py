"""The report as text for a terminal, 80 columns wide unless told otherwise.

From top to bottom: whose report and how complete, the headline, the table of the five metrics,
what lies behind them, what is still open, what is wrong in the data, definitions.
Colour repeats what the words say; without it nothing is lost.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from vpemetrics.hidden_characters import remove_hidden
from vpemetrics.metrics.figures import Figure
from vpemetrics.reports import columns, content, signal_words, words
from vpemetrics.reports.cells import Cell
from vpemetrics.reports.model import FailureRow, Problem, Report

NARROWEST: Final = 80
OPEN_SHOWN: Final = 6
INCIDENT_SHOWN: Final = 18
PROBLEMS_SHOWN: Final = 4
LABEL: Final = 23


Grid = Callable[[str, Sequence[Cell]], list[str]]
"""A column of the table, from its heading and cells to texts of one width."""


class Style(StrEnum):
    """The style of a line; of 256 colours those that read as well on white as on black."""

    PLAIN = ""
    STRONG = "1"
    CONCERN = "38;5;130"
    IMPROVEMENT = "38;5;63"
    QUIET = "38;5;243"


_SAID: Final[Mapping[str, Style]] = {"worse": Style.CONCERN, "better": Style.IMPROVEMENT}


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
    return "".join(f"{_paint(line) if color else remove_hidden(line.text)}\n" for line in lines)


def render_file(report: Report) -> bytes:
    """The text for a file: 80 columns, no colour, UTF-8."""
    return render(report).encode()


def _of_its_own_scope(report: Report) -> Report:
    """The report without the figures of other scopes, which this output never shows."""
    own = tuple(figure for figure in report.figures if figure.scope == report.scope)
    return report.model_copy(update={"figures": own})


def _paint(line: Line) -> str:
    text = remove_hidden(line.text)  # so that all codes there are, are ours
    return f"\x1b[{line.style}m{text}\x1b[0m" if line.style and text else text


# Whose report, and how complete ------------------------------------------------------------


def _head(report: Report, width: int) -> list[Line]:
    pieces = [
        *content.scope_names(report),
        content.dated_window(report),
        *content.longer_window_note(report),
        content.data_age(report),
    ]
    title = columns.flow(pieces, " · ", width)
    coverage = columns.flow(content.coverage(report), " · ", width - len("Coverage: "))
    return [
        *(Line(line, Style.STRONG) for line in title),
        *(Line(line) for line in _hanging("Coverage: ", coverage)),
    ]


# The headline --------------------------------------------------------------------------------


def _headline(report: Report, width: int) -> list[Line]:
    summary = columns.plain(report.summary)
    return [Line(line, Style.STRONG) for line in columns.wrap(summary, width)]


# The table -----------------------------------------------------------------------------------


def _table(report: Report, width: int) -> list[Line]:
    shown = content.shown_columns(report)
    rows = list(content.rows(report, shown))
    if not any(content.says_something(row) for row in rows):
        return [Line("No figures for this window; `vpemetrics status` shows what was collected.")]
    reliability = columns.plain(report.reliability or "not provided")
    return [
        *_side_by_side_or_stacked(report, shown, width),
        *map(Line, _hanging("Reliability  ", columns.wrap(reliability, width - 13))),
    ]


def _side_by_side_or_stacked(
    report: Report, shown: Sequence[content.Column], width: int
) -> list[Line]:
    """One table; where long numbers do not fit side by side, a table for each column."""
    rows, margin = list(content.rows(report, shown)), content.margin(report)
    for grid in (_grid, _tight_grid):
        table = _set(shown, rows, margin, width, grid)
        if all(columns.width(line.text) <= width for line in table):
            return table
    bare = [replace(row, usual="", signal="") for row in rows]
    table = _set(shown, bare, margin, width, _grid)
    if len(shown) > 1 and any(columns.width(line.text) > width for line in table):
        table = [line for column in shown for line in _alone(report, column, width)]
    return [*table, *_usual(rows, width)]


def _alone(report: Report, column: content.Column, width: int) -> list[Line]:
    rows = [replace(row, usual="", signal="") for row in content.rows(report, [column])]
    return _set([column], rows, ("", ""), width, _grid)


def _usual(rows: Sequence[content.Row], width: int) -> list[Line]:
    """The limits and words that the table has no room for."""
    said = [
        f"{words.name(row.metric)} {', '.join(filter(None, (row.usual, row.signal)))}"
        for row in rows
        if row.usual or row.signal
    ]
    return (
        [*map(Line, _hanging("Usual a week  ", columns.flow(said, " · ", width - 14)))]
        if said
        else []
    )


def _set(
    shown: Sequence[content.Column],
    rows: Sequence[content.Row],
    margin: tuple[str, str],
    width: int,
    grid: Grid,
) -> list[Line]:
    grids = [
        grid(column.heading, [row.cells[i] if row.cells else Cell() for row in rows])
        for i, column in enumerate(shown)
    ]
    labels = max(columns.width(_label(row)) for row in rows)
    beside = _margin(margin, rows)
    taken = labels + sum(columns.width(grid[0]) for grid in grids)
    taken += sum(map(columns.width, beside[:1]))
    gap = _gap(width - taken, len(grids) + bool(beside))
    heading, *texts = [gap.join(parts).rstrip() for parts in zip(*grids, strict=True)]
    if beside:
        heading, *texts = _with_margin([heading, *texts], beside, gap)
    return [
        Line((" " * labels + gap + heading).rstrip(), Style.STRONG),
        *(
            line
            for row, text in zip(rows, texts, strict=True)
            for line in _set_row(row, columns.left(_label(row), labels) + gap, text, width)
        ),
    ]


def _margin(headings: tuple[str, str], rows: Sequence[content.Row]) -> list[str]:
    """The limits and words beside each row, under their headings; nothing where no limits tell."""
    said = [(row.usual, row.signal) for row in rows]
    if not any(map(any, said)):
        return []
    filled = [column for column in zip(headings, *said, strict=True) if any(column[1:])]
    return columns.align([*zip(*filled, strict=True)])


def _with_margin(texts: Sequence[str], beside: Sequence[str], gap: str) -> list[str]:
    """The rows with their margin in line; those without one may be longer."""
    size = max(columns.width(text) for text, said in zip(texts, beside, strict=True) if said)
    return [
        columns.left(text, size) + gap + said if said else text
        for text, said in zip(texts, beside, strict=True)
    ]


def _set_row(row: content.Row, start: str, text: str, width: int) -> list[Line]:
    if row.across:
        return [*map(Line, _hanging(start, columns.wrap(row.across, width - columns.width(start))))]
    return [Line((start + text).rstrip(), _style(row))]


def _style(row: content.Row) -> Style:
    if not row.cells:
        return Style.STRONG
    return _SAID.get(row.signal.partition(" ")[0], Style.PLAIN)


def _label(row: content.Row) -> str:
    return "  " * row.level + row.label


def _gap(slack: int, grids: int) -> str:
    return " " * max(2, min(6, slack // grids))


def _grid(heading: str, column: Sequence[Cell]) -> list[str]:
    """The heading and the cells, equally wide, their values, intervals and bases each in line."""
    value, interval, base = (
        max(columns.width(getattr(cell, part)) for cell in column)
        for part in ("value", "interval", "base")
    )
    return _equally_wide(
        heading,
        [
            cell.text
            or _space_out(
                columns.right(cell.value, value),
                columns.left(cell.interval, interval),
                columns.left(cell.base, base),
            )
            for cell in column
        ],
    )


def _tight_grid(heading: str, column: Sequence[Cell]) -> list[str]:
    """The same with nothing but the values in line."""
    value = max(columns.width(cell.value) for cell in column)
    return _equally_wide(
        heading,
        [
            cell.text or _space_out(columns.right(cell.value, value), cell.interval, cell.base)
            if cell.value != words.NO_VALUE or not cell.base
            else cell.base
            for cell in column
        ],
    )


def _equally_wide(heading: str, cells: Sequence[str]) -> list[str]:
    size = max(map(columns.width, (heading, *cells)))
    return [columns.left(text, size) for text in (heading, *cells)]


def _space_out(*parts: str) -> str:
    return " ".join(part for part in parts if part).rstrip()


# What lies behind the table ------------------------------------------------------------------


def _behind(report: Report, width: int) -> list[Line]:
    *_, column = content.shown_columns(report)
    weeks = content.weekly_deployments(report)
    drawn = [
        *_label_lines(f"Deployments/wk, {len(weeks)} wk", _sparkline(report, weeks), width, " "),
        *_judgement(report, width),
    ]
    details = [
        line
        for label, told in content.DETAILS
        for line in _label_lines(f"  {label}", told(report, column), width, " · ")
    ]
    return [*drawn, Line(f"In detail, {column.name}", Style.STRONG), *details] if details else drawn


def _judgement(report: Report, width: int) -> list[Line]:
    """Signals, services outside their limits, targets and new levels, with a line below."""
    lines = [
        *_label_lines("Signals", [*signal_words.signal_reasons(report)], width, " · "),
        *_label_lines("Outside their usual", signal_words.exceptions(report), width, " · "),
        *_label_lines("Targets", signal_words.targets(report), width, " · "),
        *_steps(report, width),
    ]
    return [*lines, Line()] if lines else []


def _steps(report: Report, width: int) -> Iterator[Line]:
    """The lines that declare a new level, after eight weeks in a row."""
    for level in report.new_levels:
        said = columns.wrap(f"{signal_words.new_level(level)} {signal_words.DECLARE}", width - 2)
        yield from map(Line, _hanging("→ ", said))
        yield from (Line(f"    {line}") for line in columns.plain_lines(level.step, width - 4))


def _label_lines(label: str, pieces: Sequence[str], width: int, separator: str) -> list[Line]:
    """The label with its pieces; nothing where there is nothing to say."""
    if not pieces:
        return []
    lines = columns.flow(pieces, separator, width - LABEL)
    return [Line(line) for line in _hanging(columns.left(label, LABEL), lines)]


def _sparkline(report: Report, weeks: Sequence[Figure | None]) -> list[str]:
    whole = [week.n for week in weeks if week and week.n is not None and not week.partial]
    if not whole:
        return []
    bars = "".join(_bar(week, max(whole)) for week in weeks)
    if set(bars) == {_NONE}:
        return ["none"]
    legend = _legend(bars)
    limits = signal_words.limits(report)
    said = f"{_least_to_most(whole)}{f'; {limits}' if limits else ''}"
    return [f"{bars} ", said, *([f"({legend})"] if legend else [])]


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
    facts = columns.align([_open_facts(report, row) for row in shown])
    lines = columns.align([*zip(names, facts, strict=True)])
    if all(columns.width(line) <= width for line in lines):
        return lines
    return [
        line
        for name, fact in zip(names, facts, strict=True)
        for line in (columns.cut(name, width), columns.cut(f"  {fact}", width))
    ]


def _open_facts(report: Report, row: FailureRow) -> list[str]:
    lasting = "" if row.recovery_time is None else words.duration(row.recovery_time)
    grade = f"suspected {row.grade}" if row.grade == "D" else f"evidence {row.grade}"
    commit = row.commit[:7] if row.commit else columns.cut(row.deployment, 12)
    since = words.moment(row.started_at, report.zone, in_year=content.year(report))
    return [columns.plain(commit), f"since {since}", lasting, grade, _incidents(row.incidents)]


def _incidents(names: Sequence[str]) -> str:
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    return columns.cut(columns.plain(names[0]), INCIDENT_SHOWN) + more if names else ""


def _problems(report: Report, width: int) -> list[Line]:
    by_count = sorted(report.problems, key=lambda problem: -problem.count)
    shown = by_count[:PROBLEMS_SHOWN]
    size = max((len(words.count(problem.count)) for problem in shown), default=0)
    lines = [line for problem in shown for line in _problem(problem, size, width)]
    if len(by_count) > len(shown):
        lines.append(f"  and {words.quantity(len(by_count) - len(shown), 'more kind')}, see --json")
    return (
        [Line("Problems in the data, all of it", Style.STRONG), *map(Line, lines)] if lines else []
    )


def _problem(problem: Problem, size: int, width: int) -> Iterator[str]:
    start = f"  {columns.right(words.count(problem.count), size)}  "
    room = width - len(start)
    what = columns.plain(words.reason(problem.reason, problem.count))
    examples = content.examples(problem)
    yield from _hanging(start, columns.wrap(f"{what} ({examples})" if examples else what, room))
    if problem.remedy:
        remedy = columns.wrap(columns.plain(problem.remedy), room - 2)
        yield from _hanging(" " * len(start) + "→ ", remedy)
    if problem.command:
        yield from _hanging(" " * (len(start) + 2), columns.command(problem.command, room - 2))


# Notes and definitions ---------------------------------------------------------------------------


def _foot(report: Report, width: int) -> list[Line]:
    notes = [
        *map(columns.plain, report.notes),
        *content.provisional_note(report),
        *signal_words.chance_note(report),
        *content.definitions(report),
        "Team-level use only.",
    ]
    return [Line(line, Style.QUIET) for note in notes for line in columns.wrap(note, width)]


# Said in more than one block ------------------------------------------------------------------


def _hanging(start: str, lines: Sequence[str]) -> list[str]:
    """The lines after `start`, those below the first set in as far."""
    blank = " " * columns.width(start)
    return [f"{blank if i else start}{line}".rstrip() for i, line in enumerate(lines)]


_BLOCKS: Final = (_head, _headline, _table, _behind, _open, _problems, _foot)
