"""A store that came with a folder: whoever made it decides nothing but its facts."""

import os
import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from commandline import invoke, spawn
from gitrepository import new_repository

from vpemetrics.store import Store

pytestmark = pytest.mark.slow

COMMANDS = ("report", "status", "collect", "recompute", "explain cfr")
SETTINGS = '[sources.shop]\ntype = "git"\npath = "."\n'
JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
PAGE, SECTOR, LOCKED_BYTE = 16_384, 512, 0x40000000


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The work tree of a repository, which is the working directory."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    repository = new_repository(tmp_path / "clone")
    repository.commit("Begin (#1)")
    repository.tag("v1")
    monkeypatch.chdir(repository.path)
    return repository.path


@pytest.fixture(params=["beside a configuration", "of a clone"])
def store(clone: Path, request: pytest.FixtureRequest) -> Path:
    """A store as it was made, in a place where vpemetrics finds it."""
    if request.param == "of a clone":
        path = clone / ".git" / "vpemetrics" / "vpemetrics.db"
    else:
        (clone / "vpemetrics.toml").write_text(SETTINGS, encoding="utf-8")
        path = clone / "vpemetrics.db"
    assert invoke("collect").exit_code == 0
    return path


def journal_naming(victim: Path, store: Path) -> bytes:
    """A journal to be rolled back, of a transaction that another file would be a part of.

    https://www.sqlite.org/fileformat2.html#the_rollback_journal
    """
    pages = store.stat().st_size // PAGE
    start = JOURNAL_MAGIC + struct.pack(">5I", 0, 1, pages, SECTOR, PAGE)
    name = os.fsencode(victim)
    end = struct.pack(">2I", len(name), sum(name)) + JOURNAL_MAGIC
    return start.ljust(SECTOR, b"\0") + struct.pack(">I", LOCKED_BYTE // PAGE + 1) + name + end


def execute(store: Path, *statements: str) -> None:
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def untouched(store: Path) -> bytes:
    execute(store, "PRAGMA wal_checkpoint(TRUNCATE)")
    return store.read_bytes()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_journal_removes_no_file_that_it_names(store: Path, tmp_path: Path, command: str) -> None:
    victim = tmp_path / "home" / "id_ed25519"
    victim.write_text("a key", encoding="utf-8")
    laid = store.with_name("vpemetrics.db-journal")
    laid.write_bytes(journal_naming(victim, store))

    result = invoke(*command.split())

    assert victim.read_text(encoding="utf-8") == "a key"
    assert result.exit_code == 1
    assert "names another file, which SQLite would remove" in result.output
    assert f"rm {laid}" in result.output
    shutil.copy(store, tmp_path / "elsewhere.db")
    shutil.copy(laid, tmp_path / "elsewhere.db-journal")
    assert invoke(*command.split(), "--store", tmp_path / "elsewhere.db").exit_code == 1
    assert victim.exists()


def test_a_journal_that_names_no_file_is_rolled_back(store: Path, tmp_path: Path) -> None:
    whole = journal_naming(tmp_path / "x", store)
    store.with_name("vpemetrics.db-journal").write_bytes(whole[:SECTOR])

    assert invoke("report").exit_code == 0


@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
def test_nothing_is_written_through_a_link_beside_a_store(
    store: Path, tmp_path: Path, suffix: str
) -> None:
    victim = tmp_path / "home" / "authorized_keys"
    victim.write_text("a key", encoding="utf-8")
    store.with_name(f"vpemetrics.db{suffix}").symlink_to(victim)

    result = invoke("collect")

    assert victim.read_text(encoding="utf-8") == "a key"
    assert result.exit_code == 1
    assert f"vpemetrics.db{suffix} beside this store is no file, but leads" in result.stderr


@pytest.mark.parametrize("suffix", ["", "-journal", "-wal"])
def test_a_pipe_holds_nobody_up(store: Path, suffix: str) -> None:
    pipe = store.with_name(f"vpemetrics.db{suffix}")
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)

    result = spawn("report")

    assert result.returncode == 1
    assert "no file" in result.stderr


