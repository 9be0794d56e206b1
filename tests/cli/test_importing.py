from pathlib import Path

import pytest
from commandline import invoke

from vpemetrics.records import Coverage, CoverageKind
from vpemetrics.store import Store
from vpemetrics.window import parse_instant

GOOD = "shop/1,production,succeeded,shop,2026-09-01T12:00:00Z\n"
BAD = "shop/2,production,succeeded,shop,2026-09-01T12:00:00\n"


@pytest.fixture
def deployments(folder: Path) -> Path:
    path = folder / "deployments.csv"
    path.write_text(f"id,environment,status,service,finished_at\n{GOOD}")
    return path


def test_an_import_says_what_it_saved_and_what_comes_next(deployments: Path) -> None:
    result = invoke("import", deployments, "--store", "x.db")

    assert result.exit_code == 0
    assert result.stdout == ""
    assert (
        "saved: deployments 1, coverage 1\nnow: vpemetrics report --store x.db\n" in result.stderr
    )


def test_importing_again_says_that_all_was_known(deployments: Path) -> None:
    invoke("import", deployments, "--store", "x.db")

    result = invoke("import", deployments, "--store", "x.db")

    assert "all of it was known already" in result.stderr


def test_a_bad_row_is_named_and_nothing_is_saved(deployments: Path) -> None:
    with deployments.open("a") as file:
        file.write(BAD)

    result = invoke("import", deployments, "--store", "x.db", "-q")

    assert result.exit_code == 1
    assert "deployments.csv:3: column finished_at: time without a zone" in result.stderr
    assert "1 bad row; nothing was saved." in result.stderr
    with Store.open("x.db") as store:
        assert store.counts() == {}


def test_bad_rows_can_be_skipped_into_a_file(deployments: Path, folder: Path) -> None:
    with deployments.open("a") as file:
        file.write(BAD)

    result = invoke("import", deployments, "--store", "x.db", "-q", "--skip-bad")

    assert result.exit_code == 0
    assert "rejected-rows.csv" in result.stderr  # told however quiet
    assert "shop/2" in (folder / "rejected-rows.csv").read_text()
    with Store.open("x.db") as store:
        assert store.counts()["deployments"] == 1


def test_rows_that_name_no_source_are_from_the_one_given(deployments: Path) -> None:
    invoke("import", deployments, "--store", "x.db", "--source", "jenkins")

    with Store.open("x.db") as store:
        assert store.sources() == ["jenkins"]


def test_dates_can_be_declared_covered(deployments: Path) -> None:
    invoke("import", deployments, "--store", "x.db", "--covers", "2026-08-01..2026-09-08")

    with Store.open("x.db") as store:
        assert store.coverage() == [
            Coverage(
                source="files",
                scope="*",
                kind=CoverageKind.DEPLOYMENTS,
                start=parse_instant("2026-08-01T00:00:00Z"),
                end=parse_instant("2026-09-08T00:00:00Z"),
            )
        ]


@pytest.mark.parametrize(
    ("covers", "said"),
    [
        ("2026-08-01", "'2026-08-01' is no range of dates; expected one like"),
        ("2026-08-01..2026-07-01", "2026-07-01 is not after 2026-08-01"),
        ("august..2026-09-01", "'august' is no date; expected one like 2026-09-01"),
    ],
)
def test_what_is_no_range_of_dates_is_a_usage_error(
    deployments: Path, covers: str, said: str
) -> None:
    result = invoke("import", deployments, "--store", "x.db", "--covers", covers)

    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_a_path_that_is_not_there_makes_no_store(folder: Path) -> None:
    result = invoke("import", "nowhere", "--store", "x.db", "-q")

    assert result.exit_code == 1
    assert result.stderr == "error: there is no file or folder nowhere\n"
    assert not Path("x.db").exists()


@pytest.mark.slow
def test_files_named_one_by_one_are_one_import(sample: Path) -> None:
    invoke("export", "out")
    files = sorted(Path("out").glob("*.csv"))

    invoke("import", *files, "--store", "again.db")
    invoke("export", "again", "--store", "again.db")

    # the file of coverage speaks for all of them, as it does in a folder
    assert (Path("again") / "coverage.csv").read_bytes() == (
        Path("out") / "coverage.csv"
    ).read_bytes()


def test_mistakes_of_all_files_are_told_at_once(folder: Path, deployments: Path) -> None:
    with deployments.open("a") as file:
        file.write(BAD)
    (folder / "incidents.csv").write_text("id,severity\nINC-1,high\n")

    result = invoke("import", "deployments.csv", "incidents.csv", "--store", "x.db")

    assert "deployments.csv:3: column finished_at" in result.stderr
    assert "incidents.csv:2: column severity" in result.stderr


@pytest.mark.parametrize(
    ("year", "why"),
    [
        ("2999", "yet to come"),
        ("0001", "before 1990"),  # which stands for no time at all where Go wrote it
        ("1970", "before 1990"),  # and here by others
    ],
)
def test_what_cannot_have_happened_then_is_refused(deployments: Path, year: str, why: str) -> None:
    deployments.write_text(deployments.read_text().replace("2026-09", f"{year}-09"))

    result = invoke("import", deployments, "--store", "x.db")

    assert result.exit_code == 1
    said = f"deployments.csv:2: column finished_at: {year}-09-01T12:00:00Z is {why}"
    assert said in " ".join(result.stderr.split())
    assert invoke("report", "--store", "x.db").exit_code == 1  # there is nothing in it


@pytest.mark.parametrize(
    ("dates", "why"),
    [
        ("2026-01-01..2997-01-01", "2997-01-01 is yet to come"),
        ("1989-12-31..2026-01-01", "1989-12-31 is before 1990"),
    ],
)
def test_files_cannot_cover_what_cannot_have_happened(
    deployments: Path, dates: str, why: str
) -> None:
    result = invoke("import", deployments, "--covers", dates, "--store", "x.db")

    assert result.exit_code in (1, 2)
    assert why in result.stderr or "1990" in result.stderr
    assert invoke("report", "--store", "x.db").exit_code == 1
