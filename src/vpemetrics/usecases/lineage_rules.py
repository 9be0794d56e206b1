"""The rules that lineage goes by, as texts that change with them."""

from dataclasses import replace
from typing import Final

from vpemetrics.fingerprint import digest
from vpemetrics.rules import Rules

LINEAGE_VERSION: Final = 8
"""Raised when lineage comes to other results from the same facts; then all is traced anew."""


def service_fingerprint(rules: Rules, name: str) -> str:
    """A text that changes with the rules that a service's lineage depends on."""
    own = tuple(service for service in rules.services if service.name == name)
    return lineage_digest(replace(rules, services=own))


def lineage_digest(rules: Rules) -> str:
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
