"""Keeping what is derived in step: whatever arrives in whatever order, they end up the same."""

import gc
import re
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby
from random import Random
from typing import Any

import pytest
from builders import at, changed, commits, decision, deploy, deploys, incident, pull
from histories import History, histories
from hypothesis import given
from hypothesis import strategies as st
from postgres import Server
from sqlalchemy import Engine, event
from stored import SOURCE, Stored, derive, empty_store, read
from tiers import law

from vpemetrics.demo.blueprint import Blueprint
from vpemetrics.demo.organisation import records_of
from vpemetrics.lineage.trace import trace
from vpemetrics.records import (
    AnyRecord,
    Change,
    Commit,
    Deployment,
    Incident,
    Repository,
    Status,
)
from vpemetrics.rules import LeadTimeStart, Rules, Service
from vpemetrics.store import Store
from vpemetrics.store.history import Facts
from vpemetrics.usecases.trace_services import service_facts
from vpemetrics.usecases.update_lineage import bring_up_to_date, recompute


def earlier(record: AnyRecord) -> AnyRecord | None:
    """What a source may have said of a record before: open, unresolved, still going."""
    match record:
        case Change(first_review_at=reviewed, additions=additions) if reviewed and additions:
            return replace(record, first_review_at=None, ready_at=None, additions=0, author=None)
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
    """A history's records in any order, earlier versions before the last, in any batches."""
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


def in_order(records: Iterable[AnyRecord]) -> Iterator[list[AnyRecord]]:
    """Records day by day as they came about, some told twice: open first, then ended."""
    random, moments = Random(1), []
    for record in records:
        if (ended := happened_at(record)) is None:
            continue
        moments.append((ended, record))
        begun = getattr(record, "created_at", None) or getattr(record, "started_at", None)
        if begun and random.random() < 0.5 and (open_ := earlier(record)) is not None:
            moments.append((begun, open_))
    moments.sort(key=lambda pair: pair[0])
    for _, day in groupby(moments, key=lambda pair: pair[0].date()):
        yield [record for _, record in day]


