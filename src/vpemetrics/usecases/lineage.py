"""Keeping what was derived in step with the facts and the rules."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from typing import Final

from vpemetrics.lineage.rows import IncidentRow
from vpemetrics.lineage.services import Services, path_matcher
from vpemetrics.lineage.trace import ServiceFacts, trace
from vpemetrics.rules import Rules
from vpemetrics.store import Store, derived
from vpemetrics.store.history import Facts
from vpemetrics.store.saving import last_batch

LINEAGE_VERSION: Final = 1
"""Raised when lineage comes to other results from the same facts; then all is traced anew."""

Progress = Callable[[int, int], None]


def bring_up_to_date(store: Store, rules: Rules, progress: Progress | None = None) -> int:
    """Trace every service that new facts or changed rules touch; returns how many there were.

    One transaction; nothing is read or written when no fact is newer and no rule changed.
    """
    if is_current(store, rules):
        return 0
    with store.transaction() as connection:
        facts = Facts(connection, Services(rules))
        known = derived.load_traced(connection)
        since, _ = derived.load_mark(connection)
        ids = derived.name_ids(connection, facts.deployed_from)
        prints = {name: _fingerprint(rules, name) for name in ids}
        touched = facts.touched_since(since)
        stale = [
            name
            for name, id_ in sorted(ids.items())
            if id_ not in known or known[id_].fingerprint != prints[name] or name in touched
        ]
        gone = set(known) - set(ids.values())
        derived.forget(connection, [*gone, *(ids[name] for name in stale)])
        for done, one in enumerate(service_facts(facts, rules, stale), 1):
            name = one.service.name
            derived.save_lineage(
                connection, ids[name], prints[name], facts.deployed_from[name], trace(one, rules)
            )
            if progress:
                progress(done, len(stale))
        derived.save_mark(connection, last_batch(connection), _digest(rules))
    return len(stale)


def is_current(store: Store, rules: Rules) -> bool:
    """Whether lineage has seen every save, under these rules."""
    return store.lineage_mark() == (store.batch(), _digest(rules))


def recompute(store: Store, rules: Rules, progress: Progress | None = None) -> int:
    """Forget all that was derived and trace every service anew."""
    with store.transaction() as connection:
        derived.forget(connection)
        derived.forget_mark(connection)
    return bring_up_to_date(store, rules, progress)


def service_facts(facts: Facts, rules: Rules, names: Sequence[str]) -> Iterator[ServiceFacts]:
    """What tracing takes, for each service; services of the same repositories share a history."""
    services = Services(rules)
    rows, triage = facts.deployments(names), facts.triage()
    incidents = facts.incidents()
    named = {incident.id: _named(incident, services) for incident in incidents}
    linked = {row.record for row in triage if row.cause}
    anybodys = {i.id for i in incidents if i.names_cause or not i.services or i.key in linked}
    for repositories, group in _together(facts.deployed_from, names).items():
        configured = {name: services.configured(name) for name in group}
        history = facts.history(repositories, paths=any(s.paths for s in configured.values()))
        for name, service in configured.items():
            yield ServiceFacts(
                service=service,
                rows=rows[name],
                history=history,
                incidents=[i for i in incidents if i.id in anybodys or name in named[i.id]],
                triage=triage,
                named=partial(_names, name, named),
                belongs=path_matcher(service.paths),
            )


def _together(
    deployed_from: Mapping[str, set[str]], names: Iterable[str]
) -> dict[frozenset[str], list[str]]:
    """Services by the repositories they are deployed from."""
    found: dict[frozenset[str], list[str]] = defaultdict(list)
    for name in names:
        found[frozenset(deployed_from[name])].append(name)
    return found


def _named(incident: IncidentRow, services: Services) -> frozenset[str]:
    """Our names of the services an incident names."""
    found = (services.name(name, None) for name in incident.services)
    return frozenset(name for name in found if name)


def _names(name: str, named: Mapping[int, frozenset[str]], incident: IncidentRow) -> bool:
    return name in named[incident.id]


def _fingerprint(rules: Rules, name: str) -> str:
    """What changes when the rules that a service's lineage depends on change."""
    own = tuple(service for service in rules.services if service.name == name)
    return _digest(replace(rules, services=own))


def _digest(rules: Rules) -> str:
    """What changes when rules that lineage depends on change."""
    said = (
        LINEAGE_VERSION,
        rules.services,
        rules.environments,
        rules.lead_time_start,
        rules.incident_window,
        rules.incident_labels,
        rules.hotfix_labels,
        rules.hotfix_branches,
    )
    return blake2b(repr(said).encode(), digest_size=16).hexdigest()
