import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from anyrecords import NOON, ONE_OF_EACH, SHA

from vpemetrics.errors import NewerStore, NoData, StoreFull, StoreProblem
from vpemetrics.records import (
    RECORD_TYPES,
    AnyRecord,
    Change,
    Commit,
    Coverage,
    CoverageKind,
    Deployment,
    Status,
    Triage,
    Verdict,
)
from vpemetrics.store import Store
from vpemetrics.window import MISSING


@pytest.fixture
def store(location: str) -> Iterator[Store]:
    with Store.open(location) as opened:
        yield opened


def loaded(store: Store) -> list[AnyRecord]:
    return [record for kind in RECORD_TYPES for _, record in store.records(kind)]


def commit(number: int, *parents: int, author: str | None = None) -> Commit:
    return Commit(
        sha=f"{number:040x}",
        repository="r",
        parents=tuple(f"{parent:040x}" for parent in parents),
        author=author,
    )


def test_every_kind_of_record_comes_back_as_it_was_saved(store: Store) -> None:
    saved = store.save("made-up", ONE_OF_EACH)

    assert loaded(store) == ONE_OF_EACH
    assert saved.records == saved.changed == dict.fromkeys(RECORD_TYPES, 1)
    assert {**store.counts(), "audit": 1} == saved.records  # which is no record of a source
    assert store.sources() == ["made-up"]


def test_who_reads_a_file_holds_less_of_it_than_who_writes(tmp_path: Path) -> None:
    Store.open(tmp_path / "store.db").close()
    with Store.open(tmp_path / "store.db") as store:
        held = []
        for connect in (store.view, store.transaction):
            with connect() as connection:
                kibibytes = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
                held.append(-kibibytes // 1024)

    assert held == [4, 64]


def test_a_record_is_kept_apart_for_each_source(store: Store) -> None:
    store.save("one", [commit(1)])
    store.save("two", [commit(1, 2)])

    assert list(store.records("commits")) == [("one", commit(1)), ("two", commit(1, 2))]


def test_records_come_in_the_order_of_source_and_key(store: Store) -> None:
    pairs = [("b", commit(1)), ("a", commit(3)), ("a", commit(2, 9)), ("B", commit(4))]
    store.save_all(pairs)

    assert list(store.records("commits")) == sorted(pairs, key=lambda pair: (pair[0], pair[1].sha))


def test_saving_the_same_again_leaves_the_batch_alone(store: Store) -> None:
    store.save("made-up", ONE_OF_EACH)
    saved = store.save("made-up", ONE_OF_EACH)

    assert saved.records == dict.fromkeys(RECORD_TYPES, 1)
    assert saved.changed == {}
    assert store.batch() == 1
    assert batches(store, "commit_chunks") == [1]


def test_a_changed_record_takes_the_batch_of_its_save(store: Store) -> None:
    changes = [Change(id=id_, repository="r") for id_ in "ab"]
    store.save("s", [*changes, commit(1), commit(2)])
    saved = store.save("s", [changes[0], replace(changes[1], number=1), commit(1), commit(2, 1)])

    assert saved.changed == {"commits": 1, "pull_requests": 1}
    assert batches(store, "changes") == [1, 2]
    assert batches(store, "commit_chunks") == [2]


def batches(store: Store, table: str) -> list[int]:
    found = store.columns(f"SELECT batch FROM {table} ORDER BY batch")
    return list(found["batch"].tolist())


def test_a_field_that_became_unknown_is_forgotten(store: Store) -> None:
    store.save("s", [Change(id="1", repository="r", title="old", labels=("x",))])
    store.save("s", [Change(id="1", repository="r")])

    assert loaded(store) == [Change(id="1", repository="r")]
    assert store.batch() == 2


def test_no_paths_and_unknown_paths_are_not_the_same(store: Store) -> None:
    none = Commit(sha="1" * 40, repository="r", paths=())
    unknown = Commit(sha="2" * 40, repository="r", paths=None)
    store.save("s", [none, unknown])

    assert loaded(store) == [none, unknown]


def test_shas_are_read_in_any_case_and_kept_in_lower(store: Store) -> None:
    store.save("s", [Commit(sha=SHA.upper(), repository="r")])
    store.save("s", [Commit(sha=SHA, repository="r", parents=("B" * 40, "b" * 40))])

    assert loaded(store) == [Commit(sha=SHA, repository="r", parents=("b" * 40, "b" * 40))]


def test_texts_a_database_cannot_hold_lose_what_it_cannot(store: Store) -> None:
    store.save("s", [Change(id="1", repository="r", title="a\0b\ud800")])

    assert loaded(store) == [Change(id="1", repository="r", title="ab?")]


def test_one_moment_of_triage_is_one_decision_in_any_zone(store: Store) -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=2)))
    store.save("s", [Triage(record="I", verdict=Verdict.CONFIRM, when=NOON)])
    store.save("s", [Triage(record="I", verdict=Verdict.CONFIRM, when=elsewhere)])

    assert store.counts() == {"triage": 1}
    assert store.batch() == 1


