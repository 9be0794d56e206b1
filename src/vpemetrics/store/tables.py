"""The tables of the facts: what sources and people said, in their own names.

Every fact carries `batch`, the number of the save that last *changed* it, so that a reader
finds what is new by `batch > the last one it saw`. Names are interned: stored once and referred
to by integer. Commits are columns, some thousand of them a row; of all else each has its own.
Truth values are 0, 1 or NULL, lists are JSON text.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
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

    # The dialect is SQLAlchemy's to pass; a moment is stored the same in all of them.
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """The count that is stored for a moment."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """The aware UTC moment of a stored count."""
        return None if value is None else from_micros(value)


# SQLite gives out keys by itself only for a column that is exactly INTEGER PRIMARY KEY.
Id = BigInteger().with_variant(Integer, "sqlite")

# In order and in comparisons a text is its code points, everywhere, as it is in SQLite.
Words = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData()


class Holds(StrEnum):
    """The sort of value in a column of a fact, by which a record's field becomes it and back."""

    TEXT = "a text; never an empty one"
    CHOICE = "one of a few words"
    AUTHOR = "a person, as a keyed hash"
    NUMBER = "an integer"
    TRUTH = "1, 0, or NULL for unknown"
    INSTANT = "microseconds since 1970 in UTC"
    NAME = "an id in names"
    SHA = "a sha, packed"
    SHAS = "shas in order, packed; NULL for none"
    LIST = "texts as JSON; NULL for none"
    OPTIONAL_LIST = "texts as JSON; NULL for unknown"


def _fact(name: str, type_: Any, holds: Holds, **more: Any) -> Column[Any]:
    return Column(name, type_, info={"holds": holds}, **more)


def _name(name: str, **more: Any) -> Column[int]:
    return _fact(name, Id, Holds.NAME, **more)


def _sha(name: str) -> Column[bytes]:
    return _fact(name, LargeBinary, Holds.SHA)


def _text(name: str, **more: Any) -> Column[str]:
    return _fact(name, Words, Holds.TEXT, **more)


def _choice(name: str, **more: Any) -> Column[str]:
    return _fact(name, Words, Holds.CHOICE, **more)


def _author(name: str) -> Column[str]:
    return _fact(name, Words, Holds.AUTHOR)


def _list(name: str) -> Column[str]:
    return _fact(name, Words, Holds.LIST)


def _shas(name: str) -> Column[bytes]:
    return _fact(name, LargeBinary, Holds.SHAS)


def _number(name: str) -> Column[int]:
    return _fact(name, BigInteger, Holds.NUMBER)


def _truth(name: str, **more: Any) -> Column[int]:
    return _fact(name, SmallInteger, Holds.TRUTH, **more)


def _instant(name: str, **more: Any) -> Column[datetime]:
    return _fact(name, Instant, Holds.INSTANT, **more)


def _batch() -> Column[int]:
    return Column("batch", Id, nullable=False, index=True)


def _source(**more: Any) -> Column[int]:
    return _name("source_id", nullable=False, **more)


def _source_key() -> list[Column[Any]]:
    return [_source(primary_key=True, autoincrement=False), _text("key", primary_key=True)]


def _numbered_columns() -> list[Any]:
    return [
        Column("id", Id, primary_key=True),
        _source(),
        _text("key", nullable=False),
        UniqueConstraint("source_id", "key"),
    ]


meta = Table(
    "meta",
    metadata,
    Column("key", Words, primary_key=True),
    _text("value", nullable=False),
)

names = Table(
    "names",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("name", Words, nullable=False, unique=True),
)

repositories = Table(
    "repositories",
    metadata,
    *_source_key(),
    _name("name_id", nullable=False),
    _list("aliases"),
    _text("default_branch"),
    _batch(),
    sqlite_with_rowid=False,
)

