"""The second reading of the rules, on 20 months of three real services.

The numbers are those an independent reading of docs/metrics.md gave before this one was written.
"""

from collections import Counter
from collections.abc import Mapping
from statistics import median

import pytest
from govuk import needs_govuk, records
from reference import CONFIRMED, Deployed, Result, Shipped, trace

from vpemetrics.records import Change
from vpemetrics.rules import Rules

pytestmark = [pytest.mark.soak, pytest.mark.needs_shared_data, needs_govuk]

KINDS = ("forward", "redeploy", "rollback", "stale")
SERVICES = ("frontend", "publishing-api", "signon")


@pytest.fixture(scope="module")
def result() -> Result:
    return trace(records(), Rules())


@pytest.mark.parametrize(
    ("service", "total", "kinds"),
    [
        ("frontend", 799, (789, 3, 2, 5)),
        ("publishing-api", 703, (688, 5, 5, 5)),
        ("signon", 475, (455, 1, 2, 17)),
    ],
)
def test_deployments_are_of_the_known_kinds(
    result: Result, service: str, total: int, kinds: tuple[int, ...]
) -> None:
    deployments = result.deployments[service]

    found = Counter(deployment.kind for deployment in deployments)
    assert (len(deployments), tuple(found[kind] for kind in KINDS)) == (total, kinds)


@pytest.mark.parametrize(
    ("service", "failed", "suspected", "rework"),
    [("frontend", 0, 5, 2), ("publishing-api", 3, 8, 5), ("signon", 1, 2, 2)],
)
def test_failures_and_rework_are_the_known_ones(
    result: Result, service: str, failed: int, suspected: int, rework: int
) -> None:
    evidence = [f for f in result.failures if f.service == service and f.counts]
    confirmed = {f.deployment for f in evidence if f.grade in CONFIRMED}
    others = {f.deployment for f in evidence} - confirmed
    unplanned = [d for d in result.deployments[service] if d.unplanned]

    assert (len(confirmed), len(others), len(unplanned)) == (failed, suspected, rework)


@pytest.mark.parametrize(
    ("service", "people", "bots", "hours"),
    [
        ("frontend", 516, 491, 23.118),
        ("publishing-api", 499, 523, 22.959),
        ("signon", 63, 1052, 15.502),
    ],
)
def test_changes_and_their_median_lead_time_are_the_known_ones(
    result: Result, service: str, people: int, bots: int, hours: float
) -> None:
    shipped = _of(result.shipped, service)
    leads = [lead for it in shipped.values() for lead in it.leads]
    excluded = Counter(it.excluded for it in shipped.values())

    assert (len(leads), excluded["automation"]) == (people, bots)
    assert round(median(leads) / 3600, 3) == hours


@pytest.mark.parametrize("service", SERVICES)
def test_every_merged_pull_request_is_shipped_waiting_or_left_out(
    result: Result, service: str
) -> None:
    changes = [record for record in records() if isinstance(record, Change)]
    merged = {change.id for change in changes if change.repository == f"alphagov/{service}"}
    shipped = {key for key in _of(result.shipped, service) if "#" in key}
    waiting = {key for name, key in result.waiting if name == service}

    assert shipped | waiting == merged
    assert not shipped & waiting


@pytest.mark.parametrize("service", SERVICES)
def test_confirmed_failures_are_all_mended_by_a_rollback(result: Result, service: str) -> None:
    mended = {key: it for key, it in result.recoveries.items() if key[0] == service}
    ends = {d.finished_at for d in result.deployments[service] if _is_rollback(d)}

    assert {it.restored for it in mended.values()} <= ends


def _of(shipped: Mapping[tuple[str, str], Shipped], service: str) -> dict[str, Shipped]:
    return {key: it for (name, key), it in shipped.items() if name == service}


def _is_rollback(deployment: Deployed) -> bool:
    return deployment.kind == "rollback"
