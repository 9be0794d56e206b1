"""Data that must go: what is removed, what stays, and that nothing of it comes back by itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from histories import History, histories
from hypothesis import given
from hypothesis import strategies as st
from stored import derive, empty_store, read
from tiers import law

from vpemetrics.collectors.base import Batch, CollectionContext, Collector
from vpemetrics.config.sources import Source
from vpemetrics.errors import NotFound
from vpemetrics.records import (
    RECORD_TYPES,
    AnyRecord,
    AuditEntry,
    Change,
    Commit,
    Coverage,
    CoverageKind,
    Deployment,
    Incident,
    Repository,
    Run,
    Status,
    Triage,
    Verdict,
)
from vpemetrics.rules import Rules, Service
from vpemetrics.store import Store, audit
from vpemetrics.usecases.audit import note_settings
from vpemetrics.usecases.collecting import collect
from vpemetrics.usecases.forgetting import (
    ForgetPlan,
    finish,
    forget,
    keep_only,
    plan_for_name,
    plan_for_past,
    was_forgotten,
)
from vpemetrics.usecases.update_lineage import bring_up_to_date

NOON = datetime(2026, 9, 7, 12, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
RULES = Rules(organisation="Acme")
LONG_AGO = NOON - 10 * WEEK


def sha(number: int) -> str:
    return f"{number:040x}"


def told(repository: str, number: int, at: datetime) -> list[AnyRecord]:
    """What a source tells of a repository: one change, shipped and broken."""
    first, merge = sha(number), sha(number + 1)
    return [
        Repository(id=f"id-{repository}", name=repository, default_branch="main"),
        Commit(sha=first, repository=repository, authored_at=at, committed_at=at, author="ann"),
        Commit(
            sha=merge,
            repository=repository,
            parents=(first,),
            authored_at=at + DAY,
            committed_at=at + DAY,
            author="bob",
        ),
        Change(
            id=f"{repository}#1",
            repository=repository,
            title=f"Say hello in {repository}",
            author="ann",
            created_at=at,
            merged_at=at + DAY,
            merge_commit_sha=merge,
            commit_shas=(first,),
        ),
        Deployment(
            id=f"{repository}/1",
            service=repository.partition("/")[2],
            repository=repository,
            environment="production",
            status=Status.SUCCEEDED,
            commit_sha=merge,
            started_at=at + DAY,
            finished_at=at + DAY + timedelta(hours=1),
        ),
        Incident(
            id=f"{repository}#2",
            title=f"{repository} is down",
            service=(repository.partition("/")[2],),
            detected_at=at + DAY + timedelta(hours=2),
            resolved_at=at + DAY + timedelta(hours=3),
            updated_at=at + 5 * WEEK,
        ),
        Run(id=f"{repository}/r", repository=repository, outcome="success", finished_at=at + DAY),
    ]


def covered(source: str, scope: str, kind: str = "deployments") -> Coverage:
    return Coverage(
        source=source, scope=scope, kind=CoverageKind(kind), start=LONG_AGO, end=NOON + WEEK
    )


def rejected(record: str, when: datetime = NOON) -> Triage:
    return Triage(record=record, verdict=Verdict.REJECT, when=when, who="jane", why="no")


def everything(store: Store, *, but: Sequence[str] = (AuditEntry.KIND,)) -> list[Any]:
    return [one for kind in RECORD_TYPES if kind not in but for one in store.records(kind)]


def texts(store: Store) -> str:
    """Every text that the store holds, in whatever table."""
    from vpemetrics.store.tables import metadata

    with store.view() as connection:
        return "\n".join(
            value.hex() if isinstance(value, bytes) else repr(value)
            for table in metadata.sorted_tables
            for row in connection.exec_driver_sql(f"SELECT * FROM {table.name}")
            for value in row
        )


def remove(store: Store, name: str) -> ForgetPlan:
    return forget(store, plan_for_name(store, name, {}), now=NOON)


def entries(store: Store) -> list[AuditEntry]:
    with store.view() as connection:
        return audit.load(connection)


def author_key(store: Store) -> str:
    with store.view() as connection:
        rows = connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'author_key'")
        return str(rows.scalar())


@pytest.fixture
def store(location: str) -> Iterator[Store]:
    """Two sources, one of two repositories, and a person's decisions."""
    with Store.open(location) as store:
        shop, till = told("acme/shop", 100, LONG_AGO), told("acme/till", 200, NOON)
        scopes = [covered("hub", name) for name in ("acme/shop", "shop", "acme/till", "till")]
        cursors = {"acme/shop": "1", "acme/shop commits": "2", "acme/till": "3"}
        store.save("hub", [*shop, *till, *scopes], cursors=cursors)
        store.note_collection("hub", NOON, NOON, "acme/shop: 404")
        other = [*told("acme/other", 300, NOON), covered("other", "*")]
        store.save("other", other, cursors={"repository": "x"})
        decisions = [rejected(f"acme/{name}#2") for name in ("shop", "till", "other")]
        store.save("people", decisions)
        bring_up_to_date(store, RULES)
        yield store


