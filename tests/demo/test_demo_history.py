"""Acme is the same every time, possible, and holds what a report has to judge."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import pairwise

import pytest
from demonstration import CALENDAR

from vpemetrics.demo.acme import (
    BEGINS,
    BLUEPRINTS,
    ENDS,
    STOREFRONT_SPEEDS_UP,
    TEAMS,
    UNCOLLECTED,
    WEEKS,
    ZONE,
)
from vpemetrics.demo.blueprint import PEOPLE_PER_TEAM
from vpemetrics.demo.history import records as history
from vpemetrics.records import (
    AnyRecord,
    AuthorKind,
    Change,
    Commit,
    Deployment,
    Incident,
    Status,
    Triage,
)
from vpemetrics.window import from_micros, midnight

Records = Sequence[AnyRecord]


@pytest.fixture(scope="module")
def records() -> Records:
    return list(history(CALENDAR))


def begin(day: date) -> datetime:
    return from_micros(midnight(day, ZONE))


def changes(records: Records) -> list[Change]:
    return [record for record in records if isinstance(record, Change)]


def commits(records: Records) -> dict[str, Commit]:
    return {record.sha: record for record in records if isinstance(record, Commit)}


def incidents(records: Records) -> list[Incident]:
    return [record for record in records if isinstance(record, Incident)]


def in_production(records: Records, *services: str) -> list[Deployment]:
    return [
        record
        for record in records
        if isinstance(record, Deployment)
        and record.environment.startswith("production")
        and record.status is Status.SUCCEEDED
        and (record.service in services or not services)
    ]


def joined(records: Records, repository: str) -> list[Commit]:
    """The commits by which the changes of a repository joined its main branch."""
    known = commits(records)
    found = [
        known[change.merge_commit_sha]
        for change in changes(records)
        if change.repository == repository and change.merge_commit_sha
    ]
    assert found
    return found


def is_open(incident: Incident) -> bool:
    return not (incident.mitigated_at or incident.resolved_at or incident.external)


def overlap(records: Records) -> bool:
    """Two incidents that name one deployment, at one time."""
    named = [i for i in incidents(records) if i.cause_deployment and i.resolved_at]
    return any(
        one is not other
        and one.cause_deployment == other.cause_deployment
        and one.impact_started_at
        and other.impact_started_at
        and other.resolved_at
        and one.impact_started_at < other.impact_started_at < other.resolved_at
        for one in named
        for other in named
    )


EXAMPLES: dict[str, Callable[[Records], bool]] = {
    "services that share paths of a monorepo": lambda rs: any(
        c.paths == ("shared/main.py",) for c in commits(rs).values()
    ),
    "a repository that squashes": lambda rs: all(
        len(c.parents) == 1 and c.authored_at == c.committed_at for c in joined(rs, "acme/shop")
    ),
    "a repository that merges": lambda rs: all(
        len(c.parents) == 2 for c in joined(rs, "acme/delivery")
    ),
    "a repository that rebases": lambda rs: all(
        len(c.parents) < 3 and c.authored_at != c.committed_at for c in joined(rs, "acme/gateway")
    ),
    "two regions": lambda rs: (
        len({d.environment for d in in_production(rs, "checkout", "gateway")}) == 2
    ),
    "a rollback": lambda rs: any(d.rollback for d in in_production(rs)),
    "a hotfix": lambda rs: any(d.hotfix for d in in_production(rs)),
    "a revert": lambda rs: any(c.reverts for c in changes(rs)),
    "a fix that closes its incident": lambda rs: any(c.closes for c in changes(rs)),
    "automation": lambda rs: any(c.author_kind is AuthorKind.AUTOMATION for c in changes(rs)),
    "a change still open": lambda rs: any(c.closed_at is None for c in changes(rs)),
    "overlapping incidents": overlap,
    "an external incident": lambda rs: any(i.external for i in incidents(rs)),
    "one open incident": lambda rs: sum(map(is_open, incidents(rs))) == 1,
    "an incident that names a commit": lambda rs: any(i.cause_sha for i in incidents(rs)),
    "a cause that never shipped": lambda rs: any(
        i.cause_sha and not any(sha.startswith(i.cause_sha) for sha in commits(rs))
        for i in incidents(rs)
    ),
    "a person's decision about an incident": lambda rs: any(
        i.id == t.record for t in rs if isinstance(t, Triage) for i in incidents(rs)
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES)
def test_it_holds(example: str, records: Records) -> None:
    assert EXAMPLES[example](records)


@pytest.mark.slow
def test_it_is_the_same_every_time(records: Records) -> None:
    assert list(history(CALENDAR)) == records


@pytest.mark.slow
def test_no_id_is_used_twice(records: Records) -> None:
    keys = Counter((record.KIND, record.key) for record in records)

    assert keys.most_common(1)[0][1] == 1


def test_twelve_services_of_five_teams_share_eight_repositories() -> None:
    services = [service for blueprint in BLUEPRINTS for service in blueprint.services]

    assert sorted(services) == sorted(one for some in TEAMS.values() for one in some)
    assert (len(services), len(TEAMS), len(BLUEPRINTS)) == (12, 5, 8)
    assert (ENDS - BEGINS).days == 7 * WEEKS


def test_incidents_are_numbered_as_they_were_noticed(records: Records) -> None:
    ordered = sorted(incidents(records), key=lambda incident: int(incident.id.split("-")[1]))

    assert all(
        one.detected_at and other.detected_at and one.detected_at <= other.detected_at
        for one, other in pairwise(ordered)
    )


def test_nobody_has_a_name(records: Records) -> None:
    handle = re.compile(rf"({'|'.join(TEAMS)})-[1-{PEOPLE_PER_TEAM}]|updates\[bot\]|founder")
    authors = {record.author for record in records if isinstance(record, Change | Commit)}

    assert [author for author in authors if not author or not handle.fullmatch(author)] == []


def test_everything_that_people_read_has_a_title(records: Records) -> None:
    assert all(record.title for record in records if isinstance(record, Change | Incident))


def test_one_week_was_not_written_down(records: Records) -> None:
    start, end = map(begin, UNCOLLECTED)
    finished = [d.finished_at for d in in_production(records) if d.finished_at]

    assert [at for at in finished if start <= at < end] == []


@pytest.mark.parametrize("team", TEAMS)
def test_only_storefront_deploys_more_often_in_the_end(records: Records, team: str) -> None:
    speeds_up = begin(STOREFRONT_SPEEDS_UP)
    before = begin(UNCOLLECTED[0])
    runs = in_production(records, *TEAMS[team])
    days = [d.finished_at for d in runs if d.finished_at and d.environment != "production-us"]
    earlier = [at for at in days if (before - at).days in range(13 * 7)]
    later = [at for at in days if at >= speeds_up]

    rise = (len(later) / 16) / (len(earlier) / 13)

    expected = 1.6 if team == "storefront" else 1.0
    assert rise == pytest.approx(expected, abs=0.3)
