"""The content of a report and its order, before any output sets it.

Everything is in words already: outputs choose type, columns and colour, and nothing else.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from vpemetrics.metrics.agent_groups import AgentComparison
from vpemetrics.metrics.figures import Figure, IntervalRef, Unit, WindowRef
from vpemetrics.reports import cells, columns, signal_words, words
from vpemetrics.reports.cells import Cell
from vpemetrics.reports.model import FailureRow, Problem, Report

WEEKS_DRAWN: Final = 26
NARROW, WIDE = 36, 100
"""The most letters of a name where room is scarce, and on a page of its own."""


# The table ---------------------------------------------------------------------------------------


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
    """A row of the table: a cell for each column, or a text across all of them.

    At `level` 0 stand the headings of sections, at 1 what belongs to them, and so on.
    `usual` are the limits of the metric's weeks, `signal` says how the window stands to them; both
    are empty where no limits tell. Cells in their `own_window` are not of that of their column.
    """

    label: str
    level: int = 0
    metric: str = ""
    cells: tuple[Cell, ...] = ()
    across: str = ""
    usual: str = ""
    signal: str = ""
    own_window: bool = False


_SECTIONS: Final = (
    (
        "Throughput",
        (
            (1, "Deployments", "deployment_frequency"),
            (1, "Lead time, median", "change_lead_time"),
            (2, "within 24 h", "share_within_24h"),
            (1, "Recovery, median", "failed_deployment_recovery_time"),
        ),
    ),
    (
        "Instability",
        (
            (1, "Change fail rate", "change_fail_rate"),
            (2, "incl. suspected", "change_fail_rate_with_suspected"),
            (1, "Rework rate", "deployment_rework_rate"),
        ),
    ),
    (
        "All incidents",
        (
            (1, "Restore, median", "incident_restore_time"),
            (1, "Customers affected", "customers_affected_time"),
        ),
    ),
)
_SECTIONS_WITHOUT_INCIDENTS: Final = _SECTIONS[:2]


# Whose report, and how complete ------------------------------------------------------------------


def scope_names(report: Report, room: int = NARROW) -> Iterator[str]:
    """The organisation and, of a smaller scope, what it is; names have `room` letters at most."""
    yield shorten(report.organisation, room)
    if report.scope.kind != "organisation":
        yield f"{report.scope.kind} {shorten(report.scope.name, room)}"


def dated_window(report: Report) -> str:
    """The window with its dates and zone, as in `2026-W36 (31 Aug–6 Sep, Europe/Dublin)`."""
    window, partial = report.window, ", partial" if report.partial else ""
    title, dates = words.title(window), words.dates(window)
    if dates in title:
        return f"{title} ({report.zone}{partial})"
    return f"{title} ({dates}, {report.zone}{partial})"


def longer_window_note(report: Report) -> Iterator[str]:
    """Say why a longer window than usual stands beside the week (rule W3)."""
    why = cells.longer_window_reason(report.figure("deployment_frequency", report.headline))
    if report.headline != report.window and why:
        yield f"and {words.length(report.headline)}, {why}"


def data_age(report: Report) -> str:
    """To when facts were collected."""
    if report.data_as_of is None:
        return words.NO_DATA
    return f"data to {words.moment(report.data_as_of, report.zone, in_year=year(report))}"


def coverage(report: Report) -> Iterator[str]:
    """Say how much of what should be there was collected, and what is counted apart."""
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
        yield f"{words.quantity(report.incidents_external, 'external incident')}"
    if report.automated_changes:
        yield f"{words.quantity(report.automated_changes, 'automated change')} apart"


# Which columns and rows --------------------------------------------------------------------------


def shown_columns(report: Report) -> list[Column]:
    """The window that was asked for and a longer one beside a week, the one before a quarter."""
    week = words.is_week(report.window)
    name = "this week" if week else words.title(report.window)
    asked_for = _window_column(report, report.window, name, interval=not week)
    if report.partial:
        asked_for = replace(asked_for, heading=f"{asked_for.heading}, partial")
    if report.before:
        before = words.title(report.before)
        return [_window_column(report, report.before, before, interval=False), asked_for]
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


def rows(report: Report, shown: Sequence[Column]) -> Iterator[Row]:
    """The table of the metrics, section by section; what no figure is of stays away."""
    known = {figure.metric for figure in report.figures}
    for section, metrics in _SECTIONS if report.incidents else _SECTIONS_WITHOUT_INCIDENTS:
        present = [Row(label, level, metric) for level, label, metric in metrics if metric in known]
        if present:
            yield Row(section)
        for row in present:
            yield from _metric_rows(report, row, shown)


def _metric_rows(report: Report, row: Row, shown: Sequence[Column]) -> Iterator[Row]:
    yield replace(
        row,
        cells=_noted_once([column.cell(row.metric) for column in shown]),
        usual="" if report.before else signal_words.usual_of(report, row.metric),
        signal=signal_word(report, row.metric),
    )
    yield from _at_merge(row, [report.figure(row.metric, column.window) for column in shown])
    for column in shown:
        if listed := column.listing(row.metric):
            yield Row(f"each, {column.name}", 2, across=listed)
    if longer := _longer_window(report, row.metric, shown[-1].window):
        blank = (Cell(),) * (len(shown) - 1)
        over = f"over {words.length(longer.window)}"
        yield Row(over, 2, cells=(*blank, cells.cell(longer)), own_window=True)
        if listed := cells.listing(longer):
            yield Row("each", 3, across=listed)


def _at_merge(row: Row, figures: Sequence[Figure | None]) -> Iterator[Row]:
    """The number of lead times that miss what was before the merge, as a row (rule T1)."""
    counts = [
        int(measured.beside.get("starts_at_merge", 0)) if measured else 0 for measured in figures
    ]
    if row.metric == "change_lead_time" and any(counts):
        told = [
            Cell(base=f"for {words.count(count)} of {words.count(one.n)}")
            if one and one.n
            else Cell()
            for count, one in zip(counts, figures, strict=True)
        ]
        yield Row("starts at merge", 2, cells=tuple(told))


MARGIN: Final = ("Usual/wk", "Signal")
"""The headings over what is usual, and over what a window says."""


def margin(report: Report) -> tuple[str, str]:
    """The headings of the two last columns; a quarter is compared with the one before."""
    return ("", "Change") if report.before else MARGIN


def signal_word(report: Report, metric: str) -> str:
    """The word for a metric: of its limits, or of a quarter against the one before."""
    if report.before:
        return signal_words.change_of(report, metric)
    return signal_words.standing_of(report, metric) or signal_words.missing_word_reason(
        report, metric
    )


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
    ]
    return max(longer, key=lambda figure: figure.window.end - figure.window.start, default=None)


def says_something(row: Row) -> bool:
    """True if a row holds more than "no data"."""
    return any(cell not in (Cell(), cells.NO_DATA) for cell in row.cells) or bool(row.across)


# What lies behind the table ----------------------------------------------------------------------


def weekly_deployments(report: Report) -> list[Figure | None]:
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


def _stages(report: Report, column: Column) -> list[str]:
    figures = [figure for stage in words.STAGES if (figure := report.figure(stage, column.window))]
    if not figures:
        return []
    parts = [figure.value for figure in figures if figure.value is not None]
    if len(parts) < len(figures):
        return [figures[0].note or "no change with all its times known"]
    shares = zip(figures, words.shares(parts), strict=True)
    known = f"{words.quantity(figures[0].n or 0, 'change')} with all times known"
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
    texts = {"human": "{} by people and agents", "lines": "{} lines a change"}
    parts = [text.format(words.number(beside[key])) for key, text in texts.items() if key in beside]
    size = words.number(changes)
    return ", ".join([f"{size} change{'' if size == '1' else 's'}", *parts])


def _lead_time(report: Report, column: Column) -> list[str]:
    figure = report.figure("change_lead_time", column.window)
    if figure is None or figure.n is None:
        return []
    automated = figure.excluded.get("automation", 0) if column.window != report.window else 0
    apart = [f"{words.quantity(automated, 'automated change')} apart"] if automated else []
    return [*_samples(figure, figure.n), *apart, *_waiting(figure)]


def _agents(report: Report, column: Column) -> list[str]:
    """The changes by agents, and those that name a tool; nothing where there are neither."""
    agents = report.figure("agent_changes", column.window)
    marked = report.figure("marked_changes", column.window)
    if agents is None or marked is None or not (agents.k or marked.k):
        return []
    return [
        f"{_share(agents)} changes by agents",
        f"at least {_share(marked)} name a tool",
    ]


def _with_agents(report: Report, _column: Column) -> list[str]:
    return list(agent_comparison(report.agents)) if report.agents else []


def agent_comparison(found: AgentComparison) -> Iterator[str]:
    """Changes with agents beside those without, in words that say neither better nor worse."""
    yield words.dates(found.window)
    if found.note:
        yield found.note
    for row in found.rows:
        both = " with, ".join(map(_in_group, (row.assisted, row.people)))
        only = " (reverts alone: no incident source)" if row.assisted.note else ""
        pieces = [f"{_COMPARED[row.metric]}{only} {both} without"]
        if row.difference:
            pieces.append(_between(row.difference, row.assisted.unit))
        if row.needed:
            pieces.append(f"a doubling would show from {words.count(row.needed)} changes in each")
        yield "; ".join(pieces)
    if found.rows:
        yield "people choose what they give to agents"


_COMPARED: Final = {
    "change_lead_time": "lead time",
    "changed_lines": "changed lines",
    "shipped_without_review": "not reviewed",
    "undone_within_28_days": "reverted or blamed within 28 days",
}


def _in_group(figure: Figure) -> str:
    if figure.unit is Unit.PROPORTION:
        return _share(figure)
    if figure.value is None:
        return f"{words.NO_VALUE} n={words.count(figure.n or 0)}"
    shown = words.duration if figure.unit is Unit.SECONDS else words.number
    return f"{shown(figure.value)} n={words.count(figure.n or 0)}"


def _between(found: IntervalRef, unit: Unit) -> str:
    """The 99 % interval: of proportions in points, of medians as a ratio."""
    if unit is Unit.PROPORTION:
        low, high = (f"{100 * (limit or 0.0):+.1f}" for limit in (found.low, found.high))
        return f"{low} to {high} points (99% CI)"
    low, high = (
        "open" if limit is None else words.number(limit) for limit in (found.low, found.high)
    )
    return f"{low} to {high} times as long (99% CI)"


def _reviews(report: Report, column: Column) -> list[str]:
    bare = report.figure("shipped_without_review", column.window)
    wait = report.figure("first_review_wait", column.window)
    waiting = report.figure("changes_waiting", column.window)
    pieces = []
    if bare is not None and bare.note == words.NO_REVIEW_SOURCE:
        return [f"not known ({bare.note})"]
    if bare is not None and bare.n:
        pieces.append(f"{_share(bare)} changes shipped without one")
    if wait is not None and wait.value is not None:
        longest = f" n={words.count(wait.n or 0)}"
        pieces.append(f"first one after {words.duration(wait.value)}, median{longest}")
    if waiting is not None and waiting.k:
        pieces.append(f"{words.count(waiting.k)} of {words.count(waiting.n or 0)} open wait for it")
    return pieces


def _share(figure: Figure) -> str:
    return f"{words.count(figure.k or 0)} of {words.count(figure.n or 0)}"


def _samples(figure: Figure, n: int) -> Iterator[str]:
    beside = figure.beside
    if n and figure.deployments is not None:
        changes = words.quantity(n, "change")
        yield f"{changes} in {words.quantity(figure.deployments, 'deployment')}"
    if "p90" in beside:
        yield f"9 of 10 within {words.duration(beside['p90'])}"
    elif "slowest" in beside and n > 1:
        yield f"slowest {words.duration(beside['slowest'])}"
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
        yield f"{words.count(waiting)} merged in the window, not yet deployed"


def _exclusions(report: Report, column: Column) -> list[str]:
    pieces = []
    for metric in words.FIVE:
        figure = report.figure(metric, column.window)
        excluded = (
            {k: n for k, n in figure.excluded.items() if n and k != "automation"} if figure else {}
        )
        pieces += [
            f"{words.reason(key)} ({words.count(n)})"
            for key, n in sorted(excluded.items(), key=_most_first)
        ]
    return pieces


def _most_first(excluded: tuple[str, int]) -> tuple[int, str]:
    return -excluded[1], excluded[0]


def _unplanned_reasons(report: Report, column: Column) -> list[str]:
    figure = report.figure("deployment_rework_rate", column.window)
    reasons = {reason: int(n) for reason, n in figure.beside.items()} if figure else {}
    return [
        f"{words.count(n)} {reason}" for reason, n in sorted(reasons.items(), key=_most_first) if n
    ]


def _suspicion_by_chance(report: Report, column: Column) -> list[str]:
    figure = report.figure("change_fail_rate_with_suspected", column.window)
    if figure is None or "suspected_by_chance" not in figure.beside or not report.incidents:
        return []
    chance = words.percent(figure.beside["suspected_by_chance"])
    return [f"by time alone; a random working hour is as near a deployment {chance} of the time"]


def _failed_not_forward(report: Report, column: Column) -> list[str]:
    figure = report.figure("change_fail_rate", column.window)
    failed = int(figure.beside.get("failed_not_forward", 0)) if figure else 0
    return [f"{words.count(failed)}, outside the fail rate"] if failed else []


def _collected_span(report: Report, column: Column) -> list[str]:
    figure = report.figure("deployment_frequency", column.window)
    coverage = figure.coverage if figure else None
    if coverage is None or coverage.start is None or coverage.end is None:
        return []
    held = WindowRef(start=coverage.start, end=coverage.end, label="..")
    if (held.start, held.end) == (column.window.start, column.window.end):
        return []
    return [f"only {words.dates(held)}"]


DETAILS: Final = (
    ("Where the time goes", _stages),
    ("Kinds of deployment", _kinds),
    ("Pace", _pace),
    ("Lead time", _lead_time),
    ("Reviews", _reviews),
    ("Agents", _agents),
    ("With agents", _with_agents),
    ("Unplanned", _unplanned_reasons),
    ("Left out", _exclusions),
    ("Suspected failures", _suspicion_by_chance),
    ("Failed, not forward", _failed_not_forward),
    ("Collected", _collected_span),
)


# Problems, notes and names -----------------------------------------------------------------------


def examples(problem: Problem) -> str:
    """The first three records that a problem was met in."""
    shown = [columns.cut(columns.plain(text), 36) for text in problem.examples[:3]]
    return ", ".join([*shown, "…"] if shown and problem.count > len(shown) else shown)


def definitions(report: Report) -> Iterator[str]:
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


def shorten(text: str, room: int = NARROW) -> str:
    """A name on one line, cut where it is very long."""
    return columns.cut(columns.plain(text), room)


def year(report: Report) -> int:
    """The year of the window's last day, which moments need not name."""
    return (report.window.end - timedelta(days=1)).year