@pytest.mark.slow
def test_a_forgotten_source_is_as_if_it_had_never_been_there(store: Store) -> None:
    plan = remove(store, "hub")

    assert plan.counts == {
        "repositories": 2,
        "commits": 4,
        "pull_requests": 2,
        "deployments": 2,
        "incidents": 2,
        "runs": 2,
        "triage": 2,
    }
    assert store.sources() == ["other", "people"]
    assert store.cursors("hub") == {}
    assert store.cursors("other") == {"repository": "x"}
    assert set(store.collections()) == set()
    assert {one.source for one in store.coverage()} == {"other"}
    left = texts(store)
    assert "acme/shop" not in left
    assert sha(100) not in left
    assert sha(300) in left
    bring_up_to_date(store, RULES)
    with empty_store() as never:
        never.save("other", [*told("acme/other", 300, NOON)])
        never.save("people", [rejected("acme/other#2")])
        bring_up_to_date(never, RULES)
        assert read(store) == read(never)


def test_the_key_of_authors_goes_with_the_last_of_them(store: Store) -> None:
    before = author_key(store)
    remove(store, "hub")
    assert author_key(store) == before

    remove(store, "other")

    assert author_key(store) != before


def test_a_forgotten_repository_goes_from_every_source_under_all_its_names(store: Store) -> None:
    renamed = Repository(id="id-acme/shop", name="acme/store", aliases=("acme/shop",))
    store.save("hub", [renamed])
    store.save("other", [Run(id="x", repository="acme/shop", outcome="ok", finished_at=NOON)])

    plan = remove(store, "acme/store")

    assert plan.counts["commits"] == 2
    assert plan.counts["incidents"] == plan.counts["triage"] == 1
    assert plan.counts["runs"] == 2
    assert plan.extent.sources == ("hub", "other")
    left = texts(store)
    assert "acme/shop" not in left
    assert "acme/store" not in left
    assert "acme/till#2" in left


def test_a_forgotten_repository_goes_in_every_spelling(store: Store) -> None:
    pulls = [
        Change(id=f"{name}#1", repository=name, merged_at=NOON) for name in ("Big/One", "big/one")
    ]
    covered = Coverage(
        source="here", scope="BIG/one", kind=CoverageKind.PULL_REQUESTS, start=LONG_AGO, end=NOON
    )
    store.save("here", [*pulls, covered])

    plan = plan_for_name(store, "big/ONE ", {})
    forget(store, plan, now=NOON)

    assert plan.request.repository == ("BIG/one", "Big/One", "big/one")
    assert not [one for _, one in store.records(Change.KIND) if "one" in one.key]
    assert not [stretch for stretch in store.coverage() if "one" in stretch.scope.lower()]


