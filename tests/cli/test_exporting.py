from pathlib import Path

import pytest
from commandline import invoke

from vpemetrics.records import RECORD_TYPES


def test_every_kind_gets_its_file_and_nothing_is_left_beside_them(sample: Path) -> None:
    result = invoke("export", "out")

    assert result.stdout == ""
    assert "wrote to out: repositories 4, commits 1,159" in result.stderr
    of_records = {f"{kind}.csv" for kind in RECORD_TYPES}
    assert {file.name for file in Path("out").iterdir()} == {*of_records, "derived"}
    derived = {file.name for file in Path("out/derived").iterdir()}
    assert derived == {"kinds.csv", "shipped.csv", "failures.csv"}


@pytest.mark.slow
def test_what_is_exported_can_be_imported_again_without_a_word(sample: Path) -> None:
    invoke("export", "out")

    result = invoke("import", "out", "--store", "again.db")

    assert result.exit_code == 0
    assert "not read" not in result.stderr


@pytest.mark.slow
def test_an_export_takes_the_place_of_an_earlier_one(sample: Path) -> None:
    invoke("export", "out")
    whole = Path("out/commits.csv").read_bytes()
    Path("out/commits.csv").write_text("damaged")

    invoke("export", "out")

    assert Path("out/commits.csv").read_bytes() == whole