# Some thousand commits a row, of one repository as one source tells them: see `commit_chunks`.
# Their shas come first: they are read alone, to find one.
commit_chunks = Table(
    "commit_chunks",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    _source(),
    # Forks and parts of a repository share commits, and each has them all.
    _name("repository_id", nullable=False),
    Column("count", Integer, nullable=False),
    _batch(),
    Column("shas", LargeBinary, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("ix_commit_chunks_repository_id_source_id", "repository_id", "source_id"),
)

changes = Table(
    "changes",
    metadata,
    *_numbered_columns(),
    _name("repository_id", nullable=False),
    _number("number"),
    _text("url"),
    _text("title"),
    _author("author"),
    _choice("author_kind"),
    _list("marks"),
    _instant("created_at"),
    _instant("ready_at"),
    _instant("first_commit_at"),
    _instant("first_review_at"),
    _instant("approved_at"),
    _instant("merged_at"),
    _instant("closed_at"),
    _sha("merge_commit_sha"),
    _shas("commit_shas"),
    _text("base_branch"),
    _text("head_branch"),
    _number("additions"),
    _number("deletions"),
    _list("labels"),
    _list("reverts"),
    _list("backports"),
    _list("closes"),
    _batch(),
    Index("ix_changes_repository_id_merged_at", "repository_id", "merged_at"),
)

deployments = Table(
    "deployments",
    metadata,
    *_numbered_columns(),
    _name("service_id"),
    _name("repository_id"),
    _name("environment_id", nullable=False),
    _choice("status", nullable=False),
    _sha("commit_sha"),
    _text("version"),
    _instant("started_at"),
    _instant("finished_at"),
    _truth("is_bot"),
    _truth("planned"),
    _truth("hotfix"),
    _truth("rollback"),
    _truth("light_tag"),
    _truth("release_commit"),
    _truth("chosen_by_name"),
    _truth("service_by_name"),
    _text("url"),
    _batch(),
    Index("ix_deployments_service_id_finished_at", "service_id", "finished_at"),
)

incidents = Table(
    "incidents",
    metadata,
    *_numbered_columns(),
    _list("services"),
    _text("title"),
    _number("severity"),
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
    *_numbered_columns(),
    _name("repository_id", nullable=False),
    _text("name"),
    _number("attempt"),
    _text("outcome", nullable=False),
    _sha("commit_sha"),
    _instant("started_at"),
    _instant("finished_at"),
    _batch(),
)

triage = Table(
    "triage",
    metadata,
    *_source_key(),
    _text("record", nullable=False),
    _choice("verdict", nullable=False),
    _text("cause"),
    _instant("restored_at"),
    _text("who"),
    _text("why"),
    _instant("at", nullable=False),
    _batch(),
    sqlite_with_rowid=False,
)

audit = Table(
    "audit",
    metadata,
    *_source_key(),
    _instant("at", nullable=False),
    _text("action", nullable=False),
    _text("subject"),
    _text("what"),
    _text("who"),
    _batch(),
    sqlite_with_rowid=False,
)

coverage = Table(
    "coverage",
    metadata,
    _source(primary_key=True, autoincrement=False),
    _text("scope", primary_key=True),
    _text("kind", primary_key=True),
    _instant("start_at", primary_key=True),
    _truth("from_rows", primary_key=True, autoincrement=False),
    _instant("end_at", nullable=False),
    _batch(),
    sqlite_with_rowid=False,
)

LEFT_OUT = "left out"
"""The scope of the cursor that holds which records were left out: they are asked for again."""

cursors = Table(
    "cursors",
    metadata,
    _source(primary_key=True, autoincrement=False),
    _text("scope", primary_key=True),
    _text("position", nullable=False),
    sqlite_with_rowid=False,
)

# The lists by which the authors were judged of what was imported, by kind of record.
author_lists = Table(
    "author_lists",
    metadata,
    _source(primary_key=True, autoincrement=False),
    _text("kind", primary_key=True),
    _text("lists", nullable=False),
    sqlite_with_rowid=False,
)

# The moment before which a source's cursors read what is forgotten since.
horizons = Table(
    "horizons",
    metadata,
    _source(primary_key=True, autoincrement=False),
    _instant("before_at", nullable=False),
    sqlite_with_rowid=False,
)

# The last collection of each source, and the last one that succeeded.
collections = Table(
    "collections",
    metadata,
    _source(primary_key=True, autoincrement=False),
    _instant("started_at", nullable=False),
    _instant("finished_at", nullable=False),
    _instant("succeeded_at"),
    _text("error"),
    sqlite_with_rowid=False,
)
