"""The demo makes a folder to look around in, the same every time, and nothing else suffers."""

import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import stored
from commandline import invoke
from demonstration import UNTIL, made

from vpemetrics.demo.acme import UNCOLLECTED, ZONE
from vpemetrics.records import CoverageKind
from vpemetrics.reports import jsonreport, terminal
from vpemetrics.reports.model import Report
from vpemetrics.reports.registry import ENDINGS, FORMATS
from vpemetrics.store import Store
from vpemetrics.window import from_micros, midnight

pytestmark = pytest.mark.slow  # the demo takes some seconds to make

GALLERY = Path(__file__).parents[2] / "reports"
WEEK = Path("vpemetrics-demo") / "reports" / "week.json"


@pytest.fixture(scope="module")
def report() -> Report:
    return jsonreport.read((made().folder / "reports" / "week.json").read_bytes())


@pytest.mark.slow
def test_the_gallery_is_what_the_demo_writes(request: pytest.FixtureRequest) -> None:
    written = {file.name: file.read_bytes() for file in (made().folder / "reports").iterdir()}
    if request.config.getoption("refresh_golden"):
        for name, content in written.items():
            (GALLERY / name).write_bytes(content)

    kept = {file.name: file.read_bytes() for file in GALLERY.iterdir()}

    del kept["README.md"]
    assert written == kept


def test_the_gallery_introduces_each_of_its_files() -> None:
    page = (GALLERY / "README.md").read_text(encoding="utf-8")

    assert [
        file.name for file in GALLERY.iterdir() if f"[{file.name}]({file.name})" not in page
    ] == ["README.md"]


@pytest.mark.slow
def test_there_is_a_file_for_every_format() -> None:
    formats = [ENDINGS[file.suffix] for file in (made().folder / "reports").iterdir()]

    assert sorted(formats) == sorted(FORMATS)


def test_it_ends_with_the_report_and_where_everything_is(report: Report) -> None:
    said = made().said

    assert made().out == terminal.render(report)
    assert f"  {made().folder / 'reports' / 'week.txt'}\n" in said
    assert "cd your-clone && vpemetrics report\n" in said


def test_the_commands_it_names_work(folder: Path) -> None:
    said = made().said
    named = [line.split(" vpemetrics ")[1].split() for line in said.splitlines() if "--" in line]

    assert [command[0] for command in named] == ["explain", "report"]
    assert [invoke(*command).exit_code for command in named] == [0, 0]


def test_the_folder_works_like_anybodys(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shutil.copytree(made().folder, folder / "acme"))

    assert invoke("report", "-q", "--json").stdout_bytes == (GALLERY / "week.json").read_bytes()


@pytest.mark.slow
def test_collecting_again_finds_nothing_new(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shutil.copytree(made().folder, folder / "acme"))

    result = invoke("collect")

    assert result.exit_code == 0
    assert "nothing new" in result.stderr
    assert invoke("report", "-q", "--json").stdout_bytes == (GALLERY / "week.json").read_bytes()


def test_the_commands_of_the_quickstart_work_in_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (GALLERY.parent / "docs" / "quickstart.md").read_text(encoding="utf-8")
    block = page.partition("cd vpemetrics-demo\n")[2].partition("```")[0]
    monkeypatch.chdir(made().folder)

    results = [invoke(*line.split()[1:]) for line in block.splitlines()]

    assert [result.exit_code for result in results] == [0, 0]
    assert "still open" in results[1].stdout


@pytest.mark.parametrize(
    ("metric", "low", "high"),
    [
        ("deployment_frequency", 40, 120),
        ("change_lead_time", 12 * 3600, 36 * 3600),
        ("change_fail_rate", 0.03, 0.08),
        ("deployment_rework_rate", 0.02, 0.08),
        ("failed_deployment_recovery_time", 20 * 60, 2 * 3600),
    ],
)
def test_the_figures_are_those_of_a_healthy_organisation(
    report: Report, metric: str, low: float, high: float
) -> None:
    figure = report.figure(metric, report.headline)

    assert figure
    assert figure.value
    assert low < figure.value < high


def test_one_week_was_not_collected_of_any_service(tmp_path: Path) -> None:
    start, end = (from_micros(midnight(day, ZONE)) for day in UNCOLLECTED)
    with Store.open(Path(shutil.copy(made().folder / "vpemetrics.db", tmp_path))) as store:
        covered = [one for one in store.coverage() if one.kind is CoverageKind.DEPLOYMENTS]

    assert {one.end for one in covered if one.start < start} == {start}
    assert {one.start for one in covered if one.end > end} == {end}


@pytest.mark.slow
def test_every_grade_of_evidence_occurs(tmp_path: Path) -> None:
    with Store.open(Path(shutil.copy(made().folder / "vpemetrics.db", tmp_path))) as store:
        evidence = stored.read(store).evidence

    assert {piece.grade for piece in evidence if piece.counts} == set("ABCDE")


@pytest.mark.slow
def test_it_can_be_made_anew_in_its_own_place(folder: Path) -> None:
    again = Path(shutil.copytree(made().folder, folder / "acme"))
    (again / "reports" / "week.txt").unlink()
    (again / "vpemetrics.db").write_bytes(b"no store any more")

    result = invoke("demo", "-q", again, "--until", UNTIL)

    assert (result.exit_code, result.stderr) == (0, "")
    assert (again / "reports" / "week.txt").read_bytes() == (GALLERY / "week.txt").read_bytes()


@pytest.mark.slow
def test_it_ends_with_the_last_complete_week_before_today(folder: Path) -> None:
    today = datetime.now(ZoneInfo(ZONE)).date()

    result = invoke("demo", "-q")

    week = jsonreport.read((folder / WEEK).read_bytes()).window
    assert result.exit_code == 0
    assert week.end <= today < week.end + timedelta(weeks=1)
    assert week.end - week.start == timedelta(weeks=1)


@pytest.mark.slow
def test_but_for_its_dates_it_is_always_the_same(folder: Path) -> None:
    """In winter, too, where the history was made up in summer."""
    invoke("demo", "-q", "moved", "--until", "2027-02-03")

    kept, moved = (
        (jsonreport.read(path.read_bytes()))
        for path in (GALLERY / "week.json", folder / "moved" / "reports" / "week.json")
    )
    assert moved.window.start == date(2027, 1, 25)
    assert values(moved) == values(kept)


def values(report: Report) -> list[tuple[Any, ...]]:
    return [(one.metric, one.scope, one.value, one.n, one.k) for one in report.figures]


def test_a_date_that_is_none_is_refused(folder: Path) -> None:
    result = invoke("demo", "--until", "yesterday")

    assert result.exit_code == 2
    assert "'yesterday' is no date; expected one like 2026-09-01" in result.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["vpemetrics.toml", "notes.txt"])
def test_a_folder_that_holds_something_else_is_left_alone(folder: Path, name: str) -> None:
    (folder / name).write_text("[organisation]\n", encoding="utf-8")

    result = invoke("demo", folder)

    assert result.exit_code == 1
    assert "holds something else; nothing in it was touched" in result.stderr
    assert [file.name for file in folder.iterdir()] == [name]


@pytest.mark.parametrize("option", ["--store", "--config"])
def test_it_takes_no_other_store_or_configuration(folder: Path, option: str) -> None:
    result = invoke("demo", option, "mine")

    assert result.exit_code == 2
    assert list(folder.iterdir()) == []