@pytest.mark.slow
def test_a_source_with_a_cursor_for_each_repository_goes_on_with_the_others(store: Store) -> None:
    remove(store, "acme/shop")

    assert store.cursors("hub") == {"acme/till": "3"}
    assert store.cursors("other") == {"repository": "x"}


def test_a_source_that_keeps_one_cursor_for_all_starts_anew(store: Store) -> None:
    remove(store, "acme/other")

    assert store.cursors("other") == {}


def test_the_time_of_a_forgotten_repository_is_no_longer_covered(store: Store) -> None:
    remove(store, "acme/shop")

    of_hub = {one.scope for one in store.coverage() if one.source == "hub"}
    assert of_hub == {"acme/till", "till"}


def test_what_covered_everything_covers_what_is_left(store: Store) -> None:
    store.save("other", told("acme/more", 400, NOON))

    remove(store, "acme/other")

    of_other = [one for one in store.coverage() if one.source == "other"]
    assert {one.scope for one in of_other} == {"acme/more", "more"}
    assert {(one.start, one.end) for one in of_other} == {(LONG_AGO, NOON + WEEK)}


def test_the_past_goes_and_the_time_it_covered(store: Store) -> None:
    plan = forget(store, plan_for_past(store, date(2026, 9, 1), "UTC", {}), now=NOON)

    assert plan.counts["commits"] == 2
    assert plan.counts["incidents"] == 1
    assert plan.counts["triage"] == 1
    day = datetime(2026, 9, 1, tzinfo=UTC)
    assert {one.start for one in store.coverage()} == {day}
    assert {one.key for _, one in store.records("commits")} == {
        one.key for one in (*told("acme/till", 200, NOON), *told("acme/other", 300, NOON))
        if isinstance(one, Commit)
    }  # fmt: skip
    assert store.cursors("hub") != {}


def test_commits_of_a_change_that_stays_stay(store: Store) -> None:
    day = date(2026, 9, 8)  # after the first commits, before the merges

    forget(store, plan_for_past(store, day, "UTC", {}), now=NOON)

    kept = {one.sha for _, one in store.records("commits") if isinstance(one, Commit)}
    assert kept == {sha(200), sha(201), sha(300), sha(301)}


def test_what_nothing_dates_stays_and_is_told(store: Store) -> None:
    store.save("hub", [Commit(sha=sha(900), repository="acme/shop")])

    plan = plan_for_past(store, date(2026, 12, 1), "UTC", {})

    assert plan.extent.undated == {"commits": 1}


@pytest.mark.slow
def test_an_old_decision_about_something_unknown_goes_with_its_time(store: Store) -> None:
    store.save("people", [rejected("gone-1", LONG_AGO), rejected("acme/till#2", LONG_AGO)])

    forget(store, plan_for_past(store, date(2026, 9, 1), "UTC", {}), now=NOON)

    left = [one.record for _, one in store.records("triage") if isinstance(one, Triage)]
    assert sorted(left) == ["acme/other#2", "acme/till#2", "acme/till#2"]


def test_nothing_is_known_of_another_name(store: Store) -> None:
    with pytest.raises(NotFound, match="did you mean acme/shop"):
        plan_for_name(store, "acme/shopp", {})


def test_counting_changes_nothing(store: Store) -> None:
    before = texts(store)

    plan_for_name(store, "hub", {})
    plan_for_name(store, "acme/shop", {})
    plan_for_past(store, date(2026, 9, 1), "UTC", {})

    assert texts(store) == before


# --- what collections bring later ---------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Options:
    """Nothing to set."""


def source(batches: Any) -> Source:
    def collect_(_options: Any, context: CollectionContext) -> Iterator[Batch]:
        yield from batches(context)

    collector = Collector(options=Options, collect=collect_)
    return Source(name="hub", collector=collector, options=Options(), folder=Path())