def provisional_note(report: Report) -> Iterator[str]:
    """Explain the letter beside provisional figures, where there are any."""
    if any(figure.provisional for figure in report.figures):
        yield f"{words.PROVISIONAL} = provisional, may rise: failures come to light late."


# Failures and exceptions --------------------------------------------------------------------------


FAILURE_HEADINGS: Final = (
    "Service", "Deployment", "Started", "Recovered", "Took", "Evidence", "Incident",
)  # fmt: skip


def failures(report: Report) -> list[FailureRow]:
    """Failed deployments, none that are only suspected: those still open first, then the latest."""
    confirmed = [row for row in report.failures if row.grade != SUSPECTED]
    return sorted(confirmed, key=lambda row: not row.open)


SUSPECTED: Final = "D"
SUSPECTED_NAMED: Final = 3


def failure(report: Report, row: FailureRow) -> tuple[str, ...]:
    """A failed deployment in words, under `FAILURE_HEADINGS`."""
    ended = "open" if row.open else "unknown"
    return (
        shorten(row.service),
        columns.plain(row.commit[:7] if row.commit else row.deployment),
        _moment(report, row.started_at),
        _moment(report, row.recovered_at) if row.recovered_at else ended,
        words.NO_VALUE if row.recovery_time is None else words.duration(row.recovery_time),
        row.grade,
        ", ".join(map(columns.plain, row.incidents[:3])) or words.NO_VALUE,
    )


