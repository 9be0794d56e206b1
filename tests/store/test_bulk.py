"""Rows in bulk: what is new, what changed, and what does not count as a change."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from vpemetrics.store import Store
from vpemetrics.store.bulk import Row, insert_rows, upsert_rows
from vpemetrics.store.tables import names, runs

COLUMNS = [runs.c[name] for name in ("source_id", "key", "repository_id", "outcome", "batch")]


@pytest.fixture
def connection(location: str) -> Iterator[Connection]:
    with Store.open(location) as store, store.transaction() as connection:
        yield connection


def upsert(connection: Connection, *rows: Row) -> int:
    return upsert_rows(connection, runs, COLUMNS, ["source_id", "key"], rows)


def stored(connection: Connection) -> list[Row]:
    found = connection.exec_driver_sql(
        "SELECT key, outcome, batch, attempt FROM runs ORDER BY source_id, key"
    )
    return [tuple(row) for row in found]


def test_rows_are_inserted_in_the_order_of_the_columns(connection: Connection) -> None:
    texts = [(1, "a\tb"), (2, "back\\slash\nand a line"), (3, "\\N"), (4, "Straße ✓")]
    insert_rows(connection, names, texts)
    insert_rows(connection, names, [])

    found = connection.exec_driver_sql("SELECT id, name FROM names ORDER BY id")
    assert [tuple(row) for row in found] == texts


def test_what_is_new_and_what_says_something_else_is_counted(connection: Connection) -> None:
    assert upsert(connection, (1, "a", 7, "ok", 1), (1, "b", 7, "ok", 1)) == 2
    assert (
        upsert(connection, (1, "a", 7, "ok", 2), (1, "b", 7, "bad", 2), (2, "a", 7, "ok", 2)) == 2
    )

    assert stored(connection) == [
        ("a", "ok", 1, None),  # not touched
        ("b", "bad", 2, None),
        ("a", "ok", 2, None),
    ]


def test_of_rows_under_one_key_the_last_counts_once(connection: Connection) -> None:
    assert upsert(connection, (1, "a", 7, "bad", 1), (1, "a", 7, "ok", 1)) == 1
    assert upsert(connection, (1, "a", 7, "bad", 2), (1, "a", 7, "ok", 2)) == 0

    assert stored(connection) == [("a", "ok", 1, None)]


def test_one_transaction_may_save_other_columns_of_the_same_table(connection: Connection) -> None:
    more = [*COLUMNS[:3], runs.c.attempt, *COLUMNS[3:]]
    upsert(connection, (1, "a", 7, "ok", 1))

    assert upsert_rows(connection, runs, more, ["source_id", "key"], [(1, "a", 7, 3, "ok", 2)]) == 1
    assert stored(connection) == [("a", "ok", 2, 3)]


def test_what_is_no_longer_known_of_many_rows_is_forgotten(connection: Connection) -> None:
    more, keys, many = [*COLUMNS[:3], runs.c.attempt, *COLUMNS[3:]], ["source_id", "key"], 300
    kept = [(1, f"{number:03}", 7, None, "ok", 1) for number in range(many)]
    before = [(*row[:3], 3, *row[4:]) if row[1] == "017" else row for row in kept]
    upsert_rows(connection, runs, more, keys, before)

    assert upsert_rows(connection, runs, more, keys, [(*row[:-1], 2) for row in kept]) == 1

    assert stored(connection) == [(row[1], "ok", 2 if row[1] == "017" else 1, None) for row in kept]


def test_nothing_to_save_changes_nothing(connection: Connection) -> None:
    assert upsert(connection) == 0
    assert stored(connection) == []
