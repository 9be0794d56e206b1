"""Records that wait for a person's decision: suspected failures, and incidents without a cause."""

from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from sqlalchemy import Connection

from vpemetrics.store import record_lookup
from vpemetrics.store.derived_blocks import read
from vpemetrics.store.derived_layouts import Part
from vpemetrics.store.interning import matching
from vpemetrics.store.loading import load_names
from vpemetrics.store.tables import incidents
from vpemetrics.window import Micros


class Undecided(NamedTuple):
    """A record to decide on: an incident, or a deployment that is suspected without one.

    `grade` is D where `deployment` is suspected, E where no cause is known, and None where
    the incident names no service of ours; `at` is when it began or was deployed.
    """

    record: str
    grade: str | None
    what: str | None
    detail: str | None
    service: str | None
    deployment: str | None
    at: Micros | None
    title: str | None
    url: str | None


_SURE: Final = ("A", "B", "C")
_SETTLED: Final = ("external", "rejected")
_UNTIED: Final = """
SELECT id, key, title, url, COALESCE(impact_started_at, detected_at) FROM incidents
WHERE COALESCE(external, 0) = 0 AND key NOT IN (SELECT record FROM triage)
"""


def find_undecided(connection: Connection) -> list[Undecided]:
    """Find what waits for a decision, latest first, as lineage last saw it; each record once.

    A record suspected in one service and without a cause in another is listed as suspected.
    """
    first: dict[str, Undecided] = {}
    for one in sorted((*_suspected(connection), *_untied(connection)), key=_order):
        known = first.get(one.record)
        if known is None or (one.grade or "F") < (known.grade or "F"):
            first[one.record] = one
    return list(first.values())


def _order(one: Undecided) -> tuple[bool, Micros, str, str]:
    return one.at is None, -(one.at or 0), one.grade or "", one.record


def _suspected(connection: Connection) -> Iterator[Undecided]:
    """Suspicions, and incidents without a cause, that are not settled elsewhere.

    Settled is an incident or deployment that has a confirmed failure, or of which a person spoke.
    """
    pieces = record_lookup.evidence_that_counts(connection)
    sure = [piece for piece in pieces if piece.grade in _SURE]
    settled = {piece.incident_id for piece in pieces if piece.what in _SETTLED}
    settled |= {piece.incident_id for piece in sure}
    deployments = {piece.deployed_id for piece in sure}
    found = [
        piece
        for piece in pieces
        if piece.grade not in _SURE
        and (piece.incident_id is None or piece.incident_id not in settled)
        and (piece.deployed_id is None or piece.deployed_id not in deployments)
    ]
    told = _incidents(connection, {piece.incident_id for piece in found})
    blamed = {piece.deployed_id for piece in found} - {None}
    named = record_lookup.deployments(connection, blamed)
    names = load_names(connection)
    for piece in found:
        key, title, link = told.get(piece.incident_id, (None, None, None))
        deployment = named.get(piece.deployed_id)
        yield Undecided(
            record=key or (deployment.name if deployment else ""),
            grade=piece.grade,
            what=piece.what,
            detail=piece.detail,
            service=names[piece.service_id],
            deployment=deployment.name if deployment else None,
            at=piece.finished_at if piece.began_at is None else piece.began_at,
            title=title,
            url=link or (deployment.url if deployment else None),
        )


def _incidents(
    connection: Connection, ids: Collection[int | None]
) -> dict[int, tuple[str, str | None, str | None]]:
    """Keys, titles and links of incidents."""
    wanted = [id_ for id_ in ids if id_ is not None]
    keys, titles, links = (
        matching(connection, wanted=column, given=incidents.c.id, values=wanted)
        for column in (incidents.c.key, incidents.c.title, incidents.c.url)
    )
    return {id_: (key, titles[id_], links[id_]) for id_, key in keys.items()}


def _untied(connection: Connection) -> Iterator[Undecided]:
    """Incidents that no service of ours has anything to do with."""
    tied = set(read(connection, Part.EVIDENCE)["incident_id"].tolist())
    for id_, key, title, url, at in connection.exec_driver_sql(_UNTIED):
        if id_ not in tied:
            yield Undecided(key, None, None, None, None, None, at, title, url)


def suspects_anything(connection: Connection, incident: int) -> bool:
    """Tell whether some deployment is held to have caused an incident, surely or not."""
    pieces = record_lookup.evidence_about(connection, incident=incident)
    return any(piece.deployed_id is not None for piece in pieces)


def reaches_production(connection: Connection, deployment: int) -> bool:
    """Tell whether a deployment record is part of a deployment to production."""
    return record_lookup.deployment_of(connection, deployment) is not None


def deployed_at(connection: Connection, deployment: int) -> Micros | None:
    """The moment at which what a deployment record is part of reached production."""
    whole = record_lookup.deployment_of(connection, deployment)
    return None if whole is None else int(whole.finished_at)
