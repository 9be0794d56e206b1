"""The facts that metrics are computed from, read by index for a stretch of time, as columns."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection

from vpemetrics.store.columns import Arrays, read_columns, read_many
from vpemetrics.window import MISSING, SECOND, Micros

_COUNTED = "('forward', 'redeploy', 'rollback', 'stale')"
_CONFIRMED = "('A', 'B', 'C')"
_NEVER = 2**62
# Deployments that an incident which is not over was tied to.
_BLAMED_STILL = (
    "SELECT e.deployed_id FROM incidents i JOIN evidence e ON e.incident_id = i.id "
    "WHERE e.chosen = 1 AND e.deployed_id IS NOT NULL "
    "AND i.mitigated_at IS NULL AND i.resolved_at IS NULL"
)


def deployments(connection: Connection, start: Micros, end: Micros) -> Arrays:
    """Deployments and failed attempts that finished in a stretch, in order.

    Before them the last one of each service that counts, and those with a failure still open.
    """
    before = (
        "SELECT (SELECT d.id FROM deployed d WHERE d.service_id = t.service_id "
        f"AND d.finished_at < {start} AND d.kind IN {_COUNTED} "
        "ORDER BY d.finished_at DESC, d.ordinal DESC LIMIT 1) FROM traced t"
    )
    found = read_many(
        connection,
        "SELECT id, service_id, ordinal, kind, started_at, finished_at, first, rolled_back, ships, "
        f"unplanned FROM deployed WHERE {_between('finished_at', start, end)} OR "
        f"(finished_at < {start} AND id IN ({before} UNION {_BLAMED_STILL}))",
        text=("kind", "unplanned"),
    )
    return _in_order(found)


def _in_order(deployed: Arrays) -> Arrays:
    """Deployments by their finish; of one moment as lineage orders those of a service."""
    ordinal = deployed.pop("ordinal")
    order = np.lexsort((ordinal, deployed["service_id"], deployed["finished_at"]))
    return {name: column[order] for name, column in deployed.items()}


def shipments(connection: Connection, start: Micros, end: Micros) -> Arrays:
    """Changes shipped in a stretch, and all shipments of those merged or shipped in it."""
    here = _between("s.finished_at", start, end)
    parts = [_shipped_rows(connection, here)]
    early = _between("s.merged_at", start, end)
    parts.append(
        _shipped_rows(
            connection, f"s.merged_at > s.finished_at AND {early} AND s.finished_at < {start}"
        )
    )
    newest = connection.exec_driver_sql("SELECT MAX(finished_at) FROM shipped").scalar()
    if newest is not None and newest >= end:
        items = f"SELECT item FROM shipped s WHERE {here}"
        later = f"s.finished_at >= {end} AND ({early} OR s.item IN ({items}))"
        parts.append(_shipped_rows(connection, later))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _shipped_rows(connection: Connection, wanted: str) -> Arrays:
    return read_many(
        connection,
        "SELECT s.service_id, s.deployed_id, s.item, s.finished_at, s.start_at, s.more_starts, "
        "s.first_at, s.at_merge, s.reason, c.ready_at, c.first_review_at, s.merged_at, "
        "c.additions + c.deletions AS lines, c.author FROM shipped s "
        f"LEFT JOIN changes c ON c.id = s.item WHERE {wanted}",
        text=("more_starts", "reason", "author"),
    )


def waiting_changes(connection: Connection, start: Micros, end: Micros) -> Arrays:
    """Pull requests merged in a stretch that a service has not shipped."""
    return read_columns(
        connection,
        "SELECT w.service_id, w.change_id AS item, c.merged_at, w.reason "
        "FROM waiting w JOIN changes c ON c.id = w.change_id "
        f"WHERE {_between('c.merged_at', start, end)}",
        text=("reason",),
    )


def evidence(connection: Connection, start: Micros, end: Micros) -> Arrays:
    """Evidence that counts about deployments that finished in a stretch."""
    return read_columns(
        connection,
        "SELECT e.deployed_id, e.grade, e.what, e.detail, e.incident_id, "
        "COALESCE(i.impact_started_at, i.detected_at) AS began_at, "
        "COALESCE(i.mitigated_at, i.resolved_at) AS restored_at, r.finished_at AS mended_at "
        "FROM evidence e JOIN deployed d ON d.id = e.deployed_id "
        "LEFT JOIN deployed r ON r.id = e.restored_by "
        "LEFT JOIN incidents i ON i.id = e.incident_id "
        f"WHERE e.chosen = 1 AND ({_between('d.finished_at', start, end)} "
        f"OR (d.finished_at < {start} AND d.id IN ({_BLAMED_STILL}))) "
        "ORDER BY e.deployed_id, e.ordinal",
        text=("grade", "what", "detail"),
    )


def lags(connection: Connection, start: Micros) -> list[float]:
    """Seconds from the finish of each confirmed failure since a moment to its first evidence.

    That is the detection of an incident, or the deployment that mended it. What a person alone
    confirmed has none.
    """
    found = read_columns(
        connection,
        "SELECT d.id, d.finished_at, r.finished_at AS mended_at, "
        "COALESCE(i.detected_at, i.impact_started_at) AS detected_at "
        "FROM evidence e JOIN deployed d ON d.id = e.deployed_id "
        "LEFT JOIN deployed r ON r.id = e.restored_by "
        "LEFT JOIN incidents i ON i.id = e.incident_id "
        f"WHERE e.chosen = 1 AND e.grade IN {_CONFIRMED} AND d.finished_at >= {start} "
        "ORDER BY d.id",
    )
    known = [
        np.where(found[at] == MISSING, _NEVER, found[at]) for at in ("mended_at", "detected_at")
    ]
    evident = np.minimum(*known)
    each = np.flatnonzero(np.diff(found["id"], prepend=MISSING))
    first = np.minimum.reduceat(evident, each) if len(each) else evident
    lasted = (first - found["finished_at"][each])[first != _NEVER]
    return [max(micros, 0) / SECOND for micros in lasted.tolist()]


def outcomes(
    connection: Connection, start: Micros, end: Micros, services: Iterable[int] | None = None
) -> Arrays:
    """The outcome of each deployment that counts and finished in a stretch, in order.

    `forward`, `unplanned` and `failed`, which is confirmed, are 1 or 0. Of all services, or of
    those whose names have these ids.
    """
    here = _between("d.finished_at", start, end)
    if services is not None:
        here += f" AND d.service_id IN ({', '.join(map(str, services)) or 'NULL'})"
    found = read_many(
        connection,
        "SELECT d.id, d.service_id, d.ordinal, d.finished_at "
        f"FROM deployed d WHERE {here} AND d.kind IN {_COUNTED}",
    )
    few = {  # what is seldom so is quicker looked up than read of each
        "forward": f"SELECT d.id FROM deployed d WHERE {here} AND d.kind <> 'forward'",
        "unplanned": f"SELECT d.id FROM deployed d WHERE {here} AND d.unplanned IS NOT NULL",
        "failed": "SELECT DISTINCT d.id FROM evidence e JOIN deployed d ON d.id = e.deployed_id "
        f"WHERE e.chosen = 1 AND e.grade IN {_CONFIRMED} AND {here}",
    }
    for name, wanted in few.items():
        ids = read_columns(connection, wanted)["id"]
        found[name] = np.isin(found["id"], ids, invert=name == "forward").astype(np.int64)
    return _in_order(found)


def incidents(connection: Connection, start: Micros, end: Micros) -> Arrays:
    """Incidents that began before the end of a stretch and were not over before its start."""
    began, over = "COALESCE(impact_started_at, detected_at)", "COALESCE(mitigated_at, resolved_at)"
    return read_columns(
        connection,
        f"SELECT id, key, services, {began} AS began_at, {over} AS restored_at, updated_at, "
        "severity, customer_affecting, external, url, title, EXISTS (SELECT 1 FROM evidence e "
        "WHERE e.incident_id = incidents.id AND e.chosen = 1 AND e.deployed_id IS NOT NULL) "
        f"AS caused FROM incidents WHERE {began} < {end} AND ({over} IS NULL OR {over} >= {start})",
        text=("key", "services", "url", "title"),
    )


def _between(column: str, start: Micros, end: Micros) -> str:
    return f"{column} >= {start} AND {column} < {end}"


class Failed(NamedTuple):
    """The part of a failure's row that is no time."""

    deployment: str
    commit: str | None
    url: str | None
    evidence: tuple[str, ...]
    incidents: tuple[str, ...]


