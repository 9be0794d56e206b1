"""What made-up histories hold, and the laws the second reading keeps on all of them (rule G5)."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from histories import History, histories
from hypothesis import Phase, example, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from reference import CONFIRMED, Result, trace

from vpemetrics.records import Change, Commit, Deployment, Repository, Status
from vpemetrics.rules import Rules, Service


def _facts(result: Result) -> Iterator[str]:
    """Words for everything a history can hold."""
    for deployments in result.deployments.values():
        for it in deployments:
            yield it.kind
            yield "several parts" if len(it.parts) > 1 else "one part"
            yield "known" if it.known else "unknown"
    yield from (it.excluded or "counted" for it in result.shipped.values())
    yield from (f"{it.grade} {it.evidence}" for it in result.failures if it.counts)
    yield from (f"E {it.reason}" for it in result.incident_causes.values())
    yield from ("open" if it.restored is None else "mended" for it in result.recoveries.values())


WANTED = {
    *("forward", "redeploy", "rollback", "stale", "rollout", "several parts", "unknown"),
    *("counted", "automation", "first_deployment", "unknown_commit", "negative", "other_branch"),
    *("no_author_date", "no_commit_left", "deployed_before_merge"),
    *("release_commit", "light_tag", "imported_history"),
    *("A named", "A rolled_back", "A triage", "B rollback", "B revert", "C fix"),
    *("D revert", "D rollback", "D time"),
    *("E external", "E never_shipped", "E no_service", "E unknown", "E rejected"),
    *("open", "mended"),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of the last one it looks at
def test_histories_hold_everything_the_rules_speak_of() -> None:
    seen: set[str] = set()

    def complete(history: History) -> bool:
        seen.update(_facts(trace(history.records, history.rules)))
        return seen >= WANTED

    only_generate = settings(
        max_examples=4000, database=None, phases=[Phase.generate], deadline=None
    )
    with contextlib.suppress(NoSuchExample):
        find(histories(), complete, settings=only_generate, random=Random(6))

    assert WANTED - seen == set()


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_the_records_does_not_matter(history: History, random: Random) -> None:
    shuffled = random.sample(history.records, len(history.records))

    assert trace(shuffled, history.rules) == trace(history.records, history.rules)


@given(histories())
def test_every_arrival_is_a_part_of_one_deployment(history: History) -> None:
    result = trace(history.records, history.rules)
    reached = (Status.SUCCEEDED, Status.ROLLED_BACK)
    arrived = [
        row.id
        for row in history.records
        if isinstance(row, Deployment) and row.environment != "staging" and row.status in reached
        if row.finished_at or row.started_at  # else nobody knows where to book it
    ]
    parts = [p for found in result.deployments.values() for it in found for p in it.parts]

    assert sorted(parts) == sorted(arrived)


@given(histories())
def test_every_pull_request_is_shipped_waiting_or_left_out_once(history: History) -> None:
    result = trace(history.records, history.rules)
    changes = {r.id: r.repository for r in history.records if isinstance(r, Change) and r.merged_at}

    assert not result.shipped.keys() & result.waiting
    for service in history.rules.services:
        if service.name not in result.deployments or service.paths:
            continue
        merged = {key for key, repository in changes.items() if repository == service.repository}
        booked = {key for name, key in {*result.shipped, *result.waiting} if name == service.name}
        assert booked & changes.keys() == merged


MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)
VERSIONS_ONLY = History(
    records=(
        Repository(id="acme/a", name="acme/a", default_branch="main"),
        Commit(sha="1" * 40, repository="acme/a", authored_at=MORNING, committed_at=MORNING),
        Change(
            id="acme/a#1",
            repository="acme/a",
            number=1,
            merged_at=MORNING,
            merge_commit_sha="1" * 40,
            commit_shas=("1" * 40,),
        ),
        *(
            Deployment(
                id=f"d{number}",
                service="a",
                repository="acme/a",
                environment="production",
                status=Status.SUCCEEDED,
                version="v1",
                finished_at=MORNING + timedelta(minutes=61 * number),
            )
            for number in range(2)
        ),
    ),
    rules=Rules(services=(Service(name="service", repository="acme/a", sources=("a",)),)),
)
"""A history whose deployments name no commits; it was once taken for a broken law."""


@given(histories())
@example(VERSIONS_ONLY)
def test_only_deployments_that_are_known_and_went_live_ship_counted_changes(
    history: History,
) -> None:
    result = trace(history.records, history.rules)
    ships = {
        (name, it.parts)
        for name, found in result.deployments.items()
        for it in found
        # Where no deployment names a commit, time tells what each shipped (rule C2).
        if it.ships or (not it.rolled_back and not any(other.commit for other in found))
        if not it.first and it.kind == "forward"
    }

    for (name, _), it in result.shipped.items():
        assert it.excluded is not None or (name, it.deployment) in ships


@given(histories())
def test_a_deployment_with_a_recovery_failed_for_sure(history: History) -> None:
    result = trace(history.records, history.rules)
    confirmed = {
        (it.service, it.deployment) for it in result.failures if it.counts and it.grade in CONFIRMED
    }

    assert result.recoveries.keys() <= confirmed
