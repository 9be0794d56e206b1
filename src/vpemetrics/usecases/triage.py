"""A person's decisions about failures and incidents: what waits for one, and taking it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from vpemetrics.errors import FixInput, NotFound
from vpemetrics.names import nearest_few
from vpemetrics.records import Change, Commit, Deployment, Incident, Triage, Verdict
from vpemetrics.rules import Rules
from vpemetrics.store import Store, pending_triage, record_lookup
from vpemetrics.store.pending_triage import Undecided
from vpemetrics.store.record_lookup import Match
from vpemetrics.usecases.update_lineage import Progress, bring_up_to_date
from vpemetrics.window import format_instant, from_micros, to_micros

SOURCE: Final = "people"
"""The source of decisions."""


def waiting(store: Store, rules: Rules, progress: Progress | None = None) -> list[Undecided]:
    """The records that wait for a decision, latest first, after bringing lineage up to date."""
    bring_up_to_date(store, rules, progress)
    with store.view() as connection:
        return pending_triage.find_undecided(connection)


def confirm(
    store: Store,
    rules: Rules,
    record: str,
    *,
    who: str,
    why: str,
    when: datetime,
    restored_at: datetime | None = None,
) -> Triage:
    """Keep the decision that a deployment failed, or that what is suspected of an incident did.

    NotFound for what nothing is known of; FixInput if nothing is suspected of the incident, or if
    it was restored before it was deployed, or has yet to be.
    """
    found = _find_decidable(store, rules, record)
    if restored_at:
        _check_restored(store, found, restored_at, when)
    if found.kind == Incident.KIND:
        with store.view() as connection:
            suspected = pending_triage.suspects_anything(connection, found.id)
        if not suspected:
            raise FixInput(
                f"no deployment is suspected of {record}, so there is nothing to confirm\n"
                f"If you know what caused it: vpemetrics triage link {record} CAUSE --why …"
            )
    decision = Triage(
        record=record,
        verdict=Verdict.CONFIRM,
        when=when,
        restored_at=restored_at,
        who=who,
        why=why,
    )
    return _keep(store, decision)


def reject(
    store: Store, rules: Rules, record: str, *, who: str, why: str, when: datetime
) -> Triage:
    """Keep the decision that a deployment did not fail, or that none caused an incident."""
    _find_decidable(store, rules, record)
    decision = Triage(record=record, verdict=Verdict.REJECT, when=when, who=who, why=why)
    return _keep(store, decision)


def link(
    store: Store, rules: Rules, incident: str, cause: str, *, who: str, why: str, when: datetime
) -> Triage:
    """Keep the decision what caused an incident: a deployment, pull request or commit."""
    if _find_decidable(store, rules, incident).kind != Incident.KIND:
        raise FixInput(f"{incident} is a deployment; only an incident is linked to its cause")
    found = _find_one(store, cause, (Deployment.KIND, Change.KIND, Commit.KIND))
    _check_production(store, found)
    decision = Triage(
        record=incident, verdict=Verdict.LINK, cause=found.name, when=when, who=who, why=why
    )
    return _keep(store, decision)


def without_cause(store: Store, rules: Rules, incident: str) -> bool:
    """Tell whether an incident is tied to no deployment, for all that was decided."""
    return any(undecided.record == incident for undecided in waiting(store, rules))


def _keep(store: Store, decision: Triage) -> Triage:
    store.save(SOURCE, [decision])
    return decision


def _find_decidable(store: Store, rules: Rules, record: str) -> Match:
    """The incident or deployment to production that a name means."""
    bring_up_to_date(store, rules)
    found = _find_one(store, record, (Incident.KIND, Deployment.KIND))
    if found.name != record:
        raise NotFound(f"nothing is known under {record!r}; give the whole id, {found.name}")
    _check_production(store, found)
    return found


def _find_one(store: Store, name: str, kinds: Iterable[str]) -> Match:
    """The record of these kinds that a name means; the kinds in order of precedence."""
    with store.view() as connection:
        found = [match for match in record_lookup.find(connection, name) if match.kind in kinds]
        for kind in kinds:
            ones = {match.name: match for match in found if match.kind == kind}
            if len(ones) > 1:
                raise NotFound(f"{name!r} may mean {', '.join(sorted(ones))}; give one of these")
            if ones:
                return next(iter(ones.values()))
        near = nearest_few(name, record_lookup.find_similar(connection, name))
    hint = f"did you mean {', '.join(near)}?" if near else "see vpemetrics triage list"
    raise NotFound(f"nothing is known under {name!r}; {hint}")


def _check_restored(store: Store, found: Match, restored_at: datetime, now: datetime) -> None:
    """Refuse a time at which a failed deployment cannot have been restored."""
    if found.kind == Incident.KIND:
        raise FixInput(
            f"{found.name} is an incident, whose own times say when it was over\n"
            "--restored is for a deployment; correct the incident where it comes from"
        )
    with store.view() as connection:
        deployed_at = pending_triage.deployed_at(connection, found.id)
    if deployed_at is not None and to_micros(restored_at) < deployed_at:
        raise FixInput(
            f"{found.name} was deployed on {format_instant(from_micros(deployed_at))}, "
            f"after {format_instant(restored_at)}"
        )
    if restored_at > now:
        raise FixInput(f"{format_instant(restored_at)} is yet to come")


def _check_production(store: Store, found: Match) -> None:
    if found.kind != Deployment.KIND:
        return
    with store.view() as connection:
        counts = pending_triage.reaches_production(connection, found.id)
    if not counts:
        raise FixInput(
            f"{found.name} did not reach production, so it cannot have failed there\n"
            "Which environments are production is `production.environments` in vpemetrics.toml"
        )
