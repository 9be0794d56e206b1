import csv
import io

import pytest
from drawn_reports import drawn_week
from example_reports import full_week

from vpemetrics.metrics.figures import Scope
from vpemetrics.reports.csvreport import COLUMNS, render
from vpemetrics.reports.model import Report


def rows(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(report).decode(), newline="")))


def test_there_is_a_row_for_every_figure_unrounded() -> None:
    report = drawn_week()
    found = rows(report)

    assert len(found) == len(report.figures)
    for row, figure in zip(found, report.figures, strict=True):
        assert tuple(row) == COLUMNS
        assert (row["metric"], row["start"]) == (figure.metric, f"{figure.window.start}")
        assert number(row["value"]) == figure.value
        assert number(row["low"]) == (figure.interval.low if figure.interval else None)
        assert number(row["n"]) == figure.n
        assert row["provisional"] == str(figure.provisional).lower()


def number(text: str) -> float | None:
    return float(text) if text else None


def test_what_stands_beside_a_value_is_there_by_name() -> None:
    row = next(row for row in rows(full_week()) if "fix=3" in row["beside"])

    assert row["metric"] == "deployment_rework_rate"
    assert row["beside"] == "fix=3.0 hotfix=1.0 rollback=5.0"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_no_name_is_a_formula(name: str) -> None:
    figures = [
        figure.model_copy(update={"scope": Scope(kind="service", name=name)})
        for figure in full_week().figures[:1]
    ]
    report = full_week().model_copy(update={"figures": tuple(figures), "organisation": name})

    assert [(row["scope"], row["organisation"]) for row in rows(report)] == [
        (f"'{name}", f"'{name}")
    ]


def test_what_hides_in_a_name_does_not_hide_a_formula() -> None:
    report = full_week().model_copy(update={"organisation": "\u200b\r=1+1"})

    assert rows(report)[0]["organisation"] == "'=1+1"


def test_names_with_commas_quotes_and_lines_stay_one_cell() -> None:
    name = 'a, "b"\nc'
    report = full_week().model_copy(update={"organisation": name})

    assert {row["organisation"] for row in rows(report)} == {name}