def failures_of(connection: Connection, ids: Iterable[int]) -> dict[int, Failed]:
    """Names, links and evidence of failed deployments, by the id of the deployment."""
    wanted = ", ".join(map(str, ids)) or "NULL"
    rows = connection.exec_driver_sql(
        "SELECT d.id, r.key, s.sha, r.url, e.detail, i.key FROM deployed d "
        "JOIN deployments r ON r.id = d.id LEFT JOIN shas s ON s.id = d.sha_id "
        "JOIN evidence e ON e.deployed_id = d.id AND e.chosen = 1 "
        f"LEFT JOIN incidents i ON i.id = e.incident_id WHERE d.id IN ({wanted}) "
        "ORDER BY d.id, e.grade, e.ordinal"
    )
    found: dict[int, Failed] = {}
    for id_, key, sha, url, detail, incident in rows:
        before = found.get(id_) or Failed(key, sha, url, (), ())
        incidents = {*before.incidents, incident} - {None}
        details = dict.fromkeys((*before.evidence, detail))
        found[id_] = before._replace(evidence=tuple(details), incidents=tuple(sorted(incidents)))
    return found


def unresolved_causes(connection: Connection, services: Collection[int] | None = None) -> list[str]:
    """Incidents, of some services or of all, that name a cause which none has shipped, by key."""
    wanted = ", ".join(map(str, services or ())) or "NULL"
    of = "" if services is None else f"AND e.service_id IN ({wanted}) "
    found = connection.exec_driver_sql(
        "SELECT DISTINCT i.key FROM evidence e JOIN incidents i ON i.id = e.incident_id "
        f"WHERE e.what = 'named_not_shipped' AND e.chosen = 1 {of}AND NOT EXISTS "
        "(SELECT 1 FROM evidence o WHERE o.incident_id = i.id AND o.chosen = 1 "
        "AND o.deployed_id IS NOT NULL) ORDER BY i.key"
    )
    return [key for (key,) in found]
