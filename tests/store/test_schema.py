import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect
from subprocesses import PATIENCE, environment

from vpemetrics.errors import StoreProblem
from vpemetrics.store import Store, schema
from vpemetrics.store.engine import begin_write, location_url, make_engine
from vpemetrics.store.tables import changes, metadata


def described(path: Path) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    connection.close()
    return sorted(rows, key=str)


def test_migrations_and_a_new_store_give_the_identical_schema(tmp_path: Path) -> None:
    Store.open(tmp_path / "new.db").close()
    engine = create_engine(f"sqlite:///{tmp_path / 'migrated.db'}")
    with engine.begin() as connection:
        schema.upgrade(connection)
        assert schema.stored_version(connection) == schema.SCHEMA_VERSION
    engine.dispose()

    assert described(tmp_path / "new.db") == described(tmp_path / "migrated.db")


def test_migrations_lead_to_the_tables_the_code_works_with_and_back(location: str) -> None:
    engine = make_engine(location_url(location))
    with begin_write(engine) as connection:
        schema.upgrade(connection)
        assert schema.stored_version(connection) == schema.SCHEMA_VERSION
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []

        command.downgrade(schema.migrations(connection), "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
        assert schema.stored_version(connection) is None

        schema.upgrade(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_new_store_needs_no_migration(location: str) -> None:
    with Store.open(location) as store, store.view() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_last_migration_leads_to_the_version_we_name() -> None:
    assert schema.versions()[-1] == schema.SCHEMA_VERSION


def test_a_store_before_its_first_migration_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
        "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.close()

    with Store.open(path) as store:
        assert store.counts() == {}
    Store.open(tmp_path / "new.db").close()
    assert {row[1] for row in described(path)} == {row[1] for row in described(tmp_path / "new.db")}


def test_a_store_of_an_earlier_build_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    Store.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE changes RENAME COLUMN commit_shas TO commit_ids")
        connection.execute("CREATE TABLE shas (id INTEGER PRIMARY KEY, sha TEXT NOT NULL UNIQUE)")
        connection.execute("UPDATE meta SET value = 'another' WHERE key = 'shape'")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()

    with pytest.raises(StoreProblem, match="`vpemetrics export` of the version that made it"):
        Store.open(path)
    assert path.read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize("existing", [False, True])
def test_opening_a_store_of_this_version_does_not_import_alembic(
    tmp_path: Path, existing: bool
) -> None:
    path = tmp_path / "store.db"
    if existing:
        Store.open(path).close()
    code = (
        "import sys; from vpemetrics.store import Store; Store.open(sys.argv[1]).close(); "
        "sys.exit(not {'alembic', 'pandas', 'scipy'}.isdisjoint(sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, path], env=environment(), timeout=PATIENCE, check=False
    )
    assert done.returncode == 0


def test_a_column_of_instants_refuses_naive_times() -> None:
    from datetime import datetime

    bind = changes.c.merged_at.type.bind_processor(create_engine("sqlite://").dialect)
    assert bind is not None
    with pytest.raises(ValueError, match="time without a zone"):
        bind(datetime(2026, 1, 1))  # noqa: DTZ001