def _moment(report: Report, at: datetime) -> str:
    return words.moment(at, report.zone, in_year=year(report))


def failure_notes(report: Report, shown: int) -> Iterator[str]:
    """Say what a table of so many failures leaves to say."""
    known = len(failures(report))
    suspected = [row for row in report.failures if row.grade == SUSPECTED]
    if not known:
        kind = "confirmed" if suspected else "known"
        yield f"None {kind}{'' if report.incidents else f': {words.NO_INCIDENT_SOURCE}'}."
    if known > shown:
        yield f"And {words.count(known - shown)} more in {words.length(report.headline)}."
    if suspected:
        yield _suspects(report, suspected)
    if report.incidents_external:
        yield f"{words.quantity(report.incidents_external, 'incident')} with an external cause."


def _suspects(report: Report, suspected: Sequence[FailureRow]) -> str:
    """The suspected failures in one sentence, those of them that are open first."""
    in_order = sorted(suspected, key=lambda row: not row.open)
    named = [_suspect(report, row) for row in in_order[:SUSPECTED_NAMED]]
    more = [columns.ELLIPSIS] if len(in_order) > len(named) else []
    count = words.quantity(len(suspected), "deployment")
    return f"Suspected only: {count} ({', '.join([*named, *more])})."


def _suspect(report: Report, row: FailureRow) -> str:
    service, deployment, started, *_ = failure(report, row)
    return f"{service} {deployment} of {started}{', open' if row.open else ''}"


