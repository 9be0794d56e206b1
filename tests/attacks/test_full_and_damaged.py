"""A disk that is full, and a store that is not what was written."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from commandline import invoke
from sample import files
from subprocesses import PATIENCE, environment

from vpemetrics.errors import Stopped, StoreFull, StoreProblem
from vpemetrics.records import Commit
from vpemetrics.rules import Rules
from vpemetrics.store import Store, commit_saving, engine
from vpemetrics.usecases.files import import_files

pytestmark = pytest.mark.slow

COMMANDS = (
    ["status"], ["report"], ["export", "out"], ["explain", "cfr"], ["triage", "list"],
    ["recompute"], ["db", "upgrade"], ["import", "records"], ["collect"], ["check"],
)  # fmt: skip


def commits(first: int, last: int) -> Iterator[Commit]:
    return (
        Commit(sha=f"{number:040x}", repository="r", author=f"a{number}")
        for number in range(first, last)
    )


@pytest.fixture(autouse=True)
def few_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits are on the disk before there are many, so that no test has to wait for so many."""
    monkeypatch.setattr(commit_saving, "_PENDING", 20_000)
    monkeypatch.setattr(engine, "_CACHE_KIB", 100)


def log_size(path: Path) -> int:
    log = path.with_name(f"{path.name}-wal")
    return log.stat().st_size if log.exists() else 0


# --- a full disk --------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes."""
    place = tmp_path / "small"
    place.mkdir()
    size = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(size, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def free(place: Path) -> int:
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize


@pytest.mark.needs_mount
def test_a_failed_save_gives_back_the_room_it_took(small_disk: Path) -> None:
    path = small_disk / "x.db"
    with Store.open(path) as store:
        store.save("s", commits(0, 2_000))
        before, room = log_size(path), free(small_disk)

        with pytest.raises(StoreFull, match="the disk is full"):
            store.save("s", commits(2_000, 250_000))

        assert (log_size(path), free(small_disk)) == (before, room)
        store.save("s", commits(2_000, 3_000))  # what fits is saved at once
        assert store.counts() == {"commits": 3_000}

    assert not path.with_name("x.db-wal").exists()
    with Store.open(path) as store:
        assert store.counts() == {"commits": 3_000}
        assert store.columns("PRAGMA integrity_check", text=("integrity_check",))[
            "integrity_check"
        ].tolist() == ["ok"]


FULL_AT = 3_000_000
LIMITED = f"""
import resource, signal, sys
from pathlib import Path
from vpemetrics.errors import StoreProblem
from vpemetrics.records import Commit
from vpemetrics.store import Store, commit_saving, engine
commit_saving._PENDING, engine._CACHE_KIB = 20_000, 100
path = Path(sys.argv[1])
def many(a, b):
    return (Commit(sha=f"{{n:040x}}", repository="r", author=f"a{{n}}") for n in range(a, b))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Store.open(path) as store:
    store.save("s", many(0, 2_000))
    resource.setrlimit(resource.RLIMIT_FSIZE, ({FULL_AT}, {FULL_AT}))
    try:
        store.save("s", many(2_000, 150_000))
    except StoreProblem as problem:
        print(path.with_name("x.db-wal").stat().st_size, store.counts())
"""  # fmt: skip


def test_so_it_does_where_files_may_not_grow(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "x.db")],
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=True,
    )

    size, counts = done.stdout.split(maxsplit=1)
    assert int(size) < FULL_AT / 2
    assert counts == "{'commits': 2000}\n"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, Stopped])
