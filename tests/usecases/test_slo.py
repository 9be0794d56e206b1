from datetime import UTC, datetime
from pathlib import Path

import pytest

from vpemetrics.errors import FixConfiguration, FixInput
from vpemetrics.records import Coverage, CoverageKind
from vpemetrics.rules import Rules, Service
from vpemetrics.store import Store
from vpemetrics.usecases.reporting import report
from vpemetrics.usecases.slo import reliability

ROWS = "slo,service,met\navailability,shop,true\nlatency,shop,false\navailability,desk,TRUE\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "slo.csv"
    path.write_text(ROWS)
    return path


def test_without_a_file_nothing_is_provided() -> None:
    assert reliability(None) is None


def test_objectives_are_counted_and_their_source_is_named(file: Path) -> None:
    assert reliability(str(file)) == "SLOs met 2/3 (source: slo.csv)"


def test_a_services_objectives_are_its_own(file: Path) -> None:
    assert reliability(str(file), ("shop",)) == "SLOs met 1/2 (source: slo.csv)"


def test_none_met_and_none_there_are_not_the_same(file: Path) -> None:
    assert reliability(str(file), ("another",)) == "no SLO in slo.csv"


def covered(start: datetime, end: datetime) -> Coverage:
    kind = CoverageKind.DEPLOYMENTS
    return Coverage(source="made-up", scope="*", kind=kind, start=start, end=end)


def test_a_report_carries_it(file: Path, tmp_path: Path) -> None:
    with Store.open(tmp_path / "x.db") as store:
        week = datetime(2026, 8, 31, tzinfo=UTC), datetime(2026, 9, 7, tzinfo=UTC)
        store.save("made-up", [covered(*week)])
        found = report(store, Rules(reliability=str(file), services=(Service(name="shop"),)))

    assert found.reliability == "SLOs met 2/3 (source: slo.csv)"


def test_what_is_no_truth_is_named_with_its_line(file: Path) -> None:
    file.write_text(ROWS + "errors,desk,perhaps\n")

    with pytest.raises(FixInput, match=r"slo\.csv:5: column met: 'perhaps' is neither"):
        reliability(str(file))


def test_a_missing_column_is_named(file: Path) -> None:
    file.write_text("name,met\na,true\n")

    with pytest.raises(FixInput, match="there is no column slo"):
        reliability(str(file))


def test_a_missing_file_points_to_the_setting(tmp_path: Path) -> None:
    with pytest.raises(FixConfiguration, match=r"reliability\.file"):
        reliability(str(tmp_path / "gone.csv"))
