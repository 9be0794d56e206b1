"""Records that wait for a person's decision: suspected failures, and incidents without a cause."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from vpemetrics.store.derived import deployed_parts, evidence
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


# Settled elsewhere: the incident or deployment has a confirmed failure, or a person has spoken.
_SETTLED_INCIDENT = (
    "SELECT incident_id FROM evidence WHERE chosen = 1 AND incident_id IS NOT NULL "
    "AND (grade <= 'C' OR what IN ('external', 'rejected'))"
)
_SETTLED_DEPLOYMENT = (
    "SELECT deployed_id FROM evidence WHERE chosen = 1 AND deployed_id IS NOT NULL AND grade <= 'C'"
)
_UNDECIDED = f"""
SELECT COALESCE(i.key, r.key), e.grade, e.what, e.detail, n.name, r.key,
    COALESCE(i.impact_started_at, i.detected_at, d.finished_at) AS at, i.title,
    COALESCE(i.url, r.url)
FROM evidence e
JOIN names n ON n.id = e.service_id
LEFT JOIN deployed d ON d.id = e.deployed_id
LEFT JOIN deployments r ON r.id = d.id
LEFT JOIN incidents i ON i.id = e.incident_id
WHERE e.chosen = 1 AND e.grade >= 'D'
    AND (e.incident_id IS NULL OR e.incident_id NOT IN ({_SETTLED_INCIDENT}))
    AND (e.deployed_id IS NULL OR e.deployed_id NOT IN ({_SETTLED_DEPLOYMENT}))
UNION ALL
SELECT i.key, NULL, NULL, NULL, NULL, NULL, COALESCE(i.impact_started_at, i.detected_at) AS at,
    i.title, i.url
FROM incidents i
WHERE i.id NOT IN (SELECT incident_id FROM evidence WHERE incident_id IS NOT NULL)
    AND COALESCE(i.external, 0) = 0
    AND i.key NOT IN (SELECT record FROM triage)
ORDER BY 7 DESC NULLS LAST, 2 NULLS FIRST, 1
"""  # noqa: S608 (nothing but the two texts above enters it)


def find_undecided(connection: Connection) -> list[Undecided]:
    """Find what waits for a decision, latest first, as lineage last saw it; each record once.

    A record suspected in one service and without a cause in another is listed as suspected.
    """
    first: dict[str, Undecided] = {}
    for row in connection.exec_driver_sql(_UNDECIDED):
        one = Undecided(*row)
        known = first.get(one.record)
        if known is None or (one.grade or "F") < (known.grade or "F"):
            first[one.record] = one
    return list(first.values())


def suspects_anything(connection: Connection, incident: int) -> bool:
    """Tell whether some deployment is held to have caused an incident, surely or not."""
    found = select(evidence.c.grade).where(
        evidence.c.incident_id == incident, evidence.c.deployed_id.is_not(None)
    )
    return connection.execute(found).first() is not None


def reaches_production(connection: Connection, deployment: int) -> bool:
    """Tell whether a deployment record is part of a deployment to production."""
    found = select(deployed_parts.c.deployed_id).where(deployed_parts.c.record_id == deployment)
    return connection.execute(found).first() is not None
