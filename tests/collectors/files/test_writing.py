"""Out and in again: what is exported reads back as it was, to the byte."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from anyrecords import ONE_OF_EACH, any_sourced
from hypothesis import given
from hypothesis import strategies as st
from tiers import law

from vpemetrics.collectors.files.reading import read
from vpemetrics.collectors.files.writing import write
from vpemetrics.records import RECORD_TYPES, Repository, Sourced
from vpemetrics.store import Store


def exported(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def round_trip(records: list[Sourced], folder: Path, ending: str) -> tuple[Store, Store]:
    first, second = Store.open(folder / "1.db"), Store.open(folder / "2.db")
    first.save_all(records)
    write(first.records, folder / "1", ending=ending)
    second.save_all(read(folder / "1"))
    write(second.records, folder / "2", ending=ending)
    return first, second


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
@given(records=st.lists(any_sourced, max_size=12))
@law(20, soak=20_000)
def test_export_import_export_is_byte_identical(ending: str, records: list[Sourced]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        first, second = round_trip(records, folder, ending)
        with first, second:
            assert exported(folder / "1") == exported(folder / "2")
            for kind in RECORD_TYPES:
                assert list(first.records(kind)) == list(second.records(kind))


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_one_record_of_each_kind_survives(tmp_path: Path, ending: str) -> None:
    first, second = round_trip([("s", record) for record in ONE_OF_EACH], tmp_path, ending)

    with first, second:
        assert [r for kind in RECORD_TYPES for _, r in second.records(kind)] == ONE_OF_EACH


def test_every_kind_gets_its_file_with_the_fields_as_columns(tmp_path: Path) -> None:
    counts = write(lambda _: [], tmp_path)

    assert sorted(exported(tmp_path)) == sorted(f"{kind}.csv" for kind in RECORD_TYPES)
    assert (tmp_path / "coverage.csv").read_text() == "source,scope,kind,start,end,from_rows\n"
    assert (
        tmp_path / "triage.csv"
    ).read_text() == "source,record,verdict,when,cause,restored_at,who,why\n"
    assert counts == dict.fromkeys(RECORD_TYPES, 0)


def test_cells_are_written_plainly(tmp_path: Path) -> None:
    records = [("s", Repository(id='a"b', name="c\rd", aliases=("e;f", "g\\h", "", "i")))]
    write(lambda kind: records if kind == "repositories" else [], tmp_path)

    assert (tmp_path / "repositories.csv").read_bytes() == (
        b'source,id,name,aliases,default_branch\ns,"a""b","c\rd",e\\;f;g\\\\h;i,\n'
    )


def test_authors_leave_only_as_they_are_stored(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.db") as store:
        lines = "sha,repository,author\n" + "a" * 40 + ",r,Jo Doe\n"
        (tmp_path / "commits.csv").write_text(lines)
        store.save_all(read(tmp_path / "commits.csv"))
        write(store.records, tmp_path / "out")

    out = b"".join(exported(tmp_path / "out").values())
    assert b"Jo Doe" not in out
    assert b",h:" in out