def test_so_it_does_after_any_other_end(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "x.db"

    def broken() -> Iterator[Commit]:
        yield from commits(10, 60_000)
        assert log_size(path) > 2**20
        raise error

    with Store.open(path) as store:
        store.save("s", commits(0, 10))
        before = log_size(path)
        with pytest.raises(error):
            store.save("s", broken())
        assert log_size(path) <= max(before, 2**20)
        assert store.counts() == {"commits": 10}


def test_who_reads_meanwhile_sees_the_store_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "x.db"

    def broken() -> Iterator[Commit]:
        yield from commits(10, 60_000)
        assert log_size(path) > 2**20
        raise RuntimeError

    with Store.open(path) as store, Store.open(path) as other:
        store.save("s", commits(0, 10))
        with other.view() as view:
            count = "SELECT sum(count) FROM commit_chunks"
            assert view.exec_driver_sql(count).scalar() == 10
            with pytest.raises(RuntimeError):
                store.save("s", broken())
            store.save("s", commits(10, 20))
            assert view.exec_driver_sql(count).scalar() == 10
        assert other.counts() == {"commits": 20}


# --- damage -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A store of the sample, traced."""
    path = tmp_path_factory.mktemp("whole") / "x.db"
    with Store.open(path) as store:
        import_files(store, [files()], Rules(), warn=pytest.fail, progress=lambda _: None)
    assert invoke("report", "--store", path).exit_code == 0
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.read_bytes()


def overwritten(content: bytes, at: int, with_: bytes) -> bytes:
    return content[:at] + with_ + content[at + len(with_) :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "no header": lambda content: overwritten(content, 0, b"\0" * 100),
    "another header": lambda content: overwritten(content, 0, b"SQLite"[::-1]),
    "another format": lambda content: overwritten(content, 44, b"\xff" * 4),
    "another page size": lambda content: overwritten(content, 16, b"\x02\x00"),
    "no schema": lambda content: overwritten(content, 100, b"\xff" * 4_000),
    "cut": lambda content: content[: len(content) // 3],
    "cut in its header": lambda content: content[:50],
    "a text": lambda _: b"dear diary\n" * 1_000,
}


@pytest.mark.parametrize(
    ("damage", "command"),
    [
        *((damage, COMMANDS[1]) for damage in DAMAGES),
        *((damage, command) for damage in ("no header", "no schema") for command in COMMANDS),
    ],
)
def test_a_damaged_store_is_said_to_be_and_the_ways_out(
    whole: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: str,
    command: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "records").symlink_to(files())
    (tmp_path / "vpemetrics.toml").write_text(
        '[sources.files]\ntype = "files"\npath = "records"\n', encoding="utf-8"
    )
    store = tmp_path / "vpemetrics.db"
    store.write_bytes(DAMAGES[damage](whole))

    result = invoke(*command)
    said = " ".join((result.stdout + result.stderr).split())

    assert result.exit_code == 1
    assert "this file is damaged, or no store of vpemetrics" in said
    for way in ("back-up", ".recover", "anew"):
        assert way in said
    assert store.read_bytes() == DAMAGES[damage](whole)


def can_recover() -> bool:
    """Tell whether there is an sqlite3 that can: some are built without what it takes."""
    # https://www.sqlite.org/recovery.html
    asked = ["sqlite3", ":memory:", "SELECT count(*) FROM sqlite_dbpage"]
    found = shutil.which("sqlite3")
    return bool(found) and not subprocess.run(asked, capture_output=True, check=False).returncode


@pytest.mark.needs_sqlite3
@pytest.mark.skipif(not can_recover(), reason="no sqlite3 here can recover")
def test_what_can_be_read_is_rescued_by_the_command_that_is_shown(
    whole: bytes, tmp_path: Path
) -> None:
    store = tmp_path / "it's mine.db"
    store.write_bytes(overwritten(whole, len(whole) // 2, b"\xff" * 40_000))
    with pytest.raises(StoreProblem) as problem, Store.open(store):
        raise ValueError  # as anything that meets with it may
    shown = str(problem.value).split("`")[1]

    subprocess.run(shown, shell=True, check=True, capture_output=True, timeout=PATIENCE)

    rescued = tmp_path / "it's mine.db.rescued"
    assert invoke("status", "--store", rescued).exit_code == 0


def test_an_error_of_ours_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Store.open(tmp_path / "x.db"):
        raise ZeroDivisionError
