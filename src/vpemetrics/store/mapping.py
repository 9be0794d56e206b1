"""The place of each kind of record in its table: which field becomes which column.

Commits have none: they are columns themselves, see `commit_chunks`.
Saving and loading both read this one description, so they cannot disagree.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, func

from vpemetrics.records import (
    AnyRecord,
    AuditEntry,
    Change,
    Commit,
    Coverage,
    Deployment,
    Incident,
    Repository,
    Run,
    Triage,
)
from vpemetrics.store import tables
from vpemetrics.window import from_micros, to_micros

Getter = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A kind of record and its table.

    `fields` names the record's field of a column where the two are spelled differently,
    `computed` gives the columns that are no field.
    """

    record: type[AnyRecord]
    table: Table
    fields: Mapping[str, str] = field(default_factory=dict)
    computed: Mapping[str, Getter] = field(default_factory=dict)

    @cached_property
    def columns(self) -> list[Column[Any]]:
        """The columns a save fills from the record, in the table's order."""
        return [
            column
            for column in self.table.columns
            if "holds" in column.info and column.name != "source_id"
        ]

    @cached_property
    def key_columns(self) -> list[str]:
        """The columns that name a record within the store."""
        if "key" in self.table.c:
            return ["source_id", "key"]
        return [column.name for column in self.table.primary_key]

    def getter(self, column: Column[Any]) -> Getter:
        """The function that reads a column's value from a record."""
        return self.computed.get(column.name) or attrgetter(self.field_of(column))

    def field_of(self, column: Column[Any]) -> str:
        """The record's field that a column comes from."""
        return self.fields.get(column.name, column.name)


def _triage_key(triage: Triage) -> str:
    return f"{triage.record}@{_moment(triage.when)}"


def _audit_key(entry: AuditEntry) -> str:
    return f"{_moment(entry.when)} {entry.action} {entry.subject or ''}".rstrip()


def _moment(at: datetime) -> str:
    """The text of a moment, the same whatever zone it was given in."""
    return from_micros(to_micros(at)).isoformat()


_KEY_IS_ID = {"key": "id"}
_REPOSITORY = {"repository_id": "repository"}

SHAPES: dict[type[AnyRecord], Shape] = {
    shape.record: shape
    for shape in (
        Shape(
            record=Repository,
            table=tables.repositories,
            fields=_KEY_IS_ID | {"name_id": "name"},
        ),
        Shape(
            record=Change,
            table=tables.changes,
            fields=_KEY_IS_ID | _REPOSITORY,
        ),
        Shape(
            record=Deployment,
            table=tables.deployments,
            fields=_KEY_IS_ID
            | _REPOSITORY
            | {"service_id": "service", "environment_id": "environment"},
        ),
        Shape(
            record=Incident,
            table=tables.incidents,
            fields=_KEY_IS_ID | {"services": "service"},
        ),
        Shape(record=Run, table=tables.runs, fields=_KEY_IS_ID | _REPOSITORY),
        Shape(
            record=Triage,
            table=tables.triage,
            fields={"at": "when"},
            computed={"key": _triage_key},
        ),
        Shape(
            record=AuditEntry,
            table=tables.audit,
            fields={"at": "when"},
            computed={"key": _audit_key},
        ),
    )
}

FACTS: dict[str, Table] = {
    Repository.KIND: tables.repositories,
    Commit.KIND: tables.commit_chunks,
    **{cls.KIND: shape.table for cls, shape in SHAPES.items() if cls is not AuditEntry},
    Coverage.KIND: tables.coverage,
}
"""The tables of what sources and people said, by kind; the audit log is not one of them."""


def count_of(table: Table) -> ColumnElement[int]:
    """The number of records in rows of a table of facts."""
    return func.coalesce(func.sum(table.c.count), 0) if "count" in table.c else func.count()
