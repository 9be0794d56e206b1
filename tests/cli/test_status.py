import json
from pathlib import Path

import pytest
from commandline import invoke
from loopback import NOON

from vpemetrics.records import CoverageKind, Incident
from vpemetrics.store import Store
from vpemetrics.usecases.problems import REMEDIES


def test_it_says_what_there_is_and_that_lineage_is_behind(untraced: Path) -> None:
    said = invoke("status").stdout

    assert f"Store      {untraced} (" in said
    assert "Source     files\n           imported, covered to 7 Sep 06:00\n" in said
    assert "Data       to 7 Sep" in said
    assert "Lineage    1 save behind, 0 services traced; the next report brings it" in said
    assert "deployments    545\n" in said
    assert "pull requests  9 Feb 2026" in said


def test_it_shows_problems_with_what_mends_them_once_lineage_has_met_them(sample: Path) -> None:
    invoke("report")

    said = " ".join(invoke("status").stdout.split())

    assert "Lineage up to date, 4 services traced" in said
    assert "3 deployments of an unknown commit: checkout/170, search/104, search/106." in said
    assert f"To mend it: {REMEDIES['unknown_commit']}." in said


def test_a_problem_of_what_was_imported_is_mended_in_the_file(folder: Path) -> None:
    del folder  # where it runs
    Path("deployments.csv").write_text(
        "id,environment,status,service,started_at,finished_at\n"
        "1,prod,succeeded,a,2026-09-03T00:00:00Z,\n"
    )
    invoke("import", "deployments.csv", "--store", "x.db")
    invoke("report", "--store", "x.db", "--week", "2026-W36")

    said = " ".join(invoke("status", "--store", "x.db").stdout.split())

    assert "1 deployment without a finish, counted at the start: 1. To mend it: give them a" in said


def test_one_problem_is_told_as_one_and_fits_the_terminal(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    Path("deployments.csv").write_text(
        "id,environment,status,service,finished_at\n"
        f"{'1' * 43},prod,succeeded,a,2026-09-03T00:00:00Z\n"
    )
    invoke("import", ".", "--store", "x.db")
    invoke("report", "--store", "x.db")

    said = invoke("status", "--store", "x.db").stdout

    assert "  1 deployment of an unknown commit:" in said
    problems = said.partition("Problems")[2].splitlines()
    assert max(map(len, problems)) <= 80


def test_a_changed_configuration_leaves_lineage_behind(sample: Path, folder: Path) -> None:
    invoke("report")
    (folder / "vpemetrics.toml").write_text('[production]\nenvironments = ["staging"]\n')

    assert "Lineage    the configuration changed" in invoke("status").stdout


def test_coverage_that_lags_behind_says_by_how_much(folder: Path) -> None:
    Path("deployments.csv").write_text(
        "id,environment,status,service,finished_at\n1,prod,succeeded,a,2026-09-03T00:00:00Z\n"
    )
    Path("incidents.csv").write_text("id,service,detected_at\n1,a,2026-09-01T00:00:00Z\n")
    invoke("import", ".", "--store", "x.db")

    said = invoke("status", "--store", "x.db").stdout

    assert "incidents    1 Sep 2026  1 Sep 00:00  2.0 d older than the newest\n" in " ".join(
        said.partition("Collected")[2].splitlines(keepends=True)
    )


def test_programs_get_all_of_it_as_json(sample: Path) -> None:
    invoke("report")

    said = json.loads(invoke("status", "--json").stdout)

    assert said["format"] == "vpemetrics-status/1"
    assert said["store"] == str(sample)
    assert said["bytes"] >= sample.stat().st_size
    assert said["records"]["deployments"] == 545
    (source,) = said["sources"]
    assert (source["name"], source["records"]) == ("files", said["records"])
    assert source["covered_until"] == said["data_as_of"]
    assert (source["collected_at"], source["error"], source["failed_at"]) == (None, None, None)
    assert said["data_as_of"] == "2026-09-07T06:00:00Z"
    assert {one["kind"] for one in said["coverage"]} == set(CoverageKind)
    assert said["lineage"] == {"current": True, "saves": 1, "seen": 1, "services": 4}
    assert said["problems"]["stale"] == ["checkout/149"]


def test_asking_changes_nothing(untraced: Path) -> None:
    invoke("status")

    assert "1 save behind" in invoke("status").stdout


def test_everything_can_be_worked_out_anew(sample: Path) -> None:
    before = invoke("report", "--json").stdout

    result = invoke("recompute")

    assert result.exit_code == 0
    assert result.stderr.endswith("traced 4 services anew\n")
    assert invoke("report", "--json").stdout == before


def test_each_source_says_when_it_was_collected_and_what_went_wrong(folder: Path) -> None:
    (folder / "vpemetrics.toml").write_text(
        '[sources.good]\ntype = "files"\npath = "."\n[sources.gone]\ntype = "files"\npath = "x"\n'
        '[sources.untried]\ntype = "files"\npath = "."\n'
    )
    Path("deployments.csv").write_text(
        "id,environment,status,service,finished_at\n1,prod,succeeded,a,2026-09-03T00:00:00Z\n"
    )
    invoke("collect", "good", "gone")

    said = " ".join(invoke("status").stdout.split())
    gone, good, untried = json.loads(invoke("status", "--json").stdout)["sources"]

    assert "Source gone never collected failed " in said
    assert "there is no file or folder " in said
    assert "Source good collected " in said
    assert "covered to 3 Sep 00:00 deployments 1, coverage 1 Source untried" in said
    assert "Source untried never collected" in said
    assert (good["error"], good["failed_at"]) == (None, None)
    assert good["collected_at"]
    assert gone["error"].endswith("/x")
    assert gone["failed_at"]
    assert (untried["collected_at"], untried["error"], untried["records"]) == (None, None, {})


def test_a_first_collection_that_was_cut_short_is_told_from_an_import(sample: Path) -> None:
    with Store.open(str(sample)) as store:
        store.save("pager", [Incident(id="1", detected_at=NOON)], cursors={"* alerts": "page 2"})

    said = " ".join(invoke("status").stdout.split())

    assert "Source pager not collected to the end yet" in said
    assert "Source files imported" in said
