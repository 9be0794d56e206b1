"""Counts of what the store holds of each source."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, select

from vpemetrics.store import tables
from vpemetrics.store.loading import load_names
from vpemetrics.store.mapping import FACTS, count_of


def counts_by_source(connection: Connection) -> dict[str, dict[str, int]]:
    """Count the records of each kind a source gave, by its name; kinds without any are left out."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for kind, table in FACTS.items():
        for source, count in _by_source(connection, table, count_of(table)):
            found[source][kind] = count
    return dict(found)


def covered_until(connection: Connection) -> dict[str, datetime]:
    """The latest moment that a source was collected for, by its name."""
    end = func.max(tables.coverage.c.end_at)
    return dict(_by_source(connection, tables.coverage, end))


def _by_source(connection: Connection, table: Table, wanted: Any) -> list[tuple[str, Any]]:
    """A value of a table's rows by the name of their source."""
    query = select(table.c.source_id, wanted).group_by(table.c.source_id)
    found = connection.execute(query).all()
    names = load_names(connection)
    return sorted((str(names[source]), value) for source, value in found)
