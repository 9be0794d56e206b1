"""Keeping the derived tables in step: whatever arrives in whatever order, they end up the same."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from builders import commits, decision, deploys, incident, pull
from histories import History, histories
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from stored import SOURCE, derive, empty_store, read

from vpemetrics.records import AnyRecord, Change, Deployment, Incident, Repository, Status
from vpemetrics.rules import LeadTimeStart, Rules, Service
from vpemetrics.usecases.lineage import bring_up_to_date, recompute


def earlier(record: AnyRecord) -> AnyRecord | None:
    """What a source may have said of a record before: open, unresolved, still going."""
    match record:
        case Change(merged_at=merged) if merged is not None:
            return replace(record, merged_at=None, merge_commit_sha=None)
        case Incident():
            return replace(
                record,
                resolved_at=None,
                mitigated_at=None,
                external=None,
                cause_deployment=None,
                cause_sha=None,
                cause_change=None,
            )
        case Deployment():
            return replace(record, status=Status.IN_PROGRESS, finished_at=None)
    return None


def batches(history: History, random: Random) -> Iterator[list[AnyRecord]]:
    """A history's records in any order, earlier versions before the last, in any portions."""
    moments = [(random.random(), record) for record in history.records]
    before = [
        (when * random.random(), first)
        for when, record in moments
        if random.random() < 0.4 and (first := earlier(record)) is not None
    ]
    arrivals = [record for _, record in sorted([*moments, *before], key=lambda pair: pair[0])]
    while arrivals:
        size = random.choice((1, 3, 10, 40))
        yield arrivals[:size]
        arrivals = arrivals[size:]


def other_rules(rules: Rules, random: Random) -> Rules:
    """Rules somebody had before: other services, thresholds, production."""
    return random.choice(
        [
            rules,
            Rules(),
            replace(rules, incident_window=timedelta(minutes=10)),
            replace(rules, lead_time_start=LeadTimeStart.MERGE),
            replace(rules, environments=("staging", "prod-us")),
            replace(rules, services=rules.services[:1]),
            replace(rules, services=tuple(replace(s, repository=None) for s in rules.services)),
            replace(rules, hotfix_branches=("feature/*",)),
        ]
    )


@settings(max_examples=25, deadline=None, derandomize=True, phases=[Phase.generate])
@given(histories(), st.integers(0, 10**9))
def test_whatever_the_order_of_arrival_the_outcome_is_that_of_all_at_once(
    history: History, seed: int
) -> None:
    random = Random(seed)
    with empty_store() as store:
        for batch in batches(history, random):
            store.save(SOURCE, batch)
            bring_up_to_date(store, other_rules(history.rules, random))
        bring_up_to_date(store, history.rules)
        step_by_step = read(store)
        recompute(store, history.rules)
        anew = read(store)

    assert step_by_step == anew
    assert anew == derive(history.records, history.rules)


BASE: list[AnyRecord] = [
    *commits("a<b<c<d"),
    *deploys("Mon 10:00 eu a \n Tue 10:00 eu b \n Wed 10:00 eu d"),
    pull(1, "Tue 09:00", by="b", of="b"),
    incident("I", "Wed 12:00"),
]


@pytest.mark.parametrize(
    "late",
    [
        [],  # nothing new
        commits("a<b<c<d<e"),
        deploys("Mon 10:00 eu a \n Tue 10:00 eu b \n Wed 10:00 eu d \n Wed 14:00 eu b")[3:],
        # one that is now known to have failed, or to be another environment's
        [replace(deploys("Mon 10:00 eu a \n Tue 10:00 eu b")[1], status=Status.FAILED)],
        [replace(deploys("Mon 10:00 eu a \n Tue 10:00 eu b")[1], environment="staging")],
        [replace(deploys("Mon 10:00 eu a \n Tue 10:00 eu b")[1], service="till")],
        # a change that is now merged, closed or in another repository
        [pull(2, "Wed 09:00", by="d", of="c d", closes=("I",))],
        [pull(1, None, by="", of="b")],
        [replace(pull(1, "Tue 09:00", by="b", of="b"), repository="till")],
        # an incident that is resolved, external, of another service, has a cause
        [incident("I", "Wed 12:00", "Wed 13:00")],
        [incident("I", "Wed 12:00", external=True)],
        [incident("I", "Wed 12:00", service=("till",))],
        [incident("I", "Wed 12:00", cause_deployment="d2")],
        [incident("J", "Wed 12:00", service=("till",), cause_deployment="d2")],
        [decision("I", "reject")],
        [decision("I", "link", cause="d2")],
        [Repository(id="R", name="shop", default_branch="main", aliases=("store",))],
        [Repository(id="R", name="store", aliases=("shop",))],
    ],
)
def test_what_comes_late_changes_what_it_would_have_changed_at_once(late: list[AnyRecord]) -> None:
    with empty_store() as store:
        store.save(SOURCE, BASE)
        bring_up_to_date(store, Rules())
        store.save(SOURCE, late)
        bring_up_to_date(store, Rules())
        step_by_step = read(store)

    keys = {(record.KIND, record.key) for record in late}
    left = [record for record in BASE if (record.KIND, record.key) not in keys]
    assert step_by_step == derive([*left, *late], Rules())


def test_nothing_is_traced_where_nothing_is_new() -> None:
    with empty_store() as store:
        store.save(SOURCE, BASE)

        assert bring_up_to_date(store, Rules()) == 1
        assert bring_up_to_date(store, Rules()) == 0
        assert store.save(SOURCE, BASE).changed == {}
        assert bring_up_to_date(store, Rules()) == 0


def test_only_services_that_something_new_touches_are_traced() -> None:
    till = [
        replace(row, id=f"t{row.id}", service="till", repository="till")
        for row in deploys("Mon 10:00 eu a \n Tue 10:00 eu b")
    ]
    with empty_store() as store:
        store.save(SOURCE, [*BASE, *till])

        assert bring_up_to_date(store, Rules()) == 2
        store.save(SOURCE, [pull(3, "Wed 11:00", by="e", repository="till")])
        assert bring_up_to_date(store, Rules()) == 1
        store.save(SOURCE, [incident("J", "Thu 12:00")])
        assert bring_up_to_date(store, Rules()) == 1
        assert bring_up_to_date(store, Rules(services=(Service(name="till"),))) == 1


def test_a_service_that_rules_no_longer_know_is_forgotten() -> None:
    mapped = Rules(services=(Service(name="web", sources=("shop",)),))
    with empty_store() as store:
        store.save(SOURCE, BASE)
        bring_up_to_date(store, Rules())
        bring_up_to_date(store, mapped)

        assert list(read(store).deployments) == ["web"]
