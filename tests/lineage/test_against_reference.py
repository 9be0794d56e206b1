"""The engine, from records through the store to derived columns, against a second reading."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

import pytest
import reference
from builders import changed, commits, decision, deploys, incident, pull
from histories import BEGIN, History, histories
from hypothesis import given
from stored import SOURCE, Parts, Stored, empty_store, parts_of_deployments, read
from tiers import law

from vpemetrics.records import AnyRecord, Triage
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.usecases.update_lineage import bring_up_to_date
from vpemetrics.window import MINUTE, MISSING, SECOND, Window, from_micros

EVERYTHING = Window(start=BEGIN.date(), end=date(2027, 1, 1))

# What the engine calls a piece of evidence that the second reading has one word for.
WORDS = {"rollback_undone": "rollback", "revert_alone": "revert"}
REASONS = {"named_not_shipped": "never_shipped", "linked": "never_shipped"}


class Reading(NamedTuple):
    """What both readings say about a history, in the same words."""

    deployments: dict[str, list[tuple[Any, ...]]]
    attempts: dict[str, set[str]]
    shipped: dict[tuple[str, str], tuple[Any, ...]]
    left_out: dict[tuple[str, str], str]
    waiting: set[tuple[str, str]]
    evidence: set[tuple[Any, ...]]
    without_cause: dict[tuple[str, str], str]
    recoveries: dict[tuple[str, Parts], tuple[datetime, datetime | None]]


@pytest.mark.slow
@law(40, soak=5_000)
@given(histories())
def test_both_readings_of_the_rules_agree(history: History) -> None:
    with empty_store() as store:
        store.save(SOURCE, history.records)
        bring_up_to_date(store, history.rules)
        found = by_engine(store, history)

    expected = by_reference(history)
    for part in Reading._fields:
        assert getattr(found, part) == getattr(expected, part), part


# d1 (a), d2 (b) and d3 (c) are live on Monday, Tuesday and Wednesday at 10:00; d4 (d) closes I on
# Wednesday at 18:00. I began after d3 and lasted for an hour.
DAYS = "Mon 10:00 eu a \n Tue 10:00 eu b \n Wed 10:00 eu c \n Wed 18:00 eu d"
FIX = pull(7, "Wed 16:00", by="d", of="d", closes=("I",))
LASTED = {"began": "Wed 12:00", "restored": "Wed 13:00"}
CONFIRMED = decision("d3", "confirm", "Sun 10:00")
ACQUITTED = decision("d3", "reject", "Sun 10:00")
NAMES_D2 = incident("I", **LASTED, cause_deployment="d2")
IT = incident("I", **LASTED)
UNDONE = DAYS.replace("Wed 18:00 eu d", "Wed 12:00 eu b \n Wed 14:00 eu c")


@pytest.mark.parametrize(
    ("table", "rows", "expected"),
    [
        # nobody has decided: the fix tells
        (DAYS, [IT], {"d3": "C Wed 12:00 to Wed 13:00"}),
        # what a person rejected mends nothing, whoever spoke first
        (
            DAYS,
            [IT, CONFIRMED, decision("I", "reject", "Sun 09:00")],
            {"d3": "A without end", "I": "rejected"},
        ),
        (
            DAYS,
            [IT, CONFIRMED, decision("I", "reject", "Sun 11:00")],
            {"d3": "A without end", "I": "rejected"},
        ),
        # nor does what was tied to another deployment
        (
            DAYS,
            [IT, CONFIRMED, decision("I", "link", "Sun 09:00", "d2")],
            {"d3": "A without end", "d2": "A Wed 12:00 to Wed 13:00"},
        ),
        (
            DAYS,
            [IT, CONFIRMED, decision("I", "link", "Sun 11:00", "d2")],
            {"d3": "A without end", "d2": "A Wed 12:00 to Wed 13:00"},
        ),
        # what made it suspected does, and an incident that still counts
        (UNDONE, [CONFIRMED], {"d3": "A Wed 10:00 to Wed 12:00"}),
        (DAYS, [IT, CONFIRMED], {"d3": "A Wed 12:00 to Wed 13:00"}),
        (
            DAYS,
            [IT, incident("J", "Wed 11:00"), CONFIRMED, decision("J", "reject", "Sun 11:00")],
            {"d3": "A Wed 12:00 to Wed 13:00", "J": "rejected"},
        ),
        # of a record the last word counts, by whomever
        (
            DAYS,
            [IT, decision("I", "reject", "Sun 10:00"), decision("I", "confirm", "Sun 11:00")],
            {"d3": "A Wed 12:00 to Wed 13:00"},
        ),
        (
            DAYS,
            [IT, decision("I", "confirm", "Sun 10:00"), decision("I", "reject", "Sun 11:00")],
            {"I": "rejected"},
        ),
        (
            DAYS,
            [IT, decision("I", "link", "Sun 10:00", "d2"), decision("I", "reject", "Sun 11:00")],
            {"I": "rejected"},
        ),
        (
            DAYS,
            [
                IT,
                decision("I", "link", "Sun 10:00", "d2"),
                decision("I", "link", "Sun 11:00", "d3"),
            ],
            {"d3": "A Wed 12:00 to Wed 13:00"},
        ),
        (DAYS, [CONFIRMED, decision("d3", "reject", "Sun 11:00")], {}),
        (DAYS, [ACQUITTED, decision("d3", "confirm", "Sun 11:00")], {"d3": "A without end"}),
        # … and of a repeat it is the deployment's
        (
            DAYS + "\n Wed 18:20 eu d",
            [decision("d4", "confirm", "Sun 10:00"), decision("d5", "reject", "Sun 11:00")],
            {},
        ),
        # of two records that contradict each other too
        (
            DAYS,
            [IT, ACQUITTED, decision("I", "link", "Sun 11:00", "d3")],
            {"d3": "A Wed 12:00 to Wed 13:00"},
        ),
        (
            DAYS,
            [IT, ACQUITTED, decision("I", "link", "Sun 09:00", "d3")],
            {"I": "rejected"},
        ),
        (DAYS, [IT, ACQUITTED, decision("I", "confirm", "Sun 11:00")], {"I": "rejected"}),
        (DAYS, [IT, ACQUITTED, decision("I", "confirm", "Sun 09:00")], {"I": "rejected"}),
        # what a decision held is taken back with it, and other evidence is what it was
        (
            DAYS,
            [NAMES_D2, decision("d2", "reject"), decision("I", "confirm", "Sun 09:00")],
            {"d3": "C Wed 12:00 to Wed 13:00"},
        ),
        (
            DAYS,
            [NAMES_D2, decision("d2", "reject"), decision("I", "confirm", "Sun 13:00")],
            {"d3": "A Wed 12:00 to Wed 13:00"},
        ),
        (
            DAYS,
            [NAMES_D2, ACQUITTED, decision("I", "link", "Sun 09:00", "d3")],
            {"d2": "A Wed 12:00 to Wed 13:00"},
        ),
        # evidence against several that did not fail is no evidence, in any order
        (
            DAYS,
            [NAMES_D2, ACQUITTED, decision("d2", "reject", "Sun 11:00")],
            {"I": "rejected"},
        ),
        (
            DAYS,
            [NAMES_D2, ACQUITTED, decision("d2", "reject", "Sun 09:00")],
            {"I": "rejected"},
        ),
    ],
)
def test_decisions_about_several_records_are_one_word(
    table: str, rows: list[AnyRecord], expected: dict[str, str]
) -> None:
    records = (*commits("a<b<c<d"), FIX, *deploys(table), *rows)

    assert outcomes(records) == (expected, expected)


# c takes back b, and is shipped by d3.
REVERTED = changed(commits("a<b<c<d"), c={"reverts_sha": ("b",)})


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        ([], {"d2": "B Tue 10:00 to Wed 10:00", "J": "unknown"}),
        # an incident that no deployment caused makes no failure of a mere revert
        ([decision("J", "reject")], {"d2": "D", "J": "rejected"}),
        (
            [decision("J", "reject", "Sun 10:00"), decision("J", "confirm", "Sun 11:00")],
            {"d2": "B Tue 10:00 to Wed 10:00", "J": "unknown"},
        ),
        # whatever caused it, it stands beside the revert
        (
            [decision("J", "link", cause="d1")],
            {"d1": "A Tue 20:00 to Tue 21:00", "d2": "B Tue 10:00 to Wed 10:00"},
        ),
        # that the deployment did not fail takes the revert's evidence back, and no other
        ([decision("d2", "reject")], {"J": "unknown"}),
        # confirmed by a person it is mended by the revert all the same
        (
            [decision("J", "reject"), decision("d2", "confirm")],
            {"d2": "A Tue 10:00 to Wed 10:00", "J": "rejected"},
        ),
    ],
)
def test_a_rejected_incident_supports_no_revert(
    decisions: list[AnyRecord], expected: dict[str, str]
) -> None:
    beside = incident("J", "Tue 20:00", "Tue 21:00")
    records = (*REVERTED, *deploys(DAYS), beside, *decisions)

    assert outcomes(records) == (expected, expected)


def outcomes(records: tuple[AnyRecord, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """The failures and incidents without a cause of one service, by both readings."""
    history = History(records=records, rules=Rules())
    with empty_store() as store:
        store.save(SOURCE, records)
        bring_up_to_date(store, history.rules)
        return _outcome(by_engine(store, history)), _outcome(by_reference(history))


def _outcome(reading: Reading) -> dict[str, str]:
    blamed = sorted((e for e in reading.evidence if e[-1]), key=lambda e: e[2], reverse=True)
    found = {deployment[0]: grade for _, deployment, grade, _, _, _ in blamed}
    for deployment, grade in found.items():
        times = [it for (_, parts), it in reading.recoveries.items() if parts[0] == deployment]
        if grade in "ABC":
            found[deployment] = f"{grade} {_span(*times[0]) if times else 'without end'}"
    return found | {incident: reason for (incident, _), reason in reading.without_cause.items()}


def _span(start: datetime, end: datetime | None) -> str:
    return " to ".join("open" if it is None else f"{it:%a %H:%M}" for it in (start, end))


def by_engine(store: Store, history: History) -> Reading:
    """What the store derived, and the failures read from it, say."""
    stored = read(store)
    judged = {row.record for row in history.records if isinstance(row, Triage)}
    return Reading(
        deployments={
            service: [
                (
                    one.parts,
                    one.kind,
                    from_micros(one.started_at or one.finished_at),
                    from_micros(one.finished_at),
                    one.commit,
                    one.rolled_back,
                    one.first,
                    one.unplanned is not None,
                )
                for one in made
                if one.kind != "attempt"
            ]
            for service, made in stored.deployments.items()
        },
        attempts={
            service: {part for one in made if one.kind == "attempt" for part in one.parts}
            for service, made in stored.deployments.items()
        },
        shipped={
            key: (sent.deployment, sent.at_merge, _samples(stored, key[0], sent))
            for key, sent in stored.shipped.items()
            if sent.reason is None
        },
        left_out={
            **{key: sent.reason for key, sent in stored.shipped.items() if sent.reason},
            **{key: why for key, why in stored.waiting.items() if why not in (None, "automation")},
        },
        waiting={key for key, why in stored.waiting.items() if why in (None, "automation")},
        evidence=set(_evidence(stored, judged)),
        without_cause={
            (e.incident or "", e.service): REASONS.get(e.what, e.what)
            for e in stored.evidence
            if e.counts and not e.deployment
        },
        recoveries=dict(_recoveries(store, history.rules)),
    )


def _evidence(stored: Stored, judged: set[str]) -> Iterator[tuple[Any, ...]]:
    """The evidence for failures; of incidents a person decided about, only what counts."""
    for e in stored.evidence:
        if e.deployment and (e.counts or e.incident not in judged):
            word = WORDS.get(e.what, e.what)
            yield e.service, e.deployment, e.grade, word, e.incident, e.counts


def _samples(stored: Stored, service: str, sent: Any) -> list[float]:
    finished = next(d for d in stored.deployments[service] if d.parts == sent.deployment)
    leads = [finished.finished_at - start for start in sent.starts]
    return sorted(max(lead, 0) / SECOND for lead in leads if lead >= -5 * MINUTE)


def _recoveries(store: Store, rules: Rules) -> Iterator[tuple[Any, Any]]:
    parts = parts_of_deployments(store)
    ones = ReportContext.load(store, rules).facts(store, EVERYTHING).failures.rows()
    for one in ones:
        if one.grade in "ABC" and one.timed:
            end = None if one.restored_at == MISSING else from_micros(one.restored_at)
            yield (one.service, parts[one.deployed_id]), (from_micros(one.start_at), end)


def by_reference(history: History) -> Reading:
    """What the second reading says."""
    result = reference.trace(history.records, history.rules)
    judged = {row.record for row in history.records if isinstance(row, Triage)}
    return Reading(
        deployments={
            service: [
                (
                    one.parts,
                    one.kind,
                    one.started_at,
                    one.finished_at,
                    one.commit,
                    one.rolled_back,
                    one.first,
                    one.unplanned,
                )
                for one in found
            ]
            for service, found in result.deployments.items()
        },
        attempts={service: set(found) for service, found in result.failed_attempts.items()},
        shipped={
            key: (it.deployment, it.starts_at_merge, sorted(it.leads))
            for key, it in result.shipped.items()
            if it.excluded is None
        },
        left_out={key: it.excluded for key, it in result.shipped.items() if it.excluded},
        waiting=set(result.waiting),
        evidence={
            (f.service, f.deployment, f.grade, f.evidence, f.incident, f.counts)
            for f in result.failures
            if f.counts or f.incident not in judged
        },
        without_cause={
            key: "unknown" if cause.reason == "no_service" else cause.reason or ""
            for key, cause in result.incident_causes.items()
            if cause.grade == "E" and key[1] in result.deployments
        },
        recoveries={key: (it.start, it.restored) for key, it in result.recoveries.items()},
    )
