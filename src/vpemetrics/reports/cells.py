"""The cells of a figure: its value, its interval, and what both rest on.

Every tabular output takes its words from here, so that two outputs cannot disagree.
"""

from dataclasses import dataclass
from typing import Final

from vpemetrics.metrics.figures import Figure, Unit
from vpemetrics.reports import words


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A figure in words: `4.1%`, `[2.0–8.2%]`, `7/171`; or a `text` in place of all three.

    `note` limits the text and may stand once for several cells side by side.
    """

    value: str = ""
    interval: str = ""
    base: str = ""
    text: str = ""
    note: str = ""


NO_DATA = Cell(text=words.NO_DATA)


def cell(figure: Figure | None) -> Cell:
    """The words for a figure; "no data" if there is none or its window was not collected.

    What is provisional carries a `p`.
    """
    if figure is None:
        return NO_DATA
    if figure.note == words.NO_CHANGE_SOURCE:
        return Cell(text=words.NO_CHANGE_SOURCE)
    if figure.unit is Unit.PROPORTION and figure.n is not None:
        return _proportion(figure)
    if figure.note == words.NO_INCIDENT_SOURCE:
        return Cell(text=words.NO_INCIDENT_SOURCE)
    if figure.value is None and figure.n is None:
        return NO_DATA
    if figure.metric == "deployment_frequency":
        return _frequency(figure)
    return _measure(figure)


def listing(figure: Figure | None) -> str | None:
    """The samples of a figure that lists them, being too few for a statistic; else None."""
    if figure is None or not figure.values or figure.note == words.NO_INCIDENT_SOURCE:
        return None
    still_open = int(figure.beside.get("open", 0))
    listed = words.durations(figure.values)
    return f"{listed}; {words.count(still_open)} still open" if still_open else listed


def _frequency(figure: Figure) -> Cell:
    known = figure.value is not None and _has_a_week(figure)
    rate = f"{words.number(figure.value or 0.0)}/wk" if known else ""
    cadence = f"lately {figure.note}" if figure.note in SELDOM else figure.note or ""
    return Cell(value=words.count(figure.n or 0), interval=rate, base=cadence)


SELDOM: Final = ("monthly", "less than monthly")
"""Cadences that a rate per week beside them may contradict: they are of the last months."""


def longer_window_reason(frequency: Figure | None) -> str:
    """The reason a window is longer than usual (rule W3), by its frequency; empty if it is not."""
    seldom = frequency.note if frequency and frequency.note in SELDOM else None
    return f"as deployments are lately {seldom}" if seldom else ""


def _has_a_week(figure: Figure) -> bool:
    """Tell whether a week at least was collected, for fewer days tell of no pace."""
    held = figure.coverage
    if held is None or held.start is None or held.end is None:
        return True
    return (held.end - held.start).days >= 7


def _proportion(figure: Figure) -> Cell:
    if not figure.n:
        return Cell(value=words.NO_VALUE, base="n=0")
    k_of_n = words.ratio(figure.k or 0, figure.n) + _mark(figure)
    if figure.note == words.NO_INCIDENT_SOURCE:
        known = f"at least {k_of_n}" if figure.k else "not known"
        return Cell(text=known, note=words.NO_INCIDENT_SOURCE)
    percentage = words.percentage_of(figure.k or 0, figure.n)
    if percentage is None:
        return Cell(base=k_of_n)
    return Cell(value=percentage, interval=_interval(figure), base=k_of_n)


def _measure(figure: Figure) -> Cell:
    if figure.metric == "customers_affected_time" and not figure.n:
        return Cell(value="none")
    value = _value(figure)
    base = _base(figure) if value else _without_value(figure)
    return Cell(
        value=value or words.NO_VALUE, interval=_interval(figure), base=base + _mark(figure)
    )


def _mark(figure: Figure) -> str:
    return f" {words.PROVISIONAL}" if figure.provisional else ""


def _value(figure: Figure) -> str:
    if figure.value is not None:
        return words.measure(figure.value, figure.unit)
    longest = figure.beside.get("longest")
    return f"> {words.duration(longest)}" if longest and figure.n and not figure.values else ""


def _interval(figure: Figure) -> str:
    if figure.interval is None:
        return ""
    return words.interval(figure.interval, figure.unit, figure.value)


def _base(figure: Figure) -> str:
    samples = f"n={words.count(figure.n or 0)}"
    still_open = int(figure.beside.get("open", 0))
    return f"{samples}, {words.count(still_open)} open" if still_open else samples


def _without_value(figure: Figure) -> str:
    if figure.metric == "failed_deployment_recovery_time":
        return f"{words.count((figure.n or 0) + sum(figure.excluded.values()))} failed"
    return f"n={words.count(figure.n or 0)}"
