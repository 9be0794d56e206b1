"""An upgrade that is killed: the store is what it was, or what it shall be, and never between."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from alembic import command
from killing import kill_before, run_unharmed, steps_of
from sqlalchemy import inspect
from tiers import scored

from vpemetrics.store import Store, schema
from vpemetrics.store.engine import begin_read, begin_write, location_url, make_engine
from vpemetrics.store.tables import metadata

pytestmark = pytest.mark.slow

BEFORE = "CREATE TABLE alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY)"
ALL = {table.name for table in metadata.sorted_tables}


@pytest.fixture
def older(folder: Path, new_location: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> str:
    """A store from before the first migration, which `env:STORE` names."""
    location = new_location()
    if "://" in location:
        with psycopg.connect(location) as shared:
            shared.execute(BEFORE)
    else:
        embedded = sqlite3.connect(location)
        embedded.execute(BEFORE)
        embedded.close()
    monkeypatch.setenv("STORE", location)
    return location


def held(location: str) -> tuple[set[str], str | None]:
    """The tables that are there, and the version the store says it has."""
    engine = make_engine(location_url(location))
    try:
        with begin_read(engine) as connection:
            return set(inspect(connection).get_table_names()), schema.stored_version(connection)
    finally:
        engine.dispose()


def back(location: str) -> None:
    """Makes a store an older one again."""
    engine = make_engine(location_url(location))
    with begin_write(engine) as connection:
        command.downgrade(schema.migrations(connection), "base")
    engine.dispose()


@scored("kills", 3, soak=20)
def test_an_upgrade_killed_before_any_step_is_whole_or_did_not_happen(
    older: str, kills: int
) -> None:
    upgrade = ("db", "upgrade", "--store", "env:STORE")
    code, total = run_unharmed(*upgrade)
    assert code == 0
    whole, none = (ALL, schema.SCHEMA_VERSION), ({"alembic_version"}, None)
    assert held(older) == whole
    back(older)
    left, killed = [], 0

    for step in steps_of(total, kills, seed=13):
        killed += kill_before(step, *upgrade)
        left.append(held(older))
        if left[-1] == whole:
            back(older)

    assert killed == kills
    assert left.count(none) + left.count(whole) == kills
    assert run_unharmed(*upgrade)[0] == 0
    assert held(older) == whole
    with Store.open(older) as store:
        assert store.counts() == {}
