"""The facts that metrics are computed from, for a stretch of time, as columns.

A report reads the evidence once and hands it to whatever asks for a part of it.
"""

import json
from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from vpemetrics.lineage.rows import COUNTED, Kind
from vpemetrics.store import record_lookup
from vpemetrics.store.columns import Arrays, read_columns
from vpemetrics.store.derived_blocks import (
    Mask,
    Rows,
    among,
    latest_period,
    nothing,
    read,
)
from vpemetrics.store.derived_layouts import LAYOUTS, Part, period_of, start_of
from vpemetrics.window import MISSING, SECOND, Micros

_CONFIRMED: Final = ("A", "B", "C")
_NEVER: Final = 2**62
_COUNTED: Final = LAYOUTS[Part.DEPLOYED].codes("kind", COUNTED)


def evidence(connection: Connection, services: Collection[int] | None = None) -> Arrays:
    """All evidence that counts, of some services or of all.

    Of a deployment by `deployed_id`, which `finished_at`, and was mended by `restored_by` at
    `mended_at`; of an incident by `incident_id`, with its moments.
    """
    return read(connection, Part.EVIDENCE, services=services, keep=lambda rows: rows["chosen"] == 1)


def open_failures(pieces: Arrays) -> Mask:
    """Mark evidence about deployments that an incident which is not over was tied to."""
    tied = (pieces["deployed_id"] != MISSING) & (pieces["incident_id"] != MISSING)
    still_open: Mask = tied & (pieces["restored_at"] == MISSING)
    return still_open


def evidence_about(pieces: Arrays, start: Micros, end: Micros) -> Arrays:
    """Evidence about deployments that finished in a stretch, or before, with a failure open."""
    finished, deployed = pieces["finished_at"], pieces["deployed_id"]
    still_open = among(deployed, np.sort(deployed[open_failures(pieces)]))
    wanted = (finished >= start) | still_open
    return _where(pieces, wanted & (finished < end) & (deployed != MISSING))


def _where(columns: Arrays, wanted: NDArray[Any]) -> Arrays:
    return {name: column[wanted] for name, column in columns.items()}


def _together(*parts: Arrays) -> Arrays:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def deployments(connection: Connection, start: Micros, end: Micros, pieces: Arrays) -> Arrays:
    """Deployments and failed attempts that finished in a stretch, in order.

    Before them the last one of each service that counts, and those with a failure still open.
    """
    before = last_deployments(connection, start)
    is_open = open_failures(pieces) & (pieces["finished_at"] < start)
    ids = np.unique(
        pieces["deployed_id"][is_open & ~among(pieces["deployed_id"], np.sort(before["id"]))]
    )
    found = [before, read(connection, Part.DEPLOYED, start=start, end=end)]
    if len(ids):
        early = pieces["finished_at"][is_open]
        found.append(
            read(
                connection,
                Part.DEPLOYED,
                start=int(early.min()),
                end=int(early.max()) + 1,
                services=np.unique(pieces["service_id"][is_open]).tolist(),
                keep=lambda rows: among(rows["id"], ids),
            )
        )
    return in_order(_together(*found))


def in_order(deployed: Arrays) -> Arrays:
    """Deployments by their finish; of one moment as lineage orders those of a service."""
    return _where(deployed, np.lexsort((deployed["service_id"], deployed["finished_at"])))


def last_deployments(
    connection: Connection, before: Micros, services: Iterable[int] | None = None
) -> Arrays:
    """The last deployment of each service that counts and finished before a moment."""
    if services is None:
        services = connection.exec_driver_sql("SELECT service_id FROM traced").scalars()
    lacking, period = set(services), period_of(before) + 1
    found = [nothing(Part.DEPLOYED)]
    # From one period to the one before it, as long as there is a service without one.
    while (latest := latest_period(connection, Part.DEPLOYED, lacking, period)) is not None:
        period = latest
        until = min(start_of(period + 1), before)
        counted = _counted(connection, start_of(period), until, lacking)
        found.append(
            _where(counted, np.flatnonzero(np.diff(counted["service_id"], append=MISSING)))
        )
        lacking.difference_update(counted["service_id"].tolist())
    return _together(*found)


def _counted(
    connection: Connection, start: Micros, end: Micros, services: Collection[int] | None
) -> Arrays:
    """Deployments that count and finished in a stretch."""
    return read(
        connection,
        Part.DEPLOYED,
        start=start,
        end=end,
        services=services,
        keep=lambda rows: np.isin(rows["kind"], _COUNTED),
    )


def shipments(connection: Connection, start: Micros, end: Micros) -> Arrays:
    """Changes shipped in a stretch, and all shipments of those merged or shipped in it."""
    here = read(connection, Part.SHIPPED, start=start, end=end)
    items = np.unique(here["item"])

    def concerns(rows: Rows) -> Mask:
        merged_at = rows["merged_at"]
        return (merged_at >= start) & (merged_at < end) | among(rows["item"], items)

    later = read(connection, Part.SHIPPED, start=end, keep=concerns)
    early = read(
        connection, Part.EARLY, start=start, end=end, keep=lambda rows: rows["finished_at"] < start
    )
    return _together(here, later, early)


def proposals(connection: Connection, repositories: Collection[int], since: Micros) -> Arrays:
    """Pull requests of repositories that are ready, open or merged or closed since a moment."""
    ids = ", ".join(map(str, sorted(repositories))) or "NULL"
    # Two searches of one index: https://www.sqlite.org/queryplanner.html
    of_them = (
        f"SELECT id AS item, repository_id, author_kind, ready_at, first_review_at, merged_at, "
        f"closed_at FROM changes WHERE repository_id IN ({ids}) AND ready_at IS NOT NULL AND"
    )
    return read_columns(
        connection,
        f"{of_them} merged_at >= {since} UNION ALL {of_them} merged_at IS NULL "
        f"AND (closed_at IS NULL OR closed_at >= {since})",
        text=("author_kind",),
    )


