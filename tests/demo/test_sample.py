"""The sample holds an example of everything a report has to judge."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
import sample
from sample import PLAN, files

from vpemetrics.collectors.files.reading import read
from vpemetrics.records import AnyRecord, AuthorKind, Change, Commit, Deployment, Incident, Status

Records = Sequence[AnyRecord]


@pytest.fixture(scope="module")
def records() -> Records:
    return list(sample.records())


def changes(records: Records) -> list[Change]:
    return [record for record in records if isinstance(record, Change)]


def incidents(records: Records) -> list[Incident]:
    return [record for record in records if isinstance(record, Incident)]


def deployments(records: Records, environment: str, service: str = "") -> list[Deployment]:
    found = [
        record
        for record in records
        if isinstance(record, Deployment)
        and record.environment.startswith(environment)
        and (record.service or "").startswith(service)
    ]
    return sorted(found, key=lambda deployment: (deployment.finished_at is None, deployment.id))


def live_commits(records: Records, service: str) -> list[str]:
    """The commits a service had in its first production environment, one after the other."""
    runs = [
        run
        for run in deployments(records, "production", service)
        if run.environment in {"production", "production-eu"} and run.status is Status.SUCCEEDED
    ]
    runs.sort(key=lambda run: (run.finished_at is None, str(run.finished_at)))
    return [run.commit_sha for run in runs if run.commit_sha]


def has_redeploy(records: Records) -> bool:
    return any(
        before == after
        for service in PLAN.services
        for before, after in pairwise(live_commits(records, service))
    )


def has_stale_build(records: Records) -> bool:
    grown = {c.sha: place for place, c in enumerate(r for r in records if isinstance(r, Commit))}
    put_back = {d.commit_sha for d in deployments(records, "production") if d.rollback}
    return any(
        grown[after] < grown[before] and after not in put_back
        for service in PLAN.services
        for before, after in pairwise(live_commits(records, service))
    )


def has_late_region(records: Records) -> bool:
    runs = deployments(records, "production", "checkout")
    arrived = {
        (run.commit_sha, run.environment): run.finished_at for run in runs if not run.rollback
    }
    return any(
        first and second and 2 * 3600 < (second - first).total_seconds() < 6 * 3600
        for (sha, environment), first in arrived.items()
        if environment == "production-eu"
        for second in [arrived.get((sha, "production-us"))]
    )


def is_open(incident: Incident) -> bool:
    return incident.mitigated_at is None and incident.resolved_at is None


EXAMPLES: dict[str, Callable[[Records], bool]] = {
    "staging beside production": lambda rs: len(deployments(rs, "staging")) > 100,
    "two production regions": lambda rs: bool(deployments(rs, "production-us", "checkout")),
    "a region that follows hours later": has_late_region,
    "a failed attempt": lambda rs: any(d.status is Status.FAILED for d in deployments(rs, "prod")),
    "a run that rolled itself back": lambda rs: any(
        d.status is Status.ROLLED_BACK for d in deployments(rs, "prod")
    ),
    "a redeploy": has_redeploy,
    "a rollback": lambda rs: any(d.rollback for d in deployments(rs, "prod")),
    "a stale build": has_stale_build,
    "an unknown commit": lambda rs: any(d.commit_sha is None for d in deployments(rs, "prod")),
    "a merge commit": lambda rs: any(isinstance(r, Commit) and len(r.parents) == 2 for r in rs),
    "a change without a review": lambda rs: any(
        c.merged_at and c.first_review_at is None for c in changes(rs)
    ),
    "automation": lambda rs: any(c.author_kind is AuthorKind.AUTOMATION for c in changes(rs)),
    "a change still open": lambda rs: any(c.closed_at is None for c in changes(rs)),
    "a change closed unmerged": lambda rs: any(
        c.closed_at and c.merged_at is None for c in changes(rs)
    ),
    "a hotfix label": lambda rs: any("hotfix" in c.labels for c in changes(rs)),
    "a revert": lambda rs: any(c.reverts for c in changes(rs)),
    "an incident that names a deployment": lambda rs: any(
        i.cause_deployment for i in incidents(rs)
    ),
    "an incident that names a commit": lambda rs: any(i.cause_sha for i in incidents(rs)),
    "an incident that names a change": lambda rs: any(i.cause_change for i in incidents(rs)),
    "a fix that closes its incident": lambda rs: any(c.closes for c in changes(rs)),
    "an external incident": lambda rs: any(i.external for i in incidents(rs)),
    "an incident without a service": lambda rs: any(not i.service for i in incidents(rs)),
    "an incident that affects customers": lambda rs: any(
        i.customer_affecting for i in incidents(rs)
    ),
    "an open incident": lambda rs: any(
        is_open(i) and i.service and not i.external for i in incidents(rs)
    ),
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_sample_holds(example: str, records: Records) -> None:
    assert EXAMPLES[example](records)


def test_the_sample_is_read_back_as_it_was_made(records: Records) -> None:
    complaints: list[str] = []

    back = [record for _, record in read(files(), warn=complaints.append)]

    assert complaints == []
    assert {(record.KIND, record.key): record for record in back} == {
        (record.KIND, record.key): record for record in records
    }
