"""The care of a shared store, from the command line."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from commandline import invoke
from postgres import PASSWORD, Server

from vpemetrics.store import Store


def test_a_file_that_is_up_to_date_stays_as_it_is(store: Path) -> None:
    before = store.read_bytes()

    result = invoke("db", "upgrade", "--store", store)

    assert result.exit_code == 0
    assert result.stdout == ""
    assert "its schema is 0001 already; nothing to do" in result.stderr
    assert store.read_bytes() == before


def test_a_file_that_is_not_there_is_not_made(folder: Path) -> None:
    result = invoke("db", "upgrade", "--store", "none.db")

    assert result.exit_code == 1
    assert "there is no store at" in result.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.needs_postgresql
@pytest.mark.slow
def test_an_older_shared_store_is_refused_with_the_command_that_helps(
    folder: Path, new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = new_database()
    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    monkeypatch.setenv("DATABASE", address)

    refused = invoke("report", "--store", "env:DATABASE")
    upgraded = invoke("db", "upgrade", "--store", "env:DATABASE")
    again = invoke("db", "upgrade", "--store", "env:DATABASE")

    assert refused.exit_code == 1
    assert "has an older schema; run `vpemetrics db upgrade`" in refused.stderr
    assert "brought from schema none to 0001" in upgraded.stderr
    assert "its schema is 0001 already" in again.stderr
    assert (upgraded.exit_code, again.exit_code) == (0, 0)
    assert PASSWORD not in refused.stderr + upgraded.stderr + again.stderr


@pytest.mark.slow
@pytest.mark.needs_postgresql
@pytest.mark.parametrize(
    "command", ["report -v", "import .", "status", "db upgrade", "triage list"]
)
@pytest.mark.parametrize("wrong", ["password", "port", "database", "address"])
def test_a_store_that_cannot_be_reached_is_one_line_without_the_password(
    folder: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch, command: str, wrong: str
) -> None:
    address = {
        "password": postgres.url("postgres", password=f"{PASSWORD}5"),
        "port": f"postgresql://tester:{PASSWORD}@127.0.0.1:1/postgres",
        "database": postgres.url("none"),
        "address": f"postgresql://tester:x@{PASSWORD}@127.0.0.1:1/postgres",
    }[wrong]
    monkeypatch.setenv("DATABASE", address)
    (folder / "commits.csv").write_text("sha,repository\n")

    result = invoke(*command.split(), "--store", "env:DATABASE")

    *notes, error = result.stderr.splitlines()
    assert result.exit_code == 1
    assert error.startswith("error: ")
    assert not any(note.startswith("error") for note in notes)
    assert PASSWORD not in result.output


@pytest.mark.needs_postgresql
def test_the_log_of_a_bug_holds_no_password(
    folder: Path, new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = new_database()
    Store.open(address).close()
    with psycopg.connect(address) as connection:
        connection.execute("DROP TABLE meta")
    monkeypatch.setenv("DATABASE", address)

    result = invoke("status", "--store", "env:DATABASE")

    (log,) = (folder.parent / "home").rglob("error-*.log")
    assert result.exit_code == 3
    assert PASSWORD not in result.output + log.read_text()
