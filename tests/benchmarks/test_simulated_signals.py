"""The simulation of words and intervals, small: what it prints in full must hold roughly here."""

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "signals.py"


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    spec = importlib.util.spec_from_file_location("simulated_signals", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for the module they are made in
    spec.loader.exec_module(module)
    return module


def cells(table: Iterable[str]) -> dict[str, list[str]]:
    """The rows of a Markdown table by their first cell."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {row[0]: row[1:] for row in rows}


def share(cell: str) -> float:
    return float(cell.rstrip("%")) / 100


@pytest.mark.slow
def test_false_words_are_no_more_than_the_reports_expect(simulation: ModuleType) -> None:
    every = cells(simulation.false_words(80))["all"]

    assert int(every[0]) > 10_000
    assert 0.5 < float(every[-1]) < 1  # a year of weeks knows the limits better than half of one


@pytest.mark.slow
def test_a_rise_is_found_within_weeks(simulation: ModuleType) -> None:
    found = cells(simulation.detection(200))

    assert float(found["10 to 15"][0]) <= 8
    assert float(found["20 to 26"][0]) <= 9
    assert share(found["5 to 10"][1]) > 0.85


@pytest.mark.slow
def test_intervals_hold_the_truth(simulation: ModuleType) -> None:
    found = cells(simulation.coverage(400))

    for name in ("lead time, shipping deployments", "recovery, failures"):
        assert all(0.91 < share(cell) < 0.995 for cell in found[name])


@pytest.mark.slow
def test_quarters_that_are_the_same_seldom_get_a_word(simulation: ModuleType) -> None:
    found = cells(simulation.quarters(400))
    apart = [row for name, row in found.items() if name.startswith(("fail rate", "lead time"))]

    assert len(apart) == 7
    assert max(share(same) for same, _ in apart) < 0.03
    assert share(found["lead time, 200 shipping deployments"][1]) > 0.95


def test_open_failures_do_not_shorten_the_recovery_time(simulation: ModuleType) -> None:
    _, estimate, closed = cells(simulation.recoveries(200))["7 days"]

    assert float(estimate) == pytest.approx(1, abs=0.06)
    assert float(closed) < 0.9
