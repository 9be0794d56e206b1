"""The entries of the audit log: trust in configurations, and settings that changed figures."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from vpemetrics.config.secrets import mask
from vpemetrics.config.trust import decisions
from vpemetrics.errors import FixConfiguration, StoreProblem
from vpemetrics.login import login_name
from vpemetrics.metrics.registry import METRICS
from vpemetrics.records import AuditEntry
from vpemetrics.rules import Rules, Service, Step, Target
from vpemetrics.store import Store, audit

_SETTINGS: Final[Mapping[str, str]] = {
    "organisation": "organisation.name",
    "zone": "organisation.timezone",
    "environments": "production.environments",
    "lead_time_start": "lead_time.start",
    "bots": "bots.authors",
    "agents": "agents.authors",
    "incident_window": "failures.suspect_within",
    "incident_labels": "failures.incident_labels",
    "hotfix_labels": "failures.hotfix_labels",
    "hotfix_branches": "failures.hotfix_branches",
    "superseded_within": "deployments.superseded_within",
    "reliability": "reliability.file",
}
"""The settings that rules are from, for those that are a setting each."""


def note_trust(store: Store, file: Path | None, environ: Mapping[str, str]) -> None:
    """Take over what this user decided on the trust in a configuration, before and since.

    There may have been no store by then, so it is kept beside the trust itself. Who may not
    write, or comes while somebody else does, goes on without: the next one finds the same.
    """
    with suppress(FixConfiguration):  # told where trust is asked for
        _note(store, {entry.key: entry for entry in decisions(file, environ)} if file else {})


def _note(store: Store, decided: Mapping[str, AuditEntry]) -> None:
    if not decided:
        return
    with store.view() as connection:
        new = audit.unknown(connection, decided)
    if new:
        with suppress(StoreProblem), store.transaction_at_once() as connection:
            audit.record(connection, *(decided[key] for key in new))


def note_settings(store: Store, rules: Rules, now: datetime | None = None) -> None:
    """Record which settings changed since figures were made last; of the first ones nothing.

    Who may not write, or comes while somebody else does, goes on without: the next one finds the
    same.
    """
    settings = settings_of(rules)
    with store.view() as connection:
        if audit.load_settings(connection) == settings:
            return
    with suppress(StoreProblem), store.transaction_at_once() as connection:
        before = audit.load_settings(connection)
        audit.save_settings(connection, settings)
        at, who = now or datetime.now(UTC), login_name()
        for name, change in audit.changes(settings if before is None else before, settings):
            entry = AuditEntry(when=at, action=audit.SETTING, subject=name, what=change, who=who)
            audit.record(connection, entry)


def settings_of(rules: Rules) -> dict[str, str]:
    """The settings and definitions that figures follow from, as texts without secrets."""
    found = {setting: _text(getattr(rules, name)) for name, setting in _SETTINGS.items()}
    for service in rules.services:
        found |= _settings_in(f"service.{service.name}", service, but=("name",))
    for target in rules.targets:
        found |= _settings_in(_scoped("target", target), target, but=("metric", "scope"))
    for step in rules.steps:
        found |= _settings_in(f"{_scoped('step', step)}.{step.on}", step, but=("metric", "scope"))
    if rules.reliability:  # wherever one stands
        found[_SETTINGS["reliability"]] = mask(os.path.abspath(rules.reliability))
    found |= {f"definition.{name}": metric.definition_id for name, metric in METRICS.items()}
    return found


def _scoped(table: str, entry: Target | Step) -> str:
    return f"{table}.{entry.metric}" + (f".{entry.scope}" if entry.scope else "")


def _settings_in(
    table: str, entry: Service | Target | Step, *, but: tuple[str, ...]
) -> dict[str, str]:
    """The settings of one entry of a list that are given; at least that it is there."""
    given = {
        f"{table}.{field.name}": _text(value)
        for field in fields(entry)
        if field.name not in but and (value := getattr(entry, field.name)) not in (None, ())
    }
    return given or {table: "given"}


def _text(value: object) -> str:
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}s"
    if isinstance(value, str | date):
        return mask(str(value))
    return mask(json.dumps(value, ensure_ascii=False))
