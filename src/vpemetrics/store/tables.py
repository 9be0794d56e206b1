"""The tables of the facts: what sources and people said, in their own names.

Every fact carries `batch`, the number of the save that last *changed* it, so that a reader
finds what is new by `batch > the last one it saw`. Names and shas are interned: stored once
and referred to by integer. Truth values are 0, 1 or NULL, lists are JSON text.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from vpemetrics.window import from_micros, to_micros


class Instant(TypeDecorator[datetime]):
    """A moment, stored as microseconds since 1970 in UTC. ValueError for a naive one.

    SQLite would drop the offset of an aware time without a word.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """The count that is stored for a moment."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """The aware UTC moment of a stored count."""
        return None if value is None else from_micros(value)


# SQLite gives out keys by itself only for a column that is exactly INTEGER PRIMARY KEY.
Id = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()


def _key(name: str) -> Column[int]:
    return Column(name, Id, primary_key=True, autoincrement=False)


def _reference(name: str, *, nullable: bool = True) -> Column[int]:
    return Column(name, Id, nullable=nullable)


def _text(name: str, *, nullable: bool = True) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _truth(name: str) -> Column[int]:
    return Column(name, SmallInteger)


def _instant(name: str, *, nullable: bool = True) -> Column[datetime]:
    return Column(name, Instant, nullable=nullable)


def _batch() -> Column[int]:
    return Column("batch", Id, nullable=False, index=True)


def _identity() -> list[Any]:
    return [
        Column("id", Id, primary_key=True),
        _reference("source_id", nullable=False),
        _text("key", nullable=False),
        UniqueConstraint("source_id", "key"),
    ]


meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    _text("value", nullable=False),
)

names = Table(
    "names",
    metadata,
    _key("id"),
    Column("name", Text, nullable=False, unique=True),
)

shas = Table(
    "shas",
    metadata,
    _key("id"),
    Column("sha", Text, nullable=False, unique=True),
)

repositories = Table(
    "repositories",
    metadata,
    _key("source_id"),
    Column("key", Text, primary_key=True),
    _reference("name_id", nullable=False),
    _text("aliases"),
    _text("default_branch"),
    _batch(),
    sqlite_with_rowid=False,
)

commits = Table(
    "commits",
    metadata,
    _key("sha_id"),
    _key("source_id"),
    Column("repository_id", Id, nullable=False, index=True),
    _reference("parent1_id"),
    _reference("parent2_id"),
    _text("more_parents"),
    _instant("authored_at"),
    _instant("committed_at"),
    _text("author"),
    _truth("is_bot"),
    _reference("reverts_id"),
    _reference("picked_from_id"),
    _text("paths"),
    _batch(),
    sqlite_with_rowid=False,
)

changes = Table(
    "changes",
    metadata,
    *_identity(),
    _reference("repository_id", nullable=False),
    Column("number", BigInteger),
    _text("url"),
    _text("title"),
    _text("author"),
    _truth("is_bot"),
    _instant("created_at"),
    _instant("ready_at"),
    _instant("first_commit_at"),
    _instant("first_review_at"),
    _instant("approved_at"),
    _instant("merged_at"),
    _instant("closed_at"),
    _reference("merge_sha_id"),
    _text("commit_ids"),
    _text("base_branch"),
    _text("head_branch"),
    Column("additions", BigInteger),
    Column("deletions", BigInteger),
    _text("labels"),
    _text("reverts"),
    _text("closes"),
    _batch(),
    Index("ix_changes_repository_id_merged_at", "repository_id", "merged_at"),
)

deployments = Table(
    "deployments",
    metadata,
    *_identity(),
    _reference("service_id"),
    _reference("repository_id"),
    _reference("environment_id", nullable=False),
    _text("status", nullable=False),
    _reference("sha_id"),
    _text("version"),
    _instant("started_at"),
    _instant("finished_at"),
    _truth("is_bot"),
    _truth("planned"),
    _truth("hotfix"),
    _truth("rollback"),
    _text("url"),
    _batch(),
    Index("ix_deployments_service_id_finished_at", "service_id", "finished_at"),
)

incidents = Table(
    "incidents",
    metadata,
    *_identity(),
    _text("services"),
    _text("title"),
    Column("severity", BigInteger),
    _truth("customer_affecting"),
    _instant("detected_at"),
    _instant("impact_started_at"),
    _instant("acknowledged_at"),
    _instant("mitigated_at"),
    _instant("resolved_at"),
    _instant("updated_at"),
    _truth("external"),
    _text("cause_deployment"),
    _text("cause_sha"),
    _text("cause_change"),
    _text("url"),
    _batch(),
)

runs = Table(
    "runs",
    metadata,
    *_identity(),
    _reference("repository_id", nullable=False),
    _text("name"),
    Column("attempt", BigInteger),
    _text("outcome", nullable=False),
    _reference("sha_id"),
    _instant("started_at"),
    _instant("finished_at"),
    _batch(),
)

triage = Table(
    "triage",
    metadata,
    _key("source_id"),
    Column("key", Text, primary_key=True),
    _text("record", nullable=False),
    _text("verdict", nullable=False),
    _text("cause"),
    _text("who"),
    _text("why"),
    _instant("at", nullable=False),
    _batch(),
    sqlite_with_rowid=False,
)

coverage = Table(
    "coverage",
    metadata,
    _key("source_id"),
    Column("scope", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("start_at", Instant, primary_key=True),
    _instant("end_at", nullable=False),
    _batch(),
    sqlite_with_rowid=False,
)

cursors = Table(
    "cursors",
    metadata,
    _key("source_id"),
    Column("scope", Text, primary_key=True),
    _text("position", nullable=False),
    sqlite_with_rowid=False,
)
