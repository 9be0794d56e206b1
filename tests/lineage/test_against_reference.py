"""The engine, from records through the store to derived tables, against a second reading."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

import pytest
import reference
from histories import BEGIN, History, histories
from hypothesis import given
from stored import SOURCE, Parts, Stored, empty_store, read
from tiers import law

from vpemetrics.records import Triage
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
@law(100, soak=5_000)
@given(histories())
def test_both_readings_of_the_rules_agree(history: History) -> None:
    with empty_store() as store:
        store.save(SOURCE, history.records)
        bring_up_to_date(store, history.rules)
        found = by_engine(store, history)

    expected = by_reference(history)
    for part in Reading._fields:
        assert getattr(found, part) == getattr(expected, part), part


def by_engine(store: Store, history: History) -> Reading:
    """What the store's derived tables and the failures read from them say."""
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
            **{key: why for key, why in stored.waiting.items() if why not in (None, "bot")},
        },
        waiting={key for key, why in stored.waiting.items() if why in (None, "bot")},
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


def _word(evidence: str, decided: bool) -> str:
    return "triage" if decided else evidence


def _samples(stored: Stored, service: str, sent: Any) -> tuple[float, ...]:
    finished = next(d for d in stored.deployments[service] if d.parts == sent.deployment)
    leads = [finished.finished_at - start for start in sent.starts]
    return tuple(max(lead, 0) / SECOND for lead in leads if lead >= -5 * MINUTE)


def _recoveries(store: Store, rules: Rules) -> Iterator[tuple[Any, Any]]:
    with store.view() as connection:
        parts: dict[int, Parts] = {}
        for deployed, key in connection.exec_driver_sql(
            "SELECT p.deployed_id, d.key FROM deployed_parts p JOIN deployments d "
            "ON d.id = p.record_id ORDER BY d.finished_at, d.key"
        ):
            parts[deployed] = (*parts.get(deployed, ()), key)
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
            key: (it.deployment, it.starts_at_merge, it.leads)
            for key, it in result.shipped.items()
            if it.excluded is None
        },
        left_out={key: it.excluded for key, it in result.shipped.items() if it.excluded},
        waiting=set(result.waiting),
        evidence={
            (f.service, f.deployment, f.grade, word, f.incident, f.counts)
            for f in result.failures
            if (word := _word(f.evidence, f.incident in judged and f.grade == "A"))
            and (f.counts or f.incident not in judged)
        },
        without_cause={
            key: "unknown" if cause.reason == "no_service" else cause.reason or ""
            for key, cause in result.incident_causes.items()
            if cause.grade == "E" and key[1] in result.deployments
        },
        recoveries={key: (it.start, it.restored) for key, it in result.recoveries.items()},
    )