@pytest.mark.parametrize(
    "record",
    [
        Commit(sha=SHA, repository="r", authored_at=datetime(2026, 1, 1)),  # noqa: DTZ001
        Triage(record="i", verdict=Verdict.CONFIRM, when=datetime(2026, 1, 1)),  # noqa: DTZ001
    ],
)
def test_a_naive_time_is_refused(store: Store, record: AnyRecord) -> None:
    with pytest.raises(ValueError, match="time without a zone"):
        store.save("s", [record])

    assert store.counts() == {}


# --- authors ------------------------------------------------------------------------------------


def authors(store: Store) -> list[str | None]:
    return [record.author for record in loaded(store) if isinstance(record, Commit)]


def test_authors_are_hidden_and_the_same_one_is_recognised(store: Store) -> None:
    store.save("s", [commit(1, author="Jo"), commit(2, author="Jo"), commit(3, author="Al")])

    jo, jo_again, al = authors(store)
    assert jo == jo_again != al
    assert jo is not None
    assert len(jo) == len("h:") + 16
    assert jo.startswith("h:")


def test_a_hidden_or_unknown_author_stays_as_it_is(store: Store) -> None:
    store.save("s", [commit(1, author="h:0123456789abcdef"), commit(2)])

    assert authors(store) == ["h:0123456789abcdef", None]


def test_two_stores_hide_an_author_differently(new_location: Callable[[], str]) -> None:
    hidden = set()
    for location in (new_location(), new_location()):
        with Store.open(location) as store:
            store.save("s", [commit(1, author="Jo")])
            hidden.update(authors(store))

    assert len(hidden) == 2


# --- coverage and cursors -----------------------------------------------------------------------


def covered(first: int, last: int, scope: str = "x") -> Coverage:
    return Coverage(
        source="s",
        scope=scope,
        kind=CoverageKind.COMMITS,
        start=NOON + timedelta(days=first),
        end=NOON + timedelta(days=last),
    )


@pytest.mark.parametrize(
    ("saved", "kept"),
    [
        ([covered(0, 1), covered(2, 3)], [covered(0, 1), covered(2, 3)]),  # a gap stays
        ([covered(0, 1), covered(1, 2)], [covered(0, 2)]),  # touching
        ([covered(0, 5), covered(1, 2)], [covered(0, 5)]),  # inside
        ([covered(2, 3), covered(0, 1), covered(1, 2)], [covered(0, 3)]),  # the gap is filled
        ([covered(0, 1), covered(0, 4)], [covered(0, 4)]),  # grown at its end
        ([covered(3, 4), covered(0, 3)], [covered(0, 4)]),  # grown at its start
        ([covered(0, 2), covered(1, 3, "y")], [covered(0, 2), covered(1, 3, "y")]),  # other scope
        ([covered(1, 1)], []),  # no time at all
    ],
)
def test_stretches_that_meet_become_one(
    store: Store, saved: list[Coverage], kept: list[Coverage]
) -> None:
    for stretch in saved:
        store.save("s", [stretch])

    assert store.coverage() == kept


def test_coverage_that_was_known_changes_nothing(store: Store) -> None:
    store.save("s", [covered(0, 5)])
    store.save("s", [covered(1, 2)])

    assert store.batch() == 1
    assert batches(store, "coverage") == [1]


def test_cursors_move_with_the_records(store: Store) -> None:
    store.save("s", [commit(1)], cursors={"r": "10", "q": "1"})
    store.save("s", [], cursors={"r": "11"})

    assert store.cursors("s") == {"q": "1", "r": "11"}
    assert store.cursors("t") == {}


def test_the_last_collection_of_a_source_is_remembered_and_its_last_success(store: Store) -> None:
    minutes = [NOON + timedelta(minutes=n) for n in range(4)]
    store.note_collection("s", minutes[0], minutes[1])
    store.note_collection("s", minutes[2], minutes[3], "the door was shut")
    store.note_collection("t", minutes[0], minutes[1], "nobody home")

    assert store.collections() == {
        "s": (minutes[2], minutes[3], minutes[1], "the door was shut"),
        "t": (minutes[0], minutes[1], None, "nobody home"),
    }
    store.note_collection("s", minutes[3], minutes[3])
    assert store.collections()["s"] == (minutes[3], minutes[3], minutes[3], None)
    assert store.batch() == 0  # it is no fact


# --- whole or not at all ------------------------------------------------------------------------


def test_a_save_that_breaks_off_leaves_nothing(store: Store) -> None:
    store.save("s", [commit(1)])

    def broken() -> Iterator[Commit]:
        for number in range(20_000):  # several chunks are written before it breaks
            yield commit(number + 2)
        raise RuntimeError("the source went away")

    with pytest.raises(RuntimeError, match="went away"):
        store.save("s", broken(), cursors={"r": "5"})
    assert store.counts() == {"commits": 1}
    assert (store.batch(), store.cursors("s")) == (1, {})