def happened_at(record: AnyRecord) -> datetime | None:
    """When a source could first tell a record as it is."""
    match record:
        case Commit():
            return record.committed_at
        case Change():
            return record.closed_at or record.merged_at or record.created_at
        case Deployment():
            return record.finished_at or record.started_at
        case Incident():
            return record.resolved_at or record.detected_at
    return None


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count the rows that are written to each table meanwhile, or removed from it."""
    counts: Counter[str] = Counter()

    def note(_c: object, cursor: Any, sql: str, _p: object, _x: object, _many: object) -> None:
        if written := re.match(r"(?:INSERT INTO|DELETE FROM) (\w+)", sql):
            counts[written[1]] += cursor.rowcount

    event.listen(Engine, "after_cursor_execute", note)
    try:
        yield counts
    finally:
        event.remove(Engine, "after_cursor_execute", note)


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


@pytest.mark.slow
@law(12, soak=3_000)
@given(histories(), st.integers(0, 10**9))
def test_whatever_the_order_of_arrival_the_outcome_is_that_of_all_at_once(
    history: History, seed: int
) -> None:
    with empty_store() as store:
        step_by_step, anew = arrived(store, history, Random(seed))

    assert step_by_step == anew
    assert anew == derive(history.records, history.rules)


@pytest.mark.slow
@pytest.mark.needs_postgresql
@law(4, soak=400)
@given(histories(), st.integers(0, 10**9))
def test_a_server_comes_to_what_a_file_comes_to_whatever_the_order_of_arrival(
    postgres: Server, history: History, seed: int
) -> None:
    address = postgres.blank()
    with Store.open(address) as store:
        step_by_step, anew = arrived(store, history, Random(seed))
    postgres.give_back(address)

    assert step_by_step == anew
    assert anew == derive(history.records, history.rules)


def arrived(store: Store, history: History, random: Random) -> tuple[Stored, Stored]:
    """What is derived when a history arrives bit by bit, and what then from all of it anew."""
    for batch in batches(history, random):
        store.save(SOURCE, batch)
        bring_up_to_date(store, other_rules(history.rules, random))
    bring_up_to_date(store, history.rules)
    step_by_step = read(store)
    recompute(store, history.rules)
    return step_by_step, read(store)


BASE: list[AnyRecord] = [
    *commits("a<b<c<d"),
    *deploys("Mon 10:00 eu a \n Tue 10:00 eu b \n Wed 10:00 eu d"),
    pull(1, "Tue 09:00", by="b", of="b"),
    incident("I", "Wed 12:00"),
]


@pytest.mark.slow
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
def test_what_comes_late_changes_what_it_would_have_changed_at_once(
    location: str, late: list[AnyRecord]
) -> None:
    with Store.open(location) as store:
        store.save(SOURCE, BASE)
        bring_up_to_date(store, Rules())
        store.save(SOURCE, late)
        bring_up_to_date(store, Rules())
        step_by_step = read(store)

    keys = {(record.KIND, record.key) for record in late}
    left = [record for record in BASE if (record.KIND, record.key) not in keys]
    assert step_by_step == derive([*left, *late], Rules())


# Four deployments of a line, a day apart.
LINE: list[AnyRecord] = [
    *commits("a<b<c<d"),
    *deploys("Mon 10:00 eu a \n Tue 10:00 eu b \n Wed 10:00 eu c \n Thu 10:00 eu d"),
]
HALF_A_YEAR = timedelta(weeks=26)
NEXT = deploy("d5", "Sat 10:00", "e")
SHOP = Rules(services=(Service(name="shop", paths=("shop/",)),))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rules", "batches"),
    [
        # What was shipped as a change of its own is an open pull request's, and then no longer.
        (Rules(), [LINE, [pull(1, None, by="", of="c")], [pull(1, "Fri 10:00", by="c", of="c")]]),
        # A pull request merged into another branch comes with a later one that lists it and whose
        # own commit is in another part of the repository; or was deployed before it was merged.
        (
            SHOP,
            [
                [*LINE, *changed(commits("d<x<y<z")[1:], z={"paths": ("docs/",)})],
                [pull(1, "Thu 11:00", by="y", of="x")],
                [*commits("d<e")[1:], pull(2, "Thu 12:00", by="e", of="x y z")],
                [NEXT],
            ],
        ),
        (
            Rules(),
            [
                [*LINE, *commits("d<x<z y:d")[1:], pull(1, "Thu 09:00", by="z", of="y")],
                [*commits("d<e")[1:], pull(2, "Thu 09:30", by="e", of="x z")],
                [deploy("d6", "Thu 12:00", "x"), deploy("d7", "Fri 10:00", "d")],
                [NEXT],
            ],
        ),
        # A pick of a commit that an open pull request lists is kept by who lists it, until it ends.
        (
            Rules(),
            [
                [*LINE, *changed(commits("b<c d<x")[1::2], c={"picked_from_sha": "x"})],
                [pull(1, None, by="", of="x"), pull(2, "Wed 09:00", by="c", of="c")],
                [pull(1, None, by="", of="x", closed_at=at("Fri 10:00"))],
            ],
        ),
        # Commits that come after their pull request, which is shipped, waits, or was rebased.
        (
            Rules(),
            [
                [
                    *LINE,
                    pull(1, "Wed 09:00", by="c", of="x"),
                    pull(2, "Fri 09:00", by="e", of="y z"),
                ],
                [pull(3, "Fri 10:00", by="f", of="g"), *commits("d<g<y d<z")[1:]],
                commits("b<x")[1:],
                [*commits("g<e<f")[1:], deploy("d5", "Sat 10:00", "f")],
            ],
        ),
        # Nothing that is left names a commit.
        (
            Rules(),
            [
                [*commits("a"), *deploys("Mon 10:00 eu ? \n Tue 10:00 eu ? \n Wed 10:00 eu a")],
                [replace(deploys("Mon 10:00 eu a")[0], id="d3", status=Status.FAILED)],
            ],
        ),
        # Pull requests without a commit of their own.
        (
            Rules(),
            [
                [*LINE, pull(1, "Wed 09:00", by="c", of="c"), pull(2, "Wed 09:30", by="c", of="c")],
                [*commits("d<e")[1:], NEXT],
            ],
        ),
        # Picks of what was shipped, of what waits, of what is picked itself, of what nobody knows.
        (
            Rules(),
            [
                [*LINE, *commits("d<x<y")[1:], pull(1, "Wed 09:00", by="c", of="c")],
                [pull(2, "Thu 11:00", by="y", of="x")],
                [*changed(commits("d<e")[1:], e={"picked_from_sha": "c"}), NEXT],
                [*changed(commits("e<f")[1:], f={"picked_from_sha": "x"})],
                [
                    *changed(commits("f<g")[1:], g={"picked_from_sha": "e"}),
                    pull(3, None, "", of="f"),
                ],
                [*changed(commits("g<h")[1:], h={"picked_from_sha": "f00d"})],
                [deploy("d6", "Sat 12:00", "g"), pull(3, "Sat 11:00", by="h", of="f")],
                [deploy("d7", "Sun 12:00", "h")],
            ],
        ),
        # Pull requests that are known before their commits.
        (
            Rules(),
            [
                LINE,
                [pull(1, "Fri 09:00", by="e", of="x y"), pull(2, "Fri 10:00", by="f", of="z")],
                commits("d<x<y")[1:],
                [*commits("d<e<f e<z")[1:], deploy("d5", "Sat 10:00", "f")],
            ],
        ),
        # A service beside one of the same repository that never says what it deploys.
        (
            Rules(),
            [
                [*LINE, deploy("t1", "Mon 09:00", None, service="till")],
                [*commits("d<e")[1:], NEXT, deploy("t2", "Sat 11:00", None, service="till")],
            ],
        ),
    ],
)
def test_each_portion_leads_to_what_all_so_far_lead_to_at_once(
    location: str, rules: Rules, batches: list[list[AnyRecord]]
) -> None:
    so_far: dict[tuple[str, str], AnyRecord] = {}
    with Store.open(location) as store:
        for batch in batches:
            store.save(SOURCE, batch)
            bring_up_to_date(store, rules)
            so_far |= {(record.KIND, record.key): record for record in batch}

            assert read(store) == derive(so_far.values(), rules)


def test_commits_that_two_repositories_share_are_each_ones_own() -> None:
    mine: list[AnyRecord] = [*commits("a<b<c"), pull(1, "Tue 09:00", by="b", of="b")]
    forks: list[AnyRecord] = [
        *commits("a<b<x", repository="fork"),
        *(
            replace(one, id=f"f{one.id}", service="fork", repository="fork")
            for one in deploys("Mon 10:00 eu a \n Thu 10:00 eu x")
        ),
    ]
    shops = deploys("Mon 10:00 eu a \n Wed 10:00 eu b \n Fri 10:00 eu c")
    with empty_store() as store:
        store.save(SOURCE, [*mine, *shops])
        bring_up_to_date(store, Rules())
        before = read(store)
        store.save(SOURCE, forks)

        assert bring_up_to_date(store, Rules()) == 1
        after = read(store)
        recompute(store, Rules())

        assert read(store) == after
    assert after.problems == {"shop": "{}", "fork": "{}"}
    assert {key: one for key, one in after.shipped.items() if key[0] == "shop"} == before.shipped
    assert {item for service, item in after.shipped if service == "fork"} == {"a", "b", "x"}


def test_nothing_is_traced_where_nothing_is_new() -> None:
    with empty_store() as store:
        store.save(SOURCE, BASE)

        assert bring_up_to_date(store, Rules()) == 1
        assert bring_up_to_date(store, Rules()) == 0
        assert store.save(SOURCE, BASE).changed == {}
        assert bring_up_to_date(store, Rules()) == 0


def test_a_history_is_let_go_once_it_is_traced() -> None:
    with empty_store() as store:
        store.save(SOURCE, BASE)
        with store.view() as connection:
            found = service_facts(Facts(connection, Rules()), ["shop"])
            (facts,) = list(found)
    graph = weakref.ref(facts.history.graph)
    gc.disable()  # which looks for cycles at last, when a hundred histories are in memory
    try:
        assert len(trace(facts, Rules()).deployed) == 3
        del facts, found

        assert graph() is None
    finally:
        gc.enable()


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


@pytest.mark.slow
def test_a_history_that_gets_longer_comes_to_the_same() -> None:
    plan = Blueprint(
        services=("till", "shop"),
        ends=date(2026, 9, 7),
        weeks=6,
        commits=720,
        changes=150,
        deployments=80,
        incidents=24,
        seed=2,
        two_regions=frozenset({"till"}),
    )
    with empty_store() as store:
        for day in in_order(records_of(plan, source=SOURCE)):
            store.save(SOURCE, day)
            bring_up_to_date(store, Rules())
        step_by_step = read(store)
        recompute(store, Rules())

        assert step_by_step == read(store)


def test_only_periods_in_which_something_came_out_otherwise_are_written() -> None:
    second, third, late = (
        replace(one, id=f"w{one.id}", commit_sha=sha, finished_at=one.finished_at + HALF_A_YEAR)
        for sha, one in zip(
            "efe", deploys("Mon 10:00 eu ? \n Tue 10:00 eu ? \n Mon 14:00 eu ?"), strict=True
        )
        if one.finished_at
    )
    with empty_store() as store:
        store.save(SOURCE, [*LINE, *commits("d<e<f")[1:], second, third])
        bring_up_to_date(store, Rules())
        store.save(SOURCE, commits("f<g")[1:])
        with counted() as of_nothing:
            assert bring_up_to_date(store, Rules()) == 1
        store.save(SOURCE, [late, pull(1, "Fri 10:00", "f", of="f")])
        with counted() as of_last_period:
            bring_up_to_date(store, Rules())
        step_by_step = read(store)
        recompute(store, Rules())

        assert step_by_step == read(store)
    assert of_nothing["derived"] == 0
    assert of_last_period["derived"] == 3 + 3  # deployments, their records, what they shipped


@pytest.mark.slow
def test_a_deployment_that_moves_to_another_service_is_there_alone() -> None:
    stays, moves = deploys("Mon 10:00 eu a \n Tue 10:00 eu b")
    rules = Rules(services=(Service(name="web", sources=("shop",)), Service(name="shop")))
    with empty_store() as store:
        store.save(SOURCE, [*commits("a<b"), stays, replace(moves, service="web")])
        bring_up_to_date(store, Rules())
        store.save(SOURCE, [moves])
        bring_up_to_date(store, Rules())
        joined = read(store)
        bring_up_to_date(store, rules)
        mapped = read(store)

    assert joined == derive([*commits("a<b"), stays, moves], Rules())
    assert mapped == derive([*commits("a<b"), stays, moves], rules)


def test_what_a_source_takes_back_is_as_if_it_had_never_been_told() -> None:
    kept: list[AnyRecord] = [*commits("a<b<c"), pull(2, "Tue 12:00", by="c", of="c")]
    rows = deploys("Mon 10:00 eu a \n Wed 10:00 eu b \n Thu 10:00 eu c")
    taken = pull(1, "Tue 10:00", by="b", of="b")

    with empty_store() as store:
        store.save(SOURCE, [*kept, taken, *rows])
        bring_up_to_date(store, Rules())
        saved = store.save_collected(
            SOURCE,
            [],
            cursors={},
            gone={Change: ["#1", "#9"], Deployment: ["d2"]},
            times_forgotten=0,
        )
        bring_up_to_date(store, Rules())

        assert saved.changed == {"pull_requests": 1, "deployments": 1}
        assert read(store) == derive([*kept, rows[0], rows[2]], Rules())
