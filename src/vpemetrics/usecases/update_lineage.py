"""Keeping what was derived in step with the facts and the rules."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from typing import Final

from vpemetrics.fingerprint import digest
from vpemetrics.lineage.rows import DeploymentRow, IncidentRow, Lineage
from vpemetrics.lineage.services import Services, path_matcher
from vpemetrics.lineage.trace import Disturbed, History, Past, ServiceFacts, trace
from vpemetrics.rules import Rules
from vpemetrics.store import Store, derived
from vpemetrics.store.history import Facts, News
from vpemetrics.store.resuming import Resumed, Resuming, keep_histories, save_history
from vpemetrics.store.saving import last_batch
from vpemetrics.usecases.audit import note_settings

LINEAGE_VERSION: Final = 3
"""Raised when lineage comes to other results from the same facts; then all is traced anew."""

Progress = Callable[[int, int], None]


def bring_up_to_date(store: Store, rules: Rules, progress: Progress | None = None) -> int:
    """Trace every service that new facts or changed rules touch; returns how many there were.

    One transaction; nothing is read or written when no fact is newer and no rule changed.
    """
    note_settings(store, rules)
    if is_current(store, rules):
        return 0
    with store.transaction() as connection:
        update = _Update(Facts(connection, Services(rules)), rules)
        for done, _ in enumerate(update.run(), 1):
            if progress:
                progress(done, len(update.stale))
        derived.save_mark(connection, last_batch(connection), _digest(rules))
    return len(update.stale)


class _Update:
    """One bringing up to date: which services it concerns, and what becomes of them."""

    def __init__(self, facts: Facts, rules: Rules) -> None:
        self._facts, self._rules = facts, rules
        self._connection = connection = facts.connection
        self._known = derived.load_traced(connection)
        self._since, _ = derived.load_mark(connection)
        self._ids = derived.name_ids(connection, facts.deployed_from)
        self._prints = {name: _fingerprint(rules, name) for name in self._ids}
        touched = facts.touched_since(self._since)
        self.stale = [name for name in sorted(self._ids) if name in touched or self._is_new(name)]

    def run(self) -> Iterator[str]:
        """Go on with the services that can be gone on with, and trace the others anew."""
        ids = self._ids
        going_on = dict(self._resume(self._traceable()))
        anew = [name for name in self.stale if name not in going_on]
        # All that goes before anything comes: a record may have moved between services.
        derived.forget(self._connection, set(self._known) - set(ids.values()))
        derived.forget(self._connection, [ids[name] for name in anew])
        for name, (_, one) in going_on.items():
            derived.forget_after(self._connection, ids[name], one.dropped)
        for name, (lineage, one) in going_on.items():
            self._save(name, lineage, one.settled)
            yield name
        yield from self._trace_anew(anew)
        keep_histories(self._connection, self._facts.deployed_from.values())

    def _traceable(self) -> list[str]:
        """The services that may be gone on with."""
        if self._facts.renamed_since(self._since):
            return []
        return [name for name in self.stale if not self._is_new(name)]

    def _is_new(self, name: str) -> bool:
        """Tell whether a service was never traced, or under other rules or repositories."""
        known = self._known.get(self._ids[name])
        return (
            known is None
            or known.fingerprint != self._prints[name]
            or set(known.repositories) != self._facts.deployed_from[name]
        )

    def _resume(self, names: Sequence[str]) -> Iterator[tuple[str, tuple[Lineage, Resumed]]]:
        about, news = _About(self._facts, self._rules), News(self._facts, self._since)
        for repositories, group in _group(self._facts.deployed_from, names).items():
            try:
                resuming = Resuming(self._facts, news, repositories)
                resumed = resuming.services(
                    {name: self._ids[name] for name in group},
                    commits=about.commits,
                    changes=about.changes,
                    paths=about.paths_matter(group),
                )
            except Disturbed:
                continue
            for name, one in resumed.items():
                facts = about.service(name, one.rows, resuming.history, one.past)
                with suppress(Disturbed):
                    yield name, (trace(facts, self._rules), one)
            resuming.save()

    def _trace_anew(self, names: Sequence[str]) -> Iterator[str]:
        facts, about = self._facts, _About(self._facts, self._rules)
        rows = facts.deployments(names)
        for repositories, group in _group(facts.deployed_from, names).items():
            history, commits = facts.history_of_commits(
                repositories, paths=about.paths_matter(group)
            )
            for name in group:
                one = about.service(name, rows[name], history)
                self._save(name, trace(one, self._rules))
                yield name
            save_history(self._connection, repositories, history, commits)

    def _save(self, name: str, lineage: Lineage, settled: Sequence[int] = ()) -> None:
        derived.save_lineage(
            self._connection,
            self._ids[name],
            self._prints[name],
            self._facts.deployed_from[name],
            lineage,
            settled,
        )


def is_current(store: Store, rules: Rules) -> bool:
    """Tell whether lineage has seen every save, under these rules."""
    return store.lineage_mark() == (store.batch(), _digest(rules))


def recompute(store: Store, rules: Rules, progress: Progress | None = None) -> int:
    """Forget all that was derived and trace every service anew."""
    with store.transaction() as connection:
        derived.forget(connection)
        derived.forget_mark(connection)
    return bring_up_to_date(store, rules, progress)


def service_facts(facts: Facts, rules: Rules, names: Sequence[str]) -> Iterator[ServiceFacts]:
    """The facts that tracing takes, by service; those of the same repositories share a history."""
    about, rows = _About(facts, rules), facts.deployments(names)
    for repositories, group in _group(facts.deployed_from, names).items():
        history = facts.history(repositories, paths=about.paths_matter(group))
        for name in group:
            yield about.service(name, rows[name], history)


class _About:
    """The facts beside deployments and histories: incidents, decisions, paths."""

    def __init__(self, facts: Facts, rules: Rules) -> None:
        self._facts, self._services = facts, Services(rules)
        self._incidents, self._triage = facts.incidents(), facts.triage()
        self._named = {one.id: _services_of(one, self._services) for one in self._incidents}
        linked = {row.record for row in self._triage if row.cause}
        self._anybodys = {
            one.id
            for one in self._incidents
            if one.names_cause or not one.services or one.key in linked
        }

    @cached_property
    def commits(self) -> frozenset[int]:
        """The ids of the commits that incidents or people name as a cause."""
        causes = {one.cause_commit for one in self._incidents}
        causes |= {row.cause_commit for row in self._triage}
        return frozenset(cause for cause in causes if cause >= 0)

    @cached_property
    def changes(self) -> set[int]:
        """The ids of the pull requests that incidents or people name as a cause."""
        keys = {one.cause_change for one in self._incidents} | {row.cause for row in self._triage}
        return self._facts.changes_named({key for key in keys if key})

    def paths_matter(self, names: Iterable[str]) -> bool:
        """Tell whether any of these services has path patterns."""
        return any(self._services.configured(name).paths for name in names)

    def service(
        self, name: str, rows: Sequence[DeploymentRow], history: History, past: Past | None = None
    ) -> ServiceFacts:
        """A service with its deployments and all else that may concern it."""
        service = self._services.configured(name)
        return ServiceFacts(
            service=service,
            rows=rows,
            history=history,
            incidents=[
                one
                for one in self._incidents
                if one.id in self._anybodys or name in self._named[one.id]
            ],
            triage=self._triage,
            named=partial(_names, name, self._named),
            belongs=path_matcher(service.paths),
            past=past or Past(),
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


def _names(name: str, named: Mapping[int, frozenset[str]], incident: IncidentRow) -> bool:
    return name in named[incident.id]


def _fingerprint(rules: Rules, name: str) -> str:
    """A text that changes with the rules that a service's lineage depends on."""
    own = tuple(service for service in rules.services if service.name == name)
    return _digest(replace(rules, services=own))


def meaning(rules: Rules, names: Collection[str]) -> str:
    """A text that changes with rules that give services' deployments and weeks a meaning."""
    own = (service for service in rules.services if service.name in names)
    unowned = tuple(replace(service, team=None) for service in own)
    return f"{_digest(replace(rules, services=unowned))} {rules.zone}"


def _digest(rules: Rules) -> str:
    """A text that changes with rules that lineage depends on."""
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
    return digest(repr(said), size=16)
