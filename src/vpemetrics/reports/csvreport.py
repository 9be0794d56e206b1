"""Every figure of a report as a row of CSV, unrounded, for spreadsheets and notebooks."""

import csv
import io
from typing import Any, Final

from vpemetrics.hidden_characters import remove_hidden
from vpemetrics.metrics.figures import Figure
from vpemetrics.reports.model import Report
from vpemetrics.spreadsheets import defuse

COLUMNS: Final = (
    "organisation", "metric", "definition_id", "scope_kind", "scope", "window", "start", "end",
    "value", "unit", "n", "k", "deployments", "low", "high", "level", "method", "provisional",
    "partial", "signal", "attribution", "services", "services_of", "excluded", "beside", "values",
    "note",
)  # fmt: skip


def render(report: Report) -> bytes:
    """The figures as UTF-8 CSV with a header line (RFC 4180).

    Durations are seconds, proportions 0 to 1; `end` is the day after the last; an empty cell is
    unknown. What would be a formula in a spreadsheet begins with an apostrophe.
    """
    file = io.StringIO(newline="")
    rows = csv.DictWriter(file, COLUMNS)
    rows.writeheader()
    for figure in report.figures:
        rows.writerow({name: _cell(value) for name, value in _row(report, figure).items()})
    return file.getvalue().encode()


def _row(report: Report, figure: Figure) -> dict[str, Any]:
    interval, coverage = figure.interval, figure.coverage
    return {
        "organisation": report.organisation,
        "metric": figure.metric,
        "definition_id": figure.definition_id,
        "scope_kind": figure.scope.kind,
        "scope": figure.scope.name,
        "window": figure.window.label,
        "start": figure.window.start,
        "end": figure.window.end,
        "value": figure.value,
        "unit": figure.unit.value,
        "n": figure.n,
        "k": figure.k,
        "deployments": figure.deployments,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "level": interval.level if interval else None,
        "method": interval.method if interval else None,
        "provisional": figure.provisional,
        "partial": figure.partial,
        "signal": figure.signal,
        "attribution": figure.attribution,
        "services": coverage.services if coverage else None,
        "services_of": coverage.of if coverage else None,
        "excluded": _pairs(figure.excluded),
        "beside": _pairs(figure.beside),
        "values": " ".join(map(repr, figure.values)),
        "note": figure.note,
    }


def _pairs(amounts: dict[str, Any]) -> str:
    return " ".join(f"{name}={amount!r}" for name, amount in sorted(amounts.items()))


def _cell(value: Any) -> Any:
    """A value as it is; truths as `true` and `false`, texts never as formulas."""
    if isinstance(value, bool):
        return str(value).lower()
    return defuse(remove_hidden(value)) if isinstance(value, str) else value
