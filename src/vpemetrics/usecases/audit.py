"""The entries of the audit log: who decided something, and settings that changed figures."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from getpass import getuser
from typing import Final

from vpemetrics.config.secrets import mask
from vpemetrics.errors import StoreProblem
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
    "incident_window": "failures.suspect_within",
    "incident_labels": "failures.incident_labels",
    "hotfix_labels": "failures.hotfix_labels",
    "hotfix_branches": "failures.hotfix_branches",
    "superseded_within": "deployments.superseded_within",
    "reliability": "reliability.file",
}
"""The settings that rules are from, for those that are a setting each."""


def login_name() -> str:
    """The name that a decision is signed with: that of the login."""
    try:
        return getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return f"user {os.getuid()}"


def record_decision(
    store: Store, action: str, subject: str | None, what: str | None, *, now: datetime
) -> None:
    """Record what the user of this process decided."""
    entry = AuditEntry(when=now, action=action, subject=subject, what=what, who=login_name())
    with store.transaction() as connection:
        audit.record(connection, entry)


def note_settings(store: Store, rules: Rules, now: datetime | None = None) -> None:
    """Record which settings changed since figures were made last; of the first ones nothing.

    As with baselines, who may not write, or comes while somebody else does, goes on without:
    the next one finds the same.
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