def collected(store: Store, batches: Any) -> str | None:
    return collect(
        store,
        source(batches),
        RULES,
        clock=lambda: NOON + 6 * WEEK,
        warn=pytest.fail,
        progress=lambda _done, _of: None,
    ).error


@pytest.mark.slow
def test_a_collection_does_not_bring_back_the_past(store: Store) -> None:
    forget(store, plan_for_past(store, date(2026, 9, 1), "UTC", {}), now=NOON)
    before = everything(store)

    again = [*told("acme/shop", 100, LONG_AGO)[1:], covered("hub", "shop")]
    assert collected(store, lambda _: [Batch(records=again, cursors={"acme/shop": "9"})]) is None

    assert everything(store) == before
    assert store.cursors("hub")["acme/shop"] == "9"


@pytest.mark.slow
def test_a_source_forgotten_afterwards_brings_all_of_it_again(store: Store) -> None:
    forget(store, plan_for_past(store, date(2026, 9, 1), "UTC", {}), now=NOON)
    remove(store, "hub")

    again = [*told("acme/shop", 100, LONG_AGO), covered("hub", "shop")]
    assert collected(store, lambda _: [Batch(records=again)]) is None

    assert store.counts()["commits"] == 4
    assert {one.start for one in store.coverage() if one.source == "hub"} == {LONG_AGO}


@pytest.mark.slow
def test_what_is_forgotten_while_it_is_collected_is_not_gone_on_with(store: Store) -> None:
    def batches(_context: CollectionContext) -> Iterator[Batch]:
        yield Batch(records=told("acme/new", 500, NOON), cursors={"acme/new": "half"})
        remove(store, "hub")
        yield Batch(records=told("acme/till", 200, NOON), cursors={"acme/new": "whole"})

    error = collected(store, batches)

    assert error is not None
    assert "forgotten while this was collected" in error
    assert store.cursors("hub") == {}
    assert "hub" not in store.sources()


# --- the audit log ------------------------------------------------------------------------------


@pytest.mark.slow
def test_forgetting_is_recorded_without_what_was_forgotten(store: Store) -> None:
    remove(store, "acme/shop")
    remove(store, "hub")

    last, before, *_ = [entry for entry in entries(store) if entry.action == "forget"]

    assert (last.subject, last.who is not None, last.when) == ("source hub", True, NOON)
    assert last.what is not None
    assert last.what.startswith("repositories 1, commits 2")
    assert before.subject is not None
    assert before.subject.startswith("repository h:")
    assert was_forgotten(store, "acme/shop") == NOON
    assert was_forgotten(store, "acme/shops") is None


def test_settings_that_name_a_forgotten_repository_name_it_no_more(store: Store) -> None:
    named = replace(RULES, services=(Service(name="shop", repository="acme/shop"),))
    near = replace(RULES, services=(Service(name="shop", repository="acme/shop-2"),))
    for rules in (named, near, named):
        note_settings(store, rules, NOON)

    remove(store, "acme/shop")

    left = texts(store)
    assert "acme/shop-2" in left
    assert "acme/shop " not in left
    assert "acme/shop'" not in left
    assert 'acme/shop"' not in left


def test_settings_that_changed_figures_are_recorded_once(store: Store) -> None:
    stricter = replace(RULES, incident_window=timedelta(hours=1), bots=("ci-*",))
    for rules in (RULES, stricter, stricter):
        bring_up_to_date(store, rules)

    found = {entry.subject: entry.what for entry in entries(store) if entry.action == "setting"}
    assert found == {
        "bots.authors": '[] → ["ci-*"]',
        "failures.suspect_within": "14400s → 3600s",
    }


def test_a_secret_in_a_setting_is_not_recorded(store: Store) -> None:
    token = "ghp_" + "a1B2" * 9
    bring_up_to_date(store, replace(RULES, organisation=token))

    assert token not in texts(store)


