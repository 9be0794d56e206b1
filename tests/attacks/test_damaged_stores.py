"""A store whose file is not what was written: that is said, and never called a bug."""

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from anyrecords import any_sourced
from commandline import invoke
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from sample import files
from tiers import law

from vpemetrics.records import Sourced
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.store.integrity import is_damaged
from vpemetrics.usecases.files import import_files
from vpemetrics.usecases.update_lineage import bring_up_to_date

pytestmark = pytest.mark.slow

PAGE = 16_384
COMMANDS = (["status"], ["report"], ["explain", "cfr"], ["collect"])
SETTINGS = '[sources.files]\ntype = "files"\npath = "records"\n'

Damage = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A store of the sample, traced and reported from."""
    path = tmp_path_factory.mktemp("whole") / "x.db"
    with Store.open(path) as store:
        import_files(store, [files()], Rules(), warn=pytest.fail, progress=lambda _: None)
    assert invoke("report", "--store", path).exit_code == 0
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.read_bytes()


def put(content: bytes, at: int, other: bytes) -> bytes:
    """The content with other bytes from a place on, as long as before."""
    return (content[:at] + other + content[at + len(other) :])[: len(content)]


def share(part: float, of: int) -> int:
    return min(int(part * of), of - 1)


parts = st.floats(0, 1)


def overwritten(part: float, other: bytes, times: int) -> Damage:
    return lambda content: put(content, share(part, len(content)), other * times)


def flipped(bits: Sequence[tuple[float, int]]) -> Damage:
    def damage(content: bytes) -> bytes:
        spoilt = bytearray(content)
        for part, bit in bits:
            spoilt[share(part, len(content))] ^= 1 << bit
        return bytes(spoilt)

    return damage


def zeroed(part: float, pages: int) -> Damage:
    def damage(content: bytes) -> bytes:
        first = share(part, len(content) // PAGE)
        return put(content, first * PAGE, bytes(pages * PAGE))

    return damage


def swapped(one: float, other: float) -> Damage:
    """Two pages, each in the place of the other."""

    def damage(content: bytes) -> bytes:
        a, b = (share(part, len(content) // PAGE) * PAGE for part in (one, other))
        first, second = content[a : a + PAGE], content[b : b + PAGE]
        return put(put(content, a, second), b, first)

    return damage


def cut(part: float) -> Damage:
    return lambda content: content[: share(part, len(content))]


def header(at: int, other: bytes) -> Damage:
    return lambda content: put(content, at, other)


def definition(part: float, at: float, letter: str) -> Damage:
    """Another letter in what the schema says of a table or an index."""

    def damage(content: bytes) -> bytes:
        texts = definitions(content)
        text = texts[share(part, len(texts))].encode()
        return put(content, content.index(text) + share(at, len(text)), letter.encode())

    return damage


def definitions(content: bytes) -> list[str]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(content.replace(b"\2\2", b"\1\1", 1))  # no log beside it
        found = connection.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL")
        return [text for (text,) in found if text.encode() in content]


def value(table: float, column: float, row: float, other: object) -> Damage:
    """Another value in one column of one row, which SQLite finds nothing wrong with."""

    def damage(content: bytes) -> bytes:
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(content.replace(b"\2\2", b"\1\1", 1))
            found = (
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%sqlite%'"
            )
            tables = [name for (name,) in connection.execute(found)]
            filled = [
                (name, count)
                for name in tables
                if (count := connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0])
            ]
            name, count = filled[share(table, len(filled))]
            columns = connection.execute(f"PRAGMA table_info({name})").fetchall()
            chosen = columns[share(column, len(columns))][1]
            keys = [one[1] for one in columns if one[5]] or ["rowid"]
            place = f"LIMIT 1 OFFSET {share(row, count)}"
            same = connection.execute(f"SELECT {', '.join(keys)} FROM {name} {place}").fetchone()
            where = " AND ".join(f"{key} IS ?" for key in keys)
            try:
                connection.execute(f"UPDATE {name} SET {chosen} = ? WHERE {where}", (other, *same))
            except sqlite3.IntegrityError:  # another has it, which no damage is going to spoil
                connection.rollback()
            connection.commit()
            return connection.serialize()

    return damage


values = st.one_of(
    st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1), st.text(max_size=5), st.none(),
    st.binary(max_size=12), st.floats(allow_nan=False),
)  # fmt: skip

damages: SearchStrategy[Damage] = st.one_of(
    st.builds(flipped, st.lists(st.tuples(parts, st.integers(0, 7)), min_size=1, max_size=8)),
    st.builds(overwritten, parts, st.binary(min_size=1, max_size=64), st.integers(1, 300)),
    st.builds(zeroed, parts, st.integers(1, 3)),
    st.builds(swapped, parts, parts),
    st.builds(cut, parts),
    st.builds(header, st.integers(0, 99), st.binary(min_size=1, max_size=8)),
    st.builds(definition, parts, parts, st.sampled_from('abcxyz_(),;"0 ')),
    st.builds(value, parts, parts, parts, values),
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration and records to collect."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    shutil.copytree(files(), tmp_path / "records")
    (tmp_path / "vpemetrics.toml").write_text(SETTINGS, encoding="utf-8")
    return tmp_path


@law(12, soak=2_000)
@given(damage=damages)
def test_whatever_is_damaged_it_is_never_called_a_bug(
    whole: bytes, place: Path, damage: Damage
) -> None:
    for left in place.glob("vpemetrics.db*"):
        left.unlink()
    (place / "vpemetrics.db").write_bytes(damage(whole))

    for command in COMMANDS:
        result = invoke(*command)
        assert result.exit_code in (0, 1), (command, result.stderr)


@law(6, soak=1_000)
@given(records=st.lists(any_sourced, max_size=30))
def test_whatever_can_be_saved_is_no_damage(records: list[Sourced]) -> None:
    with TemporaryDirectory() as folder, Store.open(Path(folder) / "x.db") as store:
        store.save_all(records)
        bring_up_to_date(store, Rules())

        with store.view() as connection:
            assert not is_damaged(connection)


def test_neither_is_what_was_worked_out_or_forgotten(whole: bytes, place: Path) -> None:
    path = place / "vpemetrics.db"
    path.write_bytes(whole)
    for command in (["forget", "--before", "2026-03-01", "--yes"], ["report"], ["recompute"]):
        assert invoke(*command).exit_code == 0

    with Store.open(path) as store, store.view() as connection:
        assert not is_damaged(connection)


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), MemoryError()])
def test_an_error_of_ours_over_a_whole_store_is_no_damage(
    whole: bytes, place: Path, error: Exception
) -> None:
    (place / "vpemetrics.db").write_bytes(whole)

    with pytest.raises(type(error)), Store.open(place / "vpemetrics.db"):
        raise error


@pytest.mark.parametrize("column", ["data", "digest", "texts"])
def test_a_block_of_what_was_derived_that_is_another_is_damage(
    whole: bytes, tmp_path: Path, column: str
) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(whole)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            f"UPDATE derived SET {column} = CAST(replace({column}, substr({column}, 2, 1), 'x') "
            f"AS {'TEXT' if column == 'texts' else 'BLOB'}) WHERE part = 'evidence'"
        )

    result = invoke("report", "--store", path)

    assert result.exit_code == 1
    assert "damaged" in result.stderr
