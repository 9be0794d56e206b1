"""The rows of a report that are read from the store: failures, problems, the last deployment."""

from collections.abc import Collection, Iterable
from typing import Any, Final

import numpy as np

from vpemetrics.agents import author_settings
from vpemetrics.fingerprint import fingerprint
from vpemetrics.metrics.evaluate import Windows
from vpemetrics.metrics.facts import MetricFacts, Slice
from vpemetrics.reports.model import FailureRow, LastDeployment, OpenIncident, Problem
from vpemetrics.store import Store, metric_queries, record_lookup
from vpemetrics.usecases.problems import (
    REMEDIES,
    known_problems,
    lines_that_join,
    lost_records,
    near_services,
    remedy_of,
)
from vpemetrics.usecases.report_context import ReportContext
from vpemetrics.window import MISSING, SECOND, Micros, from_micros, known_instant


def failure_rows(
    store: Store, facts: MetricFacts, of: Windows, known: ReportContext
) -> Iterable[FailureRow]:
    """Failures of the headline window, latest first, and those still open whenever they began."""
    start, end = of.headline.start_at, of.headline.end_at
    found = facts.failures
    finished, is_open = found["finished_at"], found["timed"] & (found["restored_at"] == MISSING)
    shown = found.where((finished >= start) & (finished < end) | is_open)
    with store.view() as connection:
        details = metric_queries.failures_of(connection, shown["deployed_id"].tolist())
    for failure in sorted(shown.rows(), key=lambda row: row.start_at, reverse=True):
        detail = details[failure.deployed_id]
        until = known.data_as_of if failure.restored_at == MISSING else failure.restored_at
        yield FailureRow(
            service=failure.service,
            deployment=detail.deployment,
            commit=detail.commit,
            started_at=from_micros(failure.start_at),
            recovered_at=known_instant(failure.restored_at),
            recovery_time=_duration(failure, until),
            open=bool(failure.timed and failure.restored_at == MISSING),
            grade=failure.grade,
            evidence="; ".join(detail.evidence),
            incidents=detail.incidents,
            url=detail.url,
            kind=failure.kind,
        )


def open_incidents(facts: MetricFacts, known: ReportContext) -> Iterable[OpenIncident]:
    """The incidents of a scope that are not over: first those that customers feel."""
    found = facts.incidents
    still = (found["restored_at"] == MISSING) & (found["began_at"] != MISSING)
    rows = sorted(
        found.where(still & (found["began_at"] <= known.data_as_of)).rows(),
        key=lambda row: (not row.customers, _severity(row) or _LEAST, row.began_at, row.key),
    )
    for row in rows:
        yield OpenIncident(
            key=row.key,
            title=row.title,
            services=row.services,
            severity=_severity(row),
            customers=bool(row.customers),
            began_at=from_micros(row.began_at),
            lasting=(known.data_as_of - row.began_at) / SECOND,
        )


_LEAST: Final = 1_000


def _severity(row: Any) -> int | None:
    return None if row.severity == MISSING else int(row.severity)


def _duration(failure: Any, until: Micros) -> float | None:
    """Seconds of a failure; None where its end is unknown or before its start."""
    if not failure.timed or until < failure.start_at:
        return None
    return float((until - failure.start_at) / SECOND)


def find_problems(
    store: Store, known: ReportContext, facts: MetricFacts, cut: Slice
) -> Iterable[Problem]:
    """The problems that concern the services of a scope, in a window."""
    traced = (known.traced[name] for name in facts.services if name in known.traced)
    ids = [id_ for id_, name in known.names.items() if name in facts.services]
    with store.view() as connection:
        found = known_problems(traced, metric_queries.unresolved_causes(connection, ids))
        lost = lost_records(connection, known.resolver, facts.services)
        lists = fingerprint(author_settings(known.rules))
        lost["other_author_lists"] = record_lookup.judged_by_other_lists(connection, lists)
        found |= {reason: tuple(examples) for reason, examples in lost.items()}
        fitting = {
            reason: remedy_of(connection, reason, examples) for reason, examples in found.items()
        }
    here = cut.with_incidents
    found |= {
        "never_deployed": tuple(name for name in facts.services if name not in known.traced),
        "not_covered": tuple(n for n in facts.services if n not in cut.covered_services),
        "incidents_not_covered": tuple(n for n in cut.partly_covered_services if n not in here),
        "changes_not_covered": () if cut.changes_collected else tuple(cut.partly_covered_services),
        "without_paths": tuple(n for n in known.without_paths if n in facts.services),
    }
    if at_merge := int(cut.counted_changes["at_merge"].sum()):
        remedy = REMEDIES["starts_at_merge"]
        yield Problem(reason="starts_at_merge", count=at_merge, remedy=remedy)
    if near := _near_names(known, facts):
        yield near
    for reason, examples in sorted((r, e) for r, e in found.items() if e):
        yield Problem(
            reason=reason,
            count=len(examples),
            examples=examples[:3],
            remedy=fitting.get(reason, REMEDIES.get(reason)),
        )


def _near_names(known: ReportContext, facts: MetricFacts) -> Problem | None:
    """The services whose names differ in no more than what stands between words."""
    strangers = {name for names in facts.incidents["services"].tolist() for name in names}
    found = near_services(known.services, strangers, facts.services)
    if not found:
        return None
    return Problem(
        reason="near_names",
        count=len(found),
        examples=tuple(" and ".join(group) for group in found[:3]),
        remedy=lines_that_join(found[0], known.resolver.declared, known.traced),
    )


def last_deployment(
    store: Store, known: ReportContext, services: Collection[str], before: Micros
) -> LastDeployment | None:
    """The last deployment of some services before a moment."""
    wanted = set(services)
    ids = {id_: name for id_, name in known.names.items() if name in wanted}
    with store.view() as connection:
        found = metric_queries.last_deployments(connection, before, ids)
        if not len(found["id"]):
            return None
        latest = int(np.argmax(found["finished_at"]))
        id_, service, finished_at = (
            int(found[name][latest]) for name in ("id", "service_id", "finished_at")
        )
        named = record_lookup.deployments(connection, [id_])[id_]
    return LastDeployment(
        service=ids[service],
        deployment=named.name,
        finished_at=from_micros(finished_at),
        url=named.url,
    )