def waiting_changes(connection: Connection, start: Micros, end: Micros) -> Arrays:
    """Pull requests merged in a stretch that a service has not shipped."""
    return read(connection, Part.WAITING, start=start, end=end)


def lags(pieces: Arrays, start: Micros) -> list[float]:
    """Seconds from the finish of each confirmed failure since a moment to its first evidence.

    That is the detection of an incident, or the deployment that mended it. What a person alone
    confirmed has none.
    """
    found = _where(pieces, np.isin(pieces["grade"], _CONFIRMED) & (pieces["finished_at"] >= start))
    found = _where(found, np.argsort(found["deployed_id"], kind="stable"))
    known = [
        np.where(found[at] == MISSING, _NEVER, found[at]) for at in ("mended_at", "noticed_at")
    ]
    evident = np.minimum(*known)
    each = np.flatnonzero(np.diff(found["deployed_id"], prepend=MISSING))
    first = np.minimum.reduceat(evident, each) if len(each) else evident
    lasted = (first - found["finished_at"][each])[first != _NEVER]
    return [max(micros, 0) / SECOND for micros in lasted.tolist()]


def outcomes(
    connection: Connection, start: Micros, end: Micros, services: Collection[int] | None = None
) -> Arrays:
    """The outcome of each deployment that counts and finished in a stretch, in order.

    Flags are `forward`, `unplanned` and `failed`, which is confirmed. Of all services, or of those
    whose names have these ids.
    """
    found = in_order(_counted(connection, start, end, services))
    pieces = evidence(connection, services)
    failed = pieces["deployed_id"][np.isin(pieces["grade"], _CONFIRMED)]
    return {
        "id": found["id"],
        "service_id": found["service_id"],
        "finished_at": found["finished_at"],
        "forward": found["kind"] == Kind.FORWARD,
        "unplanned": np.array([why is not None for why in found["unplanned"].tolist()], dtype=bool),
        "failed": among(found["id"], np.sort(failed)),
    }


def incidents(connection: Connection, start: Micros, end: Micros, pieces: Arrays) -> Arrays:
    """Incidents that began in a stretch, or before it and were not over before its start."""
    began, over = _BEGAN, _OVER
    found = read_columns(
        connection,
        f"SELECT id, key, services, {began} AS began_at, {over} AS restored_at, updated_at, "
        "severity, customer_affecting, external, url, title "
        f"FROM incidents WHERE {began} < {end} "
        f"AND ({over} IS NULL OR {over} >= {start} OR {began} >= {start})",
        text=("key", "services", "url", "title"),
    )
    blaming = pieces["incident_id"][pieces["deployed_id"] != MISSING]
    return {**found, "caused": among(found["id"], np.sort(blaming)).astype(np.int64)}


_BEGAN: Final = "COALESCE(impact_started_at, detected_at)"
_OVER: Final = "COALESCE(mitigated_at, resolved_at)"


class OddIncident(NamedTuple):
    """An incident that no figure can count: why, and the services that it names."""

    reason: str
    key: str
    services: tuple[str, ...]


def odd_incidents(connection: Connection) -> list[OddIncident]:
    """Incidents that ended before they began, or of which nobody says when they did."""
    rows = connection.exec_driver_sql(
        f"SELECT {_BEGAN}, key, services FROM incidents "
        f"WHERE {_BEGAN} IS NULL OR {_OVER} < {_BEGAN} ORDER BY key"
    )
    return [
        OddIncident(
            "no_beginning" if began is None else "ends_before_start",
            key,
            tuple(json.loads(services or "[]")),
        )
        for began, key, services in rows
    ]


class Failed(NamedTuple):
    """The part of a failure's row that is no time."""

    deployment: str
    commit: str | None
    url: str | None
    evidence: tuple[str, ...]
    incidents: tuple[str, ...]


def failures_of(connection: Connection, ids: Collection[int]) -> dict[int, Failed]:
    """Names, links and evidence of failed deployments, by the id of the deployment."""
    pieces = evidence(connection)
    pieces = _where(pieces, among(pieces["deployed_id"], np.sort(list(ids))))
    pieces = _where(pieces, np.lexsort((pieces["grade"], pieces["deployed_id"])))
    keys = record_lookup.incident_keys(connection, pieces["incident_id"].tolist())
    named = record_lookup.deployments(connection, pieces["deployed_id"].tolist())
    found = {id_: Failed(one.name, one.commit, one.url, (), ()) for id_, one in named.items()}
    for id_, detail, incident in zip(
        *(pieces[name].tolist() for name in ("deployed_id", "detail", "incident_id")), strict=True
    ):
        before = found[id_]
        incidents = {*before.incidents, *([keys[incident]] if incident in keys else ())}
        details = dict.fromkeys((*before.evidence, detail))
        found[id_] = before._replace(evidence=tuple(details), incidents=tuple(sorted(incidents)))
    return found


def unresolved_causes(connection: Connection, services: Collection[int] | None = None) -> list[str]:
    """Incidents, of some services or of all, that name a cause which none has shipped, by key."""
    pieces = evidence(connection)
    lacking = pieces["what"] == "named_not_shipped"
    if services is not None:
        lacking &= among(pieces["service_id"], np.sort(list(services)))
    shipped = pieces["incident_id"][pieces["deployed_id"] != MISSING]
    ids = pieces["incident_id"][lacking & ~among(pieces["incident_id"], np.sort(shipped))]
    return sorted(set(record_lookup.incident_keys(connection, ids.tolist()).values()))
