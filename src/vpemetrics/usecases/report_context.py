"""The knowledge of a store as metrics and questions need it: services, coverage, facts."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np

from vpemetrics.errors import NoData, NotFound
from vpemetrics.lineage.services import Services
from vpemetrics.metrics.evaluate import HISTORY_WEEKS
from vpemetrics.metrics.facts import (
    MetricFacts,
    deployed_table,
    failures,
    incident_table,
    shipped_table,
    table,
)
from vpemetrics.metrics.figures import Scope
from vpemetrics.metrics.provisional import LAG_WEEKS, wait
from vpemetrics.metrics.reviews import READY_WEEKS
from vpemetrics.names import name_key, nearest_few, spellings
from vpemetrics.records import CoverageKind
from vpemetrics.rules import Rules
from vpemetrics.store import Store, derived, metric_queries
from vpemetrics.store.columns import Arrays
from vpemetrics.store.derived import Traced
from vpemetrics.store.loading import load_names
from vpemetrics.usecases.service_coverage import coverage_by_service
from vpemetrics.window import (
    DAY,
    MISSING,
    Interval,
    Micros,
    Window,
    weeks_before,
)

NOT_DEPLOYED: Final = (
    "no deployment is known, so there is no week to report on\n"
    "`vpemetrics status` shows what was collected; docs/collectors.md tells what can say "
    "what was deployed: tags or commits of a git repository, GitOps, files"
)

NOT_COVERED: Final = (
    "deployments are known, but no collection of them has come to its end, so there is no week "
    "that is known whole\n"
    "Let `vpemetrics collect` go on, or name a window, as with --week 2026-W36; `vpemetrics "
    "status` shows what was collected"
)


@dataclass(frozen=True, kw_only=True)
class ReportContext:
    """All that is known beside the facts themselves, read once per report.

    `services` are those deployed to production and those of the configuration, by name;
    `coverage` the collected stretches by service and kind; `data_as_of` is MISSING without any.
    """

    rules: Rules
    services: tuple[str, ...]
    coverage: Mapping[tuple[str, CoverageKind], Sequence[Interval]]
    data_as_of: Micros
    names: Mapping[int, str]
    traced: Mapping[str, Traced]

    @classmethod
    def load(cls, store: Store, rules: Rules) -> "ReportContext":
        """The knowledge of a store under some rules; lineage must be up to date."""
        stretches = store.coverage()
        with store.view() as connection:
            stored = load_names(connection)
            names = {id_: name for id_, name in stored.items() if id_ is not None and name}
            traced = {
                names[id_]: lineage for id_, lineage in derived.load_traced(connection).items()
            }
        deployed_from = {name: lineage.repositories for name, lineage in traced.items()}
        resolver = Services(rules, spellings(deployed_from))
        coverage = coverage_by_service(stretches, resolver, deployed_from)
        ends = [b for (_, kind), found in coverage.items() for _, b in found if kind in _AGE]
        return cls(
            rules=rules,
            services=tuple(sorted({*deployed_from, *resolver.declared})),
            coverage=MappingProxyType(coverage),
            data_as_of=max(ends, default=MISSING),
            names=names,
            traced=traced,
        )

    @property
    def collected_between(self) -> Interval:
        """The first and the last moment deployments were collected for; NoData without any."""
        kind = CoverageKind.DEPLOYMENTS
        spans = [span for (_, of), found in self.coverage.items() for span in found if of == kind]
        if not spans:
            raise NoData(NOT_COVERED if self.traced else NOT_DEPLOYED)
        return min(start for start, _ in spans), max(end for _, end in spans)

    @property
    def without_paths(self) -> tuple[str, ...]:
        """Services that share a repository and have no path patterns (rule D6)."""
        deployed_from: dict[str, list[str]] = defaultdict(list)
        for name, lineage in self.traced.items():
            for repository in lineage.repositories:
                deployed_from[repository].append(name)
        shared = {name for names in deployed_from.values() if len(names) > 1 for name in names}
        return tuple(sorted(n for n in shared if not self.resolver.configured(n).paths))

    @cached_property
    def resolver(self) -> Services:
        """The finder of our services by sources' names."""
        return Services(self.rules, spellings(self.traced))

    @property
    def organisation(self) -> Scope:
        """Everything."""
        return Scope(kind="organisation", name=self.rules.organisation)

    def scope(self, service: str | None, team: str | None) -> tuple[Scope, tuple[str, ...]]:
        """The scope that is asked for and its services; NotFound with near names if unknown."""
        if service is not None:
            named = self.service_named(service)
            if named is None:
                raise NotFound(_unknown("service", service, self.services))
            return Scope(kind="service", name=named), (named,)
        if team is not None:
            named = spellings(self.teams).get(name_key(team))
            if named is None:
                raise NotFound(_unknown("team", team, tuple(self.teams)))
            return Scope(kind="team", name=named), self.teams[named]
        return self.organisation, self.services

    def service_named(self, name: str) -> str | None:
        """Our service of a name, in whichever spelling; None if nothing is known of it."""
        named = self.resolver.name(name, None)
        return named if named in self.services else None

    @cached_property
    def teams(self) -> Mapping[str, tuple[str, ...]]:
        """Teams with their services; what nobody owns is `unowned`, where there are teams."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in self.services:
            found[self.resolver.configured(name).team or "unowned"].append(name)
        if set(found) <= {"unowned"}:
            return {}
        return {team: tuple(services) for team, services in sorted(found.items())}

    def parts(self, scope: Scope, services: Sequence[str]) -> dict[Scope, tuple[str, ...]]:
        """The teams and services within a scope, for figures of their own."""
        if scope.kind == "service":
            return {}
        teams = self.teams if scope.kind == "organisation" else {}
        owned = {name: tuple(s for s in mine if s in services) for name, mine in teams.items()}
        return {Scope(kind="team", name=name): mine for name, mine in owned.items() if mine} | {
            Scope(kind="service", name=name): (name,) for name in services
        }

    def facts(self, store: Store, window: Window, weeks: int = HISTORY_WEEKS) -> MetricFacts:
        """The facts of a window and the weeks up to its end, as columns for the metrics."""
        start, end = weeks_before(window, weeks).start_at, window.end_at
        start = min(start, window.start_at)
        with store.view() as connection:
            evidence = metric_queries.evidence(connection)
            deployments = metric_queries.deployments(connection, start, end, evidence)
            shipments = metric_queries.shipments(connection, start, end)
            waiting = metric_queries.waiting_changes(connection, start, end)
            outages = metric_queries.incidents(connection, start, end, evidence)
            since = end - READY_WEEKS * 7 * DAY
            proposed = metric_queries.proposals(connection, self._deployed_as, since)
        lags = metric_queries.lags(evidence, max(self.data_as_of, 0) - LAG_WEEKS * 7 * DAY)
        deployed = deployed_table(deployments, self.names, window.zone)
        incidents = incident_table(outages, (self._our_names(text) for text in outages["services"]))
        return MetricFacts(
            services=self.services,
            deployed=deployed,
            shipped=shipped_table(shipments, self.names),
            waiting=table(waiting, self.names),
            proposed=table(self._in_each_service(proposed), self.names),
            failures=failures(metric_queries.evidence_about(evidence, start, end), deployed),
            incidents=incidents,
            coverage=self.coverage,
            attribution={name: lineage.attribution for name, lineage in self.traced.items()},
            data_as_of=self.data_as_of,
            since=start,
            suspected_within=self.rules.incident_window // timedelta(microseconds=1),
            wait=wait(lags),
        )

    @cached_property
    def _deployed_as(self) -> Mapping[int, Sequence[int]]:
        """The services that repositories are deployed as, by the ids of their names."""
        ids = {name: id_ for id_, name in self.names.items()}
        found: dict[int, list[int]] = defaultdict(list)
        for service, lineage in self.traced.items():
            for repository in lineage.repositories:
                if repository in ids:
                    found[ids[repository]].append(ids[service])
        return found

    def _in_each_service(self, changes: Arrays) -> Arrays:
        """Changes once for each service that their repository is deployed as."""
        services = [self._deployed_as[id_] for id_ in changes["repository_id"].tolist()]
        rows = np.repeat(np.arange(len(services)), np.array([*map(len, services)], dtype=np.int64))
        ids = np.array([id_ for several in services for id_ in several], dtype=np.int64)
        return {name: column[rows] for name, column in changes.items()} | {"service_id": ids}

    def _our_names(self, services: str | None) -> tuple[str, ...]:
        found = (self.resolver.name(name, None) for name in json.loads(services or "[]"))
        return tuple(dict.fromkeys(name for name in found if name))


# The kinds of facts whose collection says how old the data is.
_AGE = (CoverageKind.DEPLOYMENTS, CoverageKind.INCIDENTS)


def _unknown(kind: str, name: str, known: Sequence[str]) -> str:
    near = nearest_few(name, known)
    if near:
        return f"there is no {kind} {name!r}; did you mean {', '.join(near)}?"
    shown = ", ".join(known[:10]) + (", …" if len(known) > 10 else "")
    return f"there is no {kind} {name!r}; known: {shown or 'none'}"
