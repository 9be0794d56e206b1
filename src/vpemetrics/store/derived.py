"""The tables lineage fills, and the passage of its results into them.

They can be made anew from the facts at any time; nothing here is a fact.
An `item` is a change under one integer: a pull request's id, or minus a direct commit's sha id.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from vpemetrics.lineage.rows import NONE, Lineage, Marks, Revert
from vpemetrics.store.bulk import insert_rows
from vpemetrics.store.interning import Interned
from vpemetrics.store.tables import Id, Words, meta, metadata, names
from vpemetrics.window import MISSING, Micros

# Times are plain integers here: lineage counts in microseconds already.
_Time = Id

traced = Table(
    "traced",
    metadata,
    Column("service_id", Id, primary_key=True, autoincrement=False),
    Column("fingerprint", Words, nullable=False),
    Column("attribution", Words, nullable=False),
    Column("repositories", Words, nullable=False),
    Column("problems", Words, nullable=False),
    Column("marks", Words, nullable=False),
)

deployed = Table(
    "deployed",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("service_id", Id, nullable=False),
    Column("record_id", Id, nullable=False),
    Column("kind", Words, nullable=False),
    Column("started_at", _Time),
    Column("finished_at", _Time, nullable=False),
    Column("sha_id", Id),
    Column("rolled_back", SmallInteger, nullable=False),
    Column("first", SmallInteger, nullable=False),
    Column("ships", SmallInteger, nullable=False),
    Column("unplanned", Words),
    Column("removed_id", Id),
    Column("reached", LargeBinary),
    Index("ix_deployed_service_id_finished_at", "service_id", "finished_at"),
    # With what weeks are counted by, so that counting them reads nothing else.
    Index("ix_deployed_finished_at", "finished_at", "service_id", "kind", "unplanned"),
)

deployed_parts = Table(
    "deployed_parts",
    metadata,
    Column("record_id", Id, primary_key=True, autoincrement=False),
    Column("deployed_id", Id, nullable=False, index=True),
    Column("service_id", Id, nullable=False, index=True),
)

shipped = Table(
    "shipped",
    metadata,
    Column("service_id", Id, nullable=False, index=True),
    Column("deployed_id", Id, nullable=False, index=True),
    Column("item", Id, nullable=False, index=True),
    Column("finished_at", _Time, nullable=False, index=True),
    Column("start_at", _Time),
    Column("more_starts", Words),
    Column("merged_at", _Time),
    Column("first_at", _Time),
    Column("at_merge", SmallInteger, nullable=False),
    Column("reason", Words),
    # The few that were deployed from their branch, before they were merged.
    Index(
        "ix_shipped_before_merge",
        "merged_at",
        sqlite_where=text("merged_at > finished_at"),  # PostgreSQL's would cost 40 ms to import
    ),
)

waiting = Table(
    "waiting",
    metadata,
    Column("service_id", Id, nullable=False, index=True),
    Column("change_id", Id, nullable=False, index=True),
    Column("reason", Words),
)

evidence = Table(
    "evidence",
    metadata,
    Column("service_id", Id, nullable=False, index=True),
    Column("deployed_id", Id, index=True),
    Column("incident_id", Id, index=True),
    Column("grade", Words, nullable=False),
    Column("what", Words, nullable=False),
    Column("detail", Words, nullable=False),
    Column("restored_by", Id),
    Column("chosen", SmallInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
)

ARRAYS: Final = {
    "ids": "<i4",
    "first": "<i4",
    "second": "<i4",
    "authored_at": "<i8",
    "committed_at": "<i8",
    "is_bot": "<i1",
    "reverting": "<i4",
    "reverted": "<i4",
    "picking": "<i4",
    "picked": "<i4",
    "owned": "<i4",
    "owners": "<i4",
    "merged": "<i4",
    "undecided": "<i4",
    "listed": "<i4",
    "listing": "<i4",
}
"""The columns of a history, and how their integers are written.

Of its commits; those that revert or pick others, and which; those that belong to pull requests,
and to which; the pull requests that were merged; commits that are nobody's yet; pull requests
of which later ones list commits, and which.
"""

# What lineage goes on from when there is more of a history; see `resuming`.
histories = Table(
    "histories",
    metadata,
    Column("repositories", Words, primary_key=True),
    *(Column(name, LargeBinary, nullable=False) for name in ARRAYS),
    Column("others", Words, nullable=False),
)

TABLES = (traced, deployed, deployed_parts, shipped, waiting, evidence)


class Traced(NamedTuple):
    """Notes on a service's last tracing."""

    fingerprint: str
    attribution: str
    repositories: tuple[str, ...]
    problems: dict[str, list[str]]


def load_traced(connection: Connection) -> dict[int, Traced]:
    """Load the notes on what was traced, by the id of the service's name."""
    rows = connection.execute(
        select(
            traced.c.service_id,
            traced.c.fingerprint,
            traced.c.attribution,
            traced.c.repositories,
            traced.c.problems,
        )
    )
    return {
        row[0]: Traced(row[1], row[2], tuple(json.loads(row[3])), json.loads(row[4]))
        for row in rows
    }


def forget(connection: Connection, services: Collection[int] | None = None) -> None:
    """Remove what was derived for services; for all of them if none are named."""
    if services is None:
        connection.execute(delete(histories))
    for table in TABLES:
        if services is None:
            connection.execute(delete(table))
            continue
        for service in services:
            connection.execute(delete(table).where(table.c.service_id == service))


