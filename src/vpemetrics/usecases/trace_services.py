"""Tracing services anew: their facts out of the store, and what came of them back into it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

import numpy as np

from vpemetrics.lineage.deployments import DeploymentRecords
from vpemetrics.lineage.incidents import IncidentIndex
from vpemetrics.lineage.rows import NONE, IncidentRow
from vpemetrics.lineage.services import Services, path_matcher
from vpemetrics.lineage.trace import History, ServiceFacts, trace
from vpemetrics.rules import Rules
from vpemetrics.store import derived
from vpemetrics.store.derived_blocks import load_digests
from vpemetrics.store.derived_columns import TracedService, save_lineage
from vpemetrics.store.history import Facts
from vpemetrics.usecases.lineage_rules import lineage_digest, service_fingerprint

_TOGETHER: Final = 100
"""The histories whose deployments are read at once: few enough to hold, many enough to pay."""


class LineageUpdate:
    """One bringing up to date: which services it concerns, and what becomes of them."""

    def __init__(self, facts: Facts, rules: Rules) -> None:
        self._facts, self._rules = facts, rules
        self._connection = connection = facts.connection
        self._known = derived.load_traced(connection)
        since, seen_rules = derived.load_mark(connection)
        self._ids = derived.name_ids(connection, facts.deployed_from)
        self._prints = {name: service_fingerprint(rules, name) for name in self._ids}
        moved = facts.moved(since if seen_rules == lineage_digest(rules) else None)
        self._anew = [name for name in self._ids if name in moved or self._is_new(name)]
        touched = facts.touched_since(since).union(self._anew)
        self.stale = [name for name in sorted(self._ids) if name in touched]

    def run(self) -> Iterator[str]:
        """Trace the services, and write what came out otherwise than before."""
        ids = self._ids
        # All that goes before anything comes: a record may have moved between services.
        derived.forget(self._connection, set(self._known) - set(ids.values()))
        derived.forget(self._connection, [ids[name] for name in self._anew])
        digests = load_digests(self._connection, (ids[name] for name in self.stale))
        for facts in service_facts(self._facts, self.stale):
            name = facts.service.name
            service = TracedService(
                id=ids[name],
                fingerprint=self._prints[name],
                repositories=self._facts.deployed_from[name],
                digests=digests[ids[name]],
                incidents=facts.incidents.by_id,
            )
            save_lineage(self._connection, service, trace(facts, self._rules))
            yield name

    def _is_new(self, name: str) -> bool:
        """Tell whether a service was never traced, or under other rules or repositories."""
        known = self._known.get(self._ids[name])
        return (
            known is None
            or known.fingerprint != self._prints[name]
            or set(known.repositories) != self._facts.deployed_from[name]
        )


def service_facts(facts: Facts, names: Sequence[str]) -> Iterator[ServiceFacts]:
    """The facts that tracing takes, by service; those of the same repositories share a history."""
    about = _About(facts)
    groups = iter(_group(facts.deployed_from, names).items())
    while together := list(islice(groups, _TOGETHER)):
        records = facts.deployments([name for _, group in together for name in group])
        for repositories, group in together:
            shared = np.unique(np.concatenate([records[name].commits for name in group]))
            history = facts.history(
                repositories,
                paths=about.paths_matter(group),
                shared_by=shared[shared != NONE].tolist() if len(group) > 1 else (),
            )
            for name in group:
                yield about.service(name, records.pop(name), history)


class _About:
    """The facts beside deployments and histories: incidents, decisions, paths."""

    def __init__(self, facts: Facts) -> None:
        self._facts, self._services = facts, facts.services
        rows, self._triage = facts.incidents(), facts.triage()
        naming: dict[str, list[int]] = defaultdict(list)
        for at, one in enumerate(rows):
            for name in _services_of(one, self._services):
                naming[name].append(at)
        self._incidents = IncidentIndex(rows=rows, naming=naming)

    def paths_matter(self, names: Iterable[str]) -> bool:
        """Tell whether any of these services has path patterns."""
        return any(self._services.configured(name).paths for name in names)

    def service(self, name: str, records: DeploymentRecords, history: History) -> ServiceFacts:
        """A service with its deployments and all else that may concern it."""
        service = self._services.configured(name)
        return ServiceFacts(
            service=service,
            records=records,
            history=history,
            incidents=self._incidents,
            triage=self._triage,
            belongs=path_matcher(service.paths),
        )


def _group(
    deployed_from: Mapping[str, set[str]], names: Iterable[str]
) -> dict[frozenset[str], list[str]]:
    """Services by the repositories they are deployed from."""
    found: dict[frozenset[str], list[str]] = defaultdict(list)
    for name in names:
        found[frozenset(deployed_from[name])].append(name)
    return found


def _services_of(incident: IncidentRow, services: Services) -> frozenset[str]:
    """Our names of the services an incident names."""
    found = (services.name(name, None) for name in incident.services)
    return frozenset(name for name in found if name)
