import json
from pathlib import Path

import pytest
from commandline import invoke

from vpemetrics.config.load import load
from vpemetrics.store import Store
from vpemetrics.usecases.update_lineage import is_current

DEPLOYMENTS = """id,service,environment,status,finished_at
1,shop,prod,succeeded,2026-09-01T10:00:00Z
2,shop,prod,succeeded,2026-09-02T10:00:00Z
"""
TWO = """
[sources.first]
type = "files"
path = "first"

[sources.second]
type = "files"
path = "second"
"""


@pytest.fixture
def two(folder: Path) -> Path:
    """A configuration with two sources of files."""
    (folder / "vpemetrics.toml").write_text(TWO)
    for name in ("first", "second"):
        (folder / name).mkdir()
        (folder / name / "deployments.csv").write_text(DEPLOYMENTS)
    return folder


def test_every_source_is_collected_and_says_what_was_new(two: Path) -> None:
    result = invoke("collect")

    assert result.exit_code == 0
    assert result.stdout == ""
    store, first, second, hint = result.stderr.splitlines()
    assert store.startswith(f"store: {two / 'vpemetrics.db'} (beside ")
    assert first.startswith("first: new deployments 2 (")
    assert second.startswith("second: new deployments 2 (")
    assert hint == "now: vpemetrics report"
    assert "4 deployments" in invoke("report", "--month", "2026-09").stdout


def test_a_report_finds_lineage_up_to_date(two: Path) -> None:
    invoke("collect")

    with Store.open(two / "vpemetrics.db") as store:
        assert is_current(store, load(two / "vpemetrics.toml", {}).rules())


def test_nothing_new_is_said(two: Path) -> None:
    invoke("collect")

    said = invoke("collect").stderr

    assert "\nfirst: nothing new (" in said
    assert "now:" not in said


def test_only_the_named_sources_are_collected(two: Path) -> None:
    said = invoke("collect", "second").stderr

    assert "second: new" in said
    assert "first" not in said


def test_a_report_says_which_sources_it_knows_nothing_of(two: Path) -> None:
    invoke("collect", "second")
    before = invoke("report", "-q", "--month", "2026-09")
    invoke("collect", "first")
    after = invoke("report", "-q", "--month", "2026-09")

    assert before.exit_code == 0
    assert before.stderr == (
        "warning: first was never collected, so nothing of it is in here; "
        "run `vpemetrics collect`\n"
    )
    assert after.stderr == ""


def test_a_report_says_which_sources_could_not_be_collected_again(two: Path) -> None:
    invoke("collect")
    (two / "first" / "deployments.csv").write_text("id\n1\n")
    invoke("collect")

    result = invoke("report", "-q", "--month", "2026-09")

    assert result.exit_code == 0
    assert result.stderr.startswith(
        "warning: first: its last collection failed, so this may lack news: deployments.csv:1: "
    )


def test_a_source_that_fails_stops_no_other_and_ends_with_one(two: Path) -> None:
    (two / "first" / "deployments.csv").write_text("id\n1\n")

    result = invoke("collect", "-q")

    assert result.exit_code == 1
    assert result.stderr.startswith(
        "error: first: deployments.csv:1: required columns are missing: environment"
    )
    assert "first: new" not in invoke("collect").stderr
    said = invoke("status").stdout
    assert "Source     first\n           never collected\n           failed " in said
    assert "Source     second\n           collected " in said


def test_programs_get_the_counts_and_errors_as_json(two: Path) -> None:
    (two / "second" / "deployments.csv").unlink()

    result = invoke("collect", "--json", "-q")

    said = json.loads(result.stdout)
    first, second = said["sources"]
    assert result.exit_code == 1
    assert said["format"] == "vpemetrics-collection/1"
    assert first["new"] == first["read"] == {"deployments": 2, "coverage": 1}
    assert (first["source"], first["error"]) == ("first", None)
    assert second["new"] == {}
    assert "holds nothing to import" in second["error"]


def test_an_unknown_source_is_told_before_anything_is_collected(two: Path) -> None:
    result = invoke("collect", "-q", "frist")

    assert result.exit_code == 1
    assert result.stderr == "error: there is no source 'frist'; did you mean first?\n"
    assert not (two / "vpemetrics.db").exists()


def test_without_sources_and_outside_a_clone_it_says_what_to_write(folder: Path) -> None:
    result = invoke("collect")

    assert result.exit_code == 1
    assert "this is no git clone, and there is no vpemetrics.toml" in result.stderr
    assert '[sources.shop]\n       type = "git"' in result.stderr


def test_a_configuration_without_sources_is_told_what_it_lacks(folder: Path) -> None:
    (folder / "vpemetrics.toml").write_text('[organisation]\nname = "x"\n')

    result = invoke("collect", "-q")

    assert result.exit_code == 1
    assert "vpemetrics.toml names no source to collect from" in result.stderr


def test_a_report_before_the_first_collection_points_to_it(two: Path) -> None:
    assert "with `vpemetrics collect`" in invoke("report", "-q").stderr