def name_ids(connection: Connection, wanted: Iterable[str]) -> dict[str, int]:
    """The ids of names of services, given to those that have none yet."""
    interned, listed = Interned(connection, names, spell=str), list(wanted)
    interned.learn(listed)
    return {name: interned.ids[name] for name in listed}


def load_mark(connection: Connection) -> tuple[int, str]:
    """The last save that lineage has seen, and the digest of the rules it went by."""
    rows = connection.execute(select(meta.c.key, meta.c.value).where(meta.c.key.in_(_MARKS)))
    found = {key: value for key, value in rows}  # noqa: C416 (rows are no pairs to mypy)
    return int(found.get(_MARKS[0], 0)), found.get(_MARKS[1], "")


def save_mark(connection: Connection, batch: int, rules: str) -> None:
    """Remember what lineage has seen."""
    forget_mark(connection)
    values = zip(_MARKS, (str(batch), rules), strict=True)
    connection.execute(insert(meta), [{"key": key, "value": value} for key, value in values])


def forget_mark(connection: Connection) -> None:
    """Have everything traced anew."""
    connection.execute(delete(meta).where(meta.c.key.in_(_MARKS)))


_MARKS = ("lineage_batch", "lineage_rules")


def save_lineage(
    connection: Connection,
    service: int,
    fingerprint: str,
    repositories: Iterable[str],
    lineage: Lineage,
    settled: Sequence[int] = (),
) -> None:
    """Save what came of tracing a service, given by the id of its name; what it replaces is gone.

    `settled` are the ids of deployments that stay and that lineage goes on from.
    """
    base = (connection.execute(select(func.max(deployed.c.id))).scalar() or 0) + 1
    ids = [*settled, *range(base, base + len(lineage.deployed))]
    rows: dict[Table, list[tuple[Any, ...]]] = {
        traced: [
            (
                service,
                fingerprint,
                lineage.attribution,
                json.dumps(sorted(repositories)),
                json.dumps(lineage.problems),
                _written(lineage.marks),
            )
        ],
        deployed: list(_deployed(service, base, lineage)),
        deployed_parts: [
            (part, base + at, service)
            for at, one in enumerate(lineage.deployed)
            for part in one.parts
        ],
        shipped: [
            (
                service,
                ids[one.deployment],
                one.change if one.change != NONE else -one.commit,
                lineage.deployed[one.deployment - len(settled)].finished_at,
                one.starts[0] if one.starts else None,
                " ".join(map(str, one.starts[1:])) or None,
                _time(one.merged_at),
                _time(one.first_at),
                int(one.at_merge),
                one.reason,
            )
            for one in lineage.shipped
        ],
        waiting: [(service, one.change, one.reason) for one in lineage.waiting],
        evidence: [
            (
                service,
                None if one.deployment == NONE else ids[one.deployment],
                _id(one.incident),
                one.grade,
                one.what,
                one.detail,
                None if one.restored_by == NONE else ids[one.restored_by],
                int(one.chosen),
                ordinal,
            )
            for ordinal, one in enumerate(lineage.evidence)
        ],
    }
    for table, values in rows.items():
        insert_rows(connection, table, values)
    for at, one in lineage.amended.items():
        same = deployed.c.id == settled[at]
        connection.execute(update(deployed).where(same).values(unplanned=one.unplanned))


def _deployed(service: int, base: int, lineage: Lineage) -> Iterable[tuple[Any, ...]]:
    from vpemetrics.store.arrays import pack

    reached = pack(lineage.reached)
    for at, one in enumerate(lineage.deployed):
        yield (
            base + at,
            service,
            one.id,
            one.kind.value,
            _time(one.started_at),
            one.finished_at,
            _id(one.commit),
            int(one.rolled_back),
            int(one.first),
            int(one.ships),
            one.unplanned,
            _id(one.removed),
            reached[at] if at < len(reached) else None,
        )


def _written(marks: Marks) -> str:
    reverts = [(*pair, *one) for pair, one in sorted(marks.reverts.items())]
    return json.dumps([reverts, marks.closers, sorted(marks.hotfixes)], separators=(",", ":"))


def read_marks(text: str) -> Marks:
    """The marks of a service's deployments, as they were saved."""
    reverts, closers, hotfixes = json.loads(text)
    return Marks(
        reverts={(by, of): Revert(*one) for by, of, *one in reverts},
        closers=closers,
        hotfixes=frozenset(hotfixes),
    )


def forget_after(connection: Connection, service: int, dropped: Iterable[int]) -> None:
    """Remove what lineage comes to anew when it goes on: some deployments, and what else moves."""
    for table in (traced, waiting, evidence):
        connection.execute(delete(table).where(table.c.service_id == service))
    gone = [(id_,) for id_ in dropped]
    if not gone:
        return
    for column in (deployed.c.id, deployed_parts.c.deployed_id, shipped.c.deployed_id):
        statement = delete(column.table).where(column == bindparam("id"))
        compiled = str(statement.compile(dialect=connection.dialect))
        connection.exec_driver_sql(compiled, gone)


def _time(at: Micros) -> int | None:
    return None if at == MISSING else at


def _id(number: int) -> int | None:
    return None if number < 0 else number