@pytest.mark.parametrize("command", ["report", "collect"])
@pytest.mark.parametrize(
    ("statements", "odd"),
    [
        (
            ["CREATE TRIGGER t BEFORE DELETE ON changes BEGIN SELECT RAISE(IGNORE); END"],
            "trigger t",
        ),
        (["CREATE VIEW v AS SELECT 1"], "view v"),
        (["ALTER TABLE runs RENAME TO r", "CREATE VIEW runs AS SELECT * FROM r"], "view runs"),
        (["CREATE VIRTUAL TABLE x USING fts5(y)"], "table x"),
        (["CREATE INDEX i ON names (abs(name))"], "index i"),
        (["CREATE INDEX i ON names (name) WHERE name <> 1 /* x */"], "index i"),
        (["DROP TABLE horizons", "CREATE TABLE horizons (a CHECK (a < 0))"], "table horizons"),
        (["DROP TABLE horizons", "CREATE TABLE Horizons (a, b AS (a))"], "table Horizons"),
        (["DROP TABLE horizons", "CREATE TABLE horizons (a DEFAULT (1))"], "table horizons"),
    ],
)
def test_a_schema_that_acts_is_refused(
    store: Path, command: str, statements: list[str], odd: str
) -> None:
    execute(store, *statements)
    before = untouched(store)

    result = invoke(*command.split())

    assert result.exit_code == 1, result.output
    assert f"(its {odd} is none that we make); it was left as it is" in result.output
    assert store.read_bytes() == before


def test_tables_that_are_none_of_ours_are_nobodys_business(store: Path) -> None:
    execute(store, "CREATE TABLE lost_and_found (rootpgno INTEGER, c0 DEFAULT 'x')", "ANALYZE")

    assert invoke("report").exit_code == 0


@pytest.mark.parametrize("link", ["the folder", "the file"])
def test_the_store_of_a_clone_is_no_link_out_of_it(clone: Path, tmp_path: Path, link: str) -> None:
    elsewhere = tmp_path / "home"
    cache = clone / ".git" / "vpemetrics"
    if link == "the folder":
        cache.symlink_to(elsewhere)
    else:
        cache.mkdir()
        (cache / "vpemetrics.db").symlink_to(elsewhere / "vpemetrics.db")

    result = invoke("report")

    assert result.exit_code == 1
    assert f"leads out of this clone, to {elsewhere}/vpemetrics.db" in result.stderr
    assert list(elsewhere.iterdir()) == []


def test_a_file_that_stands_for_a_git_directory_leads_to_no_other_folder(
    clone: Path, tmp_path: Path
) -> None:
    folder, elsewhere = tmp_path / "handed over", tmp_path / "home"
    (folder / "x").mkdir(parents=True)
    (folder / ".git").write_text("gitdir: x\n", encoding="utf-8")
    (folder / "x" / "HEAD").touch()
    (folder / "x" / "commondir").write_text(f"{elsewhere}\n", encoding="utf-8")
    os.chdir(folder)

    result = invoke("report")

    assert result.exit_code == 1
    assert not (elsewhere / "vpemetrics").exists()


@pytest.mark.needs_root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_store_that_somebody_else_owns_is_not_opened(store: Path, suffix: str) -> None:
    file = store.with_name(f"vpemetrics.db{suffix}")
    file.touch()
    os.chown(file, 1234, 1234)

    result = invoke("report")

    assert result.exit_code == 1
    assert f"{file} belongs to 1234, so this store is not opened" in result.stderr
    assert f"chown root {file}" in result.stderr
    assert f"--store {store}" in result.stderr


def test_neither_is_one_that_everybody_may_change(store: Path) -> None:
    store.chmod(0o666)

    result = invoke("report")

    assert result.exit_code == 1
    assert "can be written by everybody, so this store is not opened" in result.stderr
    assert invoke("report", "--store", store).exit_code == 0


def test_no_value_is_read_that_fills_the_memory(store: Path) -> None:
    with Store.open(store) as opened, opened.view() as connection:
        driver: Any = connection.connection.dbapi_connection
        limit = driver.getlimit(sqlite3.SQLITE_LIMIT_LENGTH)

    assert limit == 256 * 2**20