@pytest.mark.slow
def test_a_full_disk_is_said_and_leaves_what_was_saved_whole(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.db") as store:
        store.save("s", [commit(1)])
        with store.transaction() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 5}")

        with pytest.raises(StoreFull, match="the disk is full"):
            store.save("s", [commit(number) for number in range(2, 100_000)])
        assert loaded(store) == [commit(1)]
        store.save("s", [commit(2)])  # what fits is still saved
        assert store.counts() == {"commits": 2}


@pytest.mark.slow
def test_ids_are_looked_up_again_when_there_are_too_many_to_remember(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vpemetrics.store.interning._REMEMBERED", 100)
    changes = [Change(id=f"{number:05}", repository=f"r{number}") for number in range(12_000)]
    store.save("s", changes)

    assert loaded(store) == changes
    assert store.columns("SELECT count(*) AS n FROM names")["n"].tolist() == [12_001]


# --- columns ------------------------------------------------------------------------------------


def test_columns_are_integers_with_missing_and_texts_with_none(store: Store) -> None:
    live = Deployment(id="1", environment="prod", status=Status.SUCCEEDED, finished_at=NOON)
    other = Deployment(id="2", environment="prod", status=Status.FAILED, version="v2")
    store.save("s", [live, other])

    columns = store.columns(
        "SELECT finished_at, version, is_bot FROM deployments ORDER BY id", text=("version",)
    )
    assert columns["finished_at"].tolist() == [int(NOON.timestamp()) * 1_000_000, MISSING]
    assert columns["version"].tolist() == [None, "v2"]
    assert columns["is_bot"].tolist() == [MISSING, MISSING]
    assert columns["is_bot"].dtype == np.int64


def test_empty_columns_have_the_types_of_full_ones(store: Store) -> None:
    columns = store.columns("SELECT id, version FROM deployments", text=("version",))

    assert columns["id"].dtype == np.int64
    assert columns["version"].dtype == object


def test_a_text_nobody_announced_is_refused(store: Store) -> None:
    store.save("s", [Deployment(id="x", environment="e", status=Status.FAILED)])

    with pytest.raises(TypeError, match="column key holds texts"):
        store.columns("SELECT key FROM deployments")


# --- opening ------------------------------------------------------------------------------------


def test_a_store_is_made_where_none_is(tmp_path: Path) -> None:
    path = tmp_path / "new" / "store.db"
    with Store.open(path) as store:
        store.save("s", [commit(1)])

    with Store.open(path, must_exist=True) as store:
        assert store.counts() == {"commits": 1}
    assert [file.name for file in path.parent.iterdir()] == ["store.db"]


def test_a_store_that_must_exist_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(NoData, match="there is no store at"):
        Store.open(tmp_path / "none.db", must_exist=True)

    assert list(tmp_path.iterdir()) == []


def test_a_newer_store_is_refused_and_left_untouched(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    Store.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(NewerStore, match=r"newer version of vpemetrics \(schema 9999"):
        Store.open(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_newer_store_somebody_is_writing_to_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    Store.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()  # into the log beside the file; the file itself still says 0001

    with pytest.raises(NewerStore):
        Store.open(path)
    connection.close()


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    connection.close()

    with pytest.raises(StoreProblem, match=r"other\.db is a database, but no store"):
        Store.open(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to look at\n" * 50)

    with pytest.raises(StoreProblem, match="no store of vpemetrics") as problem:
        Store.open(path)
    assert str(problem.value).startswith(f"{path}: ")


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreProblem, match=r"is a folder; name a file, as in .*/vpemetrics\.db"):
        Store.open(tmp_path)


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.touch()

    with Store.open(path) as store:
        assert store.counts() == {}


def test_a_store_can_be_named_by_a_url(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        store.save("s", [commit(1)])

    with Store.open(tmp_path / "store.db", must_exist=True) as store:
        assert store.counts() == {"commits": 1}


@pytest.mark.parametrize("location", ["foo://bar", "mysql+nothing://u:secret@host/db"])
def test_a_kind_of_database_we_cannot_use_is_said(location: str) -> None:
    with pytest.raises(StoreProblem, match="cannot be used as a store") as problem:
        Store.open(location)

    assert "secret" not in str(problem.value)


def test_readers_read_while_somebody_writes(store: Store) -> None:
    store.save("s", [commit(1)])

    with store.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM commit_chunks")
        assert store.counts() == {"commits": 1}


def test_times_are_kept_to_the_microsecond(store: Store) -> None:
    moment = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    store.save("s", [Commit(sha=SHA, repository="r", authored_at=moment)])

    assert loaded(store) == [Commit(sha=SHA, repository="r", authored_at=moment)]