def test_decisions_of_triage_are_in_the_log(store: Store) -> None:
    found = [entry for entry in entries(store) if entry.action == "triage reject"]

    assert [entry.subject for entry in found] == ["acme/till#2", "acme/shop#2", "acme/other#2"]
    assert {(entry.who, entry.what) for entry in found} == {("jane", "no")}


# --- retention ----------------------------------------------------------------------------------


def test_retention_keeps_what_the_configuration_says_once_a_day(store: Store) -> None:
    now = NOON + WEEK
    assert keep_only(store, None, RULES, now=now) is None
    assert keep_only(store, 20 * WEEK, RULES, now=now) is None  # nothing is that old

    gone = keep_only(store, 4 * WEEK, RULES, now=now)  # in force at once

    assert gone is not None
    assert gone.counts["commits"] == 2
    assert {one.start for one in store.coverage()} == {datetime(2026, 8, 17, tzinfo=UTC)}
    assert [entry.action for entry in entries(store) if entry.action != "triage reject"] == [
        "retention"
    ]
    store.save("people", told("acme/older", 700, LONG_AGO))
    assert keep_only(store, 4 * WEEK, RULES, now=now + timedelta(hours=3)) is None
    later = keep_only(store, 4 * WEEK, RULES, now=now + DAY)
    assert later is not None
    assert later.counts["commits"] == 2


def test_the_room_is_given_back_once(store: Store) -> None:
    remove(store, "hub")
    assert store.wants_compaction()

    finish(store)

    assert not store.wants_compaction()


# --- the same as if it had never been there -----------------------------------------------------


def happened_before(record: AnyRecord, moment: datetime) -> bool:
    moments = {
        Commit: ("authored_at", "committed_at"),
        Change: (
            "created_at", "ready_at", "first_commit_at", "first_review_at", "approved_at",
            "merged_at", "closed_at",
        ),
        Deployment: ("started_at", "finished_at"),
        Incident: (
            "detected_at", "impact_started_at", "acknowledged_at", "mitigated_at", "resolved_at",
        ),
    }.get(type(record), ())  # fmt: skip
    known = [at for name in moments if (at := getattr(record, name))]
    return bool(known) and max(known) < moment


def left_of(records: Sequence[AnyRecord], moment: datetime) -> list[AnyRecord]:
    """What stays of records, written down plainly."""
    kept = [one for one in records if not happened_before(one, moment)]
    changes = [one for one in kept if isinstance(one, Change)]
    listed = {sha for one in changes for sha in (*one.commit_shas, one.merge_commit_sha)}
    known = {one.key for one in records if isinstance(one, Deployment | Incident)}
    there = {one.key for one in kept if isinstance(one, Deployment | Incident)}
    back = [one for one in records if isinstance(one, Commit) and one.sha in listed]
    others = [one for one in kept if not isinstance(one, Triage)]
    triage = [
        one
        for one in records
        if isinstance(one, Triage)
        and (one.record in there if one.record in known else one.when >= moment)
    ]
    return [*others, *(one for one in back if one not in kept), *triage]


@pytest.mark.slow
@given(history=histories(), minutes=st.integers(0, 20 * 1440))
@law(25, soak=3_000)
def test_lineage_after_forgetting_is_that_of_what_is_left(history: History, minutes: int) -> None:
    moments = [one.finished_at for one in history.records if isinstance(one, Deployment)]
    begin = min(filter(None, moments), default=NOON)
    day = (begin + timedelta(minutes=minutes)).date()
    moment = datetime.combine(day, datetime.min.time(), UTC)

    with empty_store() as store:
        store.save("made-up", history.records)
        bring_up_to_date(store, history.rules)
        forget(store, plan_for_past(store, day, "UTC", {}), now=NOON)
        bring_up_to_date(store, history.rules)
        found = read(store)

    assert found == derive(left_of(history.records, moment), history.rules)