def _no_judgement_reason(report: Report, without_limits: str) -> str:
    """Say why nothing is held against limits."""
    if report.partial and any(chart.baseline.judges for chart in report.charts):
        return "Nothing is held against the limits: it was not collected whole."
    return without_limits


def exceptions(report: Report) -> Iterator[str]:
    """The signals, and the services outside their limits, as sentences."""
    told = [f"{reason}." for reason in signal_words.signal_reasons(report)]
    yield from told
    found = signal_words.exceptions(report)
    if report.exceptions is None:  # of one service, or no week: nobody looked at the services
        if not told:
            yield (
                "No signal."
                if signal_words.has_words(report)
                else _no_judgement_reason(report, "No limits yet.")
            )
    elif not found:
        yield _no_judgement_reason(report, "No service has limits yet.")
    elif report.exceptions and not report.exceptions.outside:
        yield f"{signal_words.NOTHING_OUTSIDE}: {', '.join(found)}."
    else:
        yield f"Outside their usual range: {', '.join(found)}."


def footnotes(report: Report) -> Iterator[str]:
    """The sentences that the figures need below them."""
    yield from map(columns.plain, report.notes)
    yield from provisional_note(report)
    yield from signal_words.chance_note(report)
    yield from definitions(report)
    yield "Not for evaluating individuals or comparing teams."
