"""Single records by the names people use, and what lineage holds of them."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Table, select

from vpemetrics.lineage.rows import COUNTED, Kind
from vpemetrics.records import Change, Commit, Deployment, Incident
from vpemetrics.store import derived as d
from vpemetrics.store import tables as t
from vpemetrics.store.interning import matching

View = Connection
"""The connection that `Store.view` gives: one moment of the store."""

SHORTEST_SHA = 7
_NEARBY = 2_000
_BY_KEY = {Deployment.KIND: t.deployments, Change.KIND: t.changes, Incident.KIND: t.incidents}


class Match(NamedTuple):
    """A record that a name may mean: its kind, the store's id (of a commit its sha's), its name."""

    kind: str
    id: int
    name: str
    source: str


def find(connection: View, name: str) -> list[Match]:
    """The records a name may mean.

    An id of a deployment, pull request or incident; `#123` or `owner/repository#123`;
    a sha of at least seven characters, abbreviated or whole.
    """
    found = [match for kind in _BY_KEY for match in _by_key(connection, kind, name)]
    return found or _by_number(connection, name) or _by_sha(connection, name)


def _by_key(connection: View, kind: str, key: str) -> list[Match]:
    table = _BY_KEY[kind]
    # Of every source there may be, as the index of keys begins with the source.
    any_source = table.c.source_id.in_(select(t.names.c.id))
    return _matches(connection, kind, _select_keys(table).where(any_source, table.c.key == key))


def _select_keys(table: Table) -> Select[Any]:
    query = select(table.c.id, table.c.key, t.names.c.name)
    return query.join(t.names, t.names.c.id == table.c.source_id).order_by(table.c.id)


def _matches(connection: View, kind: str, query: Select[Any]) -> list[Match]:
    return [Match(kind, *row) for row in connection.execute(query)]


def _by_number(connection: View, name: str) -> list[Match]:
    repository, mark, number = name.rpartition("#")
    if not mark or not number.isdecimal():
        return []
    query = _select_keys(t.changes).where(t.changes.c.number == int(number))
    if repository:
        ids = select(t.names.c.id).where(t.names.c.name == repository)
        query = query.where(t.changes.c.repository_id.in_(ids))
    return _matches(connection, Change.KIND, query)


def _by_sha(connection: View, name: str) -> list[Match]:
    sha = name.lower()
    if not is_sha(sha):
        return []
    query = (
        select(t.shas.c.id, t.shas.c.sha)
        .where(t.shas.c.sha >= sha, t.shas.c.sha < sha + "g")
        .order_by(t.shas.c.sha)
        .limit(20)
    )
    return [Match(Commit.KIND, id_, found, "") for id_, found in connection.execute(query)]


def is_sha(text: str) -> bool:
    """Tell whether a text can be a sha, or the first seven or more characters of one."""
    return len(text) >= SHORTEST_SHA and not set(text.lower()) - set("0123456789abcdef")


def find_similar(connection: View, name: str) -> list[str]:
    """Names of records that begin as a name does, for the one that was meant to be among them."""
    stem = name[: max(3, len(name) // 2)]
    found: list[str] = []
    for table in _BY_KEY.values():
        key = table.c.key
        query = select(key).where(key.istartswith(stem, autoescape=True)).limit(_NEARBY)
        found += connection.scalars(query)
    return found


class NamedRecord(NamedTuple):
    """A record as it is called, and where to read on; `commit` is the sha a deployment brought."""

    kind: str
    name: str
    url: str | None
    commit: str | None = None


def deployments(connection: View, ids: Collection[int]) -> dict[int, NamedRecord]:
    """Names of deployments, by their ids, which are those of the records that completed them."""
    plain = _plain(ids)
    shas = _texts(connection, t.deployments, "sha_id", plain)
    named = _texts(connection, t.shas, "sha", filter(None, shas.values()))
    keys = _texts(connection, t.deployments, "key", plain)
    urls = _texts(connection, t.deployments, "url", plain)
    return {
        id_: NamedRecord(Deployment.KIND, keys[id_], urls[id_], named.get(shas[id_]))
        for id_ in plain
    }


def items(connection: View, ids: Collection[int]) -> dict[int, NamedRecord]:
    """Names of changes: pull requests, and direct commits under minus the id of their sha."""
    plain = _plain(ids)
    changes = [id_ for id_ in plain if id_ > 0]
    keys = _texts(connection, t.changes, "key", changes)
    urls = _texts(connection, t.changes, "url", changes)
    shas = _texts(connection, t.shas, "sha", [-id_ for id_ in plain if id_ < 0])
    return {id_: NamedRecord(Change.KIND, keys[id_], urls[id_]) for id_ in changes} | {
        -id_: NamedRecord(Commit.KIND, sha, None) for id_, sha in shas.items()
    }


def _plain(ids: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(map(int, ids)))


def _texts(connection: View, table: Table, column: str, ids: Iterable[int]) -> dict[int, Any]:
    return matching(connection, wanted=table.c[column], given=table.c.id, values=_plain(ids))


def deployment_of(connection: View, record: int) -> Any | None:
    """The deployment that lineage made of a record: a row of `deployed`, None if it made none."""
    query = select(d.deployed).join(
        d.deployed_parts, d.deployed_parts.c.deployed_id == d.deployed.c.id
    )
    return connection.execute(query.where(d.deployed_parts.c.record_id == record)).first()


def records_with(connection: View, record: int) -> list[int]:
    """The records that are one deployment with a record, itself among them."""
    parts = d.deployed_parts.c
    whole = select(parts.deployed_id).where(parts.record_id == record)
    return list(connection.scalars(select(parts.record_id).where(parts.deployed_id.in_(whole))))


def shipments_in(connection: View, deployed: int) -> list[Any]:
    """The changes that a deployment was the first to ship: rows of `shipped`."""
    query = select(d.shipped).where(d.shipped.c.deployed_id == deployed)
    first = d.shipped.c.start_at.nulls_first()
    return list(connection.execute(query.order_by(first, d.shipped.c.item)))


def shipments_of(connection: View, item: int) -> list[Any]:
    """The deployments that first shipped a change: rows of `shipped`, one a service."""
    query = select(d.shipped).where(d.shipped.c.item == item)
    return list(connection.execute(query.order_by(d.shipped.c.finished_at)))


def waits_of(connection: View, change: int) -> list[Any]:
    """Services that have not shipped a pull request: rows of `waiting`."""
    return list(connection.execute(select(d.waiting).where(d.waiting.c.change_id == change)))


def deployments_between(connection: View, service: int, start: int, end: int) -> list[Any]:
    """Deployments of a service that finished from one moment to just before another."""
    finished = d.deployed.c.finished_at
    query = select(d.deployed).where(
        d.deployed.c.service_id == service,
        d.deployed.c.kind != Kind.ATTEMPT,
        finished >= start,
        finished < end,
    )
    return list(connection.execute(query.order_by(finished, d.deployed.c.ordinal)))


def last_deployment(connection: View, services: Collection[int], before: int) -> Any | None:
    """The last deployment of some services that counts and finished before a moment."""
    finished = d.deployed.c.finished_at
    query = select(d.deployed).where(
        d.deployed.c.service_id.in_(services), d.deployed.c.kind.in_(COUNTED), finished < before
    )
    return connection.execute(query.order_by(finished.desc(), d.deployed.c.ordinal.desc())).first()


def evidence_about(
    connection: View, *, deployed: int | None = None, incident: int | None = None
) -> list[Any]:
    """All evidence about a deployment or an incident, that which counts first: rows of `evidence`.

    Each with the incident's name (`incident`).
    """
    if deployed is None:
        return _evidence(connection, d.evidence.c.incident_id == incident)
    return _evidence(connection, d.evidence.c.deployed_id == deployed)


def evidence_mended_by(connection: View, deployed: int) -> list[Any]:
    """Evidence of the failures that a deployment mended, as `evidence_about` gives it."""
    return _evidence(connection, d.evidence.c.restored_by == deployed)


def _evidence(connection: View, condition: ColumnElement[bool]) -> list[Any]:
    query = select(d.evidence, t.incidents.c.key.label("incident")).outerjoin(
        t.incidents, t.incidents.c.id == d.evidence.c.incident_id
    )
    e = d.evidence.c
    ordered = query.where(condition).order_by(e.chosen.desc(), e.grade, e.ordinal)
    return list(connection.execute(ordered))


def commits_of(connection: View, ids: Iterable[int]) -> dict[int, str]:
    """Shas by their ids."""
    return _texts(connection, t.shas, "sha", ids)


def decisions_about(connection: View, record: str) -> list[Any]:
    """The decisions about an incident or deployment, the latest first: rows of `triage`."""
    query = select(t.triage).where(t.triage.c.record == record)
    return list(connection.execute(query.order_by(t.triage.c.at.desc())))
